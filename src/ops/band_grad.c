/* band_grad.c: the backward op of activations made of straight pieces: dy times one of two slopes, as x lies inside a
 * band or outside. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* Inside: low < x < high, or low ≤ x ≤ high when closed; NaN is outside. */
static double slope(const hd_band_grad_args *o, double x) {
    const bool in = o->closed ? x >= o->low && x <= o->high : x > o->low && x < o->high;
    return in ? o->inside : o->outside;
}

HD_BACKWARD_OP(band_grad, hd_band_grad_args, HD_OP_KINK, slope(o, x) == 0 ? 0 : dy * slope(o, x), (hd_val){0},
               hd_band_grad(x, d, .low = hd_explicit(o->low), .high = hd_explicit(o->high),
                            .inside = hd_explicit(o->inside), .outside = o->outside, .closed = o->closed),
               .options =
                   (const hd_option[]){
                       HD_OPTION(FLOAT, hd_band_grad_args, low, .def = -INFINITY, .help = "lower edge of the band"),
                       HD_OPTION(FLOAT, hd_band_grad_args, high, .def = INFINITY, .help = "upper edge of the band"),
                       HD_OPTION(FLOAT, hd_band_grad_args, inside, .def = 1, .help = "slope inside"),
                       HD_OPTION(FLOAT, hd_band_grad_args, outside, .help = "slope outside"),
                       HD_OPTION(BOOL, hd_band_grad_args, closed, .help = "the edges belong to the band"),
                       HD_OPTION_END},
               .formula = "dx = dy · (low < x < high ? inside : outside)",
               .source = "derivative of leaky_relu, hardtanh, clamp, …",
               .doc = "Back-propagation through activations of straight pieces, from their input.",
               .samples = HD_BACKWARD_SAMPLES(
                   ":away", " | low=0 inside=2 outside=-0.5",
                   {"f32[4]={0 1 2 3}, f32[4]={5 6 7 8} | low=0 high=3", "{0 6 7 0}"},
                   {"f32[4]={0 1 3 4}, f32[4]={5 6 7 8} | low=0 high=3 closed=true inside=0 outside=2", "{0 0 0 16}"}))
