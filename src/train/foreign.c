/* foreign.c: takes weights from files of other runs and other programs: every tensor must be there under its name, in
 * its shape; only a head for another number of outputs may begin anew. */
#include "train/foreign.h"
#include "base/bf16.h"
#include "base/status.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

hd_status hd_foreign_open(hd_foreign *out, hd_context *ctx, const char *from, const char *map,
                          const hd_recipe *recipe) {
    *out = (hd_foreign){.ctx = ctx, .arena = {.ctx = ctx}, .map = {.name = ""}, .map_said = map != NULL};
    out->path = hd_model_file_of(&out->arena, from);
    if (!out->path) return HD_E_MEMORY;
    HD_TRY(hd_tensors_open(&out->file, ctx, out->path));
    out->ours = hd_tensors_metadata(out->file, "hadal.recipe") != NULL;
    if (out->ours) HD_TRY(hd_model_facts_read(&out->facts, ctx, out->file, out->path));
    return map ? hd_rename_open(&out->map, &out->arena, map, hd_recipe_network_name(recipe)) : HD_OK;
}

void hd_foreign_close(hd_foreign *f) {
    if (!f->ctx) return;
    hd_model_facts_free(&f->facts);
    hd_tensors_close(f->file);
    hd_arena_free(&f->arena);
    *f = (hd_foreign){0};
}

/* ---- names ---- */

/* A tensor of the file under the network's name. */
typedef struct entry {
    const char *name;
    int32_t number; /* in the file */
} entry;

typedef struct index {
    hd_context *ctx;
    entry *entry; /* by name */
    int32_t count;
} index;

static int by_name(const void *a, const void *b) {
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static void free_index(index *x) {
    hd_free(x->ctx, x->entry);
    *x = (index){0};
}

/* PyTorch counts batches in every norm; nobody needs it. */
static bool is_counter(const char *name) {
    static const char ending[] = "num_batches_tracked";
    const size_t n = strlen(name), k = sizeof ending - 1;
    return n >= k && strcmp(name + n - k, ending) == 0;
}

static hd_status make_index(index *x, hd_foreign *f, const hd_rename *map) {
    char buffer[HD_RENAME_NAME];
    const int32_t n = hd_tensors_count(f->file);
    *x = (index){.ctx = f->ctx, .entry = hd_alloc_n(f->ctx, (size_t)n + 1, sizeof *x->entry)};
    if (!x->entry) return HD_E_MEMORY;
    for (int32_t i = 0; i < n; i++) {
        const char *given = hd_tensors_at(f->file, i).name, *name = hd_rename_apply(map, given, buffer);
        if (!name || is_counter(name)) continue;
        if (name == buffer) name = hd_arena_strdup(&f->arena, buffer);
        if (!name) return HD_E_MEMORY;
        x->entry[x->count++] = (entry){name, i};
    }
    qsort(x->entry, (size_t)x->count, sizeof *x->entry, by_name);
    for (int32_t i = 1; i < x->count; i++)
        if (strcmp(x->entry[i - 1].name, x->entry[i].name) == 0)
            return hd_fail(f->ctx, HD_E_MODEL, "%s|the map calls both \"%s\" and \"%s\" \"%s\"|Change it", f->path,
                           hd_tensors_at(f->file, x->entry[i - 1].number).name,
                           hd_tensors_at(f->file, x->entry[i].number).name, x->entry[i].name);
    return HD_OK;
}

static const entry *look_up(const index *x, const char *name) {
    const entry key = {.name = name};
    return x->count ? bsearch(&key, x->entry, (size_t)x->count, sizeof *x->entry, by_name) : NULL;
}

/* How many of the model's tensors are there. */
static int32_t count_found(const index *x, const hd_weights *w) {
    int32_t n = 0;
    for (int32_t i = 0; i < w->count; i++) n += look_up(x, w->tensor[i].name) != NULL;
    return n;
}

/* Under the map that was said; else as the names are, and where they are not the network's, under the built-in map that
 * finds all. */
static hd_status choose_names(index *x, hd_foreign *f, const hd_model *m, const hd_weights *w) {
    const char *network = hd_recipe_network_name(m->recipe);
    const hd_known_map *k;
    HD_TRY(make_index(x, f, &f->map));
    if (f->map_said || count_found(x, w) == w->count) return HD_OK;
    for (int i = 0; (k = hd_known_map_at(i)) != NULL; i++) {
        hd_rename map;
        index other = {0};
        if (k->model && (!network || strcmp(k->model, network) != 0)) continue;
        HD_TRY(hd_rename_parse(&map, &f->arena, k->name, k->json, strlen(k->json)));
        const hd_status status = make_index(&other, f, &map);
        if (status == HD_OK && count_found(&other, w) == w->count) {
            free_index(x);
            *x = other;
            f->map = map;
            return HD_OK;
        }
        free_index(&other);
        if (status != HD_OK && status != HD_E_MODEL) return status;
    }
    return HD_OK;
}

/* ---- numbers ---- */

static float half_to_f32(uint16_t h) {
    const int exponent = h >> 10 & 31;
    const float fraction = (float)(h & 1023) / 1024, sign = h >> 15 ? -1.0f : 1.0f;
    if (exponent == 31) return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexpf(1 + fraction, exponent - 15) : ldexpf(fraction, -14));
}

