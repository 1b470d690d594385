/* pipeline.c: the passes in order, each verified, dumped when asked for, left out when asked for. */
#include "compile/lower.h"
#include "hadal/data.h"
#include <string.h>

static const hd_pass hd_passes[] = {
    {"form", hd_pass_form, false},
    {"bind", hd_pass_bind, false},
    {"simplify", hd_pass_simplify, true},
    {"fold", hd_pass_fold, true},
    {"fuse", hd_pass_fuse, true},
    {"mixed", hd_pass_mixed, false},
    {"chain", hd_pass_chain, true},
    {"place", hd_pass_place, false},
    {"layout", hd_pass_layout, false},
    {"flatten", hd_pass_flatten, true},
    {"recompute", hd_pass_recompute, false},
    {"keep", hd_pass_keep, false},
    {"schedule", hd_pass_schedule, false},
    {"prepare", hd_pass_prepare, false},
    {"plan", hd_pass_plan, false},
};
enum { HD_PASS_COUNT = sizeof hd_passes / sizeof *hd_passes };

const char *const *hd_pass_names(void) {
    static const char *const names[HD_PASS_COUNT + 1] = {
        "form",   "bind",    "simplify",  "fold", "fuse",     "mixed",   "chain", "place",
        "layout", "flatten", "recompute", "keep", "schedule", "prepare", "plan",  NULL};
    return names;
}

/* Whether a comma-separated list holds the word. */
static bool hd_listed(const char *list, const char *word) {
    const size_t n = strlen(word);
    for (const char *at = list; at && *at;) {
        const size_t length = strcspn(at, ",");
        if (length == n && strncmp(at, word, n) == 0) return true;
        at += length;
        if (*at) at++;
    }
    return false;
}

static hd_status hd_check_off(hd_lower *l) {
    const char *at = l->args->passes_off;
    while (at && *at) {
        const size_t length = strcspn(at, ",");
        bool known = false;
        for (int i = 0; i < HD_PASS_COUNT; i++)
            known |= hd_passes[i].optional && strlen(hd_passes[i].name) == length &&
                     strncmp(hd_passes[i].name, at, length) == 0;
        if (!known)
            return hd_fail(
                l->ctx, HD_E_USAGE,
                "compile|there is no pass \"%.*s\" that can be left out|Use simplify, fold, fuse, chain or flatten",
                (int)length, at);
        at += length;
        if (*at) at++;
    }
    return HD_OK;
}

static hd_status hd_dump(hd_lower *l, const char *pass) {
    if (!l->args->dump) return HD_OK;
    char *text;
    HD_TRY(hd_graph_print(l->g, &text));
    l->args->dump(l->args->dump_user, pass, text);
    hd_free(l->ctx, text);
    return HD_OK;
}

static hd_status hd_run_until(hd_lower *l, const char *pass) {
    HD_TRY(hd_check_off(l));
    HD_TRY(hd_graph_verify(l->g));
    HD_TRY(hd_dump(l, "graph"));
    for (int i = 0; i < HD_PASS_COUNT && !(pass && strcmp(hd_passes[i].name, pass) == 0); i++) {
        if (hd_passes[i].optional && hd_listed(l->args->passes_off, hd_passes[i].name)) continue;
        HD_TRY(hd_passes[i].run(l));
        HD_TRY(hd_graph_verify(l->g));
        HD_TRY(hd_dump(l, hd_passes[i].name));
    }
    return HD_OK;
}

hd_status hd_lower_run(hd_lower *l) {
    return hd_run_until(l, NULL);
}

hd_status hd_lower_front(hd_lower *l) {
    return hd_run_until(l, "place");
}

void hd_lower_free(hd_lower *l) {
    for (size_t i = 0; l->g && i < l->g->node_count; i++) {
        const hd_lnode *ln = l->g->nodes[i].lower;
        if (ln && ln->prepared.destroy) ln->prepared.destroy(ln->prepared.state);
    }
    hd_arena_free(&l->arena);
    hd_graph_free(l->g);
    hd_free(l->ctx, l->v);
    *l = (hd_lower){0};
}
