/* verb_predict.c: owns `hadal predict`: inputs of every form to labels or values. Fitting a picture is the library's.
 */
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/describe.h"
#include "cli/json_out.h"
#include "cli/predict_out.h"
#include "cli/screen.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 256, SHOWN = 20, LONGEST_NAME = 120 };
static const size_t LARGEST_INPUT = (size_t)64 << 20;

typedef struct prediction {
    cli *c;
    hd_model *model;
    hd_model_info info;
    int64_t size, columns, top; /* floats of an input, scores of an output, how many scores are told */
    int64_t rows, chunk;        /* outputs of an input: 1, or its positions; inputs that wait for each other */
    float *x, *y;               /* [CHUNK, size], [chunk, rows, columns] */
    char (*names)[LONGEST_NAME];
    char (*notes)[256];
    int64_t *truth; /* class, or -1 */
    int64_t waiting, told, right, judged;
    json_out json;
    predict_out out;
} prediction;

static void top_scores(const prediction *p, const float *y, int64_t *index, int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        int64_t best = -1;
        for (int64_t i = 0; i < p->columns; i++) {
            bool used = false;
            for (int64_t j = 0; j < k; j++) used |= index[j] == i;
            if (!used && (best < 0 || y[i] > y[best])) best = i;
        }
        index[k] = best;
    }
}

static const char *class_name(const prediction *p, int64_t index) {
    return index >= 0 && index < p->info.classes ? p->info.class_names[index] : "?";
}

static void json_class(prediction *p, int64_t index, float score) {
    json_string(&p->json, "label", class_name(p, index));
    json_int(&p->json, "index", index);
    json_number(&p->json, "score", (double)score);
}

/* Labels, or rows of values, of every position. */
static void json_positions(prediction *p, const float *y) {
    hd_jw *w = &p->json.w;
    hd_jw_key(w, p->info.classes > 0 ? "labels" : "values");
    hd_jw_begin(w, '[');
    for (int64_t r = 0; r < p->rows; r++, y += p->columns) {
        int64_t best = 0;
        if (p->info.classes > 0) {
            top_scores(p, y, &best, 1);
            hd_jw_string(w, class_name(p, best));
            continue;
        }
        hd_jw_begin(w, '[');
        for (int64_t k = 0; k < p->columns; k++) hd_jw_number(w, (double)y[k]);
        hd_jw_end(w);
    }
    hd_jw_end(w);
}

static void json_one(prediction *p, int64_t i) {
    const float *y = p->y + i * p->rows * p->columns;
    hd_jw *w = &p->json.w;
    hd_jw_begin(w, '{');
    json_string(&p->json, "input", p->names[i]);
    if (p->info.positions > 0) {
        json_positions(p, y);
    } else if (p->info.classes > 0) {
        int64_t index[16] = {0}, n = p->top < p->columns ? p->top : p->columns;
        top_scores(p, y, index, n);
        json_class(p, index[0], y[index[0]]);
        hd_jw_key(w, "top");
        hd_jw_begin(w, '[');
        for (int64_t k = 0; k < n; k++) {
            hd_jw_begin(w, '{');
            json_class(p, index[k], y[index[k]]);
            hd_jw_end(w);
        }
        hd_jw_end(w);
        if (p->truth[i] >= 0) json_string(&p->json, "truth", class_name(p, p->truth[i]));
    } else {
        hd_jw_key(w, "values");
        hd_jw_begin(w, '[');
        for (int64_t k = 0; k < p->columns; k++) hd_jw_number(w, (double)y[k]);
        hd_jw_end(w);
    }
    if (*p->notes[i]) json_string(&p->json, "note", p->notes[i]);
    hd_jw_end(w);
}

/* The labels of the positions: characters side by side, words with a blank between. */
static void say_positions(prediction *p, const float *y) {
    enum { SHOWN_POSITIONS = 64 };
    const char *between = strcmp(p->info.kind, "text") == 0 ? "" : " ";
    char label[128];
    for (int64_t r = 0; r < p->rows && r < SHOWN_POSITIONS && p->info.classes > 0; r++) {
        int64_t best = 0;
        top_scores(p, y + r * p->columns, &best, 1);
        say(p->c, "%s%s", between, screen_clean_utf8(label, sizeof label, class_name(p, best)));
    }
    if (p->info.classes <= 0)
        say(p->c, "%lld values at each of %lld positions", (long long)p->columns, (long long)p->rows);
    say(p->c, "%s\n", p->rows > SHOWN_POSITIONS && p->info.classes > 0 ? "…" : "");
}

