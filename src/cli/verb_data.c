/* verb_data.c: owns `hadal data`: the named data sets, where they lie, the page of one, and fetching one. */
#include "base/text.h"
#include "cli/describe.h"
#include "cli/json_out.h"
#include "cli/op_page.h"
#include "cli/screen.h"
#include <string.h>

enum { PLACE = 4096 };

static hd_status place_of(cli *c, const char *name, char *place) {
    return cli_lib(c, hd_data_find(c->ctx, name, cli_get(c, "dir"), place, PLACE));
}

static void entry_json(json_out *j, const hd_data_entry *e, const char *place) {
    json_string(j, "name", e->name);
    json_string(j, "kind", e->kind);
    json_string(j, "description", e->description);
    hd_jw_key(&j->w, "samples");
    e->samples ? hd_jw_int(&j->w, e->samples) : hd_jw_null(&j->w);
    json_string(j, "found", e->drawn ? "drawn by the program" : *place ? place : NULL);
    json_int(j, "bytes", e->bytes);
    hd_jw_key(&j->w, "fetched");
    hd_jw_bool(&j->w, e->fetched);
    json_string(j, "licence", e->licence);
    json_string(j, "package", e->package);
}

/* What to do to have it. */
static const char *state_of(const hd_data_entry *e, const char *place, char *buffer, size_t size) {
    char bytes[64];
    if (e->drawn)
        (void)snprintf(buffer, size, "drawn");
    else if (*place)
        (void)snprintf(buffer, size, "%s", place);
    else if (e->fetched)
        (void)snprintf(buffer, size, "hadal data get %s (%s)", e->name, text_bytes(bytes, (double)e->bytes));
    else
        (void)snprintf(buffer, size, "%s%s", e->package ? "apt install " : "by hand: hadal data show ",
                       e->package ? e->package : e->name);
    return buffer;
}

static hd_status list(cli *c) {
    hd_data_entry e;
    json_out j;
    table t;
    char place[PLACE], state[PLACE], samples[64];
    hd_status status = HD_OK;
    if (c->json) {
        json_begin(c, &j);
        hd_jw_key(&j.w, "sets");
        hd_jw_begin(&j.w, '[');
    }
    table_open(&t, "lrll");
    table_row(&t, (const char *const[]){"data set", "samples", "kind", "where"});
    for (int i = 0; status == HD_OK && hd_data_entry_at(&e, i); i++) {
        status = place_of(c, e.name, place);
        const char *count = e.samples ? text_count(samples, e.samples) : "n=";
        table_row(&t, (const char *const[]){e.name, count, e.kind, state_of(&e, place, state, sizeof state)});
        if (!c->json) continue;
        hd_jw_begin(&j.w, '{');
        entry_json(&j, &e, place);
        hd_jw_end(&j.w);
    }
    table_print(c, &t, true, 0);
    say(c, "\na page of each: hadal data show mnist; a file or a folder is data too: hadal train table.csv\n");
    if (!c->json) return status;
    hd_jw_end(&j.w);
    const hd_status printed = json_end(c, &j);
    return status != HD_OK ? status : printed;
}

static hd_status find_entry(cli *c, const char *name, hd_data_entry *out) {
    const char *names[64];
    size_t n = 0;
    for (int i = 0; n < 64 && hd_data_entry_at(out, i); i++) {
        if (strcmp(out->name, name) == 0) return HD_OK;
        names[n++] = out->name;
    }
    return no_such_name(c, "data set", name, names, n);
}

/* What opening it shows: shape, classes, parts. */
static void open_facts(cli *c, json_out *j, const hd_data_entry *e) {
    hd_dataset *data = NULL;
    char text[DESCRIBE_ROOM], count[64], parts[3][64];
    if (hd_data_open(&data, c->ctx, e->name, cli_get(c, "dir")) != HD_OK) {
        if (!c->json) say(c, "\n  can not be opened: %s\n", hd_last_error(c->ctx));
        return;
    }
    const hd_data_info info = hd_data_get_info(data);
    if (c->json) {
        json_dims(j, "sample", &info.sample);
        json_int(j, "classes", info.classes);
        json_int(j, "train", info.train);
        json_int(j, "val", info.val);
        json_int(j, "test", info.test);
    } else {
        say(c, "\n  %s samples: %s train · %s validation · %s test; %s\n", text_count(count, info.count),
            text_count(parts[0], info.train), text_count(parts[1], info.val), text_count(parts[2], info.test),
            describe_content(text, data, NULL, info.count));
    }
    hd_data_free(data);
}

