/* vec_chain.c: a chain of elementwise ops, run tile by tile: what lies between stays in the first cache. The program's
 * text is read when the kernel is prepared; at run time there are only calls of vector primitives. */
#include "backends/cpu/vec_elem.h"
#include "base/text.h"
#include <stdalign.h>
#include <stddef.h>

enum { TILE = 1024, MAX_STEPS = 32, MAX_BASES = 48 };

/* An operand is a base: inputs first, then slots for results in between, last the output. */
typedef struct chain_step {
    hd_vec_fn fn;
    uint8_t y, a, b;
    bool single; /* all operands are single numbers: so is the result */
    float c[HD_VEC_CONSTANTS];
} chain_step;

typedef struct chain_state {
    hd_vec_split split;
    int n_in, slots, steps;
    int64_t tile;
    uint8_t stride[MAX_BASES]; /* 1: moves along with the tile */
    bool half;                 /* operands are bf16: tiles of them are widened into scratch behind the slots */
    hd_vec_cast widen, narrow;
    chain_step step[MAX_STEPS];
    hd_layout layout;
    hd_dims dims;
} chain_state;

static void chain_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const chain_state *s = e->state;
    const int out = s->n_in + s->slots;
    float *base[MAX_BASES];
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int i = 0; i < s->n_in; i++) base[i] = (float *)e->in[i] + from * s->stride[i];
    if (s->slots > 0) {
        float *scratch = hd_thread_scratch(e);
        for (int i = 0; i < s->slots; i++) base[s->n_in + i] = scratch + i * TILE;
    }
    base[out] = (float *)e->out[0] + from;
    for (int64_t at = from; at < to; at += s->tile) {
        const int64_t n = hd_vec_min(s->tile, to - at);
        for (const chain_step *p = s->step; p < s->step + s->steps; p++)
            p->fn(base[p->y], base[p->a], base[p->b], p->single ? 1 : n, p->c);
        for (int i = 0; i <= out; i++) base[i] += s->stride[i] * s->tile;
    }
}

/* The same with operands of bf16: only tiles of them are ever f32. */
static void chain_half_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const chain_state *s = e->state;
    const int out = s->n_in + s->slots;
    float *base[MAX_BASES], *scratch = hd_thread_scratch(e);
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int i = 0; i <= out; i++) base[i] = scratch + i * TILE;
    for (int64_t at = from; at < to; at += TILE) {
        const int64_t n = hd_vec_min(TILE, to - at);
        for (int i = 0; i < s->n_in; i++) s->widen(scratch + i * TILE, (const uint16_t *)e->in[i] + at, n);
        for (const chain_step *p = s->step; p < s->step + s->steps; p++)
            p->fn(base[p->y], base[p->a], base[p->b], n, p->c);
        s->narrow((uint16_t *)e->out[0] + at, scratch + out * TILE, n);
    }
}

static void chain_pad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const chain_state *s = e->state;
    (void)task;
    hd_vec_zero_padding(e->out[0], s->half ? sizeof(uint16_t) : sizeof(float), &s->layout, &s->dims);
}

/* ---- the program's text ---- */

/* One instruction as written: "affine(%0;2;-1)". Operands ≥ 0 are inputs, < 0 are -1 - result. */
typedef struct chain_text {
    int op, n_operands, operand[2], n_constants;
    double constant[HD_CHAIN_CONSTANTS];
    float c[HD_VEC_CONSTANTS]; /* what the primitive makes of them */
} chain_text;

static const char *read_operand(const char *s, int *operand) {
    const bool result = *s == '%';
    if (result) s++;
    if (*s < '0' || *s > '9') return NULL;
    int value = 0;
    for (; *s >= '0' && *s <= '9' && value < 1000; s++) value = value * 10 + (*s - '0');
    *operand = result ? -1 - value : value;
    return s;
}

