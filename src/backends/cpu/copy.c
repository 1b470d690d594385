/* copy.c: see copy.h. A box is cut into tiles of at most 64 × 64 elements, so that where rows become columns both sides
 * stay in the first cache; tiles are numbered through all boxes and shared among tasks by number. */
#include "backends/cpu/copy.h"
#include <string.h>

enum { COPY_TILE = 64, COPY_RUN = 16384, COPY_GRAIN = 32768, COPY_MAX_TASKS = 64 };

static int64_t copy_min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Side by side in the result, and in the source: side by side, backwards, or one element again and again. */
static bool copy_straight(const hd_copy_axis *run) {
    return run->to == 1 && run->from >= -1 && run->from <= 1;
}

/* ---- a tile ---- */

/* n rows of m elements. Where rows become columns, the side with the longer stride is walked in whole cache lines. */
#define COPY_TILE_OF(T)                                                                                                \
    static void copy_tile_##T(const void *source, void *target, const hd_copy_axis *row, const hd_copy_axis *run,      \
                              int64_t n, int64_t m) {                                                                  \
        const T *x = source;                                                                                           \
        T *y = target;                                                                                                 \
        const bool turn = row->from == 1 && run->to == 1 && run->from > 1 && run->from > row->to;                      \
        if (turn) {                                                                                                    \
            for (int64_t block = 0; block < n; block += 16) {                                                          \
                const int64_t end = copy_min(block + 16, n);                                                           \
                for (int64_t j = 0; j < m; j++)                                                                        \
                    for (int64_t i = block; i < end; i++) y[i * row->to + j] = x[j * run->from + i];                   \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t i = 0; i < n; i++, x += row->from, y += row->to) {                                                \
            if (run->to == 1 && run->from == 0)                                                                        \
                for (int64_t j = 0; j < m; j++) y[j] = *x;                                                             \
            else if (run->to == 1 && run->from == -1)                                                                  \
                for (int64_t j = 0; j < m; j++) y[j] = x[-j];                                                          \
            else if (run->to != 1 || run->from != 1)                                                                   \
                for (int64_t j = 0; j < m; j++) y[j * run->to] = x[j * run->from];                                     \
            else if (m == 16)                                                                                          \
                memcpy(y, x, 16 * sizeof(T));                                                                          \
            else                                                                                                       \
                memcpy(y, x, (size_t)m * sizeof(T));                                                                   \
        }                                                                                                              \
    }
COPY_TILE_OF(uint8_t)
COPY_TILE_OF(uint16_t)
COPY_TILE_OF(uint32_t)
COPY_TILE_OF(uint64_t)

/* Tiles first … last-1 of a box. */
static void copy_pieces(const hd_copy *c, const hd_copy_box *b, const char *x, char *y, int64_t first, int64_t last) {
    const hd_copy_axis *row = &b->axis[b->axes - 2], *run = &b->axis[b->axes - 1];
    const size_t size = c->size;
    const bool turns = c->turn && size == 4 && row->from == 1 && run->to == 1 && !copy_straight(run);
    for (int64_t p = first; p < last; p++) {
        int64_t rest = p / b->tiles[1], from = b->from, to = b->to;
        const int64_t j = p % b->tiles[1] * b->tile[1], i = rest % b->tiles[0] * b->tile[0];
        rest /= b->tiles[0];
        for (int a = b->axes - 3; a >= 0; a--) {
            const int64_t at = rest % b->axis[a].size;
            rest /= b->axis[a].size;
            from += at * b->axis[a].from;
            to += at * b->axis[a].to;
        }
        from += i * row->from + j * run->from;
        to += i * row->to + j * run->to;
        const int64_t n = copy_min(b->tile[0], row->size - i), m = copy_min(b->tile[1], run->size - j);
        const void *source = x + (size_t)from * size;
        void *target = y + (size_t)to * size;
        if (turns)
            c->turn(target, row->to, source, run->from, n, m);
        else if (size == 4)
            copy_tile_uint32_t(source, target, row, run, n, m);
        else if (size == 8)
            copy_tile_uint64_t(source, target, row, run, n, m);
        else if (size == 2)
            copy_tile_uint16_t(source, target, row, run, n, m);
        else
            copy_tile_uint8_t(source, target, row, run, n, m);
    }
}

static void copy_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_copy *c = e->state;
    const int64_t from = task * c->chunk, to = copy_min(from + c->chunk, c->pieces);
    for (const hd_copy_box *b = c->box; b < c->box + c->boxes; b++) {
        const int64_t first = from > b->first ? from - b->first : 0, last = copy_min(to - b->first, b->pieces);
        if (first < last) copy_pieces(c, b, e->in[b->input], e->out[0], first, last);
    }
}

