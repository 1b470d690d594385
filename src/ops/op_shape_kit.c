/* op_shape_kit.c: what the ops that only move elements share, see shape_kit.h. Knows no op by name but reshape. */
#include "graph/graph.h"
#include "ops/shape_kit.h"
#include <stdarg.h>
#include <stdio.h>

void hd_take_along(const hd_ref *r, hd_walk *w, int64_t first) {
    const size_t size = hd_dtype_size(r->out[0].dtype);
    const char *x = r->in[0].data;
    char *y = r->out[0].data;
    for (int64_t i = 0; i < r->out[0].count; i++, hd_walk_next(w))
        memcpy(y + (size_t)i * size, x + (size_t)(first + w->at[0]) * size, size);
}

void hd_put_along(const hd_ref *r, hd_walk *w, int64_t first) {
    const size_t size = hd_dtype_size(r->out[0].dtype);
    const char *x = r->in[0].data;
    char *y = r->out[0].data;
    if (r->out[0].count) memset(y, 0, (size_t)r->out[0].count * size);
    for (int64_t i = 0; i < r->in[0].count; i++, hd_walk_next(w))
        memcpy(y + (size_t)(first + w->at[0]) * size, x + (size_t)i * size, size);
}

hd_status hd_infer_axis_of(hd_infer *c, int i, int64_t coded, int *axis) {
    const hd_dims *x = &c->in[i].dims;
    const char *name = hd_op_in_name(c->op, i);
    char text[192];
    *axis = hd_axis_resolve(coded, x->rank);
    if (*axis < 0) return hd_infer_fail(c, "%s %s does not have the axis", name, hd_dims_text(text, x));
    if (x->dim[*axis] < 0)
        return hd_infer_fail(c, "the axis of %s %s must not be the batch", name, hd_dims_text(text, x));
    return HD_OK;
}

hd_val hd_build_refuse(hd_val x, hd_loc at, const char *name, const char *what, ...) {
    char text[512], place[320];
    va_list args;
    va_start(args, what);
    (void)vsnprintf(text, sizeof text, what, args);
    va_end(args);
    if (x.graph) hd_graph_fail(x.graph, HD_E_MODEL, "%s|%s: %s", hd_loc_text(place, sizeof place, at), name, text);
    return (hd_val){x.graph, -1};
}

bool hd_build_ready(hd_val x) {
    return x.graph && !hd_val_is_none(x) && hd_graph_status(x.graph) == HD_OK;
}

int hd_build_axis(hd_val x, hd_loc at, const char *name, int64_t coded, int more) {
    char text[192];
    const hd_dims dims = hd_val_dims(x);
    const int axis = hd_axis_resolve(coded, dims.rank + more);
    if (axis < 0) (void)hd_build_refuse(x, at, name, "x %s does not have the axis", hd_dims_text(text, &dims));
    return axis;
}

hd_val hd_reshape_to(hd_loc at, hd_val x, hd_dims dims) {
    return hd_reshape_at(at, &(hd_reshape_args){.x = x, .dims = dims});
}