/* Mean distance of what was given back from what was read, as it stands in the data. */
static double average_error(const prediction *p, int64_t i) {
    double sum = 0;
    for (int64_t k = 0; k < p->size; k++) sum += fabs((double)p->y[i * p->size + k] - (double)p->x[i * p->size + k]);
    return sum / (double)p->size;
}

static void say_values(const prediction *p, const float *y) {
    char text[64];
    for (int64_t k = 0; p->info.classes <= 0 && k < p->columns; k++) say(p->c, "  %s", text_short(text, (double)y[k]));
}

static void say_one(prediction *p, int64_t i) {
    cli *c = p->c;
    const float *y = p->y + i * p->rows * p->columns;
    char name[LONGEST_NAME], label[128], text[64];
    say(c, "%-*s", 24, screen_clean_utf8(name, sizeof name, p->names[i]));
    if (p->info.positions > 0) {
        say(c, "  ");
        say_positions(p, y);
        return;
    }
    if (p->info.classes > 0) {
        int64_t index[16] = {0}, n = p->columns < 3 ? p->columns : 3;
        top_scores(p, y, index, n);
        say(c, "  %s%s%s  %s", screen_style_code(c, BOLD),
            screen_clean_utf8(label, sizeof label, class_name(p, index[0])), screen_style_code(c, PLAIN),
            text_percent(text, (double)y[index[0]]));
        for (int64_t k = 1; k < n; k++)
            say(c, "  %s%s %s%s", screen_style_code(c, DIM),
                screen_clean_utf8(label, sizeof label, class_name(p, index[k])),
                text_percent(text, (double)y[index[k]]), screen_style_code(c, PLAIN));
        if (p->truth[i] >= 0 && p->truth[i] != index[0])
            say(c, "  is %s", screen_clean_utf8(label, sizeof label, class_name(p, p->truth[i])));
    }
    if (p->info.reconstructs)
        say(c, "  %s off on average", text_short(text, average_error(p, i)));
    else
        say_values(p, y);
    say(c, "\n");
}

/* Runs the network on what waits and tells the results. */
static hd_status flush(prediction *p) {
    if (p->waiting == 0) return HD_OK;
    CLI_TRY(p->c, hd_model_predict(p->model, p->x, p->waiting, p->y));
    hd_status status = predict_out_add(p->c, &p->out, p->y, p->waiting);
    if (status != HD_OK) return status;
    for (int64_t i = 0; i < p->waiting; i++) {
        int64_t best = 0;
        if (p->truth[i] >= 0) {
            top_scores(p, p->y + i * p->columns, &best, 1);
            p->judged++;
            p->right += best == p->truth[i];
        }
        if (p->c->json)
            json_one(p, i);
        else if (p->told < SHOWN)
            say_one(p, i);
        p->told++;
    }
    p->waiting = 0;
    return HD_OK;
}

/* Place for the next input's floats. */
static float *next_input(prediction *p) {
    return p->x + p->waiting * p->size;
}

static hd_status add_input(prediction *p, const char *name, const char *note, int64_t truth) {
    (void)snprintf(p->names[p->waiting], LONGEST_NAME, "%s", name);
    (void)snprintf(p->notes[p->waiting], sizeof *p->notes, "%s", note);
    p->truth[p->waiting++] = truth;
    return p->waiting == p->chunk ? flush(p) : HD_OK;
}

/* ---- numbers ---- */

/* Reads numbers split by commas, semicolons or blanks: how many, or -1 when something else stands there. Those beyond
 * `room` are only counted. */
static int64_t read_numbers(const char *text, size_t length, float *out, int64_t room) {
    int64_t n = 0;
    for (size_t i = 0; i < length;) {
        if (strchr(", ;\t\r", text[i])) {
            i++;
            continue;
        }
        size_t start = i;
        double value;
        while (i < length && !strchr(", ;\t\r", text[i])) i++;
        if (!hd_text_to_f64(text + start, i - start, &value) || !isfinite(value)) return -1;
        if (n < room) out[n] = (float)value;
        n++;
    }
    return n;
}

