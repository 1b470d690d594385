/* vector_modules.c: modules of PyTorch as calls of their functional forms: the module's input first, then its weights
 * and constructor arguments by name. */
#include "vector_run.h"
#include <stdio.h>
#include <string.h>

/* PARAMETERS names the constructor's arguments in order. One with a dash in front only gives a size or says which
 * weights there are: the state shows that, and the functional form has no such argument. "training" at the end: the
 * functional form wants to know. */
static const struct {
    const char *module, *call, *parameters;
} modules[] = {
    {"Linear", "nn.functional.linear", "-in_features -out_features -bias"},
    {"Bilinear", "nn.functional.bilinear", "-in1_features -in2_features -out_features -bias"},
    {"Conv1d", "nn.functional.conv1d",
     "-in_channels -out_channels -kernel_size stride padding dilation groups -bias padding_mode"},
    {"Conv2d", "nn.functional.conv2d",
     "-in_channels -out_channels -kernel_size stride padding dilation groups -bias padding_mode"},
    {"Conv3d", "nn.functional.conv3d",
     "-in_channels -out_channels -kernel_size stride padding dilation groups -bias padding_mode"},
    {"ConvTranspose1d", "nn.functional.conv_transpose1d",
     "-in_channels -out_channels -kernel_size stride padding output_padding groups -bias dilation padding_mode"},
    {"ConvTranspose2d", "nn.functional.conv_transpose2d",
     "-in_channels -out_channels -kernel_size stride padding output_padding groups -bias dilation padding_mode"},
    {"ConvTranspose3d", "nn.functional.conv_transpose3d",
     "-in_channels -out_channels -kernel_size stride padding output_padding groups -bias dilation padding_mode"},
    {"ReLU", "nn.functional.relu", "-inplace"},
    {"Sigmoid", "sigmoid", ""},
    {"Tanh", "tanh", ""},
    {"GELU", "nn.functional.gelu", "approximate"},
    {"LayerNorm", "nn.functional.layer_norm", "normalized_shape eps -elementwise_affine -bias"},
    {"GroupNorm", "nn.functional.group_norm", "num_groups -num_channels eps -affine"},
    {"LocalResponseNorm", "nn.functional.local_response_norm", "size alpha beta k"},
    {"MaxPool1d", "nn.functional.max_pool1d", "kernel_size stride padding dilation return_indices ceil_mode"},
    {"MaxPool2d", "nn.functional.max_pool2d", "kernel_size stride padding dilation return_indices ceil_mode"},
    {"MaxPool3d", "nn.functional.max_pool3d", "kernel_size stride padding dilation return_indices ceil_mode"},
    {"AvgPool2d", "nn.functional.avg_pool2d",
     "kernel_size stride padding ceil_mode count_include_pad divisor_override"},
    {"AvgPool3d", "nn.functional.avg_pool3d",
     "kernel_size stride padding ceil_mode count_include_pad divisor_override"},
    {"AdaptiveAvgPool1d", "nn.functional.adaptive_avg_pool1d", "output_size"},
    {"AdaptiveAvgPool3d", "nn.functional.adaptive_avg_pool3d", "output_size"},
    {"ELU", "nn.functional.elu", "alpha -inplace"},
    {"Hardswish", "nn.functional.hardswish", "-inplace"},
    {"AdaptiveAvgPool2d", "nn.functional.adaptive_avg_pool2d", "output_size"},
    {"AvgPool1d", "nn.functional.avg_pool1d", "kernel_size stride padding ceil_mode count_include_pad"},
    {"Embedding", "nn.functional.embedding",
     "-num_embeddings -embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse"},
    {"BatchNorm1d", "nn.functional.batch_norm", "-num_features eps momentum -affine -track_running_stats training"},
    {"BatchNorm2d", "nn.functional.batch_norm", "-num_features eps momentum -affine -track_running_stats training"},
    {"BatchNorm3d", "nn.functional.batch_norm", "-num_features eps momentum -affine -track_running_stats training"},
    {"CrossEntropyLoss", "nn.functional.cross_entropy",
     "weight size_average ignore_index reduce reduction label_smoothing"},
    {"NLLLoss", "nn.functional.nll_loss", "weight size_average ignore_index reduce reduction"},
    {"L1Loss", "nn.functional.l1_loss", "size_average reduce reduction"},
    {"GaussianNLLLoss", "nn.functional.gaussian_nll_loss", "full eps reduction"},
    {"RNN", "nn.RNN",
     "-input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional training"},
    {"LSTM", "nn.LSTM", "-input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size training"},
    {"GRU", "nn.GRU", "-input_size hidden_size num_layers bias batch_first dropout bidirectional training"},
    {"RNNCell", "nn.RNNCell", "-input_size hidden_size bias nonlinearity"},
    {"LSTMCell", "nn.LSTMCell", "-input_size hidden_size bias"},
    {"GRUCell", "nn.GRUCell", "-input_size hidden_size bias"},
};

