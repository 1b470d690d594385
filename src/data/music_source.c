/* music_source.c: pieces of music as piano rolls, 88 keys a time step, to be gone on with: the label of a step is the
 * next step. Pieces shorter than a sample are filled up with padding, longer ones go on in the next sample. */
#include "base/status.h"
#include "data/bytes.h"
#include "data/digit_tables.h"
#include "data/rolls.h"
#include "data/source.h"
#include <string.h>

enum { KEYS = 88, LOWEST = 21 }; /* A0 … C8 */

typedef struct music_options {
    int64_t length;
} music_options;

static const hd_option options[] = {{.name = "length",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(music_options, length),
                                     .min = 0,
                                     .max = 1 << 20,
                                     .help = "time steps of a sample; as many as the longest piece has, when not said"},
                                    HD_OPTION_END};

static const char *const names[] = {"jsb-chorales-quarter.json", "jsb-chorales-16th.json", "Jsb16thSeparated.json",
                                    NULL};
static const hd_data_file published[] = {
    {"https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/jsb-chorales-quarter.json",
     "2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91", 407200},
    {NULL, NULL, 0}};

/* ---- counting ---- */

/* A piece of n steps has n − 1 that are followed by one. */
typedef struct counting {
    int64_t length;                                        /* of a sample; 0: not yet known */
    int64_t steps, longest;                                /* of the piece that is read; of all */
    int64_t pieces[HD_ROLL_PARTS], samples[HD_ROLL_PARTS]; /* samples: with length */
} counting;

static hd_status count_note(void *user, int part, int64_t midi) {
    (void)user, (void)part, (void)midi;
    return HD_OK;
}

static hd_status count_step(void *user, int part) {
    counting *c = user;
    (void)part;
    c->steps++;
    return HD_OK;
}

static int64_t samples_of(int64_t steps, int64_t length) {
    return steps > 1 ? (steps - 2) / length + 1 : 0;
}

static hd_status count_piece(void *user, int part) {
    counting *c = user;
    if (c->steps > c->longest) c->longest = c->steps;
    c->pieces[part] += c->steps > 1;
    if (c->length > 0) c->samples[part] += samples_of(c->steps, c->length);
    c->steps = 0;
    return HD_OK;
}

/* ---- filling ---- */

/* A row is written when the step that follows it has been read: the last step of a piece is a label alone. */
typedef struct filling {
    int64_t length, step;             /* of a sample; of the piece that is read */
    int64_t sample[HD_ROLL_PARTS];    /* in which that piece begins */
    unsigned char *x[HD_ROLL_PARTS];  /* [samples, length, KEYS] */
    signed char *next[HD_ROLL_PARTS]; /* the same, a step on; −1 padding */
    unsigned char before[KEYS], now[KEYS];
    int64_t left_out; /* notes that a piano has not */
} filling;

static hd_status fill_note(void *user, int part, int64_t midi) {
    filling *f = user;
    const int64_t key = midi - LOWEST;
    (void)part;
    if (midi >= 0 && (key < 0 || key >= KEYS))
        f->left_out++;
    else if (midi >= 0)
        f->now[key] = 1;
    return HD_OK;
}

static hd_status fill_step(void *user, int part) {
    filling *f = user;
    const int64_t row = f->sample[part] * f->length + f->step - 1;
    if (f->step > 0) {
        memcpy(f->x[part] + row * KEYS, f->before, KEYS);
        memcpy(f->next[part] + row * KEYS, f->now, KEYS);
    }
    memcpy(f->before, f->now, KEYS);
    memset(f->now, 0, KEYS);
    f->step++;
    return HD_OK;
}

static hd_status fill_piece(void *user, int part) {
    filling *f = user;
    f->sample[part] += samples_of(f->step, f->length);
    f->step = 0;
    return HD_OK;
}

/* ---- opening ---- */

static hd_status count(counting *c, hd_context *ctx, const char *path, const hd_bytes *b) {
    const hd_roll_reader reader = {c, count_note, count_step, count_piece};
    return hd_rolls_read(ctx, path, (const char *)b->data, b->length, &reader);
}