/* Reads one instruction; NULL when it is not of the known form. */
static const char *read_step(const char *s, chain_text *t) {
    const size_t length = strcspn(s, "(");
    if (s[length] != '(') return NULL;
    *t = (chain_text){.op = hd_vec_op_find(s, length)};
    if (t->op < 0) return NULL;
    s += length + 1;
    while (*s != ')' && *s != ';') {
        if (t->n_operands == 2 || !(s = read_operand(s, &t->operand[t->n_operands++]))) return NULL;
        if (*s == ',')
            s++;
        else if (*s != ')' && *s != ';')
            return NULL;
    }
    while (*s == ';') {
        const size_t digits = strcspn(++s, ";)");
        if (t->n_constants == HD_CHAIN_CONSTANTS || !hd_text_to_f64(s, digits, &t->constant[t->n_constants++]))
            return NULL;
        s += digits;
    }
    if (*s != ')') return NULL;
    s++;
    return s + strspn(s, " ");
}

static bool step_is_whole(chain_text *t, int n_in, int before) {
    alignas(max_align_t) char args[HD_CHAIN_ARGS];
    const int operands = t->op >= HD_VEC_add ? 2 : 1;
    const hd_op *op = hd_op_find(NULL, hd_vec_op_names[t->op]);
    if (!op || t->n_operands != operands || t->n_constants != hd_chain_constants(op)) return false;
    hd_chain_args_of(op, t->constant, args);
    hd_vec_constants(t->op, args, t->c);
    for (int i = 0; i < operands; i++)
        if (t->operand[i] >= n_in || -1 - t->operand[i] >= before) return false;
    return true;
}

/* Number of steps, 0 when the text is not understood or too long. */
static int read_program(const char *s, int n_in, chain_text *text) {
    int n = 0;
    for (s += strspn(s, " "); *s; n++) {
        if (n == MAX_STEPS || !(s = read_step(s, &text[n])) || !step_is_whole(&text[n], n_in, n)) return 0;
    }
    return n;
}

/* ---- from text to steps ---- */

/* Which operand values are single numbers; results by number. */
static bool is_single(const hd_kctx *k, const bool *result_single, int operand) {
    return operand < 0 ? result_single[-1 - operand]
                       : k->in[operand].count == 1 && hd_vec_count(&k->in[operand]) != hd_vec_count(&k->out[0]);
}

static void find_singles(const hd_kctx *k, const chain_text *text, int n, bool *single) {
    for (int i = 0; i < n; i++) {
        single[i] = true;
        for (int j = 0; j < text[i].n_operands; j++) single[i] = single[i] && is_single(k, single, text[i].operand[j]);
    }
}

/* Gives results slots, freed after their last use; returns the number of slots. The last result is the output. */
static int assign_slots(const chain_text *text, int n, int *slot) {
    int last[MAX_STEPS] = {0}, holder[MAX_STEPS] = {0}, slots = 0;
    for (int i = 0; i < n; i++) {
        last[i] = i;
        for (int j = 0; j < text[i].n_operands; j++)
            if (text[i].operand[j] < 0) last[-1 - text[i].operand[j]] = i;
    }
    for (int i = 0; i < n - 1; i++) {
        int free_slot = slots;
        for (int j = slots - 1; j >= 0; j--)
            if (last[holder[j]] <= i) free_slot = j; /* primitives may write over what they read */
        holder[free_slot] = i;
        slot[i] = free_slot;
        if (free_slot == slots) slots++;
    }
    return slots;
}

static const char *chain_supports(const hd_kctx *k) {
    const hd_chain_args *a = k->attr;
    chain_text text[MAX_STEPS];
    bool single[MAX_STEPS];
    const bool half = k->out[0].dtype == HD_BF16;
    if (k->out[0].dtype != HD_F32 && !half) return "only for f32 and bf16";
    if (k->n_in > 15) return "more than 15 operands";
    for (int i = 0; i < k->n_in; i++) {
        if (k->in[i].dtype != k->out[0].dtype) return "only for operands of one dtype";
        if ((k->in[i].count != 1 || half) && !hd_dims_equal(&k->in[i].dims, &k->out[0].dims))
            return "operands broadcast";
    }
    const int n = a->program ? read_program(a->program, k->n_in, text) : 0;
    if (n == 0) return "an instruction without a vector primitive";
    for (int i = 0; i < n; i++) {
        single[i] = k->out[0].count != 1;
        for (int j = 0; j < text[i].n_operands; j++) {
            const int o = text[i].operand[j];
            single[i] = single[i] && (o < 0 ? single[-1 - o] : k->in[o].count == 1);
        }
    }
    return single[n - 1] ? "the result is a single number" : NULL;
}