/* ---- arguments of the functional form ---- */

typedef struct building {
    vector_case *c;
    const hd_json *json; /* the case */
    hd_json *kwargs;
    bool failed;
} building;

static void put(building *b, const char *key, const hd_json *value) {
    hd_json *copy = hd_json_copy(b->c->arena, value);
    if (!copy || !hd_json_set(b->c->arena, b->kwargs, key, copy)) b->failed = true;
}

/* Without a momentum the running statistics are the mean over all batches so far: each new one has 1/number. */
static void put_momentum(building *b) {
    hd_dims dims;
    hd_dtype dtype;
    const hd_json *count = hd_json_get(hd_json_get(b->json, "state"), "num_batches_tracked");
    const double *n =
        count && count->string ? vector_read(b->c->file, count->string, b->c->arena, &dims, &dtype) : NULL;
    hd_json *momentum = n ? hd_json_new_number(b->c->arena, 1 / (*n + 1)) : NULL;
    if (momentum && !hd_json_set(b->c->arena, b->kwargs, "momentum", momentum)) b->failed = true;
}

/* Constructor argument `name` under the table's rule; false: it is not in the table. */
static bool put_parameter(building *b, const char *parameters, const char *name, const hd_json *value) {
    const size_t length = strlen(name);
    for (const char *p = parameters; p && *p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
        const bool dropped = *p == '-';
        const char *word = p + dropped;
        if (strncmp(word, name, length) != 0 || (word[length] && word[length] != ' ')) continue;
        if (!dropped && value->type != HD_JSON_NULL) put(b, name, value);
        if (!dropped && value->type == HD_JSON_NULL && strcmp(name, "momentum") == 0) put_momentum(b);
        return true;
    }
    return false;
}

/* The name of the constructor's positional argument i, in the arena; NULL: there are fewer. */
static const char *parameter_name(hd_arena *arena, const char *parameters, int i) {
    const char *p = parameters;
    for (; p && i > 0; i--) {
        p = strchr(p, ' ');
        if (p) p++;
    }
    if (!p) return NULL;
    p += *p == '-';
    return hd_arena_strndup(arena, p, strcspn(p, " "));
}

static void put_constructor(building *b, const char *parameters, const hd_json *constructor) {
    vector_case *c = b->c;
    const hd_json *list = constructor ? constructor->child : NULL, *named = list ? list->next : NULL;
    int i = 0;
    for (const hd_json *v = list ? list->child : NULL; v; v = v->next, i++) {
        const char *name = parameter_name(c->arena, parameters, i);
        if (!name || !put_parameter(b, parameters, name, v)) vector_unsupported(c, "constructor argument %d", i);
    }
    for (const hd_json *v = named ? named->child : NULL; v; v = v->next)
        if (!put_parameter(b, parameters, v->key, v)) vector_unsupported(c, "constructor argument %s", v->key);
}

/* Weights and statistics as {"tensor": …}. The number of batches seen so far is PyTorch's own book-keeping. */
static void put_state(building *b, const hd_json *state) {
    for (const hd_json *v = state ? state->child : NULL; v; v = v->next) {
        if (strcmp(v->key, "num_batches_tracked") == 0) continue;
        hd_json *tensor = hd_json_new(b->c->arena, HD_JSON_OBJECT);
        if (tensor && !hd_json_set(b->c->arena, tensor, "tensor", hd_json_copy(b->c->arena, v))) tensor = NULL;
        if (tensor)
            put(b, v->key, tensor);
        else
            b->failed = true;
    }
}

