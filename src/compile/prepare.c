/* prepare.c: the order of execution is settled; every kernel splits its node into tasks and says what scratch it needs.
 */
#include "compile/lower.h"

/* Bits of hd_prepared.once_in. A stack may have more inputs, and none of them is prepared. */
enum { ONCE_BITS = 32 };

hd_status hd_pass_schedule(hd_lower *l) {
    return hd_sort_nodes(l->g);
}

hd_status hd_pass_prepare(hd_lower *l) {
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_node *n = &l->g->nodes[i];
        if ((n->op->flags & HD_OP_VIEW) || n->op->flags & HD_OP_PLACED) continue;
        hd_operand *operands = hd_arena_alloc_n(&l->arena, (size_t)(n->n_in + n->n_out) + 1, sizeof *operands);
        if (!operands) return HD_E_MEMORY;
        hd_kctx k;
        hd_kctx_of(l, (int32_t)i, operands, &k);
        hd_lnode *ln = n->lower;
        HD_TRY(ln->kernel->prepare(&k, &ln->prepared));
        if (ln->prepared.phases < 1 || ln->prepared.phases > HD_MAX_PHASES)
            return hd_fail(l->ctx, HD_E_UNSUPPORTED, "%s|the kernel %s prepared %d phases", n->op->name,
                           ln->kernel->name, ln->prepared.phases);
        ln->once = ln->prepared.once > 0 && !l->train && !l->lean && !ln->kept;
        for (int j = 0; j < n->n_in && j < ONCE_BITS; j++)
            if (ln->prepared.once_in >> j & 1) ln->once = ln->once && hd_value_stays(l, n->in[j]);
    }
    return HD_OK;
}
