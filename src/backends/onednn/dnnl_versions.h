/* dnnl_versions.h: what differs between oneDNN 2.x, whose descriptors are structs that the caller fills, and 3.x, which
 * makes primitive descriptors directly and hides memory descriptors behind handles. Both under one set of words, for
 * dnnl_api.c alone. Knows no op and no threads. */
#ifndef HD_BACKENDS_DNNL_VERSIONS_H
#define HD_BACKENDS_DNNL_VERSIONS_H
#include "backends/onednn/dnnl_api.h"
#include "backends/onednn/dnnl_layout.h"
#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR != 2 && DNNL_VERSION_MAJOR != 3
#error "Hadal speaks to oneDNN 2.x and 3.x: install libdnnl-dev, or build without it (HADAL_OPTIONAL=OFF)"
#endif

/* A memory descriptor of ours (a struct in 2.x, an owned handle in 3.x) and one to read, ours or the library's. */
typedef dnnl_memory_desc_t hd_md;
#if DNNL_VERSION_MAJOR == 2
typedef const dnnl_memory_desc_t *hd_md_ref;
#else
typedef const_dnnl_memory_desc_t hd_md_ref;
#endif

/* What the library is asked for. direction −1: a product. */
typedef struct hd_dnnl_wish {
    hd_md md[HD_DNNL_OPERANDS];
    int direction;
    bool bias, grouped;
    dnnl_alg_kind_t alg; /* of a convolution, like what follows */
    dnnl_dims_t stride, dilation, before, after;
    int64_t act;
    bool add;
    hd_isa isa;
} hd_dnnl_wish;

typedef bool (*hd_dnnl_accept)(dnnl_primitive_desc_t pd, hd_isa isa);

#if DNNL_VERSION_MAJOR == 2

static inline bool hd_md_by_tag(hd_md *out, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                                dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(out, rank, dims, type, tag) == dnnl_success;
}

static inline bool hd_md_by_strides(hd_md *out, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                                    const dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(out, rank, dims, type, strides) == dnnl_success;
}

static inline void hd_md_free(hd_md *md) {
    (void)md;
}

static inline hd_md_ref hd_md_of(const hd_md *md) {
    return md;
}

/* False for formats that are not strides and blocks. */
static inline bool hd_md_blocking(hd_md_ref d, hd_blocking *out) {
    if (d->format_kind != dnnl_blocked || d->extra.flags || d->offset0) return false;
    const dnnl_blocking_desc_t *f = &d->format_desc.blocking;
    if (d->ndims > HD_MAX_DIMS || f->inner_nblks > HD_MAX_DIMS) return false;
    *out = (hd_blocking){.rank = d->ndims, .blocks = f->inner_nblks};
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = d->dims[i];
        out->padded[i] = d->padded_dims[i];
        out->stride[i] = f->strides[i];
    }
    for (int i = 0; i < out->blocks; i++) {
        out->idx[i] = f->inner_idxs[i];
        out->blk[i] = f->inner_blks[i];
    }
    return true;
}

static inline bool hd_append_eltwise(dnnl_post_ops_t post, dnnl_alg_kind_t kind) {
    return dnnl_post_ops_append_eltwise(post, 1, kind, 0, 0) == dnnl_success;
}

static inline bool hd_append_sum(dnnl_post_ops_t post) {
    return dnnl_post_ops_append_sum(post, 1) == dnnl_success;
}

typedef union hd_dnnl_desc {
    dnnl_convolution_desc_t conv;
    dnnl_matmul_desc_t product;
} hd_dnnl_desc;

static inline dnnl_status_t hd_dnnl_describe(const hd_dnnl_wish *w, hd_dnnl_desc *d) {
    const hd_md *x = &w->md[HD_DNNL_X], *k = &w->md[HD_DNNL_W], *y = &w->md[HD_DNNL_Y];
    const hd_md *b = w->bias ? &w->md[HD_DNNL_B] : NULL;
    switch (w->direction) {
    case HD_DNNL_FORWARD:
        return dnnl_dilated_convolution_forward_desc_init(&d->conv, dnnl_forward_training, w->alg, x, k, b, y,
                                                          w->stride, w->dilation, w->before, w->after);
    case HD_DNNL_GRAD_INPUT:
        return dnnl_dilated_convolution_backward_data_desc_init(&d->conv, w->alg, x, k, y, w->stride, w->dilation,
                                                                w->before, w->after);
    case HD_DNNL_GRAD_WEIGHT:
        return dnnl_dilated_convolution_backward_weights_desc_init(&d->conv, w->alg, x, k, b, y, w->stride, w->dilation,
                                                                   w->before, w->after);
    default: return dnnl_matmul_desc_init(&d->product, x, k, b, y);
    }
}