static void make_arguments(vector_case *c, const char *parameters, const hd_json *json) {
    building b = {.c = c, .json = json, .kwargs = hd_json_new(c->arena, HD_JSON_OBJECT)};
    if (!b.kwargs) {
        vector_unsupported(c, "out of memory");
        return;
    }
    put_constructor(&b, parameters, hd_json_get(json, "constructor"));
    put_state(&b, hd_json_get(json, "state"));
    const hd_json *training = hd_json_get(json, "training"), *given = hd_json_get(json, "kwargs");
    if (training) (void)put_parameter(&b, parameters, "training", training);
    for (const hd_json *v = given ? given->child : NULL; v; v = v->next) put(&b, v->key, v);
    c->args = hd_json_get(json, "args");
    c->kwargs = b.kwargs;
    if (b.failed) vector_unsupported(c, "out of memory");
}

/* ---- what is expected ---- */

/* Tensor number *skip among values and lists of them, or NULL: *skip is then how many are still to be passed over. */
static const char *nth_tensor(const hd_json *list, int *skip) {
    for (const hd_json *v = list ? list->child : NULL; v; v = v->next) {
        const char *found = v->type == HD_JSON_ARRAY ? nth_tensor(v, skip) : NULL;
        if (found) return found;
        if (vector_is_tensor(v) && (*skip)-- == 0) return hd_json_get(v, "tensor")->string;
    }
    return NULL;
}

/* "input.1": the second tensor of the call that carries a gradient; else a name of the state. The target of
 * GaussianNLLLoss carries none, although it is of floats. */
static const char *tensor_called(const char *module, const hd_json *json, const char *key) {
    int skip;
    if (sscanf(key, "input.%d", &skip) != 1) {
        const hd_json *v = hd_json_get(hd_json_get(json, "state"), key);
        return v ? v->string : NULL;
    }
    if (strcmp(module, "GaussianNLLLoss") == 0 && skip > 0) skip++;
    const char *found = nth_tensor(hd_json_get(json, "args"), &skip);
    return found ? found : nth_tensor(hd_json_get(json, "kwargs"), &skip);
}

static void add_expected(vector_case *c, vector_wanted *w, const char *module, const hd_json *json) {
    const hd_json *out = hd_json_get(json, "out"), *seeds = hd_json_get(json, "grad_out"),
                  *grad = hd_json_get(json, "grad"), *after = hd_json_get(json, "state_after");
    const hd_json *s = seeds ? seeds->child : NULL;
    for (const hd_json *v = out ? out->child : NULL; v && w->n_out < VECTOR_MOST; v = v->next, s = s ? s->next : NULL) {
        w->out[w->n_out] = v->string;
        if (!v->string) vector_unsupported(c, "a result is not a tensor");
        w->seed[w->n_out] = s ? s->string : NULL;
        w->n_out++;
    }
    for (const hd_json *v = grad ? grad->child : NULL; v && w->n_grad < VECTOR_MOST; v = v->next) {
        w->of[w->n_grad] = tensor_called(module, json, v->key);
        w->grad[w->n_grad] = v->string;
        if (!w->of[w->n_grad++]) vector_unsupported(c, "the gradient of %s", v->key);
    }
    for (const hd_json *v = after ? after->child : NULL; v && w->n_after < VECTOR_MOST; v = v->next) {
        if (strcmp(v->key, "num_batches_tracked") == 0) continue;
        w->state[w->n_after] = tensor_called(module, json, v->key);
        w->after[w->n_after] = v->string;
        if (!w->state[w->n_after++]) vector_unsupported(c, "the state %s", v->key);
    }
}

void vector_run_module(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                       hd_arena *arena, vector_result *r) {
    vector_wanted *w = hd_arena_alloc(arena, sizeof *w);
    vector_case *c = hd_arena_alloc(arena, sizeof *c);
    vector_call call = NULL;
    *r = (vector_result){.outcome = VECTOR_UNSUPPORTED, .text = "no such module"};
    for (size_t i = 0; i < sizeof modules / sizeof *modules && w && c; i++) {
        if (strcmp(modules[i].module, name) != 0) continue;
        call = vector_call_find(modules[i].call);
        *c = (vector_case){.file = f, .arena = arena, .dtype = o->dtype};
        make_arguments(c, modules[i].parameters, json);
        (void)snprintf(r->text, sizeof r->text, "no call of %s", modules[i].call);
    }
    if (w && c && !call && (call = vector_attention_call(name)) != NULL) {
        *c = (vector_case){.file = f, .arena = arena, .dtype = o->dtype, .module = json};
        c->args = hd_json_get(json, "args");
        c->kwargs = hd_json_get(json, "kwargs");
    }
    if (!call) return;
    add_expected(c, w, name, json);
    vector_run(c, call, w, o->backend, r);
}
