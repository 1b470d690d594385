/* dnnl_api.c: the only file that calls oneDNN, with dnnl_versions.h, which knows what differs between its versions.
 * Owns its objects. Knows no op and no threads. */
#include "backends/onednn/dnnl_api.h"
#include "base/alloc.h"
#include "base/status.h"
#include "hadal/ops.h"
#include <stdio.h>
#include <string.h>

#ifdef HD_HAVE_DNNL
#include "backends/onednn/dnnl_versions.h"

enum { SCRATCH = HD_DNNL_OPERANDS, ARGS };

/* What the library made of it. */
typedef struct find {
    dnnl_engine_t engine;
    dnnl_primitive_desc_t pd;
} find;

struct hd_dnnl_prim {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    int n_args, output; /* output: the operand that is written (the bias's gradient apart) */
    int operand[ARGS];  /* of each argument; SCRATCH is the scratchpad */
    size_t bytes[ARGS];
    int64_t sets;
    dnnl_exec_arg_t *args;                                  /* [sets][n_args] */
    void **bound;                                           /* [sets][n_args] what the memory objects point to */
    int64_t rows, columns, row_stride, batch, batch_stride; /* of a product's y, to fill it */
    size_t element;                                         /* bytes of one of that y */
};

static const int arg_of[3][HD_DNNL_OPERANDS] = {
    {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST},
    {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DIFF_DST},
    {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST}};
