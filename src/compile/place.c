/* place.c: a kernel for every node: the first of the backend's list that fits, else the op's own definition.
 * Nodes that have one keep it, so that the pass can run again for nodes that were added. */
#include "compile/lower.h"
#include <stdio.h>
#include <string.h>

enum { HD_REASONS = 2048 };

/* A kernel that was written for f32 need not know that there is bf16. */
const char *hd_kernel_refuses(const hd_kernel *kernel, const hd_kctx *k) {
    bool bf16 = false;
    for (int i = 0; i < k->n_in; i++) bf16 |= k->in[i].dims.rank >= 0 && k->in[i].dtype == HD_BF16;
    for (int i = 0; i < k->n_out; i++) bf16 |= k->out[i].dtype == HD_BF16;
    if (bf16 && !(kernel->flags & HD_K_BF16)) return "not for bf16";
    return kernel->supports ? kernel->supports(k) : NULL;
}

static hd_status hd_place_node(hd_lower *l, int32_t node, hd_operand *operands, bool own) {
    hd_kctx k;
    char reasons[HD_REASONS] = "";
    size_t used = 0;
    hd_kctx_of(l, node, operands, &k);
    const hd_kernel *chosen = NULL;
    const hd_kernel *const *list = hd_kernels_default();
    for (size_t i = 0; own && list[i] && !chosen; i++) {
        if (strcmp(list[i]->op, k.op->name) != 0) continue;
        const char *no = hd_kernel_refuses(list[i], &k);
        if (!no)
            chosen = list[i];
        else if (used < sizeof reasons) {
            const int n =
                snprintf(reasons + used, sizeof reasons - used, "%s%s: %s", used ? "; " : "", list[i]->name, no);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    if (!chosen) {
        if (!k.op->ref)
            return hd_fail(l->ctx, HD_E_UNSUPPORTED, "%s|no kernel runs this node: %s", k.op->name,
                           *reasons ? reasons : "there is none");
        chosen = &hd_kernel_ref;
    }
    hd_lnode *ln = hd_arena_alloc(&l->arena, sizeof *ln);
    if (!ln || !(ln->refused = hd_arena_strdup(&l->arena, reasons))) return HD_E_MEMORY;
    ln->kernel = chosen;
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
        const hd_status status = hd_place_node(l, (int32_t)i, operands, own);
        hd_free(l->ctx, operands);
        HD_TRY(status);
    }
    return HD_OK;
}
