/* support.h: what every test needs: cmocka, a context whose n-th allocation fails, the data room, a folder to write in.
 */
#ifndef HD_TESTS_SUPPORT_H
#define HD_TESTS_SUPPORT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hadal/base.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An allocator that counts, and refuses one call. */
typedef struct failing {
    uint64_t calls, fail_at; /* fail_at 0: never; else the call of that number, counted from 1 */
    uint64_t live;           /* blocks handed out and not given back */
    bool failed;
} failing;

static inline void *failing_alloc(void *user, size_t size) {
    failing *f = user;
    if (++f->calls == f->fail_at) {
        f->failed = true;
        return NULL;
    }
    void *memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (memory) {
        memset(memory, 0xa5, size); /* nobody may count on fresh memory being zero */
        f->live++;
    }
    return memory;
}

static inline void failing_free(void *user, void *memory, size_t size) {
    failing *f = user;
    memset(memory, 0xdd, size);
    f->live--;
    free(memory);
}

static inline hd_context_args failing_args(failing *f) {
    return (hd_context_args){.allocator = {failing_alloc, failing_free, f}, .threads = 1};
}

/* Calls body(ctx, arg) with the n-th allocation failing, for n = 1, 2, … until a run in which none failed. The body
 * must return HD_E_MEMORY when one failed and HD_OK otherwise, and give everything back. Returns the number of runs. */
static inline uint64_t fail_every_allocation(hd_status (*body)(hd_context *ctx, void *arg), void *arg) {
    for (uint64_t n = 1;; n++) {
        failing f = {.fail_at = n};
        hd_context_args args = failing_args(&f);
        hd_context *ctx;
        hd_status status = hd_context_new(&ctx, &args);
        if (status == HD_OK) {
            status = body(ctx, arg);
            hd_context_free(ctx);
        }
        if (f.live != 0)
            fail_msg("allocation %llu failed: %llu blocks are lost", (unsigned long long)n, (unsigned long long)f.live);
        if (!f.failed) {
            assert_int_equal(status, HD_OK);
            return n;
        }
        if (status != HD_E_MEMORY)
            fail_msg("allocation %llu failed, the status is %s", (unsigned long long)n, hd_status_name(status));
    }
}

/* Context for a test: the default allocator, so many threads. */
static inline hd_context *test_context(int threads) {
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = threads}), HD_OK);
    return ctx;
}

/* Is zlib in this build? If not, says that the test is skipped: if (!test_zlib()) skip(). */
static inline bool test_zlib(void) {
#ifdef HD_HAVE_ZLIB
    return true;
#else
    print_message("skipped: built without zlib\n");
    return false;
#endif
}

/* Libraries that this build lacks may be the answer to a file: HD_E_UNSUPPORTED. */
#if defined HD_HAVE_ZLIB && defined HD_HAVE_PNG && defined HD_HAVE_JPEG && defined HD_HAVE_YAML
enum { TEST_LACKS_LIBRARY = 0 };
#else
enum { TEST_LACKS_LIBRARY = 1 };
#endif

/* Path of a file of the data room ($HADAL_TEST_DATA, else ../shared), or NULL after saying that the test is skipped:
 * if (!path) skip(). The text is static. */
static inline const char *test_data(const char *path) {
    static char full[4096];
    const char *room = getenv("HADAL_TEST_DATA");
    (void)snprintf(full, sizeof full, "%s/%s", room ? room : "../shared", path);
    if (access(full, R_OK) == 0) return full;
    print_message("skipped: %s is not there (HADAL_TEST_DATA)\n", full);
    return NULL;
}

/* A fresh folder under $TMPDIR; remove it with test_folder_remove. */
static inline char *test_folder(void) {
    static char path[4096];
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/hadal-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void test_folder_remove(const char *path) {
    char command[4200];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}
#endif