static const dnnl_query_t query_of[3][HD_DNNL_OPERANDS] = {
    {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_weights_md, dnnl_query_dst_md},
    {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
    {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};

const char *hd_dnnl_version_text(char buffer[32]) {
    const dnnl_version_t *v = dnnl_version();
    snprintf(buffer, 32, "%d.%d.%d", v->major, v->minor, v->patch);
    return buffer;
}

/* ---- descriptions ---- */

static bool layout_of(hd_md_ref d, bool grouped, hd_layout *out) {
    hd_blocking b, joined;
    if (!hd_md_blocking(d, &b)) return false;
    if (!grouped) return hd_layout_from_blocking(&b, out);
    return hd_blocking_join_groups(&b, &joined) && hd_layout_from_blocking(&joined, out);
}

static dnnl_data_type_t type_of(hd_dtype dtype) {
    return dtype == HD_BF16 ? dnnl_bf16 : dnnl_f32;
}

/* The format whose layout that is. Tags are tried in the library's order, plain ones first. */
static bool format_of(const hd_layout *layout, bool grouped, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                      hd_md *out) {
    for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; tag++) {
        hd_layout l;
        if (!hd_md_by_tag(out, rank, dims, type, (dnnl_format_tag_t)tag)) continue;
        if (layout_of(hd_md_of(out), grouped, &l) && hd_layout_equal(&l, layout)) return true;
        hd_md_free(out);
    }
    return false;
}

static void forget(hd_dnnl_wish *w) {
    for (int i = 0; i < HD_DNNL_OPERANDS; i++) hd_md_free(&w->md[i]);
}

static bool describe_operands(const hd_dnnl_conv *c, hd_md *md) {
    static const dnnl_format_tag_t tags[HD_DNNL_FORMATS] = {dnnl_format_tag_any, dnnl_acdb, dnnl_abcd};
    const int64_t g = c->groups;
    const dnnl_dims_t x = {c->n, c->c, c->h, c->w}, y = {c->n, c->k, c->oh, c->ow}, b = {c->k};
    const dnnl_dims_t w4 = {c->k, c->c, c->r, c->s}, w5 = {g, c->k / g, c->c / g, c->r, c->s};
    const dnnl_format_tag_t tag = tags[c->format];
    const int rank = g > 1 ? 5 : 4;
    const int64_t *w = g > 1 ? w5 : w4;
    dnnl_data_type_t type[HD_DNNL_OPERANDS];
    for (int i = 0; i < HD_DNNL_OPERANDS; i++) type[i] = type_of(c->dtype[i]);
    return hd_md_by_tag(&md[HD_DNNL_X], 4, x, type[HD_DNNL_X], tag) &&
           hd_md_by_tag(&md[HD_DNNL_Y], 4, y, type[HD_DNNL_Y], tag) &&
           hd_md_by_tag(&md[HD_DNNL_B], 1, b, type[HD_DNNL_B], dnnl_a) &&
           (c->w_layout ? format_of(c->w_layout, g > 1, rank, w, type[HD_DNNL_W], &md[HD_DNNL_W])
                        : hd_md_by_tag(&md[HD_DNNL_W], rank, w, type[HD_DNNL_W], dnnl_format_tag_any));
}

static bool describe_conv(const hd_dnnl_conv *c, hd_dnnl_wish *out) {
    const int64_t in[2] = {c->h, c->w}, size[2] = {c->r, c->s}, result[2] = {c->oh, c->ow};
    memset(out, 0, sizeof *out);
    out->act = c->direction == HD_DNNL_FORWARD ? c->act : HD_ACT_NONE;
    out->direction = c->direction;
    out->add = c->add && c->direction == HD_DNNL_FORWARD;
    out->isa = c->isa;
    out->grouped = c->groups > 1;
    out->bias = c->bias && c->direction != HD_DNNL_GRAD_INPUT;
    out->alg = c->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
    for (int i = 0; i < 2; i++) {
        out->stride[i] = c->stride[i];
        out->dilation[i] = c->dilation[i] - 1; /* 0 is none here */
        out->before[i] = c->padding[i];
        out->after[i] = (result[i] - 1) * c->stride[i] + (size[i] - 1) * c->dilation[i] + 1 - in[i] - c->padding[i];
    }
    if (describe_operands(c, out->md)) return true;
    forget(out);
    return false;
}

/* A matrix of rows × columns after op(); `batch` of them when more than one. */
static bool describe_matrix(hd_md *md, int64_t batch, int64_t step, int64_t rows, int64_t columns, bool trans,
                            int64_t ld, hd_dtype dtype) {
    const int64_t row = trans ? 1 : ld, column = trans ? ld : 1;
    const dnnl_dims_t d2 = {rows, columns}, s2 = {row, column};
    const dnnl_dims_t d3 = {step ? batch : 1, rows, columns}, s3 = {step ? step : rows * columns, row, column};
    const dnnl_data_type_t type = type_of(dtype);
    return batch > 1 ? hd_md_by_strides(md, 3, d3, type, s3) : hd_md_by_strides(md, 2, d2, type, s2);
}

static bool describe_product(const hd_dnnl_product *p, hd_dnnl_wish *out) {
    memset(out, 0, sizeof *out);
    out->act = p->act;
    out->direction = -1;
    out->isa = p->isa;
    out->bias = p->bias;
    hd_md *md = out->md;
    const dnnl_dims_t b2 = {1, p->n}, b3 = {1, 1, p->n};
    const bool many = p->batch > 1;
    const hd_dtype *t = p->dtype;
    if (describe_matrix(&md[HD_DNNL_X], p->batch, p->step_a, p->m, p->k, p->trans_a, p->lda, t[HD_DNNL_X]) &&
        describe_matrix(&md[HD_DNNL_W], p->batch, p->step_b, p->k, p->n, p->trans_b, p->ldb, t[HD_DNNL_W]) &&
        describe_matrix(&md[HD_DNNL_Y], p->batch, p->step_y, p->m, p->n, false, p->ldy, t[HD_DNNL_Y]) &&
        hd_md_by_tag(&md[HD_DNNL_B], many ? 3 : 2, many ? b3 : b2, type_of(t[HD_DNNL_B]), many ? dnnl_abc : dnnl_ab))
        return true;
    forget(out);
    return false;
}

/* ---- the library's answer ---- */

static const char *impl_of(dnnl_primitive_desc_t pd) {
    const char *name = NULL;
    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name) || !name ? "ref" : name;
}

