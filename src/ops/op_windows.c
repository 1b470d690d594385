/* op_windows.c: shape rules of convolution and pooling. Knows nothing of backends. */
#include "ops/op_kit.h"

hd_conv2d_sizes hd_conv2d_sizes_of(const hd_dims *x, const hd_dims *w, const hd_dims *y) {
    hd_conv2d_sizes z = {.n = x->dim[0], .c = x->dim[1], .h = x->dim[2], .w = x->dim[3]};
    z.k = w->dim[0], z.cg = w->dim[1], z.r = w->dim[2], z.s = w->dim[3];
    z.oh = y->dim[2], z.ow = y->dim[3];
    z.kg = z.k / (z.c / z.cg);
    return z;
}

hd_status hd_infer_conv2d(hd_infer *c, int ix, int iw, hd_conv2d_window v, hd_dims *y) {
    const hd_dims *x = &c->in[ix].dims, *w = &c->in[iw].dims;
    char tx[192], tw[192];
    if (hd_need_float(c, ix) || hd_need_rank(c, ix, 4) || hd_need_rank(c, iw, 4)) return HD_E_MODEL;
    for (int i = 0; i < 4; i++)
        if (w->dim[i] < 1 || w->dim[i] > HD_MAX_WINDOW)
            return hd_infer_fail(c, "weight %s must have sizes from 1 to 2^30", hd_dims_text(tw, w));
    if (w->dim[0] % v.groups != 0)
        return hd_infer_fail(c, "weight %s has %lld output channels, they must divide into %lld groups",
                             hd_dims_text(tw, w), (long long)w->dim[0], (long long)v.groups);
    if (x->dim[1] != w->dim[1] * v.groups)
        return hd_infer_fail(c, "weight %s expects %lld input channels, input x %s has %lld", hd_dims_text(tw, w),
                             (long long)(w->dim[1] * v.groups), hd_dims_text(tx, x), (long long)x->dim[1]);
    if (hd_need_dtype(c, iw, c->in[ix].dtype)) return HD_E_MODEL;
    *y = (hd_dims){.rank = 4, .dim = {x->dim[0], w->dim[0]}};
    static const char *const axis[] = {"height", "width"};
    for (int i = 0; i < 2; i++)
        if (hd_infer_window(c, axis[i], x->dim[2 + i], w->dim[2 + i], v.stride[i], v.padding[i], v.dilation[i],
                            &y->dim[2 + i]))
            return HD_E_MODEL;
    return HD_OK;
}

double hd_conv2d_flops(const hd_dims *w, const hd_dims *y) {
    double flops = 2;
    for (int i = 0; i < 4; i++) flops *= (double)y->dim[i];
    for (int i = 1; i < 4; i++) flops *= (double)w->dim[i];
    return flops;
}

hd_status hd_infer_pool2d(hd_infer *c, const int64_t *kernel_size, int64_t *stride, const int64_t *padding,
                          hd_dims *y) {
    static const char *const axis[] = {"height", "width"};
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 4)) return HD_E_MODEL;
    *y = c->in[0].dims;
    for (int i = 0; i < 2; i++) {
        const int64_t k = kernel_size[i];
        if (k == 0) return hd_infer_fail(c, "kernel_size must be given");
        if (stride[i] == 0) stride[i] = k;
        if (padding[i] > k / 2)
            return hd_infer_fail(c, "padding %lld is more than half of kernel_size %lld: a window could lie outside",
                                 (long long)padding[i], (long long)k);
        if (hd_infer_window(c, axis[i], y->dim[2 + i], k, stride[i], padding[i], 1, &y->dim[2 + i])) return HD_E_MODEL;
    }
    return HD_OK;
}
