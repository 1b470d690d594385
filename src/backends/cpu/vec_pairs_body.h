/* vec_pairs_body.h: further losses of pairs (x, target), in vec_loss_body.h's macro. c: as vec_loss.c lays the options
 * out. Included once for each instruction set. */

HD_INLINE vf pair_l1(vf x, vf t, const float *c) {
    (void)c;
    return vf_abs(x - t);
}
/* c: beta, ½ / beta, ½ beta */
HD_INLINE vf pair_smooth_l1(vf x, vf t, const float *c) {
    const vf d = vf_abs(x - t);
    return vf_select(d < c[0], d * d * c[1], d - c[2]);
}
/* c: delta, ½ delta */
HD_INLINE vf pair_huber(vf x, vf t, const float *c) {
    const vf d = vf_abs(x - t);
    return vf_select(d <= c[0], 0.5f * d * d, c[0] * (d - c[1]));
}
/* logarithms not below −100; nan stays */
HD_INLINE vf pair_bce(vf x, vf t, const float *c) {
    (void)c;
    const vf yes = vf_max(vf_splat(-100), v_log(x)), no = vf_max(vf_splat(-100), v_log1p(-x));
    return -(t * yes + (1.0f - t) * no);
}
HD_INLINE vf pair_kl_div(vf x, vf t, const float *c) {
    (void)c;
    return vf_select(t == 0.0f, vf_splat(0), t * (v_log(t) - x));
}
HD_INLINE vf pair_kl_div_logs(vf x, vf t, const float *c) {
    (void)c;
    return v_exp(t) * (t - x);
}
HD_INLINE vf pair_poisson_nll(vf x, vf t, const float *c) {
    (void)c;
    return v_exp(x) - t * x;
}
HD_INLINE vf pair_soft_margin(vf x, vf t, const float *c) {
    const vf z = t * x;
    (void)c;
    return vf_max(vf_splat(0), -z) + v_bend(z);
}
/* c: margin */
HD_INLINE vf pair_hinge_embedding(vf x, vf t, const float *c) {
    const vf far = vf_max(vf_splat(0), c[0] - x);
    return vf_select(t == 1.0f, vf_splat(0), far) + vf_select(t == -1.0f, vf_splat(0), x);
}
LOSS_PART(l1, pair_l1)
LOSS_PART(smooth_l1, pair_smooth_l1)
LOSS_PART(huber, pair_huber)
LOSS_PART(bce, pair_bce)
LOSS_PART(kl_div, pair_kl_div)
LOSS_PART(kl_div_logs, pair_kl_div_logs)
LOSS_PART(poisson_nll, pair_poisson_nll)
LOSS_PART(soft_margin, pair_soft_margin)
LOSS_PART(hinge_embedding, pair_hinge_embedding)
#undef LOSS_PART