/* The implementation is worth having: not plain loops, and within the instruction set that was asked for. */
static bool welcome(dnnl_primitive_desc_t pd, hd_isa isa) {
    const char *impl = impl_of(pd);
    if (strstr(impl, "ref")) return false;
    if (isa >= HD_ISA_AVX512) return true;
    const bool more = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
    return !more || strstr(impl, ":avx2") != NULL;
}

static bool make_attr(int64_t act, bool add, dnnl_primitive_attr_t *out) {
    static const dnnl_alg_kind_t kind[] = {
        [HD_ACT_RELU] = dnnl_eltwise_relu, [HD_ACT_SIGMOID] = dnnl_eltwise_logistic, [HD_ACT_TANH] = dnnl_eltwise_tanh};
    if (dnnl_primitive_attr_create(out)) return false;
    bool ok = !dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    dnnl_post_ops_t post = NULL;
    if (ok && (add || act != HD_ACT_NONE))
        ok = !dnnl_post_ops_create(&post) && (!add || hd_append_sum(post)) &&
             (act == HD_ACT_NONE || hd_append_eltwise(post, kind[act])) &&
             !dnnl_primitive_attr_set_post_ops(*out, post);
    if (post) dnnl_post_ops_destroy(post);
    if (!ok) dnnl_primitive_attr_destroy(*out);
    return ok;
}

static void lose(find *f) {
    if (f->pd) dnnl_primitive_desc_destroy(f->pd);
    if (f->engine) dnnl_engine_destroy(f->engine);
    *f = (find){NULL, NULL};
}

static bool any_will_do(dnnl_primitive_desc_t pd, hd_isa isa) {
    (void)pd, (void)isa;
    return true;
}

/* A backward convolution is described beside the forward one it belongs to. */
static dnnl_primitive_desc_t forward_hint(const hd_dnnl_wish *w, dnnl_engine_t engine) {
    hd_dnnl_wish forward = *w;
    forward.direction = HD_DNNL_FORWARD;
    forward.bias = false;
    return hd_dnnl_choose(&forward, engine, NULL, NULL, any_will_do);
}

static const char *seek(const hd_dnnl_wish *w, find *out) {
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t hint = NULL;
    *out = (find){NULL, NULL};
    if (w->isa < HD_ISA_AVX2) return "oneDNN is for AVX2 and AVX-512";
    if (dnnl_engine_create(&out->engine, dnnl_cpu, 0)) return "oneDNN has no engine for this processor";
    if (!make_attr(w->act, w->add, &attr)) {
        lose(out);
        return "oneDNN refuses the activation";
    }
    if (w->direction > HD_DNNL_FORWARD) hint = forward_hint(w, out->engine);
    out->pd = hd_dnnl_choose(w, out->engine, attr, hint, welcome);
    if (hint) dnnl_primitive_desc_destroy(hint);
    dnnl_primitive_attr_destroy(attr);
    if (out->pd) return NULL;
    lose(out);
    return "oneDNN has only its slow reference for this";
}

/* The library's description of an operand; index 1 of the weights is the bias. */
static hd_md_ref md_of(const hd_dnnl_wish *w, const find *f, int operand) {
    const int row = w->direction < 0 ? HD_DNNL_FORWARD : w->direction;
    return dnnl_primitive_desc_query_md(f->pd, query_of[row][operand], operand == HD_DNNL_B);
}

static const char *answer_of(const hd_dnnl_wish *w, hd_dnnl_answer *answer) {
    find f;
    const char *reason = seek(w, &f);
    if (reason) return reason;
    memset(answer, 0, sizeof *answer);
    snprintf(answer->impl, sizeof answer->impl, "%s", impl_of(f.pd));
    answer->scratch = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(f.pd, dnnl_query_scratchpad_md, 0));
    for (int i = 0; i < HD_DNNL_OPERANDS && w->direction >= 0 && !reason; i++)
        if (i != HD_DNNL_B && !layout_of(md_of(w, &f, i), w->grouped && i == HD_DNNL_W, &answer->layout[i]))
            reason = "oneDNN wants a layout that Hadal can not write";
    lose(&f);
    return reason;
}

