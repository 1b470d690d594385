/* build_case.h: a small graph of f64 inputs, run by definition and held against numbers written out. */
#ifndef HD_TESTS_BUILD_CASE_H
#define HD_TESTS_BUILD_CASE_H
#include "support.h"

#include "hadal/hadal.h"
#include "hadal/ops.h"
#include "hadal/program.h"
#include <math.h>

/* A graph with inputs a, b, c of f64 whose elements are 1, 2, 3, … */
typedef struct bench {
    hd_context *ctx;
    hd_graph *g;
    int n;
    hd_val val[4];
    double *data[4];
} bench;

static inline hd_val input(bench *t, hd_dims dims) {
    static const char *const names[] = {"a", "b", "c", "d"};
    const int i = t->n++;
    const int64_t n = hd_dims_count(&dims);
    t->data[i] = calloc((size_t)n + 1, sizeof(double));
    for (int64_t k = 0; k < n; k++) t->data[i][k] = (double)(k + 1);
    return t->val[i] = hd_input(t->g, names[i], HD_F64, dims);
}

static inline bench open_bench(void) {
    bench t = {.ctx = test_context(1)};
    assert_int_equal(hd_graph_new(&t.g, t.ctx), HD_OK);
    return t;
}

static inline void close_bench(bench *t) {
    for (int i = 0; i < t->n; i++) free(t->data[i]);
    hd_graph_free(t->g);
    hd_context_free(t->ctx);
}

/* Runs y and holds its shape and elements ("1 2 3") against what is expected. */
static inline void expect(bench *t, hd_val y, const char *shape, const char *elements) {
    char text[192];
    hd_program *p;
    if (hd_graph_status(t->g) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    const hd_dims dims = hd_val_dims(y);
    assert_string_equal(hd_dims_text(text, &dims), shape);
    hd_mark_output(hd_cast(y, .dtype = HD_DTYPE(HD_F64)), "y");
    const hd_compile_args args = {.backend = "ref"};
    if (hd_compile_with(&p, hd_forward(y), &args) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    for (int i = 0; i < t->n; i++)
        if (hd_program_input(p, hd_val_name(t->val[i])) >= 0)
            hd_program_bind(p, hd_program_input(p, hd_val_name(t->val[i])), t->data[i]);
    assert_int_equal(hd_program_run(p), HD_OK);
    const double *got = hd_program_get(p, "y");
    const char *s = elements;
    for (int64_t i = 0; i < hd_dims_count(&dims); i++) {
        char *end;
        const double want = strtod(s, &end);
        if (end == s) fail_msg("%s has more than the elements %s", shape, elements);
        s = end;
        if (fabs(got[i] - want) > 1e-9)
            fail_msg("element %lld of %s is %.9g, expected %.9g (%s)", (long long)i, shape, got[i], want, elements);
    }
    assert_int_equal(*s, 0);
    hd_program_free(p);
    close_bench(t);
}

static inline void expect_refusal(bench *t, const char *what) {
    assert_int_equal(hd_graph_status(t->g), HD_E_MODEL);
    if (!strstr(hd_last_error(t->ctx), what)) fail_msg("\"%s\" does not say \"%s\"", hd_last_error(t->ctx), what);
    close_bench(t);
}

#define RESULT(shape, elements, build, ...)                                                                            \
    do {                                                                                                               \
        bench t_ = open_bench();                                                                                       \
        const hd_dims in_[] = {__VA_ARGS__};                                                                           \
        for (size_t i_ = 0; i_ < sizeof in_ / sizeof *in_; i_++) (void)input(&t_, in_[i_]);                            \
        const hd_val a = t_.val[0], b = t_.val[1], c = t_.val[2];                                                      \
        (void)b, (void)c;                                                                                              \
        const hd_val y_ = build;                                                                                       \
        expect(&t_, y_, shape, elements);                                                                              \
    } while (0)
#define REFUSED(what, build, ...)                                                                                      \
    do {                                                                                                               \
        bench t_ = open_bench();                                                                                       \
        const hd_dims in_[] = {__VA_ARGS__};                                                                           \
        for (size_t i_ = 0; i_ < sizeof in_ / sizeof *in_; i_++) (void)input(&t_, in_[i_]);                            \
        const hd_val a = t_.val[0], b = t_.val[1];                                                                     \
        (void)b;                                                                                                       \
        (void)(build);                                                                                                 \
        expect_refusal(&t_, what);                                                                                     \
    } while (0)
#endif
