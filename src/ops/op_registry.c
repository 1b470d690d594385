/* op_registry.c: finding ops by name: the built-in list and a context's own. */
#include "base/context.h"
#include "hadal/op.h"
#include <string.h>

#define HD_OP(name) extern const hd_op hd_op_##name;
#include "ops/ops.def"
#undef HD_OP

const hd_op *hd_op_at(int i) {
#define HD_OP(name) &hd_op_##name,
    static const hd_op *const list[] = {
#include "ops/ops.def"
    };
#undef HD_OP
    return i >= 0 && i < (int)(sizeof list / sizeof *list) ? list[i] : NULL;
}

const hd_op *hd_op_find(const hd_context *ctx, const char *name) {
    for (int i = 0; hd_op_at(i); i++)
        if (strcmp(hd_op_at(i)->name, name) == 0) return hd_op_at(i);
    for (int32_t i = 0; ctx && i < ctx->own[HD_OWN_OP].count; i++) {
        const hd_op *op = ctx->own[HD_OWN_OP].item[i];
        if (strcmp(op->name, name) == 0) return op;
    }
    return NULL;
}

hd_status hd_context_add_op(hd_context *ctx, const hd_op *op) {
    if (!op || !op->name || !op->infer || op->n_out < 1 || op->n_out > HD_OP_MAX_OUT || !op->ref)
        return hd_fail(ctx, HD_E_USAGE, "op|a descriptor needs name, infer, ref and 1 … %d outputs", HD_OP_MAX_OUT);
    if (!op->grad && !op->no_grad_reason)
        return hd_fail(ctx, HD_E_USAGE, "op \"%s\"|needs grad, or no_grad_reason saying why there is none", op->name);
    if (hd_op_find(ctx, op->name))
        return hd_fail(ctx, HD_E_USAGE, "op \"%s\"|the name is taken|Choose another name", op->name);
    return hd_context_own(ctx, HD_OWN_OP, op);
}
