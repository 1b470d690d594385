/* test_vectors.c: ops and their gradients against PyTorch's, on the sample inputs of its operator database; optimiser
 * steps and clipping against its traces. By definition in f64 and by the default kernels in f32. What is not supported
 * is counted and never passed. */
#include "vector_case.h"

/* ---- PyTorch's calls as graphs: none when a form is not supported ---- */

#define UNARY(name)                                                                                                    \
    static hd_val call_##name(vector_case *c) {                                                                        \
        return hd_##name(vector_arg_value(c, 0, NULL));                                                                \
    }
UNARY(neg)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(abs)
UNARY(sign)
UNARY(sigmoid)
UNARY(relu)

#define BINARY(name)                                                                                                   \
    static hd_val call_##name(vector_case *c) {                                                                        \
        if (hd_json_get(c->kwargs, "alpha")) return (hd_val){0};                                                       \
        const hd_val a = vector_arg_value(c, 0, NULL), b = vector_arg_value(c, 1, NULL);                               \
        return hd_val_is_none(a) || hd_val_is_none(b) ? (hd_val){0} : hd_##name(a, b);                                 \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)

static hd_val reduce(vector_case *c, hd_val (*op)(hd_loc, const hd_reduce_args *)) {
    hd_reduce_args a = {.x = vector_arg_value(c, 0, NULL), .keepdim = vector_flag(c, 2, "keepdim", false)};
    if (!vector_ints(vector_arg(c, 1, "dim"), a.axes.dim, HD_MAX_DIMS, 0, &a.axes.rank)) return (hd_val){0};
    if (hd_val_dims(a.x).rank == 0) a.axes.rank = 0; /* PyTorch lets a scalar have an axis */
    return op(HD_HERE, &a);
}
static hd_val call_sum(vector_case *c) {
    return reduce(c, hd_sum_at);
}
static hd_val call_mean(vector_case *c) {
    return reduce(c, hd_mean_at);
}
static hd_val call_amax(vector_case *c) {
    return reduce(c, hd_max_at);
}

static hd_val call_matmul(vector_case *c) {
    const hd_val a = vector_arg_value(c, 0, NULL), b = vector_arg_value(c, 1, NULL);
    const hd_dims da = hd_val_dims(a), db = hd_val_dims(b);
    if (da.rank < 2 || db.rank < 2 || (db.rank != 2 && db.rank != da.rank)) return (hd_val){0};
    return hd_matmul(a, b);
}

static hd_val call_linear(vector_case *c) {
    const hd_val x = vector_arg_value(c, 0, NULL), w = vector_arg_value(c, 1, NULL);
    return hd_linear(x, w, vector_arg_value(c, 2, "bias"));
}

static hd_val call_conv2d(vector_case *c) {
    hd_conv2d_args a = {.groups = (int64_t)vector_number(c, 6, "groups", 1)};
    int n;
    a.x = vector_arg_value(c, 0, NULL);
    a.w = vector_arg_value(c, 1, NULL);
    a.b = vector_arg_value(c, 2, "bias");
    if (!vector_ints(vector_arg(c, 3, "stride"), a.stride, 2, 2, &n)) return (hd_val){0};
    if (!vector_ints(vector_arg(c, 4, "padding"), a.padding, 2, 2, &n)) return (hd_val){0};
    if (!vector_ints(vector_arg(c, 5, "dilation"), a.dilation, 2, 2, &n)) return (hd_val){0};
    return hd_conv2d_at(HD_HERE, &a);
}

static bool pool_args(vector_case *c, hd_pool2d_args *a) {
    int n;
    a->x = vector_arg_value(c, 0, NULL);
    return hd_val_dims(a->x).rank == 4 && vector_ints(vector_arg(c, 1, "kernel_size"), a->kernel_size, 2, 2, &n) &&
           vector_ints(vector_arg(c, 2, "stride"), a->stride, 2, 2, &n) &&
           vector_ints(vector_arg(c, 3, "padding"), a->padding, 2, 2, &n);
}
static hd_val call_max_pool2d(vector_case *c) {
    hd_pool2d_args a = {0};
    int64_t dilation[2] = {1, 1};
    int n;
    if (!pool_args(c, &a) || !vector_ints(vector_arg(c, 4, "dilation"), dilation, 2, 2, &n)) return (hd_val){0};
    if (vector_flag(c, 5, "ceil_mode", false) || dilation[0] != 1 || dilation[1] != 1) return (hd_val){0};
    return hd_max_pool2d_at(HD_HERE, &a);
}
static hd_val call_avg_pool2d(vector_case *c) {
    hd_pool2d_args a = {0};
    if (!pool_args(c, &a) || vector_flag(c, 4, "ceil_mode", false)) return (hd_val){0};
    if (!vector_flag(c, 5, "count_include_pad", true) || vector_number(c, 6, "divisor_override", 0) != 0)
        return (hd_val){0};
    return hd_avg_pool2d_at(HD_HERE, &a);
}