static hd_status add_numbers(prediction *p, const char *where, const char *text, size_t length) {
    int64_t n = read_numbers(text, length, next_input(p), p->size);
    char shape[64], shown[LONGEST_NAME];
    if (n < 0)
        return cli_fail(p->c, HD_E_DATA, "%s|expected %lld numbers, got \"%.*s\"|Write them as 0.5,-1", where,
                        (long long)p->size, (int)(length < 60 ? length : 60), text);
    if (n != p->size)
        return cli_fail(p->c, HD_E_DATA, "%s|the model reads %lld numbers (%s), this has %lld|", where,
                        (long long)p->size, describe_sample(shape, &p->info.sample), (long long)n);
    (void)snprintf(shown, sizeof shown, "%.*s%s", (int)(length < 40 ? length : 40), text, length > 40 ? "…" : "");
    return add_input(p, shown, "", -1);
}

/* One input a line. */
static hd_status add_lines(prediction *p, const char *where, const char *text) {
    long line = 0;
    for (const char *s = text; *s;) {
        size_t n = strcspn(s, "\n");
        char place[256];
        line++;
        (void)snprintf(place, sizeof place, "%.200s:%ld", where, line);
        if (strspn(s, " \t\r") < n) {
            hd_status status = add_numbers(p, place, s, n);
            if (status != HD_OK) return status;
        }
        s += n + (s[n] == '\n');
    }
    return HD_OK;
}

/* ---- pictures ---- */