const char *hd_dnnl_ask_conv(const hd_dnnl_conv *conv, hd_dnnl_answer *answer) {
    hd_dnnl_wish w;
    if (conv->winograd && DNNL_VERSION_MAJOR > 2) return "oneDNN 3 has no Winograd for this processor";
    if (!describe_conv(conv, &w)) return "oneDNN does not know this convolution";
    const char *reason = answer_of(&w, answer);
    forget(&w);
    return reason;
}

const char *hd_dnnl_ask_product(const hd_dnnl_product *product, hd_dnnl_answer *answer) {
    hd_dnnl_wish w;
    if (!describe_product(product, &w)) return "oneDNN does not know this product";
    const char *reason = answer_of(&w, answer);
    forget(&w);
    return reason;
}

/* ---- primitives ---- */

/* One memory object an argument and set, pointing nowhere yet. */
static bool make_args(hd_dnnl_prim *p, const hd_dnnl_wish *w, const find *f) {
    const int row = w->direction < 0 ? HD_DNNL_FORWARD : w->direction;
    hd_md_ref md[ARGS];
    int n = 0;
    for (int i = 0; i < HD_DNNL_OPERANDS; i++) {
        if (i == HD_DNNL_B && !w->bias) continue;
        md[n] = md_of(w, f, i);
        p->operand[n++] = i;
    }
    md[n] = dnnl_primitive_desc_query_md(f->pd, dnnl_query_scratchpad_md, 0);
    p->operand[n++] = SCRATCH;
    for (int i = 0; i < n; i++) p->bytes[i] = dnnl_memory_desc_get_size(md[i]);
    for (int64_t set = 0; set < p->sets; set++)
        for (int i = 0; i < n; i++) {
            dnnl_exec_arg_t *a = &p->args[set * ARGS + i];
            a->arg = p->operand[i] == SCRATCH ? DNNL_ARG_SCRATCHPAD : arg_of[row][p->operand[i]];
            if (dnnl_memory_create(&a->memory, md[i], p->engine, DNNL_MEMORY_NONE)) return false;
        }
    p->n_args = n;
    return true;
}

static hd_status prim_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_wish *w, int64_t sets) {
    find f;
    const char *reason = seek(w, &f);
    *out = NULL;
    if (reason) return hd_fail(ctx, HD_E_UNSUPPORTED, "oneDNN|%s", reason);
    hd_dnnl_prim *p = hd_alloc(ctx, sizeof *p);
    if (!p) {
        lose(&f);
        return HD_E_MEMORY;
    }
    p->engine = f.engine;
    p->sets = sets;
    p->output = w->direction == HD_DNNL_GRAD_INPUT    ? HD_DNNL_X
                : w->direction == HD_DNNL_GRAD_WEIGHT ? HD_DNNL_W
                                                      : HD_DNNL_Y;
    p->args = hd_alloc_n(ctx, (size_t)sets * ARGS, sizeof *p->args);
    p->bound = hd_alloc_n(ctx, (size_t)sets * ARGS, sizeof *p->bound);
    hd_status status = p->args && p->bound ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK &&
        (dnnl_primitive_create(&p->primitive, f.pd) ||
         dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags) || !make_args(p, w, &f)))
        status = hd_fail(ctx, HD_E_MEMORY, "oneDNN|no memory for the kernel %s", impl_of(f.pd));
    f.engine = NULL; /* the primitive's now */
    lose(&f);
    if (status == HD_OK)
        *out = p;
    else
        hd_dnnl_free(p, ctx);
    return status;
}

hd_status hd_dnnl_conv_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_conv *conv, int64_t sets) {
    hd_dnnl_wish w;
    *out = NULL;
    if (!describe_conv(conv, &w)) return hd_fail(ctx, HD_E_UNSUPPORTED, "oneDNN|it does not know this convolution");
    const hd_status status = prim_new(out, ctx, &w, sets);
    forget(&w);
    return status;
}