static hd_val call_batch_norm(vector_case *c) {
    hd_batch_norm_args a = {.x = vector_arg_value(c, 0, NULL)};
    a.eps = vector_number(c, 7, "eps", 0);
    a.momentum = vector_number(c, 6, "momentum", 0);
    for (size_t i = 1; i < 5; i++)
        if (!vector_arg(c, i, NULL) || !vector_tensor(vector_arg(c, i, NULL))) return (hd_val){0};
    a.running_mean = vector_value(c, vector_arg(c, 1, NULL), true);
    a.running_var = vector_value(c, vector_arg(c, 2, NULL), true);
    a.w = vector_arg_value(c, 3, NULL);
    a.b = vector_arg_value(c, 4, NULL);
    if (a.momentum < 0) return (hd_val){0};
    if (vector_flag(c, 5, "training", false)) return hd_batch_norm_at(HD_HERE, &a);
    return hd_batch_norm_infer_at(HD_HERE, &a);
}

static hd_val softmax_of(vector_case *c, hd_val (*op)(hd_loc, const hd_softmax_args *)) {
    hd_softmax_args a = {.x = vector_arg_value(c, 0, NULL)};
    const int64_t axis = (int64_t)vector_number(c, 1, "dim", -1);
    if (hd_val_dims(a.x).rank == 0 || hd_json_get(c->kwargs, "dtype")) return (hd_val){0};
    a.axis = HD_AXIS(axis);
    return op(HD_HERE, &a);
}
static hd_val call_softmax(vector_case *c) {
    return softmax_of(c, hd_softmax_at);
}
static hd_val call_log_softmax(vector_case *c) {
    return softmax_of(c, hd_log_softmax_at);
}

static hd_val call_reshape(vector_case *c) {
    hd_reshape_args a = {.x = vector_arg_value(c, 0, NULL)};
    if (!vector_ints(vector_arg(c, 1, "shape"), a.dims.dim, HD_MAX_DIMS, 0, &a.dims.rank)) return (hd_val){0};
    return hd_reshape_at(HD_HERE, &a);
}
static hd_val call_flatten(vector_case *c) {
    const hd_val x = vector_arg_value(c, 0, NULL);
    if (hd_val_dims(x).rank == 0) return (hd_val){0};
    const int64_t start = (int64_t)vector_number(c, 1, "start_dim", 0),
                  end = (int64_t)vector_number(c, 2, "end_dim", -1);
    return hd_flatten(x, .start_axis = HD_AXIS(start), .end_axis = HD_AXIS(end));
}
static hd_val call_permute(vector_case *c) {
    hd_transpose_args a = {.x = vector_arg_value(c, 0, NULL)};
    if (!vector_ints(vector_arg(c, 1, "dims"), a.axes.dim, HD_MAX_DIMS, 0, &a.axes.rank)) return (hd_val){0};
    return a.axes.rank ? hd_transpose_at(HD_HERE, &a) : (hd_val){0};
}
static hd_val call_transpose(vector_case *c) {
    hd_transpose_args a = {.x = vector_arg_value(c, 0, NULL)};
    const int rank = a.axes.rank = hd_val_dims(a.x).rank;
    const int i = hd_axis_resolve(HD_AXIS((int64_t)vector_number(c, 1, "dim0", 0)), rank);
    const int j = hd_axis_resolve(HD_AXIS((int64_t)vector_number(c, 2, "dim1", 0)), rank);
    if (i < 0 || j < 0) return (hd_val){0};
    for (int k = 0; k < rank; k++) a.axes.dim[k] = k == i ? j : k == j ? i : k;
    return hd_transpose_at(HD_HERE, &a);
}
static hd_val call_cat(vector_case *c) {
    hd_val x[VECTOR_MOST];
    int64_t n = 0;
    for (const hd_json *v = c->args->child->child; v && n < VECTOR_MOST; v = v->next)
        x[n++] = vector_value(c, v, false);
    const int64_t axis = (int64_t)vector_number(c, 1, "dim", 0);
    return hd_concat(x, n, .axis = HD_AXIS(axis));
}
static hd_val call_narrow(vector_case *c) {
    const hd_json *start = vector_arg(c, 2, "start");
    const int64_t axis = (int64_t)vector_number(c, 1, "dim", 0), n = (int64_t)vector_number(c, 3, "length", 0);
    if (!start || start->type != HD_JSON_INT || n == 0) return (hd_val){0};
    const hd_val x = vector_arg_value(c, 0, NULL);
    return hd_slice(x, .axis = HD_AXIS(axis), .start = start->integer, .stop = start->integer + n);
}
/* PyTorch names the rims from the last axis on. `at`: position of the value. */
static hd_val pad_of(vector_case *c, size_t at) {
    hd_pad_args a = {.x = vector_arg_value(c, 0, NULL), .value = vector_number(c, at, "value", 0)};
    int64_t rim[2 * HD_MAX_DIMS];
    int n;
    const int rank = a.before.rank = a.after.rank = hd_val_dims(a.x).rank;
    if (!vector_ints(vector_arg(c, 1, "pad"), rim, 2 * HD_MAX_DIMS, 0, &n) || n > 2 * rank) return (hd_val){0};
    for (int i = 0; i < n; i++) {
        if (rim[i] < 0) return (hd_val){0};
        (i & 1 ? &a.after : &a.before)->dim[rank - 1 - i / 2] = rim[i];
    }
    return hd_pad_at(HD_HERE, &a);
}
static hd_val call_pad(vector_case *c) {
    return pad_of(c, 3);
}
static hd_val call_constant_pad(vector_case *c) {
    return pad_of(c, 2);
}

