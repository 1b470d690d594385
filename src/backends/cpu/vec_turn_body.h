/* vec_turn_body.h: rows become columns, HD_VL × HD_VL elements at a time in registers; once for each instruction set.
 */

/* y[i·ys + j] = x[j·xs + i] for i < n, j < m, both at most HD_VL. Zipping row r with row r + HD_VL/2 moves the lowest
 * bit of the row number into the lane number; after log₂ HD_VL rounds they have changed places. */
HD_INLINE void turn_block(float *y, int64_t ys, const float *x, int64_t xs, int64_t n, int64_t m, bool whole) {
    vf a[HD_VL], b[HD_VL];
    const vm in = vm_first(n), out = vm_first(m);
    HD_UNROLL
    for (int j = 0; j < HD_VL; j++) a[j] = whole || j < m ? vf_load_if(x + j * xs, whole, in) : vf_splat(0);
    HD_UNROLL
    for (int half = HD_VL / 2, round = HD_VL; round > 1; round /= 2) {
        HD_UNROLL
        for (int r = 0; r < half; r++) {
            b[2 * r] = vf_zip_low(a[r], a[r + half]);
            b[2 * r + 1] = vf_zip_high(a[r], a[r + half]);
        }
        HD_UNROLL
        for (int r = 0; r < HD_VL; r++) a[r] = b[r];
    }
    HD_UNROLL
    for (int i = 0; i < HD_VL; i++)
        if (whole || i < n) vf_store_if(y + i * ys, a[i], whole, out);
}

static void turn(float *y, int64_t ys, const float *x, int64_t xs, int64_t n, int64_t m) {
    for (int64_t i = 0; i < n; i += HD_VL)
        for (int64_t j = 0; j < m; j += HD_VL) {
            float *to = y + i * ys + j;
            const float *from = x + j * xs + i;
            if (i + HD_VL <= n && j + HD_VL <= m)
                turn_block(to, ys, from, xs, HD_VL, HD_VL, true);
            else
                turn_block(to, ys, from, xs, n - i, m - j, false);
        }
}