/* PNG, JPEG, or a portable map: P1 … P6 and white space. */
static bool is_picture(const char *bytes, size_t length) {
    if (length >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return true;
    if (length >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) return true;
    return length >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' && strchr(" \t\r\n#", bytes[2]);
}

static bool is_picture_name(const char *path) {
    static const char *const ends[] = {".png",    ".pgm",    ".ppm", ".pbm",  ".pnm", ".png.gz", ".pgm.gz",
                                       ".ppm.gz", ".pbm.gz", ".jpg", ".jpeg", ".JPG", ".JPEG"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (hd_text_ends(path, ends[i])) return true;
    return false;
}

static hd_status add_picture(prediction *p, const char *name, const char *path) {
    char note[256] = "", line[480];
    hd_picture_args args = p->info.picture;
    args.strict = cli_has(p->c, "strict");
    CLI_TRY(p->c, hd_picture_read(p->c->ctx, path, &args, next_input(p), note, sizeof note));
    if (*note) {
        char clean[480];
        (void)snprintf(line, sizeof line, "%.120s: %s; use --strict to refuse instead", name, note);
        fprintf(stderr, "hadal: %s\n", screen_clean_utf8(clean, sizeof clean, line));
    }
    return add_input(p, name, note, -1);
}

/* A picture on standard input goes through a file of its own: the reader wants one. */
static hd_status add_picture_bytes(prediction *p, const char *bytes, size_t length) {
    const char *folder = getenv("TMPDIR");
    char path[1024];
    (void)snprintf(path, sizeof path, "%.900s/hadal-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        return cli_fail(p->c, HD_E_FILE, "%s|%s|Set TMPDIR to a folder that can be written", path, strerror(errno));
    bool ok = true;
    for (size_t done = 0; ok && done < length;) {
        ssize_t n = write(fd, bytes + done, length - done);
        ok = n > 0 || (n < 0 && errno == EINTR);
        if (n > 0) done += (size_t)n;
    }
    ok = close(fd) == 0 && ok;
    hd_status status = ok ? add_picture(p, "-", path) : cli_fail(p->c, HD_E_FILE, "%s|%s|", path, strerror(errno));
    (void)unlink(path);
    return status;
}

/* Is the folder one of pictures, without classes? Then each of them is an input. */
static bool is_picture_folder(const char *path) {
    bool found = false;
    DIR *d = opendir(path);
    for (struct dirent *e; d && !found && (e = readdir(d));) found = is_picture_name(e->d_name);
    if (d) (void)closedir(d);
    return found;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int only_pictures(const struct dirent *e) {
    return e->d_name[0] != '.' && is_picture_name(e->d_name);
}

static hd_status add_picture_folder(prediction *p, const char *folder) {
    struct dirent **entry = NULL;
    hd_status status = HD_OK;
    const int n = scandir(folder, &entry, only_pictures, by_name);
    if (n < 0) return cli_fail(p->c, HD_E_FILE, "%s|%s|", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (status == HD_OK) status = add_picture(p, path, path);
        free(entry[i]);
    }
    free(entry);
    return status;
}

/* ---- data sets ---- */

static hd_status add_data(prediction *p, const char *text) {
    hd_dataset *data = NULL;
    part chosen = {0};
    hd_status status = open_data_for(p->c, text, p->model, true, &data);
    if (status != HD_OK) return status;
    hd_data_info info = hd_data_get_info(data);
    char ours[64], theirs[64], name[LONGEST_NAME];
    if (!hd_dims_equal(&info.sample, &p->info.sample))
        status = cli_fail(p->c, HD_E_DATA, "%s|the model reads %s, these are %s|", text,
                          describe_sample(ours, &p->info.sample), describe_sample(theirs, &info.sample));
    if (status == HD_OK) status = part_open(p->c, &chosen, data, cli_get(p->c, "part"), hd_model_recipe(p->model));
    bool labels = info.classes > 0 && info.classes <= p->info.classes && info.positions == 0;
    for (int64_t i = 0; status == HD_OK && i < chosen.count; i++) {
        hd_data_x(data, chosen.indices[i], next_input(p));
        (void)snprintf(name, sizeof name, "%.80s[%lld]", info.name, (long long)chosen.indices[i]);
        status = add_input(p, name, "", labels ? hd_data_label(data, chosen.indices[i]) : -1);
    }
    if (status == HD_OK) status = flush(p);
    part_close(&chosen);
    hd_data_free(data);
    return status;
}

/* Lines of a table, as they stand in the file that the model learnt from. */
static hd_status add_table_text(prediction *p, const char *name, const char *text) {
    json_out source;
    json_begin(p->c, &source);
    json_string(&source, "source", name);
    json_string(&source, "text", text);
    hd_jw_end(&source.w);
    hd_status status = source.text.failed ? cli_no_memory(p->c) : add_data(p, hd_text_str(&source.text));
    hd_text_free(&source.text);
    return status;
}

/* Does the model read words beside numbers, or users and items? Then a line is more than its numbers. */
static bool reads_words(const prediction *p) {
    return p->info.encoding && (strstr(p->info.encoding, "\"words\"") || strcmp(p->info.kind, "ratings") == 0);
}

/* ---- one input of the command line ---- */

/* Does the text begin with a line of as many numbers as the model reads? */
static bool is_number_lines(prediction *p, const char *text) {
    return read_numbers(text, strcspn(text, "\n"), next_input(p), 0) == p->size;
}

static hd_status add_standard_input(prediction *p) {
    char *bytes;
    size_t length;
    hd_status status = cli_read_all(p->c, "-", LARGEST_INPUT, &bytes, &length);
    if (status != HD_OK) return status;
    if (is_picture(bytes, length))
        status = add_picture_bytes(p, bytes, length);
    else if (length == 0)
        status = cli_fail(p->c, HD_E_DATA, "-|standard input is empty|Send a PNG or PGM, or lines of numbers");
    else if (reads_words(p))
        status = add_table_text(p, "-", bytes);
    else
        status = add_lines(p, "-", bytes);
    free(bytes);
    return status;
}

static hd_status add_file(prediction *p, const char *path) {
    char head[4096] = "";
    FILE *f = fopen(path, "rb");
    if (!f) return cli_fail(p->c, HD_E_FILE, "%s|%s|", path, strerror(errno));
    size_t n = fread(head, 1, sizeof head - 1, f);
    (void)fclose(f);
    if (is_picture(head, n) || (is_picture_name(path) && head[0] == '\x1f')) return add_picture(p, path, path);
    if (memchr(head, '\0', n) || p->info.positions > 0 || reads_words(p) || !is_number_lines(p, head))
        return add_data(p, path);
    char *text;
    size_t length;
    hd_status status = cli_read_all(p->c, path, LARGEST_INPUT, &text, &length);
    if (status != HD_OK) return status;
    status = add_lines(p, path, text);
    free(text);
    return status;
}

static hd_status add_thing(prediction *p, const char *thing) {
    struct stat info;
    if (strcmp(thing, "-") == 0) return add_standard_input(p);
    if (reads_words(p) && strchr(thing, ',') && stat(thing, &info) != 0) return add_table_text(p, thing, thing);
    if (read_numbers(thing, strlen(thing), next_input(p), 0) > 0) return add_numbers(p, thing, thing, strlen(thing));
    if (stat(thing, &info) == 0 && S_ISREG(info.st_mode)) return add_file(p, thing);
    if (stat(thing, &info) == 0 && S_ISDIR(info.st_mode) && is_picture_folder(thing))
        return add_picture_folder(p, thing);
    if (is_picture_name(thing)) return cli_fail(p->c, HD_E_FILE, "%s|%s|", thing, strerror(errno ? errno : ENOENT));
    return add_data(p, thing);
}

static hd_status make_room(prediction *p) {
    int64_t size = hd_dims_count(&p->info.sample);
    p->size = size;
    p->columns = p->info.classes > 0 ? p->info.classes : p->info.outputs;
    p->x = calloc(CHUNK * (size_t)(size > 0 ? size : 1), sizeof *p->x);
    p->rows = p->info.positions > 0 ? p->info.positions : 1;
    p->chunk = CHUNK;
    while (p->chunk > 1 && (double)p->chunk * (double)p->rows * (double)p->columns > 1 << 22) p->chunk /= 2;
    p->y = calloc((size_t)p->chunk * (size_t)p->rows, (size_t)p->columns * sizeof *p->y);
    p->names = calloc(CHUNK, sizeof *p->names);
    p->notes = calloc(CHUNK, sizeof *p->notes);
    p->truth = calloc(CHUNK, sizeof *p->truth);
    return p->x && p->y && p->names && p->notes && p->truth ? HD_OK : cli_no_memory(p->c);
}

static hd_status predict(cli *c, prediction *p) {
    CLI_TRY(c, cli_get_int(c, "top", 1, 16, &p->top));
    CLI_TRY(c, open_trained(c, c->things[0], &p->model));
    CLI_TRY(c, hd_model_get_info(p->model, &p->info));
    CLI_TRY(c, make_room(p));
    CLI_TRY(c, predict_out_open(c, &p->out, cli_get(c, "out"), &p->info, p->columns * p->rows));
    if (c->json) {
        json_begin(c, &p->json);
        json_string(&p->json, "model", c->things[0]);
        hd_jw_key(&p->json.w, "predictions");
        hd_jw_begin(&p->json.w, '[');
    }
    for (int i = 1; i < c->thing_count; i++) CLI_TRY(c, add_thing(p, c->things[i]));
    CLI_TRY(c, flush(p));
    CLI_TRY(c, predict_out_close(c, &p->out));
    if (c->json) {
        hd_jw_end(&p->json.w);
        return json_end(c, &p->json);
    }
    char a[64], b[64];
    if (p->told > SHOWN) say(c, "… %s more; --json prints them all\n", text_count(a, p->told - SHOWN));
    if (p->judged > 0) {
        hd_metric m = share_of("accuracy", (double)p->right / (double)p->judged, p->judged);
        say(c, "%s of %s right: %s\n", text_count(a, p->right), text_count(b, p->judged),
            text_metric((char[64]){0}, &m));
    }
    return HD_OK;
}

static hd_status run_predict(cli *c) {
    prediction p = {.c = c, .top = 5};
    hd_status status = cli_context(c);
    if (status == HD_OK) status = predict(c, &p);
    if (c->ctx) hd_text_free(&p.json.text);
    free(p.out.y);
    free(p.x);
    free(p.y);
    free(p.names);
    free(p.notes);
    free(p.truth);
    hd_model_free(p.model);
    return status;
}

static const cli_flag flags[] = {
    {"top", "N", "how many classes with their scores are told, 1 … 16 (default 5; people see at most 3)"},
    {"strict", NULL, "refuse a picture that would have to be adapted"},
    {"part", "PART", "of data sets: train, val, test or all (default: test, or everything where there is one part)"},
    {"out", "FILE",
     "write all scores as an array [inputs, outputs] of f32, FILE.npy; or what was given back, FILE.png"},
    {"threads", "N", "1 … 256 (default: all processors)"},
    {"from", "FILE", "weights for a known network, as another program wrote them (safetensors)"},
    {"rename", "MAP", "how their names become the network's: a JSON file, or caffe, wrapped"},
    CLI_FLAG_END};

const cli_verb cli_verb_predict = {
    .name = "predict",
    .summary = "what a trained model says to new inputs",
    .things = "MODEL INPUT…",
    .about =
        "MODEL is a run folder or a .safetensors file. INPUT is a picture (PNG, JPEG, PGM, PPM) of any size (what was\n"
        "adapted is said aloud), data by name or path, numbers as 0.5,-1 (after -- when the first is negative), a\n"
        "file with such a line for each input, or - for a picture or lines of numbers on standard input. A model of a\n"
        "table with words is given lines as they stand in the table, 3,male,22, with or without the target.",
    .flags = flags,
    .recipe = "data.",
    .list_keys = true,
    .example = "hadal predict runs/digits-001 digits",
    .min_things = 2,
    .max_things = -1,
    .run = run_predict,
};