static hd_val call_cross_entropy(vector_case *c) {
    const hd_val x = vector_arg_value(c, 0, NULL), t = vector_arg_value(c, 1, NULL);
    if (!vector_says(c, "reduction", "mean") || hd_json_get(c->kwargs, "weight")) return (hd_val){0};
    return hd_val_dims(x).rank == 2 && hd_val_dtype(t) == HD_I64 ? hd_cross_entropy(x, t) : (hd_val){0};
}
static hd_val call_bce(vector_case *c) {
    if (!vector_says(c, "reduction", "mean") || hd_json_get(c->kwargs, "weight") ||
        hd_json_get(c->kwargs, "pos_weight"))
        return (hd_val){0};
    const hd_val x = vector_arg_value(c, 0, NULL);
    return hd_bce_with_logits(x, vector_arg_value(c, 1, NULL));
}
static hd_val call_mse(vector_case *c) {
    if (!vector_says(c, "reduction", "mean")) return (hd_val){0};
    const hd_val x = vector_arg_value(c, 0, NULL);
    return hd_mse(x, vector_arg_value(c, 1, NULL));
}

static const struct {
    const char *file;
    hd_val (*call)(vector_case *c);
} calls[] = {
    {"neg", call_neg},
    {"exp", call_exp},
    {"log", call_log},
    {"sqrt", call_sqrt},
    {"abs", call_abs},
    {"sign", call_sign},
    {"sigmoid", call_sigmoid},
    {"nn.functional.relu", call_relu},
    {"add", call_add},
    {"sub", call_sub},
    {"mul", call_mul},
    {"true_divide", call_div},
    {"div.no_rounding_mode", call_div},
    {"sum", call_sum},
    {"mean", call_mean},
    {"amax", call_amax},
    {"matmul", call_matmul},
    {"mm", call_matmul},
    {"bmm", call_matmul},
    {"nn.functional.linear", call_linear},
    {"nn.functional.conv2d", call_conv2d},
    {"nn.functional.max_pool2d", call_max_pool2d},
    {"nn.functional.avg_pool2d", call_avg_pool2d},
    {"nn.functional.batch_norm", call_batch_norm},
    {"softmax", call_softmax},
    {"log_softmax", call_log_softmax},
    {"reshape", call_reshape},
    {"view", call_reshape},
    {"flatten", call_flatten},
    {"permute", call_permute},
    {"transpose", call_transpose},
    {"cat", call_cat},
    {"narrow", call_narrow},
    {"nn.functional.pad.constant", call_pad},
    {"constant_pad_nd", call_constant_pad},
    {"nn.functional.cross_entropy", call_cross_entropy},
    {"nn.functional.binary_cross_entropy_with_logits", call_bce},
    {"nn.functional.mse_loss", call_mse},
};

