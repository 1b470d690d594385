/* loader.c: owns the order of samples in an epoch and the buffers that batches are made in. Nothing is copied but the
 * batch itself, nothing is allocated after hd_loader_new. The order is a function of (seed, epoch), a batch of (seed,
 * epoch, step): a thread that makes it ahead of time cannot change it. */
#include "base/pool.h"
#include "base/rng.h"
#include "base/status.h"
#include "data/augment.h"
#include "data/convert.h"
#include "data/dataset.h"
#include <pthread.h>
#include <string.h>

enum {
    MOST_PARTS = 8,
    PART = 16384,    /* elements that pay a part of a batch */
    SMALL = 1 << 20, /* of a batch that is made while nothing else runs; a larger one may have to wait for its file */
    AHEAD = 4096     /* bytes of the rows to come that are asked for: they lie anywhere in the data */
};

typedef struct hd_buffer {
    float *x, *value;
    int64_t *label;
    hd_batch batch;
} hd_buffer;

struct hd_loader {
    hd_dataset *data;
    hd_loader_args args;
    int64_t steps, epoch, step;
    int64_t *shuffled;    /* [count]; NULL without shuffling and streams */
    const int64_t *order; /* shuffled, in streams, or the caller's indices */
    int64_t last, shift;  /* windows but number `last` are moved on by so many elements in this epoch */
    hd_augment augment;
    float *mean, *scale; /* [channels] */
    int64_t channels, each;
    hd_buffer buffer[2];
    size_t bytes;
    /* The thread makes batch `wanted` into buffer `into`; idle when wanted < 0. */
    bool threaded, quit;
    int64_t wanted;
    int into;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void *take_bytes(hd_loader *l, size_t n, size_t size) {
    void *memory = hd_alloc_n(l->data->ctx, n, size);
    if (memory) l->bytes += n * size;
    return memory;
}

static void fetch_ahead(const hd_dataset *d, int64_t index, size_t bytes) {
#ifdef __GNUC__
    const unsigned char *x = hd_data_at(hd_data_find_block(d, index), index);
    for (size_t i = 0; i < bytes && i < AHEAD; i += 64) __builtin_prefetch(x + i);
#else
    (void)d, (void)index, (void)bytes;
#endif
}

static void convert_row(const hd_loader *l, float *out, const unsigned char *x) {
    int64_t channels = l->channels, each = l->each;
    bool bytes = l->data->info.stored == HD_U8;
    const float *from = (const float *)(const void *)x;
    if (l->data->info.as_is || l->data->info.stored == HD_I32) {
        hd_data_convert(l->data, x, out);
        if (l->data->info.as_is) return;
        from = out;
    }
    if (each == 1) { /* a table: a mean and a scale for every number */
        for (int64_t c = 0; c < channels && bytes; c++) out[c] = ((float)x[c] - l->mean[c]) * l->scale[c];
        for (int64_t c = 0; c < channels && !bytes; c++) out[c] = (from[c] - l->mean[c]) * l->scale[c];
        return;
    }
    for (int64_t c = 0; c < channels; c++) {
        if (bytes)
            hd_convert_u8(l->data->ctx->isa, out + c * each, x + c * each, (size_t)each, l->mean[c], l->scale[c]);
        else
            hd_convert_f32(out + c * each, from + c * each, (size_t)each, l->mean[c], l->scale[c]);
    }
}

/* Samples first … last-1 of a batch of n. */
static void make_samples(hd_loader *l, const int64_t *index, int64_t n, int64_t first, int64_t last, hd_buffer *b) {
    const hd_dataset *d = l->data;
    const size_t stride = (size_t)d->size * hd_dtype_size(d->info.stored), rows = stride ? AHEAD / stride : 0;
    const int64_t ahead = rows < 2 ? 2 : rows > 16 ? 16 : (int64_t)rows;
    for (int64_t i = first; i < first + ahead && i < n; i++) fetch_ahead(d, index[i], stride);
    for (int64_t i = first; i < last; i++) {
        if (i + ahead < n) fetch_ahead(d, index[i + ahead], stride);
        const hd_data_block *block = hd_data_find_block(d, index[i]);
        const int64_t shift = index[i] == l->last ? 0 : l->shift, positions = hd_data_positions(d);
        convert_row(l, b->x + i * d->size, hd_data_at(block, index[i]) + (size_t)shift * hd_dtype_size(d->info.stored));
        if (l->augment.scratch) hd_augment_apply(&l->augment, l->epoch, index[i], b->x + i * d->size);
        for (int64_t p = 0; p < positions && b->label; p++)
            b->label[i * positions + p] = hd_block_label(d, block, index[i], shift + p);
        if (!b->label) hd_data_values(d, index[i], b->value + i * positions * d->info.targets);
    }
}

typedef struct batch_parts {
    hd_loader *l;
    const int64_t *index;
    int64_t n, parts;
    hd_buffer *b;
} batch_parts;

static void make_part(void *arg, int64_t task) {
    const batch_parts *p = arg;
    make_samples(p->l, p->index, p->n, task * p->n / p->parts, (task + 1) * p->n / p->parts, p->b);
}

/* Bytes and numbers as they are stored are made into floats by all threads: the rows lie anywhere in the data, and most
 * of the time is waiting for them. A thread of the loader's own beside these would only take their processors. */
static bool by_all_threads(const hd_loader *l) {
    const hd_data_info *info = &l->data->info;
    const bool simple = !l->augment.scratch && !info->as_is && (info->stored == HD_U8 || info->stored == HD_F32);
    return simple && hd_pool_threads(l->data->ctx->pool) > 1 &&
           (double)l->args.batch_size * (double)l->data->size <= SMALL;
}

/* Makes batch `step` of the present epoch. */
static void make_batch(hd_loader *l, int64_t step, hd_buffer *b) {
    int64_t from = step * l->args.batch_size, left = l->args.count - from;
    int64_t n = left < l->args.batch_size ? left : l->args.batch_size;
    const int64_t *index = l->order + from;
    batch_parts p = {l, index, n, 1, b};
    const int64_t most = by_all_threads(l) ? MOST_PARTS : 1;
    while (p.parts < most && 2 * p.parts <= n && n * l->data->size >= p.parts * PART) p.parts *= 2;
    if (p.parts > 1)
        hd_pool_run(l->data->ctx->pool, make_part, &p, p.parts);
    else
        make_samples(l, index, n, 0, n, b);
    b->batch = (hd_batch){.n = n, .x = b->x, .label = b->label, .value = b->value, .index = index};
}

/* ---- the thread ---- */

static void *run(void *user) {
    hd_loader *l = user;
    pthread_mutex_lock(&l->lock);
    while (!l->quit) {
        if (l->wanted < 0) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        int64_t step = l->wanted;
        int into = l->into;
        pthread_mutex_unlock(&l->lock);
        make_batch(l, step, &l->buffer[into]);
        pthread_mutex_lock(&l->lock);
        l->wanted = -1;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static void want(hd_loader *l, int64_t step, int into) {
    pthread_mutex_lock(&l->lock);
    l->wanted = step < l->steps ? step : -1;
    l->into = into;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void wait_idle(hd_loader *l) {
    pthread_mutex_lock(&l->lock);
    while (l->wanted >= 0) pthread_cond_wait(&l->changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

/* Without a thread the batches are the same, only made when they are asked for. */
static void start_thread(hd_loader *l) {
    l->wanted = -1;
    if (pthread_mutex_init(&l->lock, NULL) != 0) return;
    if (pthread_cond_init(&l->changed, NULL) == 0) {
        if (pthread_create(&l->thread, NULL, run, l) == 0) {
            l->threaded = true;
            return;
        }
        pthread_cond_destroy(&l->changed);
    }
    pthread_mutex_destroy(&l->lock);
    hd_log_line(l->data->ctx, HD_LOG_WARNING, "no thread for the loader: batches are made when they are asked for");
}

static void stop_thread(hd_loader *l) {
    if (!l->threaded) return;
    wait_idle(l);
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
}

/* ---- public ---- */

void hd_loader_free(hd_loader *loader) {
    if (!loader) return;
    hd_context *ctx = loader->data->ctx;
    stop_thread(loader);
    for (int i = 0; i < 2; i++) {
        hd_free(ctx, loader->buffer[i].x);
        hd_free(ctx, loader->buffer[i].value);
        hd_free(ctx, loader->buffer[i].label);
    }
    hd_free(ctx, loader->augment.scratch);
    hd_free(ctx, loader->augment.black);
    hd_free(ctx, loader->shuffled);
    hd_free(ctx, loader->mean);
    hd_free(ctx, loader->scale);
    hd_free(ctx, loader);
}

static hd_status set_normalizer(hd_loader *l) {
    const hd_normalizer *z = l->args.normalizer;
    bool some = z && z->channels > 0;
    if (some && z->channels * z->each != l->data->size)
        return hd_fail(l->data->ctx, HD_E_USAGE,
                       "loader|the normaliser is for samples of %lld elements, these have %lld",
                       (long long)(z->channels * z->each), (long long)l->data->size);
    l->channels = some ? z->channels : 1;
    l->each = some ? z->each : l->data->size;
    l->mean = take_bytes(l, (size_t)l->channels, sizeof *l->mean);
    l->scale = take_bytes(l, (size_t)l->channels, sizeof *l->scale);
    if (!l->mean || !l->scale) return HD_E_MEMORY;
    for (int64_t c = 0; c < l->channels; c++) {
        l->mean[c] = some ? z->mean[c] : 0;
        l->scale[c] = some ? 1.0f / z->std[c] : 1;
    }
    return HD_OK;
}

static hd_status make_buffers(hd_loader *l) {
    const hd_loader_args *a = &l->args;
    const hd_data_info *info = &l->data->info;
    size_t rows = (size_t)(a->batch_size < a->count ? a->batch_size : a->count);
    for (int i = 0; i < (a->prefetch ? 2 : 1); i++) {
        hd_buffer *b = &l->buffer[i];
        size_t n;
        if (!hd_mul_ok(rows, (size_t)l->data->size, &n)) return hd_fail_memory(l->data->ctx, SIZE_MAX);
        b->x = take_bytes(l, n, sizeof *b->x);
        if (!hd_mul_ok(rows, (size_t)hd_data_positions(l->data), &n)) return hd_fail_memory(l->data->ctx, SIZE_MAX);
        if (info->classes)
            b->label = take_bytes(l, n, sizeof *b->label);
        else
            b->value = take_bytes(l, n, (size_t)info->targets * sizeof *b->value);
        if (!b->x || (!b->label && !b->value)) return HD_E_MEMORY;
    }
    return HD_OK;
}

/* Windows can be moved on when they are one run of the text: each then moves into the next. */
static void settle_shift(hd_loader *l) {
    const int64_t *index = l->args.indices, n = l->args.count;
    l->last = -1;
    if (!l->args.shift || l->data->shift_max == 0) return;
    for (int64_t i = 1; i < n; i++)
        if (index[i] != index[i - 1] + 1) return;
    l->last = index[n - 1];
}

/* Black, normalised as the pictures are. */
static hd_status make_augment(hd_loader *l) {
    const hd_loader_args *a = &l->args;
    const hd_data_info *info = &l->data->info;
    const hd_dims *s = &info->sample;
    if (!a->flip && a->crop == 0) return HD_OK;
    if (s->rank != 3 || info->as_is)
        return hd_fail(l->data->ctx, HD_E_USAGE, "augment|%s holds no pictures to be mirrored or moved|Leave it out",
                       info->name);
    if (info->positions > 0)
        return hd_fail(l->data->ctx, HD_E_USAGE, "augment|the classes of pixels would not move along|Leave it out");
    if (a->crop < 0 || a->crop >= s->dim[1] || a->crop >= s->dim[2])
        return hd_fail(l->data->ctx, HD_E_USAGE, "augment|expected a crop below the sides %lld×%lld, got %lld",
                       (long long)s->dim[1], (long long)s->dim[2], (long long)a->crop);
    l->augment = (hd_augment){.flip = a->flip,
                              .crop = a->crop,
                              .seed = a->seed,
                              .channels = s->dim[0],
                              .h = s->dim[1],
                              .w = s->dim[2],
                              .black = take_bytes(l, (size_t)s->dim[0], sizeof(float)),
                              .scratch = take_bytes(l, (size_t)l->data->size, sizeof(float))};
    if (!l->augment.black || !l->augment.scratch) return HD_E_MEMORY;
    for (int64_t c = 0; c < s->dim[0]; c++) {
        const int64_t k = c * s->dim[1] * s->dim[2] / l->each;
        l->augment.black[c] = (info->low - l->mean[k]) * l->scale[k];
    }
    return HD_OK;
}

static hd_status make_order(hd_loader *l) {
    const hd_loader_args *a = &l->args;
    settle_shift(l);
    if (!a->shuffle && !a->streams) return HD_OK;
    l->shuffled = take_bytes(l, (size_t)a->count, sizeof *l->shuffled);
    l->order = l->shuffled;
    if (!l->shuffled) return HD_E_MEMORY;
    for (int64_t s = 0; s < l->steps && a->streams; s++)
        for (int64_t b = 0; b < a->batch_size; b++) l->shuffled[s * a->batch_size + b] = a->indices[b * l->steps + s];
    return HD_OK;
}

hd_status hd_loader_new(hd_loader **out, hd_dataset *data, const hd_loader_args *args) {
    const bool whole = args->drop_last || args->streams;
    if (args->streams && args->shuffle)
        return hd_fail(data->ctx, HD_E_USAGE, "loader|streams keep the order of the samples|Say shuffle=false");
    if (args->batch_size < 1 || args->count < 1 || !args->indices || (whole && args->count < args->batch_size))
        return hd_fail(data->ctx, HD_E_USAGE,
                       "loader|expected a batch size from 1 on and samples for at least one batch, got "
                       "batch size %lld and %lld samples",
                       (long long)args->batch_size, (long long)args->count);
    for (int64_t i = 0; i < args->count; i++)
        if (args->indices[i] < 0 || args->indices[i] >= data->info.count)
            return hd_fail(data->ctx, HD_E_USAGE, "loader|index %lld is outside of the data set",
                           (long long)args->indices[i]);
    hd_loader *l = hd_alloc(data->ctx, sizeof *l);
    if (!l) return HD_E_MEMORY;
    l->data = data;
    l->args = *args;
    l->order = args->indices;
    l->bytes = sizeof *l;
    l->steps = args->count / args->batch_size + (!whole && args->count % args->batch_size != 0);
    hd_status status = set_normalizer(l);
    if (status == HD_OK) status = make_buffers(l);
    if (status == HD_OK) status = make_order(l);
    if (status == HD_OK) status = make_augment(l);
    if (status == HD_OK && args->prefetch && !by_all_threads(l)) start_thread(l);
    if (status == HD_OK) status = hd_loader_seek(l, 0, 0);
    if (status != HD_OK) {
        hd_loader_free(l);
        return status;
    }
    *out = l;
    return HD_OK;
}

int64_t hd_loader_steps(const hd_loader *loader) {
    return loader->steps;
}
size_t hd_loader_bytes(const hd_loader *loader) {
    return loader->bytes;
}

hd_status hd_loader_seek(hd_loader *loader, int64_t epoch, int64_t step) {
    hd_loader *l = loader;
    if (epoch < 0 || step < 0 || step > l->steps)
        return hd_fail(l->data->ctx, HD_E_USAGE, "loader|expected epoch ≥ 0 and step 0 … %lld, got %lld and %lld",
                       (long long)l->steps, (long long)epoch, (long long)step);
    if (l->threaded) wait_idle(l);
    if (l->last >= 0) {
        hd_rng rng = hd_rng_new(l->args.seed, "loader.shift");
        rng.position = (uint64_t)epoch << 8;
        l->shift = (int64_t)hd_rng_below(&rng, (uint64_t)l->data->shift_max + 1);
    }
    if (l->args.shuffle) {
        hd_rng rng = hd_rng_new(l->args.seed, "loader.shuffle");
        rng.position = (uint64_t)epoch << 36; /* an epoch draws at most two words a sample */
        memcpy(l->shuffled, l->args.indices, (size_t)l->args.count * sizeof *l->shuffled);
        hd_rng_shuffle(&rng, l->shuffled, (size_t)l->args.count);
    }
    l->epoch = epoch;
    l->step = step;
    if (l->threaded) want(l, step, (int)(step & 1));
    return HD_OK;
}

hd_status hd_loader_next(hd_loader *loader, hd_batch *out) {
    hd_loader *l = loader;
    *out = (hd_batch){0};
    if (l->step >= l->steps) return HD_OK;
    int64_t step = l->step++;
    hd_buffer *b = &l->buffer[l->threaded ? step & 1 : 0];
    if (l->threaded) {
        wait_idle(l);
        want(l, step + 1, (int)((step + 1) & 1));
    } else {
        make_batch(l, step, b);
    }
    *out = b->batch;
    return HD_OK;
}
