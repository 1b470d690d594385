/* tune_file.c: a tuning table as a file: JSON, read strictly, because it may come from anywhere, and written whole.
 *
 *   {"format": "hadal-tuning", "version": 1, "machines": [
 *     {"cpu": "…", "isa": "avx512", "library": "oneDNN 2.6.3", "hadal": "0.1.0", "choices": {
 *       "linear : f32[128,784] f32[1024,784] f32[1024] > f32[128,1024]": {"kernel": "…", "variant": 0, "us": 910.5}}}]}
 */
#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "compile/tune_table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, MOST_VARIANT = 255 };
static const size_t MOST_BYTES = (size_t)16 << 20;

typedef struct reading {
    hd_tuning *t;
    const char *where;
    bool seen[HD_TUNED_MACHINES + 1];
} reading;

static hd_status wrong(const reading *r, const hd_json *at, const char *what) {
    return hd_fail(r->t->ctx, HD_E_MODEL,
                   "%s:%d:%d|%s|It is no tuning table of this version: write a new one with --tune", r->where, at->line,
                   at->column, what);
}

/* The member of that name and type. */
static hd_status member(const reading *r, const hd_json *object, const char *key, hd_json_type type,
                        const hd_json **out) {
    char text[96];
    *out = hd_json_get(object, key);
    if (*out && ((*out)->type == type || (type == HD_JSON_FLOAT && (*out)->type == HD_JSON_INT))) return HD_OK;
    (void)snprintf(text, sizeof text, "expected \"%s\": %s", key,
                   type == HD_JSON_STRING   ? "a text"
                   : type == HD_JSON_ARRAY  ? "a list"
                   : type == HD_JSON_OBJECT ? "an object"
                   : type == HD_JSON_INT    ? "a whole number"
                                            : "a number");
    return wrong(r, *out ? *out : object, text);
}

/* Printable ASCII of at most so many bytes: names go into messages. */
static bool is_name(const char *text, size_t most) {
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~') return false;
    return n > 0 && n < most;
}

static hd_status read_name(const reading *r, const hd_json *object, const char *key, const char **out) {
    const hd_json *v;
    HD_TRY(member(r, object, key, HD_JSON_STRING, &v));
    if (!is_name(v->string, 96)) return wrong(r, v, "expected a name of 1 to 95 printable characters");
    *out = v->string;
    return HD_OK;
}

static hd_status read_choice(const reading *r, const hd_json *v, int32_t machine) {
    const hd_json *variant, *us;
    hd_tuned e = {.machine = machine, .key = v->key};
    if (v->type != HD_JSON_OBJECT) return wrong(r, v, "expected an object with kernel, variant and us");
    if (!is_name(v->key, HD_TUNED_TEXT)) return wrong(r, v, "expected the name of a shape");
    if (v->count != 3) return wrong(r, v, "expected kernel, variant, us and nothing else");
    HD_TRY(read_name(r, v, "kernel", &e.kernel));
    HD_TRY(member(r, v, "variant", HD_JSON_INT, &variant));
    HD_TRY(member(r, v, "us", HD_JSON_FLOAT, &us));
    if (variant->integer < 0 || variant->integer > MOST_VARIANT) return wrong(r, variant, "expected 0 to 255");
    if (!(us->number >= 0)) return wrong(r, us, "expected microseconds");
    e.variant = (int)variant->integer;
    e.us = us->number;
    return hd_tuning_append(r->t, &e);
}

static hd_status read_machine(reading *r, const hd_json *v) {
    const hd_json *choices;
    hd_machine m;
    int32_t number;
    if (v->type != HD_JSON_OBJECT || v->count != 5)
        return wrong(r, v, "expected an object with cpu, isa, library, hadal and choices");
    HD_TRY(read_name(r, v, "cpu", &m.cpu));
    HD_TRY(read_name(r, v, "isa", &m.isa));
    HD_TRY(read_name(r, v, "library", &m.library));
    HD_TRY(read_name(r, v, "hadal", &m.hadal));
    HD_TRY(member(r, v, "choices", HD_JSON_OBJECT, &choices));
    HD_TRY(hd_tuning_machine(r->t, &m, &number));
    if (r->seen[number]) return wrong(r, v, "this machine stands here a second time");
    r->seen[number] = true;
    for (const hd_json *c = choices->child; c; c = c->next) HD_TRY(read_choice(r, c, number));
    return HD_OK;
}

static hd_status read_table(reading *r, const hd_json *root) {
    const hd_json *format, *version, *machines;
    if (root->type != HD_JSON_OBJECT || root->count != 3)
        return wrong(r, root, "expected an object with format, version and machines");
    HD_TRY(member(r, root, "format", HD_JSON_STRING, &format));
    HD_TRY(member(r, root, "version", HD_JSON_INT, &version));
    HD_TRY(member(r, root, "machines", HD_JSON_ARRAY, &machines));
    if (strcmp(format->string, "hadal-tuning") != 0) return wrong(r, format, "expected \"hadal-tuning\"");
    if (version->integer != VERSION) return wrong(r, version, "expected version 1");
    if (machines->count > HD_TUNED_MACHINES) return wrong(r, machines, "expected at most 64 machines");
    for (const hd_json *m = machines->child; m; m = m->next) HD_TRY(read_machine(r, m));
    return HD_OK;
}