/* ---- running a case ---- */

typedef struct bars {
    hd_dtype dtype;
    const char *backend;
} bars;

/* PyTorch's own error in f32, of the largest value. */
static double torch_error(const vector_case *c, const char *key, size_t i) {
    const hd_json *list = hd_json_get(c->json, key), *pair = list ? list->child : NULL;
    for (; pair && i > 0; i--) pair = pair->next;
    return pair && pair->child && pair->child->next ? pair->child->next->number : 0;
}

static void compare(const vector_case *c, const char *file, const char *tensor, const void *got, double bar) {
    hd_dims dims;
    double *want = vector_read(c->file, tensor, &dims, NULL), largest = 0;
    const int64_t n = hd_dims_count(&dims);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i])) largest = fmax(largest, fabs(want[i]));
    for (int64_t i = 0; i < n; i++) {
        const double y = c->dtype == HD_F64 ? ((const double *)got)[i] : (double)((const float *)got)[i];
        const bool same = y == want[i] || (isnan(y) && isnan(want[i]));
        if (!same && !(fabs(y - want[i]) <= bar * fmax(largest, 1e-30)))
            fail_msg("%s, %s: element %lld is %.12g, PyTorch says %.12g (largest %.3g, allowed %.3g of it)", file,
                     tensor, (long long)i, y, want[i], largest, bar);
    }
    free(want);
}

static void run_case(vector_case *c, const char *file, hd_val y, const bars *b) {
    hd_context *ctx = c->file->ctx;
    hd_program *p;
    hd_val of[VECTOR_MOST], grads[VECTOR_MOST];
    const char *wanted[VECTOR_MOST], *seed_name = NULL;
    int32_t n = 0;
    const hd_json *list = hd_json_get(c->json, "requires_grad"), *gin = hd_json_get(c->json, "grad_in");
    for (const hd_json *v = list ? list->child : NULL, *g = gin ? gin->child : NULL; v && g; v = v->next, g = g->next)
        for (int i = 0; i < c->n; i++)
            if (strcmp(c->name[i], v->string) == 0) of[n] = c->val[i], wanted[n++] = g->string;
    const hd_json *gout = hd_json_get(hd_json_get(c->json, "grad_out"), "0");
    hd_mark_output(y, "y");
    if (gout && n) {
        seed_name = gout->string;
        const hd_val seed = hd_input(c->g, "seed", c->dtype, hd_val_dims(y));
        if (hd_gradients(y, seed, of, n, grads) != HD_OK) fail_msg("%s: %s", file, hd_last_error(ctx));
    }
    static const char *const names[VECTOR_MOST] = {"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"};
    for (int32_t i = 0; i < n && seed_name; i++)
        if (!hd_val_is_none(grads[i])) hd_mark_output(hd_neg(hd_neg(grads[i])), names[i]);
    const hd_compile_args args = {.backend = b->backend, .train = true, .exact = true};
    if (hd_compile_with(&p, hd_forward(y), &args) != HD_OK) fail_msg("%s: %s", file, hd_last_error(ctx));
    for (int i = 0; i < c->n; i++) {
        const char *name = hd_val_name(c->val[i]);
        const hd_type type = {hd_val_dtype(c->val[i]), hd_val_dims(c->val[i])};
        const size_t bytes = (size_t)hd_dims_count(&type.dims) * hd_dtype_size(type.dtype);
        if (hd_program_input(p, name) >= 0)
            hd_program_bind(p, hd_program_input(p, name), c->data[i]);
        else if (hd_store_set(hd_program_store(p), name, c->data[i], bytes) != HD_OK)
            fail_msg("%s", hd_last_error(ctx));
    }
    void *seed_data = NULL;
    if (seed_name) {
        hd_dims dims;
        double *seed = vector_read(c->file, seed_name, &dims, NULL);
        seed_data = vector_data(c->dtype, seed, hd_dims_count(&dims));
        free(seed);
        if (hd_program_input(p, "seed") >= 0) hd_program_bind(p, hd_program_input(p, "seed"), seed_data);
    }
    if (hd_program_run(p) != HD_OK) fail_msg("%s: %s", file, hd_last_error(ctx));
    const bool f64 = c->dtype == HD_F64;
    const double bar = f64 ? 1e-10 : fmax(2 * torch_error(c, "torch_f32_error", 0), 1e-6);
    compare(c, file, hd_json_get(c->json, "out")->child->string, hd_program_get(p, "y"), bar);
    for (int32_t i = 0; i < n && seed_name; i++) {
        const double grad_bar = f64 ? 1e-10 : fmax(4 * torch_error(c, "torch_f32_grad_error", (size_t)i), 1e-5);
        const hd_dims dims = hd_val_dims(of[i]);
        void *zero = calloc((size_t)hd_dims_count(&dims) + 1, sizeof(double));
        compare(c, file, wanted[i], hd_val_is_none(grads[i]) ? zero : hd_program_get(p, names[i]), grad_bar);
        free(zero);
    }
    free(seed_data);
    hd_program_free(p);
}

