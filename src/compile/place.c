/* place.c: a kernel for every node: the first of the backend's list that fits, else the op's own definition.
 * Nodes that have one keep it, so that the pass can run again for nodes that were added. */
#include "base/text.h"
#include "compile/lower.h"
#include <string.h>

/* A kernel that was written for f32 need not know that there is bf16. */
const char *hd_kernel_refuses(const hd_kernel *kernel, const hd_kctx *k) {
    bool bf16 = false;
    for (int i = 0; i < k->n_in; i++) bf16 |= k->in[i].dims.rank >= 0 && k->in[i].dtype == HD_BF16;
    for (int i = 0; i < k->n_out; i++) bf16 |= k->out[i].dtype == HD_BF16;
    if (bf16 && !(kernel->flags & HD_K_BF16)) return "not for bf16";
    return kernel->supports ? kernel->supports(k) : NULL;
}

/* What the tuning table says for this node: a kernel that takes it, and which of its ways. NULL: nothing, or nothing
 * that can be followed. */
static hd_status hd_look_up(const hd_lower *l, hd_kctx *k, const hd_kernel **chosen) {
    char key[HD_TUNED_TEXT];
    *chosen = NULL;
    if (!l->args->tuning) return HD_OK;
    HD_TRY(hd_tuning_key(k, key));
    hd_tuned *entry = *key ? hd_tuning_find(l->args->tuning, key) : NULL;
    if (!entry) return HD_OK;
    k->variant = entry->variant;
    const hd_kernel *const *list = hd_kernels_default();
    for (size_t i = 0; list[i] && !*chosen; i++)
        if (strcmp(list[i]->op, k->op->name) == 0 && strcmp(list[i]->name, entry->kernel) == 0 &&
            entry->variant < (list[i]->variants ? list[i]->variants : 1) && !hd_kernel_refuses(list[i], k))
            *chosen = list[i];
    *(*chosen ? &entry->used : &entry->skipped) = true;
    if (!*chosen) k->variant = 0;
    return HD_OK;
}

/* The first of the list that does not refuse, and the reasons of those before it. */
static const hd_kernel *hd_first_fit(const hd_kctx *k, hd_text *reasons) {
    const hd_kernel *const *list = hd_kernels_default();
    for (size_t i = 0; list[i]; i++) {
        if (strcmp(list[i]->op, k->op->name) != 0) continue;
        const char *no = hd_kernel_refuses(list[i], k);
        if (!no) return list[i];
        hd_text_printf(reasons, "%s%s: %s", reasons->length ? "; " : "", list[i]->name, no);
    }
    return NULL;
}

static hd_status hd_place_node(hd_lower *l, int32_t node, hd_operand *operands, bool own, hd_text *reasons) {
    hd_kctx k;
    hd_kctx_of(l, node, operands, &k);
    const hd_kernel *chosen = NULL;
    if (own) HD_TRY(hd_look_up(l, &k, &chosen));
    const bool tuned = chosen != NULL;
    if (own && !tuned) chosen = hd_first_fit(&k, reasons);
    if (reasons->failed) return HD_E_MEMORY;
    if (!chosen) {
        if (!k.op->ref)
            return hd_fail(l->ctx, HD_E_UNSUPPORTED, "%s|no kernel runs this node: %s", k.op->name,
                           reasons->length ? hd_text_str(reasons) : "there is none");
        chosen = &hd_kernel_ref;
    }
    hd_lnode *ln = hd_arena_alloc(&l->arena, sizeof *ln);
    if (!ln || !(ln->refused = hd_arena_strdup(&l->arena, hd_text_str(reasons)))) return HD_E_MEMORY;
    ln->kernel = chosen;
    ln->variant = k.variant;
    ln->tuned = tuned;
    l->g->nodes[node].lower = ln;
    return HD_OK;
}

hd_status hd_pass_place(hd_lower *l) {
    HD_TRY(hd_lower_sync(l));
    const bool own = !l->args->backend || strcmp(l->args->backend, "default") == 0;
    for (size_t i = 0; i < l->g->node_count; i++) {
        if (l->g->nodes[i].lower) continue;
        const size_t count = (size_t)(l->g->nodes[i].n_in + l->g->nodes[i].n_out) + 1;
        hd_operand *operands = hd_alloc_n(l->ctx, count, sizeof *operands);
        if (!operands) return HD_E_MEMORY;
        hd_text reasons = {.ctx = l->ctx};
        const hd_status status = hd_place_node(l, (int32_t)i, operands, own, &reasons);
        hd_text_free(&reasons);
        hd_free(l->ctx, operands);
        HD_TRY(status);
    }
    return HD_OK;
}
