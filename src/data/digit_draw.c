/* digit_draw.c: from an allograph to pixels: bend the strokes, fit them into the box, run a round pen along them.
 * Owns the hand's variations and their sizes; knows nothing of data sets. */
#include "data/digit_draw.h"
#include "data/digit_shapes.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* same bytes on machines with fused multiply-add; gcc -std=c11 does not contract */
#endif

enum { KNOTS = 24, SPAN = 6, LINE = KNOTS * SPAN + 8, GRID = 4 };

typedef struct hd_point {
    float x, y;
} hd_point;

/* A stroke's control points, and where it may not be smoothed. */
typedef struct hd_knots {
    hd_point p[KNOTS];
    bool corner[KNOTS], lift[KNOTS]; /* lift: the pen leaves the paper after this point */
    int count;
} hd_knots;

/* The same as short straight pieces. */
typedef struct hd_line {
    hd_point p[LINE];
    bool lift[LINE];
    int count;
} hd_line;

/* Uniform in [low, high). */
static float between(hd_rng *rng, float low, float high) {
    return low + (high - low) * ((float)(hd_rng_u32(rng) >> 8) * 0x1p-24f);
}

/* Nearly normal, mean 0, deviation 1, never beyond 3.5: the sum of a word's four bytes. No logarithm or cosine, whose
 * last bit differs between C libraries. */
