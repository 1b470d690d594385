/* ctx_case.h: a context for each test of a group: cmocka_unit_test_setup_teardown(test, set_up, tear_down). */
#ifndef HD_TESTS_CTX_CASE_H
#define HD_TESTS_CTX_CASE_H
#include "support.h"

static hd_context *ctx;

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if ((call) != HD_OK) fail_msg("%s", hd_last_error(ctx));                                                       \
    } while (0)

static inline int set_up(void **state) {
    (void)state;
    ctx = test_context(2);
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    hd_context_free(ctx);
    return 0;
}
#endif