static hd_status show(cli *c, const char *name) {
    hd_data_entry e;
    char place[PLACE], state[PLACE];
    json_out j;
    hd_status status = find_entry(c, name, &e);
    if (status == HD_OK) status = place_of(c, name, place);
    if (status != HD_OK) return status;
    const bool there = e.drawn || *place;
    if (c->json) {
        json_begin(c, &j);
        entry_json(&j, &e, place);
        if (there) open_facts(c, &j, &e);
        return json_end(c, &j);
    }
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    say(c, "%s%s%s   %s\n\n", b, e.name, off, e.kind);
    say_wrapped(c, e.description, 2);
    if (there) open_facts(c, &j, &e);
    say(c, "\n  where    %s\n", state_of(&e, place, state, sizeof state));
    if (e.licence) say(c, "  licence  %s\n", e.licence);
    if (e.by_hand && !*place) say(c, "  by hand  %s\n", e.by_hand);
    say(c, "\n%sTRY%s\n  hadal train %s\n", b, off, e.name);
    return HD_OK;
}

/* ---- get ---- */

typedef struct watch {
    cli *c;
    double drawn;
    char file[PLACE];
} watch;

static bool on_watch(void *user, const char *path, int64_t bytes, int64_t total) {
    watch *w = user;
    cli *c = w->c;
    const double now = cli_clock();
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char have[64], all[64];
    if (strcmp(w->file, path) != 0) {
        (void)snprintf(w->file, sizeof w->file, "%s", path);
        if (!c->live) say(c, "%s (%s)\n", name, text_bytes(all, (double)total));
    }
    if (c->live && now - w->drawn > 0.1) {
        w->drawn = now;
        screen_clear_line(c);
        say(c, "%s  %s of %s", name, text_bytes(have, (double)bytes), text_bytes(all, (double)total));
        (void)fflush(c->people);
        c->drawing = true;
    }
    return cli_interrupted();
}

static hd_status get(cli *c, const char *name) {
    char folder[PLACE] = "";
    hd_data_entry e;
    watch w = {.c = c};
    hd_data_get_args args = {
        .name = name, .dir = cli_get(c, "dir"), .from = cli_get(c, "from"), .watch = on_watch, .user = &w};
    hd_status status = find_entry(c, name, &e);
    if (status != HD_OK) return status;
    cli_catch_signals();
    status = cli_lib(c, hd_data_get(c->ctx, &args, folder, sizeof folder));
    if (c->live) screen_clear_line(c);
    if (status != HD_OK) return status;
    if (c->json) {
        json_out j;
        json_begin(c, &j);
        json_string(&j, "name", name);
        json_string(&j, "folder", folder);
        return json_end(c, &j);
    }
    say(c, "%s is in %s\nTry: hadal train %s\n", name, folder, name);
    return HD_OK;
}

static hd_status run_data(cli *c) {
    const char *word = c->thing_count > 0 ? c->things[0] : "", *name = c->thing_count > 1 ? c->things[1] : NULL;
    const bool getting = strcmp(word, "get") == 0, showing = strcmp(word, "show") == 0;
    hd_status status = cli_context(c);
    if (status != HD_OK) return status;
    if (c->thing_count == 0) return list(c);
    if ((getting || showing) && !name)
        return cli_fail(c, HD_E_USAGE, "data|expected the name of a data set after %s|hadal data %s mnist", word, word);
    if (!getting && !showing && name)
        return cli_fail(c, HD_E_USAGE, "data|\"%.60s\" is neither get nor show|hadal data get %.60s", word, name);
    return getting ? get(c, name) : show(c, showing ? name : word);
}

static const cli_flag flags[] = {
    {"dir", "DIR", "the data folder (default: $HADAL_DATA, else ~/.local/share/hadal)"},
    {"from", "ADDRESS", "get: a mirror's folder, http:// or https://, that holds the same files"},
    CLI_FLAG_END};

const cli_verb cli_verb_data = {
    .name = "data",
    .summary = "named data sets: where they lie, and fetching",
    .things = "[get | show] [NAME]",
    .about =
        "Without a word, lists every named data set: how many samples, and where it lies or how to have it.\n"
        "`show` opens one. `get` fetches its files from where they are published into DIR/NAME; a call that was\n"
        "interrupted is gone on with, and a file is there only when its SHA-256 is the published one. `train` and\n"
        "`eval` never fetch.",
    .flags = flags,
    .example = "hadal data show digits",
    .min_things = 0,
    .max_things = 2,
    .run = run_data,
};
