/* vec_line_body.h: what is computed of a line of numbers side by side: sums in double, ln Σ eˣ, the place of the
 * largest. Included once for each instruction set. */

static double line_sum(const float *x, int64_t n) {
    vd a = vd_splat(0), b = a;
    int64_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        const vf v = vf_load(x + i);
        a += vd_low(v);
        b += vd_high(v);
    }
    double sum = 0;
    a += b;
    for (int k = 0; k < HD_VL / 2; k++) sum += a[k];
    for (; i < n; i++) sum += (double)x[i];
    return sum;
}

static double line_squares(const float *x, int64_t n, double center) {
    vd a = vd_splat(0), b = a;
    int64_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        const vf v = vf_load(x + i);
        const vd low = vd_low(v) - center, high = vd_high(v) - center;
        a += low * low;
        b += high * high;
    }
    double sum = 0;
    a += b;
    for (int k = 0; k < HD_VL / 2; k++) sum += a[k];
    for (; i < n; i++) sum += ((double)x[i] - center) * ((double)x[i] - center);
    return sum;
}

static void line_pair(const float *a, const float *b, int64_t n, double eps, double sums[4]) {
    vd dot = vd_splat(0), aa = dot, bb = dot, off = dot;
    for (int k = 0; k < 4; k++) sums[k] = 0;
    int64_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        const vf x = vf_load(a + i), y = vf_load(b + i);
        HD_UNROLL
        for (int half = 0; half < 2; half++) {
            const vd p = half ? vd_high(x) : vd_low(x), q = half ? vd_high(y) : vd_low(y), d = p - q + eps;
            dot += p * q;
            aa += p * p;
            bb += q * q;
            off += d * d;
        }
    }
    for (int k = 0; k < HD_VL / 2; k++) sums[0] += dot[k], sums[1] += aa[k], sums[2] += bb[k], sums[3] += off[k];
    for (; i < n; i++) {
        const double p = (double)a[i], q = (double)b[i], d = p - q + eps;
        sums[0] += p * q;
        sums[1] += p * p;
        sums[2] += q * q;
        sums[3] += d * d;
    }
}

/* Of infinite largest ones that is the answer; nan stays. */
static float line_log_sum(const float *x, int64_t n) {
    vf top = vf_splat(-INFINITY), sum = vf_splat(0);
    for (int64_t i = 0; i < n; i += HD_VL) {
        const vi inside = vi_first(n - i);
        top = join_max(top, vf_select(inside, vf_load_m(x + i, vm_first(n - i)), vf_splat(-INFINITY)));
    }
    const float most = lanes_max(top);
    if (!(fabsf(most) < INFINITY)) return most;
    for (int64_t i = 0; i < n; i += HD_VL) {
        const bool whole = i + HD_VL <= n;
        const vf y = v_exp(vf_load_if(x + i, whole, vm_first(n - i)) - most);
        sum += whole ? y : vf_where(vi_first(n - i), y);
    }
    return (float)((double)most + log((double)vf_sum(sum)));
}

static int64_t line_largest(const float *x, int64_t n, float sign) {
    vf top = vf_splat(-INFINITY);
    for (int64_t i = 0; i < n; i += HD_VL) {
        const vf v = vf_load_m(x + i, vm_first(n - i)) * sign;
        top = join_max(top, vf_select(vi_first(n - i), v, vf_splat(-INFINITY)));
    }
    const float most = lanes_max(top);
    for (int64_t i = 0; i < n; i += HD_VL) {
        const vf v = vf_load_m(x + i, vm_first(n - i)) * sign;
        const vi hit = (most != most ? (vi)(v != v) : (vi)(v == most)) & vi_first(n - i);
        for (int k = 0; k < HD_VL && vi_any(hit); k++)
            if (hit[k]) return i + k;
    }
    return 0;
}

static int64_t line_upto(const float *x, int64_t n, float t) {
    vi a = vi_splat(0), b = a;
    int64_t i = 0, count = 0;
    for (; i + 2 * HD_VL <= n; i += 2 * HD_VL) {
        a -= (vi)(vf_load(x + i) <= t);
        b -= (vi)(vf_load(x + i + HD_VL) <= t);
    }
    a += b;
    for (int k = 0; k < HD_VL; k++) count += a[k];
    for (; i < n; i++) count += x[i] <= t;
    return count;
}

static int64_t line_past(const float *x, int64_t from, int64_t n, float t, float sign) {
    int64_t i = from;
    for (; i + HD_VL <= n; i += HD_VL)
        if (vi_any(~(vi)(vf_load(x + i) * sign <= t * sign))) break;
    for (; i < n; i++)
        if (!(x[i] * sign <= t * sign)) return i;
    return n;
}

/* nan stays */
static double line_hinge(const float *x, int64_t n, float shift, bool square) {
    vd a = vd_splat(0), b = a;
    for (int64_t i = 0; i < n; i += HD_VL) {
        const bool whole = i + HD_VL <= n;
        vf lack = vf_max(vf_splat(0), vf_load_if(x + i, whole, vm_first(n - i)) + shift);
        if (!whole) lack = vf_where(vi_first(n - i), lack);
        a += square ? vd_low(lack) * vd_low(lack) : vd_low(lack);
        b += square ? vd_high(lack) * vd_high(lack) : vd_high(lack);
    }
    double sum = 0;
    a += b;
    for (int k = 0; k < HD_VL / 2; k++) sum += a[k];
    return sum;
}

/* A chunk of a line, −∞ behind its end. */
HD_INLINE vf line_chunk(const float *x, int64_t left) {
    return vf_select(vi_first(left), vf_load_m(x, vm_first(left)), vf_splat(-INFINITY));
}

static int64_t window_largest(const float *x, int64_t w, int64_t rows, int64_t columns) {
    vf top = vf_splat(-INFINITY);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j += HD_VL) top = join_max(top, line_chunk(x + i * w + j, columns - j));
    const float most = lanes_max(top);
    const bool none = most != most; /* a NaN is sought */
    for (int64_t i = 0; i < rows; i++, x += w)
        for (int64_t j = 0; j < columns; j += HD_VL) {
            const vf v = vf_load_m(x + j, vm_first(columns - j));
            if (!vi_any((none ? (vi)(v != v) : (vi)(v == most)) & vi_first(columns - j))) continue;
            for (; none ? x[j] == x[j] : x[j] != most; j++) {}
            return i * w + j;
        }
    return 0;
}