/* Into f32, from whatever floats somebody saved. A file need not align its tensors. False: no floats. */
static bool widen(float *to, const hd_tensor_info *in, int64_t count) {
    const char *from = in->data;
    const bool half = strcmp(in->dtype, "F16") == 0, brain = strcmp(in->dtype, "BF16") == 0;
    for (int64_t i = 0; (half || brain) && i < count; i++) {
        uint16_t bits;
        memcpy(&bits, from + (size_t)i * sizeof bits, sizeof bits);
        to[i] = half ? half_to_f32(bits) : hd_bf16_to_f32(bits);
    }
    if (half || brain) return true;
    if (strcmp(in->dtype, "F32") == 0) {
        memcpy(to, from, (size_t)count * sizeof *to);
        return true;
    }
    if (strcmp(in->dtype, "F64") != 0) return false;
    for (int64_t i = 0; i < count; i++) {
        double v;
        memcpy(&v, from + (size_t)i * sizeof v, sizeof v);
        to[i] = (float)v;
    }
    return true;
}

/* Weight of the first convolution, or NULL. */
static const char *first_filter(const hd_model *m) {
    hd_node_info node;
    for (int32_t i = 0; i < m->net_nodes; i++) {
        if (!hd_graph_node(m->graph, i, &node) || strcmp(node.op->name, "conv2d") != 0) continue;
        if (hd_graph_node_in(m->graph, i, 0).id == m->x.id) return hd_val_name(hd_graph_node_in(m->graph, i, 1));
    }
    return NULL;
}

/* Filters for blue, green, red become filters for red, green, blue. */
static hd_status turn_colours(const hd_foreign *f, const hd_model *m, const hd_weights *w) {
    const char *name = first_filter(m);
    for (int32_t i = 0; name && i < w->count; i++) {
        const hd_tensor_out *t = &w->tensor[i];
        if (strcmp(t->name, name) != 0 || t->dims.rank != 4 || t->dims.dim[1] != 3 || t->dtype != HD_F32) continue;
        const int64_t plane = t->dims.dim[2] * t->dims.dim[3];
        for (int64_t k = 0; k < t->dims.dim[0]; k++) {
            float *blue = (float *)(uintptr_t)t->data + 3 * k * plane, *red = blue + 2 * plane;
            for (int64_t j = 0; j < plane; j++) {
                const float keep = blue[j];
                blue[j] = red[j];
                red[j] = keep;
            }
        }
        return HD_OK;
    }
    return hd_fail(f->ctx, HD_E_MODEL,
                   "%s|its pictures are blue, green, red, and the network does not begin with a convolution of three "
                   "channels",
                   f->path);
}

/* ---- taking ---- */