static bool check_case(const vector_file *f, const hd_json *json, const char *name, hd_val (*call)(vector_case *),
                       const bars *b) {
    vector_case c = {.file = f,
                     .json = json,
                     .args = hd_json_get(json, "args"),
                     .kwargs = hd_json_get(json, "kwargs"),
                     .dtype = b->dtype};
    assert_int_equal(hd_graph_new(&c.g, f->ctx), HD_OK);
    const hd_val y = call(&c);
    const bool supported = !hd_val_is_none(y) || (y.graph && y.id < 0);
    if (hd_graph_status(c.g) != HD_OK) fail_msg("%s: %s", name, hd_last_error(f->ctx));
    if (supported) run_case(&c, name, y, b);
    hd_graph_free(c.g);
    for (int i = 0; i < c.n; i++) free(c.data[i]);
    return supported;
}

static void check_all(const bars *b) {
    hd_context *ctx = test_context(1);
    int cases = 0, supported = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        vector_file f;
        char path[256];
        (void)snprintf(path, sizeof path, "opinfo/%s", calls[i].file);
        if (!vector_open(&f, ctx, path)) skip();
        for (const hd_json *c = hd_json_get(f.root, "cases")->child; c; c = c->next, cases++)
            supported += check_case(&f, c, calls[i].file, calls[i].call, b);
        vector_close(&f);
    }
    print_message("%d of %d cases are supported and agree\n", supported, cases);
    assert_true(supported >= 120);
    hd_context_free(ctx);
}

static void test_definitions(void **state) {
    (void)state;
    check_all(&(bars){HD_F64, "ref"});
}
static void test_default(void **state) {
    (void)state;
    check_all(&(bars){HD_F32, "default"});
}

/* ---- optimisers ---- */

/* One parameter through 20 steps. */
typedef struct trace {
    const vector_file *file;
    const char *prefix;
    int which;
    hd_dtype dtype;
    int64_t n;
    void *p, *g, *m, *v;
} trace;

static void trace_load(trace *t, const char *what, int step, void **into) {
    char name[128];
    hd_dims dims;
    if (step < 0)
        (void)snprintf(name, sizeof name, "%s.p%d.%s", t->prefix, t->which, what);
    else
        (void)snprintf(name, sizeof name, "%s.p%d.%s%d", t->prefix, t->which, what, step);
    double *x = vector_read(t->file, name, &dims, NULL);
    t->n = hd_dims_count(&dims);
    free(*into);
    *into = vector_data(t->dtype, x, t->n);
    free(x);
}

static hd_tensor trace_tensor(const trace *t, void *data) {
    return (hd_tensor){t->dtype, HD_DIMS(t->n), t->n, data};
}

static double config_number(const hd_json *config, const char *key, double def) {
    const hd_json *v = hd_json_get(config, key);
    return v ? v->number : def;
}

static void trace_step(trace *t, const char *optimizer, const hd_json *config, int step) {
    const bool sgd = strcmp(optimizer, "SGD") == 0, adamw = strcmp(optimizer, "AdamW") == 0;
    double hyper[4] = {config_number(config, "lr", 0), step + 1,
                       config_number(config, "weight_decay", adamw ? 0.01 : 0), 0};
    const hd_tensor h = {HD_F64, HD_DIMS(4), 4, hyper}, none = {.dims = {.rank = -1}};
    const hd_tensor p = trace_tensor(t, t->p), g = trace_tensor(t, t->g), m = trace_tensor(t, t->m),
                    v = trace_tensor(t, t->v);
    if (sgd) {
        const hd_sgd_update_args a = {.momentum = config_number(config, "momentum", 0),
                                      .nesterov = config_number(config, "nesterov", 0) != 0};
        const hd_tensor in[] = {p, g, h, none, a.momentum != 0 ? v : none}, out[] = {p, v};
        hd_op_find(NULL, "sgd_update")->ref(&(hd_ref){&a, 5, 2, in, out});
        return;
    }
    hd_adam_update_args a = {
        .beta1 = 0.9, .beta2 = 0.999, .eps = config_number(config, "eps", 1e-8), .decoupled = adamw};
    const hd_json *betas = hd_json_get(config, "betas");
    if (betas) a.beta1 = betas->child->number, a.beta2 = betas->child->next->number;
    const hd_tensor in[] = {p, g, m, v, h, none}, out[] = {p, m, v};
    hd_op_find(NULL, "adam_update")->ref(&(hd_ref){&a, 6, 3, in, out});
}