/* Of two choices for a shape the new one stays. Sorted, they stand side by side, in no order. */
static hd_status join(hd_tuning *into, const hd_tuning *from) {
    for (size_t i = 0; i < from->count; i++) {
        hd_tuned e = from->entries[i];
        HD_TRY(hd_tuning_machine(into, &from->machines[e.machine], &e.machine));
        HD_TRY(hd_tuning_append(into, &e));
        into->entries[into->count - 1].fresh = true;
    }
    hd_tuning_sort(into);
    size_t kept = 0;
    for (size_t i = 0; i < into->count; i++) {
        hd_tuned e = into->entries[i];
        hd_tuned *last = kept ? &into->entries[kept - 1] : NULL;
        if (last && last->machine == e.machine && strcmp(last->key, e.key) == 0) {
            if (e.fresh) *last = e;
        } else {
            into->entries[kept++] = e;
        }
    }
    into->count = kept;
    for (size_t i = 0; i < kept; i++) into->entries[i].fresh = false;
    return HD_OK;
}

hd_status hd_tuning_parse(hd_tuning *t, const char *where, const char *text, size_t length) {
    hd_arena arena = {.ctx = t->ctx};
    hd_json *root;
    hd_tuning *fresh = NULL;
    hd_status status = hd_json_parse(&root, &arena, where, text, length);
    if (status == HD_OK) status = hd_tuning_new(&fresh, t->ctx);
    if (status == HD_OK) status = read_table(&(reading){.t = fresh, .where = where}, root);
    if (status == HD_OK && t->count + fresh->count > HD_TUNED_MOST)
        status =
            hd_fail(t->ctx, HD_E_MODEL, "%s|it holds more than %d choices|Begin a new table", where, HD_TUNED_MOST);
    if (status == HD_OK) status = join(t, fresh);
    for (size_t i = 0; i < t->count; i++)
        if (t->entries[i].machine > 0) {
            const hd_machine *m = &t->machines[t->entries[i].machine];
            (void)snprintf(t->other, sizeof t->other, "%s, %s, %s, hadal %s", m->cpu, m->isa, m->library, m->hadal);
        }
    hd_tuning_free(fresh);
    hd_arena_free(&arena);
    return status;
}

hd_status hd_tuning_load(hd_tuning *t, const char *path) {
    char *text = NULL;
    size_t length = 0;
    HD_TRY(hd_file_read(t->ctx, path, MOST_BYTES, &text, &length));
    const hd_status status = hd_tuning_parse(t, path, text, length);
    hd_free(t->ctx, text);
    return status;
}

/* ---- writing ---- */

static void print_text(hd_text *out, const char *text) {
    hd_jw w = {.out = out};
    hd_jw_string(&w, text);
}

static void print_machine(const hd_tuning *t, int32_t machine, hd_text *out) {
    const hd_machine *m = &t->machines[machine];
    const char *const names[] = {"cpu", "isa", "library", "hadal"}, *const texts[] = {m->cpu, m->isa, m->library,
                                                                                      m->hadal};
    char number[32];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        hd_text_printf(out, "%s\"%s\": ", i ? ", " : " {", names[i]);
        print_text(out, texts[i]);
    }
    hd_text_puts(out, ", \"choices\": {");
    bool first = true;
    for (size_t i = 0; i < t->count; i++) {
        const hd_tuned *e = &t->entries[i];
        if (e->machine != machine) continue;
        hd_text_puts(out, first ? "\n  " : ",\n  ");
        print_text(out, e->key);
        hd_text_puts(out, ": {\"kernel\": ");
        print_text(out, e->kernel);
        hd_text_printf(out, ", \"variant\": %d, \"us\": %s}", e->variant,
                       hd_text_from_f64(number, floor(100 * e->us + 0.5) / 100));
        first = false;
    }
    hd_text_puts(out, "}}");
}

hd_status hd_tuning_print(const hd_tuning *t, hd_text *out) {
    hd_text_printf(out, "{\"format\": \"hadal-tuning\", \"version\": %d, \"machines\": [", VERSION);
    bool first = true;
    for (size_t m = 0; m < t->machine_count; m++) {
        bool any = false;
        for (size_t i = 0; i < t->count && !any; i++) any = t->entries[i].machine == (int32_t)m;
        if (!any) continue;
        hd_text_puts(out, first ? "\n" : ",\n");
        print_machine(t, (int32_t)m, out);
        first = false;
    }
    hd_text_puts(out, "]}\n");
    return out->failed ? hd_fail_memory(t->ctx, out->length) : HD_OK;
}

hd_status hd_tuning_save(const hd_tuning *t, const char *path) {
    hd_text out = {.ctx = t->ctx};
    hd_status status = hd_tuning_print(t, &out);
    const char *slash = strrchr(path, '/');
    char *folder = slash && slash > path ? hd_strdup(t->ctx, path) : NULL;
    if (status == HD_OK && slash && slash > path && !folder) status = HD_E_MEMORY;
    if (folder) folder[slash - path] = '\0';
    if (status == HD_OK && folder) status = hd_dir_make(t->ctx, folder);
    hd_free(t->ctx, folder);
    if (status == HD_OK) status = hd_file_write(t->ctx, path, out.data, out.length);
    hd_text_free(&out);
    return status;
}
