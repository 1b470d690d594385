/* line_text.c: one-line networks, "784-200-relu-10". Owns their grammar: N0 { "-" WIDTH | "-" ACTIVATION }. */
#include "base/text.h"
#include "zoo/zoo_kit.h"
#include <stdio.h>
#include <string.h>

enum { MAX_PARTS = 1000, MAX_WORDS = 100, WORD = 32 };
#define MAX_WIDTH 1000000000

/* One part of the text: a width, or an activation. */
typedef struct part {
    int64_t width; /* 0: an activation */
    const hd_layer *activation;
    int column; /* 1-based place in the text */
} part;

/* Why a text is not a one-line network. */
typedef struct complaint {
    int column;
    char what[96], fix[96];
} complaint;

static bool complain(complaint *c, int column, const char *what, const char *word, const char *fix) {
    if (c) {
        c->column = column;
        (void)snprintf(c->what, sizeof c->what, "%s%s%.40s%s", what, word[0] ? " \"" : "", word, word[0] ? "\"" : "");
        (void)snprintf(c->fix, sizeof c->fix, "%s", fix);
    }
    return false;
}

static bool read_word(const char *word, int column, part *out, complaint *c) {
    const char *known[MAX_WORDS];
    const hd_layer *layer;
    size_t n = 0;
    for (int i = 0; (layer = hd_layer_at(i)); i++) {
        if (layer->activation && n < MAX_WORDS) known[n++] = layer->name;
        if (!layer->activation || strcmp(word, layer->name) != 0) continue;
        *out = (part){0, layer, column};
        return true;
    }
    char fix[96] = "Known are relu, sigmoid, tanh, gelu, …: see `hadal help layers`";
    const char *near = hd_text_nearest(word, known, n);
    if (near) (void)snprintf(fix, sizeof fix, "Did you mean %s?", near);
    return complain(c, column, "unknown activation", word, fix);
}

/* Next part from *text on; moves *text behind it and its "-". */
static bool read_part(const char **text, const char *start, part *out, complaint *c) {
    const size_t n = strcspn(*text, "-");
    const int column = (int)(*text - start) + 1;
    char word[WORD];
    if (n == 0) return complain(c, column, "a width or an activation is missing", "", "Write it as 784-200-relu-10");
    if (n >= sizeof word) return complain(c, column, "a part is too long", "", "Write it as 784-200-relu-10");
    memcpy(word, *text, n);
    word[n] = '\0';
    if (word[0] >= '0' && word[0] <= '9') {
        int64_t width = 0;
        if (!hd_text_to_i64(word, n, &width) || width < 1 || width > MAX_WIDTH)
            return complain(c, column, "not a width", word, "Widths are whole numbers from 1 to 1,000,000,000");
        *out = (part){width, NULL, column};
    } else if (!read_word(word, column, out, c)) {
        return false;
    }
    *text += n;
    if (**text == '-' && *++*text == '\0')
        return complain(c, column, "the text ends in \"-\"", "", "Add the last width");
    return true;
}

static bool begin(const char **text, const char *start, part *first, complaint *c) {
    if (!(start[0] >= '0' && start[0] <= '9'))
        return complain(c, 1, "a one-line network begins with the size of its input", "",
                        "Write it as 784-200-relu-10");
    return read_part(text, start, first, c);
}

bool hd_line_read(const char *text, hd_line_info *out) {
    const char *rest = text;
    part p;
    int parts = 1;
    if (!text || !begin(&rest, text, &p, NULL)) return false;
    hd_line_info info = {.inputs = p.width, .outputs = p.width};
    bool layers = false;
    while (*rest) {
        if (++parts > MAX_PARTS || !read_part(&rest, text, &p, NULL)) return false;
        info.activated = p.width == 0;
        if (p.width > 0)
            info.outputs = p.width, layers = true;
        else if (p.activation->halves)
            info.outputs /= 2; /* an odd width is refused when it is built */
    }
    if (!layers) return false;
    if (out) *out = info;
    return true;
}

static hd_val refuse(hd_graph *g, hd_loc at, const char *text, const complaint *c) {
    char where[600];
    if (at.column > 0)
        (void)snprintf(where, sizeof where, "%s:%d:%d", at.file, at.line, at.column);
    else
        (void)snprintf(where, sizeof where, "model");
    hd_graph_fail(g, HD_E_MODEL, "%s|\"%.100s\": %s at character %d|%s", where, text, c->what, c->column, c->fix);
    return (hd_val){0};
}

hd_val hd_line_build_at(hd_loc at, hd_val x, const char *text) {
    hd_graph *g = x.graph;
    if (!g || hd_graph_status(g) != HD_OK) return (hd_val){0};
    const char *rest = text;
    complaint c;
    part p;
    if (!begin(&rest, text, &p, &c)) return refuse(g, at, text, &c);
    const int64_t size = hd_zoo_size(x);
    if (size != p.width) {
        (void)snprintf(c.what, sizeof c.what, "the data have %lld numbers a sample, not %lld", (long long)size,
                       (long long)p.width);
        (void)snprintf(c.fix, sizeof c.fix, "Begin with %lld", (long long)size);
        c.column = 1;
        return refuse(g, at, text, &c);
    }
    hd_val h = hd_zoo_rows(at, x);
    int layers = 0, parts = 1;
    while (*rest) {
        char name[64];
        if (!read_part(&rest, text, &p, &c)) return refuse(g, at, text, &c);
        if (++parts > MAX_PARTS) {
            complain(&c, p.column, "more than 1,000 parts", "", "Use a recipe with repeat");
            return refuse(g, at, text, &c);
        }
        (void)snprintf(name, sizeof name, "fc%d", layers + 1);
        if (p.width > 0)
            h = hd_zoo_dense(at, h, name, p.width), layers++;
        else
            h = hd_layer_apply(at, p.activation, h, NULL);
    }
    if (layers > 0) return h;
    complain(&c, 1, "there is no layer", "", "Add at least one width: 784-10");
    return refuse(g, at, text, &c);
}

hd_val hd_line_build(hd_val x, const char *text) {
    return hd_line_build_at(HD_HERE, x, text);
}