/* The first implementation that is accepted, or NULL. */
static inline dnnl_primitive_desc_t hd_dnnl_choose(const hd_dnnl_wish *w, dnnl_engine_t engine,
                                                   dnnl_primitive_attr_t attr, dnnl_primitive_desc_t hint,
                                                   hd_dnnl_accept accept) {
    hd_dnnl_desc d;
    dnnl_primitive_desc_iterator_t it = NULL;
    dnnl_primitive_desc_t pd;
    if (hd_dnnl_describe(w, &d) || dnnl_primitive_desc_iterator_create(&it, &d, attr, engine, hint)) return NULL;
    do {
        pd = dnnl_primitive_desc_iterator_fetch(it);
        if (!pd || accept(pd, w->isa)) break;
        dnnl_primitive_desc_destroy(pd);
        pd = NULL;
    } while (dnnl_primitive_desc_iterator_next(it) == dnnl_success);
    dnnl_primitive_desc_iterator_destroy(it);
    return pd;
}

#else

static inline bool hd_md_by_tag(hd_md *out, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                                dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(out, rank, dims, type, tag) == dnnl_success;
}

static inline bool hd_md_by_strides(hd_md *out, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                                    const dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(out, rank, dims, type, strides) == dnnl_success;
}

static inline void hd_md_free(hd_md *md) {
    if (*md) dnnl_memory_desc_destroy(*md);
    *md = NULL;
}

static inline hd_md_ref hd_md_of(const hd_md *md) {
    return *md;
}

static inline bool hd_md_numbers(hd_md_ref d, dnnl_query_t what, int count, int64_t *out) {
    const dnnl_dims_t *numbers;
    if (count == 0) return true;
    if (dnnl_memory_desc_query(d, what, (void *)&numbers)) return false;
    for (int i = 0; i < count; i++) out[i] = (*numbers)[i];
    return true;
}

/* False for formats that are not strides and blocks. */
static inline bool hd_md_blocking(hd_md_ref d, hd_blocking *out) {
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    int64_t offset = 0;
    *out = (hd_blocking){.rank = 0};
    return !dnnl_memory_desc_query(d, dnnl_query_format_kind, &kind) && kind == dnnl_blocked &&
           !dnnl_memory_desc_query(d, dnnl_query_submemory_offset_s64, &offset) && offset == 0 &&
           !dnnl_memory_desc_query(d, dnnl_query_ndims_s32, &out->rank) && out->rank <= HD_MAX_DIMS &&
           !dnnl_memory_desc_query(d, dnnl_query_inner_nblks_s32, &out->blocks) && out->blocks <= HD_MAX_DIMS &&
           hd_md_numbers(d, dnnl_query_dims, out->rank, out->dim) &&
           hd_md_numbers(d, dnnl_query_padded_dims, out->rank, out->padded) &&
           hd_md_numbers(d, dnnl_query_strides, out->rank, out->stride) &&
           hd_md_numbers(d, dnnl_query_inner_idxs, out->blocks, out->idx) &&
           hd_md_numbers(d, dnnl_query_inner_blks, out->blocks, out->blk);
}

static inline bool hd_append_eltwise(dnnl_post_ops_t post, dnnl_alg_kind_t kind) {
    return dnnl_post_ops_append_eltwise(post, kind, 0, 0) == dnnl_success;
}

static inline bool hd_append_sum(dnnl_post_ops_t post) {
    return dnnl_post_ops_append_sum(post, 1, 0, dnnl_data_type_undef) == dnnl_success;
}

static inline dnnl_status_t hd_dnnl_describe(const hd_dnnl_wish *w, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
                                             dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out) {
    const hd_md_ref x = w->md[HD_DNNL_X], k = w->md[HD_DNNL_W], y = w->md[HD_DNNL_Y];
    const hd_md_ref b = w->bias ? w->md[HD_DNNL_B] : NULL;
    switch (w->direction) {
    case HD_DNNL_FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(out, engine, dnnl_forward_training, w->alg, x, k, b, y,
                                                              w->stride, w->dilation, w->before, w->after, attr);
    case HD_DNNL_GRAD_INPUT:
        return dnnl_convolution_backward_data_primitive_desc_create(out, engine, w->alg, x, k, y, w->stride,
                                                                    w->dilation, w->before, w->after, hint, attr);
    case HD_DNNL_GRAD_WEIGHT:
        return dnnl_convolution_backward_weights_primitive_desc_create(out, engine, w->alg, x, k, b, y, w->stride,
                                                                       w->dilation, w->before, w->after, hint, attr);
    default: return dnnl_matmul_primitive_desc_create(out, engine, x, k, b, y, attr);
    }
}

/* The first implementation that is accepted, or NULL. */
static inline dnnl_primitive_desc_t hd_dnnl_choose(const hd_dnnl_wish *w, dnnl_engine_t engine,
                                                   dnnl_primitive_attr_t attr, dnnl_primitive_desc_t hint,
                                                   hd_dnnl_accept accept) {
    dnnl_primitive_desc_t pd = NULL;
    if (hd_dnnl_describe(w, engine, attr, hint, &pd)) return NULL;
    while (!accept(pd, w->isa))
        if (dnnl_primitive_desc_next_impl(pd)) {
            dnnl_primitive_desc_destroy(pd);
            return NULL;
        }
    return pd;
}
#endif
#endif
