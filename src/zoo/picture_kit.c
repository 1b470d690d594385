/* picture_kit.c: layers for pictures as networks name and start them. Knows no network. */
#include "zoo/picture_kit.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

const char *hd_zoo_called(char *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(buffer, HD_ZOO_NAME, format, args);
    va_end(args);
    return buffer;
}

hd_init hd_zoo_init(hd_zoo_start start, double fan_in, double fan_out) {
    switch (start) {
    case HD_START_FAN_IN: return HD_NORMAL(0, sqrt(2 / fan_in));
    case HD_START_FAN_OUT: return HD_NORMAL(0, sqrt(2 / fan_out));
    case HD_START_FAN_IN_EVEN: return HD_UNIFORM(-sqrt(6 / fan_in), sqrt(6 / fan_in));
    case HD_START_SMALL: return HD_NORMAL(0, 0.01);
    case HD_START_USUAL: break;
    }
    return HD_ZEROS;
}

hd_val hd_zoo_conv(hd_loc at, hd_val x, const char *name, const hd_zoo_filter *f) {
    const hd_dims d = hd_val_dims(x);
    const double taps = (double)(f->size * f->size), groups = f->groups > 0 ? (double)f->groups : 1;
    const double channels = d.rank == 4 ? (double)d.dim[1] : 1;
    const hd_init weight = hd_zoo_init(f->start, channels / groups * taps, (double)f->out * taps);
    const hd_init bias = HD_CONSTANT(f->bias_start);
    const bool usual = f->start == HD_START_USUAL;
    const hd_nn_conv2d_args a = {.x = x,
                                 .name = name,
                                 .out_channels = f->out,
                                 .kernel_size = {f->size, f->size},
                                 .stride = {f->stride, f->stride},
                                 .padding = {f->around, f->around},
                                 .groups = f->groups,
                                 .no_bias = !f->bias,
                                 .weight_init = usual ? NULL : &weight,
                                 .bias_init = usual ? NULL : &bias};
    return hd_nn_conv2d_at(at, &a);
}

hd_val hd_zoo_norm(hd_loc at, hd_val x, const char *name) {
    return hd_nn_batch_norm_at(at, &(hd_nn_batch_norm_args){.x = x, .name = name});
}

hd_val hd_zoo_conv_relu(hd_loc at, hd_val x, const char *name, const hd_zoo_filter *f) {
    return hd_zoo_relu(at, hd_zoo_conv(at, x, name, f));
}

hd_val hd_zoo_conv_norm(hd_loc at, hd_val x, const char *conv, const char *norm, const hd_zoo_filter *f) {
    return hd_zoo_relu(at, hd_zoo_norm(at, hd_zoo_conv(at, x, conv, f), norm));
}

hd_val hd_zoo_max_pool(hd_loc at, hd_val x, int64_t size, int64_t stride, int64_t around, bool ceil_mode) {
    return hd_max_pool2d_at(at, &(hd_pool2d_args){.x = x,
                                                  .kernel_size = {size, size},
                                                  .stride = {stride, stride},
                                                  .padding = {around, around},
                                                  .ceil_mode = ceil_mode});
}

hd_val hd_zoo_shrink(hd_loc at, hd_val x, int64_t size) {
    const hd_dims d = hd_val_dims(x);
    if (d.rank == 4 && d.dim[2] == size && d.dim[3] == size) return x;
    return hd_adaptive_avg_pool2d_at(at, &(hd_adaptive_pool2d_args){.x = x, .output_size = {size, size}});
}

hd_val hd_zoo_join(hd_loc at, const hd_val *x, int64_t n) {
    return hd_concat_at(at, &(hd_concat_args){.x = x, .n = n});
}

hd_val hd_zoo_linear_from(hd_loc at, hd_val x, const char *name, int64_t out, hd_zoo_start start, double bias_start) {
    const hd_dims d = hd_val_dims(x);
    const double in = d.rank > 0 ? (double)d.dim[d.rank - 1] : 1;
    const hd_init weight = hd_zoo_init(start, in, (double)out), bias = HD_CONSTANT(bias_start);
    const hd_nn_linear_args a = {.x = x,
                                 .name = name,
                                 .out_features = out,
                                 .weight_init = start == HD_START_USUAL ? NULL : &weight,
                                 .bias_init = isnan(bias_start) ? NULL : &bias};
    return hd_nn_linear_at(at, &a);
}
