/* cli_ctx.h: a context beside the program's own, for what tests read of its files, and a fresh folder for a group:
 * cmocka_run_group_tests(tests, set_up, tear_down). */
#ifndef HD_TESTS_CLI_CTX_H
#define HD_TESTS_CLI_CTX_H
#include "cli_run.h"

static hd_context *ctx;

static inline int set_up(void **state) {
    ctx = test_context(1);
    return into_folder(state);
}

static inline int tear_down(void **state) {
    hd_context_free(ctx);
    return out_of_folder(state);
}
#endif