static void check_trace(const vector_file *f, const char *optimizer, const hd_json *json) {
    const hd_json *config = hd_json_get(json, "config");
    const char *prefix = hd_json_get(json, "prefix")->string;
    const bool f64 = strstr(prefix, "F64") != NULL;
    for (int which = 0; which < 2; which++) {
        trace t = {.file = f, .prefix = prefix, .which = which, .dtype = f64 ? HD_F64 : HD_F32};
        trace_load(&t, "start", -1, &t.p);
        t.m = calloc((size_t)t.n, sizeof(double));
        t.v = calloc((size_t)t.n, sizeof(double));
        for (int step = 0; step < 20; step++) {
            char name[128];
            trace_load(&t, "grad", step, &t.g);
            trace_step(&t, optimizer, config, step);
            (void)snprintf(name, sizeof name, "%s.p%d.step%d", prefix, which, step);
            compare(&(vector_case){.file = f, .dtype = t.dtype}, optimizer, name, t.p, f64 ? 1e-12 : 1e-6);
        }
        free(t.p), free(t.g), free(t.m), free(t.v);
    }
}

static void test_optimizers(void **state) {
    (void)state;
    static const char *const names[] = {"SGD", "Adam", "AdamW"};
    hd_context *ctx = test_context(1);
    int checked = 0;
    for (int i = 0; i < 3; i++) {
        vector_file f;
        char path[64];
        (void)snprintf(path, sizeof path, "optim/%s", names[i]);
        if (!vector_open(&f, ctx, path)) skip();
        for (const hd_json *c = hd_json_get(f.root, "cases")->child; c; c = c->next) {
            const hd_json *config = hd_json_get(c, "config");
            if (hd_json_get(config, "dampening") || hd_json_get(config, "maximize") || hd_json_get(config, "amsgrad"))
                continue;
            check_trace(&f, names[i], c);
            checked++;
        }
        vector_close(&f);
    }
    print_message("%d traces\n", checked);
    assert_true(checked >= 7);
    hd_context_free(ctx);
}

static void test_clip(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    vector_file f;
    if (!vector_open(&f, ctx, "clip")) skip();
    int i = 0, checked = 0;
    for (const hd_json *c = hd_json_get(f.root, "cases")->child; c; c = c->next, i++) {
        if (strcmp(hd_json_get(c, "norm_type")->string, "2.0") != 0) continue;
        hd_tensor in[2], out;
        double scale = NAN;
        char name[32];
        for (int k = 0; k < 2; k++) {
            (void)snprintf(name, sizeof name, "c%d.g%d", i, k);
            in[k].dtype = HD_F64;
            in[k].data = vector_read(&f, name, &in[k].dims, NULL);
            in[k].count = hd_dims_count(&in[k].dims);
        }
        out = (hd_tensor){HD_F64, {0}, 1, &scale};
        const hd_clip_scale_args a = {.max_norm = hd_json_get(c, "max_norm")->number};
        hd_op_find(NULL, "clip_scale")->ref(&(hd_ref){&a, 2, 1, in, &out});
        for (int k = 0; k < 2; k++) {
            double *g = in[k].data;
            for (int64_t j = 0; j < in[k].count; j++) g[j] *= scale;
            (void)snprintf(name, sizeof name, "c%d.out%d", i, k);
            compare(&(vector_case){.file = &f, .dtype = HD_F64}, "clip", name, g, 1e-10);
            free(g);
        }
        checked++;
    }
    assert_true(checked >= 3);
    vector_close(&f);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_definitions), cmocka_unit_test(test_default),
                                       cmocka_unit_test(test_optimizers), cmocka_unit_test(test_clip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