/* "classifier.1.weight" of a network whose last layer with parameters is classifier.1; NULL: there is none. */
static const char *head_weight(const hd_model *m, char buffer[HD_RENAME_NAME]) {
    for (int32_t i = m->layer_count - 1; i >= 0; i--) {
        if (m->layers[i].params == 0) continue;
        (void)snprintf(buffer, HD_RENAME_NAME, "%.400s.weight", m->layers[i].name);
        return buffer;
    }
    return NULL;
}

typedef struct taking {
    hd_foreign *f;
    const hd_model *m;
    const index *names;
    int64_t old_outputs; /* of the head in the file, where the model has another number; 0: the head is taken too */
} taking;

/* Would it be the same tensor but for the number of outputs? */
static bool of_the_head(const taking *t, const hd_tensor_out *to, const hd_dims *in) {
    hd_dims like = *in;
    if (t->old_outputs == 0 || in->rank < 1 || in->dim[0] != t->old_outputs) return false;
    if (to->dims.dim[0] != t->m->task.outputs) return false;
    like.dim[0] = to->dims.dim[0];
    return hd_dims_equal(&like, &to->dims);
}

static hd_status missing(const taking *t, const hd_tensor_out *to) {
    char shape[192];
    const hd_foreign *f = t->f;
    const char *example = hd_tensors_count(f->file) > 0 ? hd_tensors_at(f->file, 0).name : "nothing";
    if (f->ours)
        return hd_fail(
            f->ctx, HD_E_MODEL,
            "%s|expected a tensor \"%s\" %s, it has none|It is of another network: leave --model out to take "
            "its own",
            f->path, to->name, hd_dims_text(shape, &to->dims));
    return hd_fail(f->ctx, HD_E_MODEL,
                   "%s|expected a tensor \"%s\" %s, it has none|Where names differ (it has \"%.80s\"), give a map: "
                   "--rename MAP.json",
                   f->path, to->name, hd_dims_text(shape, &to->dims), example);
}

/* One tensor. *fresh: it begins anew. */
static hd_status take_one(const taking *t, const hd_tensor_out *to, bool *fresh) {
    char a[192], b[192];
    const hd_foreign *f = t->f;
    const entry *e = look_up(t->names, to->name);
    if (!e) return missing(t, to);
    const hd_tensor_info in = hd_tensors_at(f->file, e->number);
    *fresh = of_the_head(t, to, &in.dims);
    if (*fresh) return HD_OK;
    if (!hd_dims_equal(&in.dims, &to->dims))
        return hd_fail(f->ctx, HD_E_MODEL, "%s|expected tensor \"%s\" to be %s, it is %s|%s", f->path, in.name,
                       hd_dims_text(a, &to->dims), hd_dims_text(b, &in.dims),
                       t->f->ours ? "Was it saved from another network?" : "Is it the weights of this network?");
    if (to->dtype == HD_F32 && widen((float *)(uintptr_t)to->data, &in, hd_dims_count(&in.dims))) return HD_OK;
    return hd_fail(f->ctx, HD_E_MODEL, "%s|expected tensor \"%s\" to hold floats, it is %s", f->path, in.name,
                   in.dtype);
}

/* A tensor that the network has no use for is a sign that it is another network. */
static hd_status check_rest(const taking *t, const hd_weights *w) {
    char shape[192];
    int32_t k = 0;
    for (int32_t i = 0; i < t->names->count; i++) {
        const entry *e = &t->names->entry[i];
        while (k < w->count && strcmp(w->tensor[k].name, e->name) < 0) k++;
        if (k < w->count && strcmp(w->tensor[k].name, e->name) == 0) continue;
        const hd_tensor_info in = hd_tensors_at(t->f->file, e->number);
        return hd_fail(t->f->ctx, HD_E_MODEL,
                       "%s|expected only tensors of the network, it has \"%s\" %s|If it is to be left out, say so in a "
                       "map: --rename MAP.json with {\"%s\": null}",
                       t->f->path, in.name, hd_dims_text(shape, &in.dims), in.name);
    }
    return HD_OK;
}

