/* nn_kit.c: names of parameters and refusals of layers. Knows no layer. */
#include "base/text.h"
#include "nn/layer.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hd_val hd_layer_refuse(hd_graph *graph, hd_loc at, const char *type, const char *name, const char *fix,
                       const char *what, ...) {
    char text[600];
    va_list args;
    va_start(args, what);
    (void)vsnprintf(text, sizeof text, what, args);
    va_end(args);
    char where[600];
    if (at.column > 0)
        (void)snprintf(where, sizeof where, "%s:%d:%d", at.file ? at.file : "?", at.line, at.column);
    else
        (void)snprintf(where, sizeof where, "%s:%d", at.file ? at.file : "?", at.line);
    const bool named = name && name[0];
    hd_graph_fail(graph, HD_E_MODEL, "%s|%s%s%s%s: %s|%s", where, type, named ? " \"" : "", named ? name : "",
                  named ? "\"" : "", text, fix);
    return (hd_val){0};
}

bool hd_layer_ready(hd_val x) {
    return x.graph && !hd_val_is_none(x) && hd_graph_status(x.graph) == HD_OK;
}

/* A name is in use where a value has it, or begins with it and a dot: which parts a layer has is its own business. */
static bool taken(hd_graph *graph, const char *name) {
    const size_t n = strlen(name);
    for (int32_t i = 0; i < hd_graph_value_count(graph); i++) {
        const char *used = hd_val_name((hd_val){graph, i});
        if (strncmp(used, name, n) == 0 && (used[n] == '.' || used[n] == '\0')) return true;
    }
    return false;
}

bool hd_layer_name(hd_graph *graph, hd_loc at, const char *type, const char *given, char *buffer) {
    if (given && given[0]) {
        const size_t n = strlen(given);
        bool clean = n <= HD_LAYER_NAME - 32;
        for (size_t i = 0; i < n && clean; i++)
            clean = (unsigned char)given[i] > ' ' && given[i] != 0x7f && given[i] != '"';
        if (!clean) {
            hd_layer_refuse(graph, at, type, NULL, "Use at most 200 letters, digits, _ . -",
                            "its name can not be used");
            return false;
        }
        memcpy(buffer, given, n + 1);
        return true;
    }
    for (int k = 1; k < 100000; k++) {
        (void)snprintf(buffer, HD_LAYER_NAME, "%s%d", type, k);
        if (!taken(graph, buffer)) return true;
    }
    hd_layer_refuse(graph, at, type, NULL, "", "there are too many of them");
    return false;
}

const char *hd_layer_param(char *buffer, const char *name, const char *part) {
    (void)snprintf(buffer, HD_LAYER_NAME, "%.*s.%s", HD_LAYER_NAME - 32, name, part);
    return buffer;
}