static void copy_fill(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_copy *c = e->state;
    const int64_t chunk = (c->count + c->tasks - 1) / c->tasks, from = task * chunk;
    const int64_t n = copy_min(chunk, c->count - from);
    static const unsigned char zero[8];
    if (n <= 0) return;
    char *y = (char *)e->out[0] + (size_t)from * c->size;
    if (c->size == 1 || memcmp(c->value, zero, 8) == 0) {
        memset(y, c->value[0], (size_t)n * c->size);
    } else if (c->size == 4) { /* a copy of known size is a store, and many of them vectors */
        for (int64_t i = 0; i < n; i++) memcpy(y + 4 * i, c->value, 4);
    } else {
        for (int64_t i = 0; i < n; i++) memcpy(y + (size_t)i * c->size, c->value, c->size);
    }
}

/* ---- boxes ---- */

hd_copy *hd_copy_new(hd_arena *arena, size_t size, int boxes) {
    hd_copy *c = hd_arena_alloc(arena, sizeof *c);
    if (!c) return NULL;
    c->box = hd_arena_alloc_n(arena, (size_t)boxes + 1, sizeof *c->box);
    c->room = boxes;
    c->size = size;
    return c->box ? c : NULL;
}

/* Outermost first by the stride of the result; joins neighbours that are one run on both sides. */
static void copy_sort(hd_copy_box *b) {
    int n = 0;
    for (int i = 0; i < b->axes; i++) {
        const hd_copy_axis a = b->axis[i];
        int at = n;
        if (a.size == 1) continue;
        while (at > 0 && b->axis[at - 1].to < a.to) at--;
        memmove(&b->axis[at + 1], &b->axis[at], (size_t)(n - at) * sizeof a);
        b->axis[at] = a;
        n++;
    }
    int joined = 0;
    for (int i = 0; i < n; i++) {
        hd_copy_axis *last = joined ? &b->axis[joined - 1] : NULL;
        const hd_copy_axis a = b->axis[i];
        if (last && last->to == a.to * a.size && last->from == a.from * a.size)
            *last = (hd_copy_axis){last->size * a.size, a.from, a.to};
        else
            b->axis[joined++] = a;
    }
    for (; joined < 2; joined++) { /* at least a row of a run */
        memmove(&b->axis[1], &b->axis[0], (size_t)joined * sizeof b->axis[0]);
        b->axis[0] = (hd_copy_axis){1, 0, 0};
    }
    b->axes = joined;
}

/* Brings the axis that lies closest in the source next to the innermost. */
static void copy_pair(hd_copy_box *b) {
    const int last = b->axes - 1;
    int best = last - 1;
    if (copy_straight(&b->axis[last])) return;
    for (int i = 0; i < last; i++)
        if (b->axis[i].size > 1 && b->axis[i].from < b->axis[best].from) best = i;
    const hd_copy_axis a = b->axis[best];
    memmove(&b->axis[best], &b->axis[best + 1], (size_t)(last - 1 - best) * sizeof a);
    b->axis[last - 1] = a;
}

void hd_copy_add(hd_copy *c, const hd_copy_box *box) {
    int64_t elements = 1;
    for (int i = 0; i < box->axes; i++) elements *= box->axis[i].size;
    if (elements == 0 || c->boxes == c->room) return;
    hd_copy_box *b = &c->box[c->boxes++];
    *b = *box;
    copy_sort(b);
    copy_pair(b);
    const int last = b->axes - 1;
    const bool run = copy_straight(&b->axis[last]);
    b->tile[1] = run ? COPY_RUN : COPY_TILE;
    if (b->axis[last].size < b->tile[1]) b->tile[1] = b->axis[last].size;
    b->tile[0] = copy_min(run ? COPY_RUN / b->tile[1] : COPY_TILE, b->axis[last - 1].size);
    b->pieces = 1;
    for (int i = 0; i < 2; i++) b->tiles[i] = (b->axis[last - 1 + i].size + b->tile[i] - 1) / b->tile[i];
    for (int i = 0; i < last - 1; i++) b->pieces *= b->axis[i].size;
    b->pieces *= b->tiles[0] * b->tiles[1];
    b->first = c->pieces;
    c->pieces += b->pieces;
}

void hd_copy_finish(hd_copy *c, int64_t count, hd_turn_fn turn, hd_prepared *out) {
    c->turn = turn;
    c->count = count;
    c->tasks = count < 2 * COPY_GRAIN ? 1 : copy_min((count + COPY_GRAIN - 1) / COPY_GRAIN, COPY_MAX_TASKS);
    c->tasks = c->pieces < c->tasks ? (c->pieces > 0 ? c->pieces : 1) : c->tasks;
    c->chunk = (c->pieces + c->tasks - 1) / c->tasks;
    out->state = c;
    if (c->fill) out->phase[out->phases++] = (hd_phase){copy_fill, c->tasks};
    out->phase[out->phases++] = (hd_phase){copy_run, c->tasks};
}