static hd_status check_room(hd_context *ctx, const char *path, const hd_bytes *b, const counting *c) {
    const double each = (double)c->length * KEYS * 2;
    const double all = each * (double)(c->samples[0] + c->samples[1] + c->samples[2]);
    if (all <= (double)HD_GROWN_MAX(b->length)) return HD_OK;
    return hd_fail(ctx, HD_E_DATA,
                   "%s|pieces of up to %lld steps, filled up to %lld, take %.0f MB, more than 56 MB and four times the "
                   "file|Cut them: length=%lld",
                   path, (long long)c->longest, (long long)c->length, all / 1e6, (long long)(c->length / 8 + 1));
}

static hd_status make_parts(hd_dataset *d, const counting *c, filling *f) {
    for (int p = 0; p < HD_ROLL_PARTS; p++) {
        const size_t rows = (size_t)c->samples[p] * (size_t)c->length;
        if (rows == 0) continue;
        f->x[p] = hd_data_alloc(d, rows, KEYS);
        f->next[p] = hd_data_alloc(d, rows, KEYS);
        if (!f->x[p] || !f->next[p]) return HD_E_MEMORY;
        memset(f->next[p], 0xff, rows * KEYS);
    }
    return HD_OK;
}

static hd_status add_parts(hd_dataset *d, const char *path, const counting *c, const filling *f) {
    for (int p = 0; p < HD_ROLL_PARTS; p++) {
        const hd_data_block block = {.count = c->samples[p],
                                     .x = f->x[p],
                                     .x_stride = (size_t)c->length * KEYS,
                                     .value8 = f->next[p],
                                     .where = path};
        HD_TRY(hd_data_add_block(d, &block));
    }
    return HD_OK;
}

static hd_status read_pieces(hd_dataset *d, const hd_data_request *r, const char *path, const hd_bytes *b) {
    const music_options *o = r->args;
    counting c = {0};
    filling f = {0};
    HD_TRY(count(&c, d->ctx, path, b));
    if (c.pieces[0] == 0)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected pieces of at least two time steps in \"train\", found none",
                       path);
    const int64_t known = r->width > 0 && r->width % KEYS == 0 ? r->width / KEYS : 0;
    counting cut = {.length = known ? known : o->length ? o->length : c.longest - 1};
    HD_TRY(count(&cut, d->ctx, path, b));
    HD_TRY(check_room(d->ctx, path, b, &cut));
    HD_TRY(make_parts(d, &cut, &f));
    f.length = cut.length;
    const hd_roll_reader reader = {&f, fill_note, fill_step, fill_piece};
    HD_TRY(hd_rolls_read(d->ctx, path, (const char *)b->data, b->length, &reader));
    if (f.left_out)
        hd_log_line(d->ctx, HD_LOG_WARNING, "%s: %lld notes that a piano has not are left out", d->info.name,
                    (long long)f.left_out);
    hd_data_info *info = &d->info;
    info->kind = "music";
    info->sample = HD_DIMS(cut.length, KEYS);
    info->stored = HD_U8;
    info->positions = cut.length;
    info->targets = KEYS;
    info->as_is = true;
    info->train = cut.samples[0];
    info->val = cut.samples[1];
    info->test = cut.samples[2];
    return add_parts(d, path, &cut, &f);
}

static const char *find(const hd_data_request *request) {
    const char *path = NULL;
    return hd_named_file(request, names, NULL, &path) == HD_OK ? path : NULL;
}

static hd_status open_music(hd_dataset *data, const hd_data_request *request) {
    const bool file = request->path && !hd_path_is_dir(request->path);
    const char *found = file ? request->path : find(request);
    hd_bytes b;
    if (!found) return hd_source_missing(request, NULL);
    const char *path = hd_arena_strdup(&data->arena, found);
    if (!path) return HD_E_MEMORY;
    HD_TRY(hd_bytes_load(&b, data->ctx, path));
    const hd_status status = read_pieces(data, request, path, &b);
    hd_bytes_free(&b);
    return status;
}

static bool looks_like_music(const char *path) {
    return hd_has_file(path, names);
}

const hd_data_source hd_source_jsb_chorales = {
    .name = "jsb-chorales",
    .description = "382 chorales of J. S. Bach as piano rolls, 88 keys a quarter note (Boulanger-Lewandowski's parts); "
                   "or any pieces in such a file",
    .named = true,
    .args_size = sizeof(music_options),
    .options = options,
    .samples = 382,
    .kind = "music",
    .licence = "music: public domain; none stated for the file",
    .files = published,
    .find = find,
    .looks_like = looks_like_music,
    .open = open_music,
};