static float bell(hd_rng *rng) {
    uint32_t word = hd_rng_u32(rng);
    int sum = (int)((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
    return (float)(sum - 510) * (1 / 147.80f); /* variance of the sum: 4 (256² - 1) / 12 */
}

static const char *pick_shape(hd_rng *rng, int digit) {
    int total = 0;
    for (int i = 0; i < HD_DIGIT_SHAPES; i++)
        if (hd_digit_shapes[i].digit == digit) total += hd_digit_shapes[i].weight;
    int at = (int)hd_rng_below(rng, (uint64_t)total);
    for (int i = 0; i < HD_DIGIT_SHAPES; i++) {
        if (hd_digit_shapes[i].digit != digit) continue;
        at -= hd_digit_shapes[i].weight;
        if (at < 0) return hd_digit_shapes[i].path;
    }
    return hd_digit_shapes[0].path;
}

static const char *read_number(const char *s, float *out) {
    while (*s == ' ' || *s == ',' || *s == ';') s++;
    int n = 0;
    for (; *s >= '0' && *s <= '9'; s++) n = 10 * n + (*s - '0');
    *out = (float)n;
    return s;
}

/* Reads a path of the table and moves every point a little, as no hand hits the same place twice. */
static void read_path(hd_knots *k, const char *s, hd_rng *rng) {
    float shake = between(rng, 1, 5);
    k->count = 0;
    while (*s && k->count < KNOTS) {
        int i = k->count++;
        s = read_number(s, &k->p[i].x);
        s = read_number(s, &k->p[i].y);
        k->p[i].x += shake * bell(rng);
        k->p[i].y += shake * bell(rng);
        k->corner[i] = *s == '!';
        if (k->corner[i]) s++;
        k->lift[i] = *s == ';' || *s == 0;
    }
}

/* Catmull and Rom's spline between b and c; a and d are the points before and after. */
static hd_point spline(hd_point a, hd_point b, hd_point c, hd_point d, float t) {
    float t2 = t * t, t3 = t2 * t;
    float wa = -0.5f * t3 + t2 - 0.5f * t, wb = 1.5f * t3 - 2.5f * t2 + 1;
    float wc = -1.5f * t3 + 2 * t2 + 0.5f * t, wd = 0.5f * t3 - 0.5f * t2;
    return (hd_point){wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
}

static void add_point(hd_line *line, hd_point p, bool lift) {
    if (line->count >= LINE) return;
    line->p[line->count] = p;
    line->lift[line->count++] = lift;
}

static void flatten(hd_line *line, const hd_knots *k) {
    line->count = 0;
    for (int i = 0; i < k->count; i++) {
        add_point(line, k->p[i], k->lift[i]);
        if (k->lift[i]) continue;
        hd_point b = k->p[i], c = k->p[i + 1];
        bool starts = i == 0 || k->lift[i - 1] || k->corner[i];
        bool ends = k->lift[i + 1] || k->corner[i + 1];
        hd_point a = starts ? b : k->p[i - 1], d = ends ? c : k->p[i + 2];
        for (int j = 1; j < SPAN; j++) add_point(line, spline(a, b, c, d, (float)j / SPAN), false);
    }
}

/* Elastic distortion: a field of displacements, random on a coarse grid and smooth in between (Simard et al., "Best
 * practices for convolutional neural networks applied to visual document analysis", ICDAR 2003). */
static void bend(hd_line *line, hd_rng *rng) {
    float size = between(rng, 0, 6);
    hd_point grid[GRID][GRID];
    for (int i = 0; i < GRID * GRID; i++) {
        grid[i / GRID][i % GRID].x = size * bell(rng);
        grid[i / GRID][i % GRID].y = size * bell(rng);
    }
    for (int i = 0; i < line->count; i++) {
        float u = (line->p[i].x + 20) * ((GRID - 1) / 140.0f), v = (line->p[i].y + 20) * ((GRID - 1) / 140.0f);
        u = u < 0 ? 0 : u > GRID - 1.001f ? GRID - 1.001f : u;
        v = v < 0 ? 0 : v > GRID - 1.001f ? GRID - 1.001f : v;
        int c = (int)u, r = (int)v;
        float s = u - (float)c, t = v - (float)r;
        s = s * s * (3 - 2 * s);
        t = t * t * (3 - 2 * t);
        hd_point a = grid[r][c], b = grid[r][c + 1], d = grid[r + 1][c], e = grid[r + 1][c + 1];
        line->p[i].x += (1 - t) * ((1 - s) * a.x + s * b.x) + t * ((1 - s) * d.x + s * e.x);
        line->p[i].y += (1 - t) * ((1 - s) * a.y + s * b.y) + t * ((1 - s) * d.y + s * e.y);
    }
}

/* Slant and a slight turn (as shears, which need no cosine), and a taste for wide or narrow. */
static void lean(hd_line *line, hd_rng *rng) {
    float slant = 0.12f + 0.2f * bell(rng), turn = 0.07f * bell(rng), wide = 0.74f + 0.18f * bell(rng);
    wide = wide < 0.35f ? 0.35f : wide;
    for (int i = 0; i < line->count; i++) {
        float x = line->p[i].x - 50, y = line->p[i].y - 50;
        line->p[i].y = y + turn * x;
        line->p[i].x = wide * x - slant * y;
    }
}

/* Scales and moves the strokes so that the ink of a pen of radius r fills the box: half of the writers stretched in
 * both directions (as Semeion's are), the others by their height, keeping their shape (as USPS's are). */
static void fit(hd_line *line, float r, hd_rng *rng) {
    hd_point low = line->p[0], high = low;
    for (int i = 1; i < line->count; i++) {
        hd_point p = line->p[i];
        low = (hd_point){fminf(low.x, p.x), fminf(low.y, p.y)};
        high = (hd_point){fmaxf(high.x, p.x), fmaxf(high.y, p.y)};
    }
    float w = fmaxf(high.x - low.x, 1e-3f), h = fmaxf(high.y - low.y, 1e-3f);
    float room_x = HD_DIGIT_SIDE - 2 * r - between(rng, -0.4f, 0.8f);
    float room_y = HD_DIGIT_SIDE - 2 * r - between(rng, -0.4f, 0.8f);
    bool stretched = between(rng, 0, 1) < 0.5f && w > 0.12f * h, flat = between(rng, 0, 1) < 0.5f;
    float sy = room_y / h, sx = stretched ? room_x / w : sy;
    if (sx * w > room_x) {
        sx = room_x / w;
        if (flat) sy = sx;
    }
    float ox = HD_DIGIT_SIDE * 0.5f + 0.3f * bell(rng), oy = HD_DIGIT_SIDE * 0.5f + 0.15f * bell(rng);
    for (int i = 0; i < line->count; i++) {
        line->p[i].x = ox + sx * (line->p[i].x - 0.5f * (low.x + high.x));
        line->p[i].y = oy + sy * (line->p[i].y - 0.5f * (low.y + high.y));
    }
}

/* Inks the pixels near the piece from a to b: covered within radius r, fading over `soft` pixels. */
static void ink(float *cover, hd_point a, hd_point b, float r, float soft) {
    float reach = r + 0.5f * soft, dx = b.x - a.x, dy = b.y - a.y, len2 = dx * dx + dy * dy;
    int x0 = (int)fmaxf(0, fminf(a.x, b.x) - reach), x1 = (int)fminf(HD_DIGIT_SIDE - 1, fmaxf(a.x, b.x) + reach);
    int y0 = (int)fmaxf(0, fminf(a.y, b.y) - reach), y1 = (int)fminf(HD_DIGIT_SIDE - 1, fmaxf(a.y, b.y) + reach);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            float px = (float)x + 0.5f - a.x, py = (float)y + 0.5f - a.y;
            float t = len2 > 0 ? (px * dx + py * dy) / len2 : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            px -= t * dx;
            py -= t * dy;
            float d2 = px * px + py * py;
            if (d2 >= reach * reach) continue;
            float c = (reach - sqrtf(d2)) / soft, *out = &cover[y * HD_DIGIT_SIDE + x];
            if (c > *out) *out = c;
        }
}

void hd_digit_draw(hd_rng *rng, int digit, unsigned char *pixels) {
    hd_knots knots;
    hd_line line;
    read_path(&knots, pick_shape(rng, digit), rng);
    flatten(&line, &knots);
    bend(&line, rng);
    lean(&line, rng);
    float u = between(rng, 0, 1), r = 0.6f + 1.2f * u * u,
          soft = between(rng, 0.6f, 1.6f); /* pen radius, blur: pixels */
    fit(&line, r, rng);
    float press = 0.15f * bell(rng); /* the pen presses more at the start or at the end */
    float cover[HD_DIGIT_PIXELS] = {0};
    for (int i = 0; i + 1 < line.count; i++) {
        float at = (float)i / (float)line.count - 0.5f;
        hd_point to = line.lift[i] ? line.p[i] : line.p[i + 1];
        ink(cover, line.p[i], to, r * (1 + press * at), soft);
    }
    float tone = between(rng, 240, 380), grain = between(rng, 0, 12);
    for (int i = 0; i < HD_DIGIT_PIXELS; i++) {
        float c = cover[i] > 1 ? 1 : cover[i];
        float v = tone * c + grain * bell(rng) * (c > 0 ? 1.0f : 0.3f);
        pixels[i] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}