static hd_status take_all(taking *t, const hd_weights *w, bool new_head, hd_taken *out) {
    char buffer[HD_RENAME_NAME];
    const char *head = new_head ? head_weight(t->m, buffer) : NULL;
    const entry *e = head ? look_up(t->names, head) : NULL;
    const hd_dims d = e ? hd_tensors_at(t->f->file, e->number).dims : (hd_dims){0};
    if (d.rank > 0 && d.dim[0] != t->m->task.outputs) t->old_outputs = d.dim[0];
    out->fresh = hd_arena_alloc_n(&t->f->arena, (size_t)w->count + 1, sizeof *out->fresh);
    if (!out->fresh) return HD_E_MEMORY;
    for (int32_t i = 0; i < w->count; i++) {
        bool fresh = false;
        HD_TRY(take_one(t, &w->tensor[i], &fresh));
        if (fresh)
            out->fresh[out->fresh_count++] = w->tensor[i].name;
        else
            out->count++;
        const hd_val v = hd_graph_find(t->m->graph, w->tensor[i].name);
        if (!fresh && !hd_val_is_none(v) && !strstr(w->tensor[i].name, "running_"))
            out->params += hd_dims_count(&w->tensor[i].dims);
    }
    HD_TRY(check_rest(t, w));
    return t->f->map.bgr ? turn_colours(t->f, t->m, w) : HD_OK;
}

hd_status hd_foreign_take(hd_foreign *f, hd_model *m, bool new_head, hd_taken *out) {
    hd_weights w = {0};
    index names = {0};
    *out = (hd_taken){0};
    hd_status status = hd_weights_new(&w, m, false);
    if (status == HD_OK && new_head) status = hd_weights_fetch(&w, m); /* what begins anew keeps its first values */
    if (status == HD_OK) status = choose_names(&names, f, m, &w);
    taking t = {.f = f, .m = m, .names = &names};
    if (status == HD_OK) status = take_all(&t, &w, new_head, out);
    if (status == HD_OK) status = hd_weights_put(&w, m);
    out->map = f->map.name;
    free_index(&names);
    hd_weights_free(&w);
    return status;
}

/* ---- what its pictures were like ---- */

/* Brings moments of pictures that lie in low … high to those of the model's, whose black and white may be others. */
static void to_range(hd_normalizer *z, float low, float high, const hd_model_data *d) {
    if (!(high > low) || !(d->high > d->low)) return;
    const float scale = (d->high - d->low) / (high - low);
    for (int64_t i = 0; i < z->channels; i++) {
        z->mean[i] = d->low + (z->mean[i] - low) * scale;
        z->std[i] *= scale;
    }
}

hd_status hd_foreign_normalize(const hd_foreign *f, hd_model *m, bool *known) {
    const hd_dims *d = &m->data.sample;
    const hd_normalizer *own = &f->facts.normalizer;
    const int64_t channels = d->rank == 3 && d->dim[0] <= 4 ? d->dim[0] : 0;
    float mean[4] = {123.675f, 116.28f, 103.53f}, std[4] = {58.395f, 57.12f, 57.375f};
    hd_normalizer z = {.channels = channels, .each = channels ? d->dim[1] * d->dim[2] : 1, .mean = mean, .std = std};
    if (f->ours && (channels == 0 || own->channels != channels)) {
        *known = own->channels == 0 || own->channels * own->each == hd_dims_count(d);
        return *known ? hd_model_set_normalizer(m, own) : HD_OK;
    }
    const bool mapped = f->map.moments && channels > 0 && (f->map.channels == 0 || f->map.channels == channels);
    *known = f->ours || mapped || channels == 3;
    if (!*known) return HD_OK;
    if (f->ours || mapped) {
        memcpy(mean, f->ours ? own->mean : f->map.mean, (size_t)channels * sizeof *mean);
        memcpy(std, f->ours ? own->std : f->map.std, (size_t)channels * sizeof *std);
    }
    to_range(&z, f->ours ? f->facts.data.low : 0, f->ours ? f->facts.data.high : 255, &m->data);
    return hd_model_set_normalizer(m, &z);
}