/* True when zeros in the padding of the operands give zeros in the padding of the result. */
static bool padding_stays_zero(const hd_kctx *k, const chain_text *text, int n, const bool *single) {
    for (int i = 0; i < n; i++) {
        bool mixed = false;
        for (int j = 0; j < text[i].n_operands; j++) mixed = mixed || is_single(k, single, text[i].operand[j]);
        if (single[i]) continue;
        if (!hd_vec_op_keeps_zero(text[i].op, text[i].c)) return false;
        if (mixed && text[i].op != HD_VEC_mul) return false;
    }
    return true;
}

static void fill_step(const hd_kctx *k, chain_state *s, const chain_text *t, const int *slot, const bool *single,
                      int i) {
    chain_step *p = &s->step[i];
    int base[2], mode = HD_VEC_VV;
    for (int j = 0; j < 2; j++) {
        const int o = t->operand[j < t->n_operands ? j : 0];
        base[j] = o < 0 ? s->n_in + slot[-1 - o] : o;
    }
    p->single = single[i];
    if (t->n_operands == 2 && !p->single) {
        if (is_single(k, single, t->operand[1])) mode = HD_VEC_VS;
        if (is_single(k, single, t->operand[0])) mode = HD_VEC_SV;
    }
    p->fn = hd_vec_for(k->isa)->elem[t->op][mode];
    p->a = (uint8_t)base[0];
    p->b = (uint8_t)base[1];
    p->y = (uint8_t)(s->n_in + (i == s->steps - 1 ? s->slots : slot[i]));
    memcpy(p->c, t->c, sizeof p->c);
}

static hd_status chain_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_chain_args *a = k->attr;
    chain_text text[MAX_STEPS];
    bool single[MAX_STEPS], heavy = false;
    int slot[MAX_STEPS] = {0};
    chain_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const int64_t n = (int64_t)(k->out[0].bytes / hd_dtype_size(k->out[0].dtype));
    s->n_in = k->n_in;
    s->steps = read_program(a->program, k->n_in, text);
    find_singles(k, text, s->steps, single);
    s->slots = assign_slots(text, s->steps, slot);
    for (int i = 0; i < s->steps; i++) {
        fill_step(k, s, &text[i], slot, single, i);
        heavy = heavy || hd_vec_op_heavy(text[i].op);
    }
    for (int i = 0; i < s->n_in; i++) s->stride[i] = !is_single(k, single, i);
    s->stride[s->n_in + s->slots] = 1;
    s->split = hd_vec_split_of(n, heavy || s->steps > 3 ? HD_VEC_GRAIN_HEAVY : HD_VEC_GRAIN);
    s->tile = s->slots ? TILE : s->split.chunk;
    s->layout = k->out[0].layout;
    s->dims = k->out[0].dims;
    out->state = s;
    s->half = k->out[0].dtype == HD_BF16;
    s->widen = hd_vec_for(k->isa)->cast_to_f32[HD_BF16];
    s->narrow = hd_vec_for(k->isa)->cast_from_f32[HD_BF16];
    out->scratch_per_thread = (size_t)(s->half ? s->n_in + s->slots + 1 : s->slots) * TILE * sizeof(float);
    out->phase[out->phases++] = (hd_phase){s->half ? chain_half_run : chain_run, s->split.tasks};
    if (n != k->out[0].count && !padding_stays_zero(k, text, s->steps, single))
        out->phase[out->phases++] = (hd_phase){chain_pad_run, 1};
    return HD_OK;
}

const hd_kernel hd_kernel_vec_chain = {
    .name = "cpu.chain",
    .op = "chain",
    .flags = HD_K_ANY_LAYOUT | HD_K_INPLACE_ANY | HD_K_BF16,
    .supports = chain_supports,
    .prepare = chain_prepare,
};
