/* describe.c: owns how data, models and recipes are told in one line. Reads public descriptions only. */
#include "cli/describe.h"
#include "cli/screen.h"
#include <stdlib.h>
#include <string.h>

hd_status recipe_tree(cli *c, const hd_recipe *recipe, hd_arena *arena, hd_json **out) {
    char *text = NULL;
    CLI_TRY(c, hd_recipe_json(recipe, &text));
    hd_status status = cli_lib(c, hd_json_parse(out, arena, "recipe", text, strlen(text)));
    hd_memory_free(c->ctx, text);
    return status;
}

const hd_json *tree_at(const hd_json *root, const char *path) {
    char key[64];
    while (root && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof key) return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        root = hd_json_get(root, key);
        path += path[n] ? n + 1 : n;
    }
    return root;
}

const char *tree_text(const hd_json *root, const char *path, const char *fallback) {
    const hd_json *v = tree_at(root, path);
    return v && v->type == HD_JSON_STRING ? v->string : fallback;
}

double tree_number(const hd_json *root, const char *path, double fallback) {
    const hd_json *v = tree_at(root, path);
    return v && (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT) ? v->number : fallback;
}

char *describe_sample(char *buffer, const hd_dims *s) {
    char dims[64];
    if (s->rank == 3 && (s->dim[0] == 1 || s->dim[0] == 3))
        (void)snprintf(buffer, 64, "%lld×%lld %s", (long long)s->dim[1], (long long)s->dim[2],
                       s->dim[0] == 1 ? "grey" : "colour");
    else if (s->rank == 1)
        (void)snprintf(buffer, 64, "%lld feature%s", (long long)s->dim[0], s->dim[0] == 1 ? "" : "s");
    else
        (void)snprintf(buffer, 64, "%.56s", text_dims(dims, s));
    return buffer;
}

/* Labels of each class; NULL without classes or memory. */
static int64_t *class_counts(const hd_dataset *data, const int64_t *indices, int64_t count, int64_t classes) {
    int64_t *counts = classes > 0 ? calloc((size_t)classes, sizeof *counts) : NULL;
    const int64_t positions = hd_data_get_info(data).positions, n = positions > 0 ? positions : 1;
    int64_t *labels = counts ? malloc((size_t)n * sizeof *labels) : NULL;
    for (int64_t i = 0; labels && i < count; i++) {
        hd_data_labels(data, indices ? indices[i] : i, labels);
        for (int64_t p = 0; p < n; p++)
            if (labels[p] >= 0 && labels[p] < classes) counts[labels[p]]++;
    }
    free(labels);
    return counts;
}

double largest_share(const hd_dataset *data, const int64_t *indices, int64_t count, int64_t *largest) {
    int64_t classes = hd_data_get_info(data).classes, best = 0;
    int64_t *counts = class_counts(data, indices, count, classes);
    if (!counts || count <= 0) {
        free(counts);
        return 0;
    }
    for (int64_t k = 1; k < classes; k++)
        if (counts[k] > counts[best]) best = k;
    int64_t all = 0;
    for (int64_t k = 0; k < classes; k++) all += counts[k];
    double share = (double)counts[best] / (double)(all > 0 ? all : 1);
    if (largest) *largest = best;
    free(counts);
    return share;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *describe_class(char *buffer, const char *name) {
    static const char kinds[] = "tnvfr"; /* from \t on */
    const size_t n = strlen(name);
    size_t used = 0;
    if (n > 0 && !is_blank(name[0]) && !is_blank(name[n - 1]) && !strpbrk(name, "\t\n\v\f\r")) return name;
    buffer[used++] = '\'';
    for (size_t i = 0; i < n && used + 4 < CLASS_ROOM; i++) {
        const bool escape = name[i] != ' ' && is_blank(name[i]);
        if (escape) buffer[used++] = '\\';
        buffer[used++] = escape ? kinds[name[i] - '\t'] : name[i];
    }
    buffer[used++] = '\'';
    buffer[used] = '\0';
    return buffer;
}

char *describe_content(char *buffer, const hd_dataset *data, const int64_t *indices, int64_t count) {
    hd_data_info info = hd_data_get_info(data);
    char sample[64], many[64];
    describe_sample(sample, &info.sample);
    if (strcmp(info.kind, "ratings") == 0)
        (void)snprintf(sample, sizeof sample, "%lld users and items", (long long)info.codes);
    if (info.positions > 0 && info.sample.rank == 2)
        (void)snprintf(sample, sizeof sample, "%lld steps of %lld notes", (long long)info.sample.dim[0],
                       (long long)info.sample.dim[1]);
    if (info.positions > 0 && info.sample.rank == 1)
        (void)snprintf(sample, sizeof sample, "%lld tokens", (long long)info.positions);
    if (info.classes <= 0) {
        (void)snprintf(buffer, DESCRIBE_ROOM, "%s, %lld number%s to predict", sample, (long long)info.targets,
                       info.targets == 1 ? "" : "s");
        return buffer;
    }
    int64_t top = 0;
    double share = largest_share(data, indices, count, &top), even = 1 / (double)info.classes;
    if (info.positions > 0) {
        char name[CLASS_ROOM], clean[64];
        screen_clean_utf8(clean, sizeof clean, describe_class(name, info.class_names[top]));
        (void)snprintf(buffer, DESCRIBE_ROOM, "%s, %s classes, most often %s: %.1f %%", sample,
                       text_count(many, info.classes), clean, 100 * share);
        return buffer;
    }
    char name[CLASS_ROOM];
    int n = snprintf(buffer, DESCRIBE_ROOM, "%s, %s classes, ", sample, text_count(many, info.classes));
    if (n < 0 || n >= DESCRIBE_ROOM) return buffer;
    if (share <= 1.25 * even)
        (void)snprintf(buffer + n, (size_t)(DESCRIBE_ROOM - n), "balanced");
    else
        (void)snprintf(buffer + n, (size_t)(DESCRIBE_ROOM - n), "not balanced: %.1f %% are %.60s", 100 * share,
                       info.class_names ? describe_class(name, info.class_names[top]) : "of one");
    return buffer;
}

char *describe_model(char *buffer, const hd_json *recipe) {
    const hd_json *m = tree_at(recipe, "model");
    const char *name = tree_text(recipe, "model.name", NULL);
    if (m && m->type == HD_JSON_STRING)
        (void)snprintf(buffer, DESCRIBE_ROOM, "%.200s", m->string);
    else if (name)
        (void)snprintf(buffer, DESCRIBE_ROOM, "%.200s", name);
    else
        (void)snprintf(buffer, DESCRIBE_ROOM, "%zu layers", m && m->type == HD_JSON_ARRAY ? m->count : (size_t)0);
    return buffer;
}

char *describe_metric(char *buffer, const char *name) {
    (void)snprintf(buffer, 64, "%.30s", name);
    for (char *p = buffer; *p; p++)
        if (*p == '_') *p = ' ';
    return buffer;
}