hd_status hd_dnnl_product_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_product *product, int64_t sets) {
    hd_dnnl_wish w;
    *out = NULL;
    if (!describe_product(product, &w)) return hd_fail(ctx, HD_E_UNSUPPORTED, "oneDNN|it does not know this product");
    const hd_status status = prim_new(out, ctx, &w, sets);
    forget(&w);
    if (status != HD_OK) return status;
    (*out)->element = hd_dtype_size(product->dtype[HD_DNNL_Y]);
    (*out)->rows = product->m;
    (*out)->columns = product->n;
    (*out)->row_stride = product->ldy;
    (*out)->batch = product->batch;
    (*out)->batch_stride = product->step_y;
    return HD_OK;
}

void hd_dnnl_free(hd_dnnl_prim *p, hd_context *ctx) {
    if (!p) return;
    for (int64_t i = 0; p->args && i < p->sets * ARGS; i++)
        if (p->args[i].memory) dnnl_memory_destroy(p->args[i].memory);
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    hd_free(ctx, p->args);
    hd_free(ctx, p->bound);
    hd_free(ctx, p);
}

size_t hd_dnnl_scratch(const hd_dnnl_prim *prim) {
    return prim->bytes[prim->n_args - 1];
}

/* All bits set is NaN: a failed kernel must not go unnoticed. */
static void poison(const hd_dnnl_prim *p, void *const operand[HD_DNNL_OPERANDS]) {
    char *y = operand[p->output];
    for (int i = 0; p->rows == 0 && i < p->n_args; i++)
        if (p->operand[i] == p->output) memset(y, 0xff, p->bytes[i]);
    for (int64_t b = 0; b < p->batch; b++)
        for (int64_t r = 0; r < p->rows; r++)
            memset(y + (size_t)(b * p->batch_stride + r * p->row_stride) * p->element, 0xff,
                   (size_t)p->columns * p->element);
}

void hd_dnnl_run(hd_dnnl_prim *p, int64_t set, void *const operand[HD_DNNL_OPERANDS], void *scratch) {
    dnnl_exec_arg_t *args = p->args + set * ARGS;
    void **bound = p->bound + set * ARGS;
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < p->n_args && !status; i++) {
        void *memory = p->operand[i] == SCRATCH ? scratch : operand[p->operand[i]];
        if (memory == bound[i]) continue; /* where memory lies rarely changes from run to run */
        status = dnnl_memory_set_data_handle(args[i].memory, memory);
        bound[i] = memory;
    }
    if (!status) status = dnnl_primitive_execute(p->primitive, p->stream, p->n_args, args);
    if (status) poison(p, operand);
}

#else /* built without oneDNN: everything is refused */

const char *hd_dnnl_version_text(char buffer[32]) {
    (void)buffer;
    return NULL;
}
const char *hd_dnnl_ask_conv(const hd_dnnl_conv *conv, hd_dnnl_answer *answer) {
    (void)conv, (void)answer;
    return HD_DNNL_ABSENT;
}
const char *hd_dnnl_ask_product(const hd_dnnl_product *product, hd_dnnl_answer *answer) {
    (void)product, (void)answer;
    return HD_DNNL_ABSENT;
}
hd_status hd_dnnl_conv_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_conv *conv, int64_t sets) {
    (void)conv, (void)sets;
    *out = NULL;
    return hd_fail(ctx, HD_E_UNSUPPORTED, "oneDNN|%s", HD_DNNL_ABSENT);
}
hd_status hd_dnnl_product_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_product *product, int64_t sets) {
    (void)product, (void)sets;
    *out = NULL;
    return hd_fail(ctx, HD_E_UNSUPPORTED, "oneDNN|%s", HD_DNNL_ABSENT);
}
void hd_dnnl_free(hd_dnnl_prim *prim, hd_context *ctx) {
    (void)prim, (void)ctx;
}
size_t hd_dnnl_scratch(const hd_dnnl_prim *prim) {
    (void)prim;
    return 0;
}
void hd_dnnl_run(hd_dnnl_prim *prim, int64_t set, void *const operand[HD_DNNL_OPERANDS], void *scratch) {
    (void)prim, (void)set, (void)operand, (void)scratch;
}
#endif
