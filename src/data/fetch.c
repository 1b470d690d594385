/* fetch.c: all of libcurl that Hadal uses. Owns the part file, how it is gone on with, and the check sum. */
#include "data/fetch.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

hd_status hd_file_sha256(hd_context *ctx, const char *path, char out[65]) {
    hd_map map;
    hd_sha256 sum;
    HD_TRY(hd_file_map(ctx, path, &map));
    hd_sha256_init(&sum);
    hd_sha256_add(&sum, map.data, map.length);
    hd_sha256_hex(&sum, out);
    hd_file_unmap(&map);
    return HD_OK;
}

#ifndef HD_HAVE_CURL

hd_status hd_fetch(hd_context *ctx, const char *url, const char *path, const char *sha256, int64_t bytes,
                   const char *otherwise, hd_fetch_watch watch, void *user) {
    (void)sha256, (void)bytes, (void)watch, (void)user;
    return hd_fail(ctx, HD_E_UNSUPPORTED,
                   "%s|this Hadal was built without libcurl and fetches nothing|Install libcurl4-openssl-dev and build "
                   "again, or fetch it by hand into %s%s%s",
                   url, path, otherwise ? ", or: " : "", otherwise ? otherwise : "");
}

#else
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>

/* The library is opened when something is fetched: it brings twenty others, which no training should wait for. */
typedef struct library {
    void *handle;
    CURL *(*init)(void);
    CURLcode (*set)(CURL *, CURLoption, ...);
    CURLcode (*get)(CURL *, CURLINFO, ...);
    CURLcode (*perform)(CURL *);
    void (*cleanup)(CURL *);
    const char *(*error)(CURLcode);
} library;

static bool find(library *l, const char *name, void *function) {
    void *symbol = dlsym(l->handle, name);
    memcpy(function, &symbol, sizeof symbol); /* POSIX lets a symbol be a function, C does not */
    return symbol != NULL;
}

static bool open_library(library *l) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so", "libcurl.4.dylib"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !l->handle; i++) l->handle = dlopen(names[i], RTLD_NOW);
    return l->handle && find(l, "curl_easy_init", &l->init) && find(l, "curl_easy_setopt", &l->set) &&
           find(l, "curl_easy_getinfo", &l->get) && find(l, "curl_easy_perform", &l->perform) &&
           find(l, "curl_easy_cleanup", &l->cleanup) && find(l, "curl_easy_strerror", &l->error);
}

enum { TRIES = 4, PATIENCE = 30 /* seconds without a byte */, CONNECT = 20 };

typedef struct fetching {
    hd_context *ctx;
    const char *url, *path, *otherwise;
    int64_t expected; /* bytes, 0: not known */
    hd_fetch_watch watch;
    void *user;
    library lib;
    CURL *curl;
    int fd;
    int64_t have;  /* bytes in the part file */
    hd_sha256 sum; /* of them */
    bool begun;    /* the answer's status was looked at */
    bool stopped, too_long;
    int error; /* errno of a failed write */
    char part[4096], message[CURL_ERROR_SIZE];
} fetching;

static hd_status fail_disk(const fetching *f, int error) {
    char text[128] = "unknown error";
    (void)strerror_r(error, text, sizeof text);
    return hd_fail(f->ctx, HD_E_FILE, "%s|can not be written: %s|%s", f->part, text,
                   error == ENOSPC ? "Make room on the disk" : "");
}

/* Sums up what an earlier call left. */
static bool sum_up(fetching *f) {
    unsigned char buffer[1 << 14];
    f->have = 0;
    hd_sha256_init(&f->sum);
    for (;;) {
        const ssize_t n = pread(f->fd, buffer, sizeof buffer, (off_t)f->have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        hd_sha256_add(&f->sum, buffer, (size_t)n);
        f->have += n;
    }
}

static bool begin_anew(fetching *f) {
    hd_sha256_init(&f->sum);
    f->have = 0;
    return ftruncate(f->fd, 0) == 0;
}

static bool write_all(fetching *f, const char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t n = pwrite(f->fd, bytes, length, (off_t)f->have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            f->error = n < 0 ? errno : ENOSPC;
            return false;
        }
        hd_sha256_add(&f->sum, bytes, (size_t)n);
        f->have += n;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* A server that does not know ranges sends all of it again. */
static size_t on_bytes(char *bytes, size_t size, size_t n, void *user) {
    fetching *f = user;
    long code = 0;
    if (!f->begun) {
        f->begun = true;
        (void)f->lib.get(f->curl, CURLINFO_RESPONSE_CODE, &code);
        if (code != 206 && f->have > 0 && !begin_anew(f)) {
            f->error = errno;
            return 0;
        }
    }
    if (f->expected > 0 && f->have + (int64_t)(size * n) > f->expected) {
        f->too_long = true;
        return 0;
    }
    return write_all(f, bytes, size * n) ? size * n : 0;
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t sent) {
    fetching *f = user;
    (void)total, (void)now, (void)up, (void)sent;
    if (f->watch && f->watch(f->user, f->path, f->have, f->expected)) f->stopped = true;
    return f->stopped;
}

static void set_up(fetching *f) {
    CURL *c = f->curl;
    CURLcode (*set)(CURL *, CURLoption, ...) = f->lib.set;
    (void)set(c, CURLOPT_URL, f->url);
    (void)set(c, CURLOPT_ERRORBUFFER, f->message);
    (void)set(c, CURLOPT_NOSIGNAL, 1L);
    (void)set(c, CURLOPT_FAILONERROR, 1L);
    (void)set(c, CURLOPT_FOLLOWLOCATION, 1L);
    (void)set(c, CURLOPT_MAXREDIRS, 5L);
    (void)set(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT);
    (void)set(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)set(c, CURLOPT_LOW_SPEED_TIME, (long)PATIENCE);
    (void)set(c, CURLOPT_USERAGENT, "hadal");
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)set(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)set(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    (void)set(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    (void)set(c, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    (void)set(c, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)set(c, CURLOPT_WRITEDATA, f);
    (void)set(c, CURLOPT_NOPROGRESS, 0L);
    (void)set(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)set(c, CURLOPT_XFERINFODATA, f);
}

static hd_status explain(const fetching *f, CURLcode code) {
    char done[32];
    if (f->stopped)
        return hd_fail(f->ctx, HD_E_INTERRUPTED, "%s|interrupted|The same command goes on from here", f->part);
    if (f->error) return fail_disk(f, f->error);
    if (f->too_long) return hd_fail(f->ctx, HD_E_DATA, "%s|the file is longer than the data set's", f->url);
    const char *why = *f->message ? f->message : f->lib.error(code);
    if (f->have)
        return hd_fail(f->ctx, HD_E_FILE, "%s|could not be fetched: %s|The same command goes on from %s", f->url, why,
                       hd_text_bytes(done, (double)f->have));
    return hd_fail(f->ctx, HD_E_FILE,
                   "%s|could not be fetched: %s|Is there a way to the network? Else fetch it elsewhere, into the data "
                   "folder%s%s",
                   f->url, why, f->otherwise ? "; or: " : "", f->otherwise ? f->otherwise : "");
}

/* One answer of the server, from where the part file ends. */
static CURLcode ask(fetching *f) {
    char range[40];
    (void)snprintf(range, sizeof range, "%lld-", (long long)f->have);
    (void)f->lib.set(f->curl, CURLOPT_RANGE, f->have > 0 ? range : NULL);
    f->begun = false;
    f->message[0] = 0;
    return f->lib.perform(f->curl);
}

/* Goes on as long as every answer brings something. */
static hd_status transfer(fetching *f) {
    for (int i = 0;; i++) {
        const int64_t before = f->have;
        if (f->expected > 0 && f->have > f->expected && !begin_anew(f)) return fail_disk(f, errno);
        if (f->expected > 0 && f->have == f->expected) return HD_OK;
        const CURLcode code = ask(f);
        long answer = 0;
        (void)f->lib.get(f->curl, CURLINFO_RESPONSE_CODE, &answer);
        if (code == CURLE_OK) return HD_OK;
        const bool beyond = answer == 416 && before > 0; /* the part is no shorter than the file */
        if (beyond && !begin_anew(f)) return fail_disk(f, errno);
        if ((!beyond && f->have <= before) || i == TRIES || f->stopped || f->error || f->too_long)
            return explain(f, code);
    }
}

static hd_status finish(fetching *f, const char *sha256) {
    char sum[65];
    hd_sha256_hex(&f->sum, sum);
    if (strcmp(sum, sha256) != 0) {
        (void)unlink(f->part);
        return hd_fail(f->ctx, HD_E_DATA,
                       "%s|its SHA-256 is %s, expected %s|It was changed or damaged on the way; nothing is kept",
                       f->url, sum, sha256);
    }
    if (fsync(f->fd) != 0 || rename(f->part, f->path) != 0) return fail_disk(f, errno);
    return HD_OK;
}

hd_status hd_fetch(hd_context *ctx, const char *url, const char *path, const char *sha256, int64_t bytes,
                   const char *otherwise, hd_fetch_watch watch, void *user) {
    fetching f = {
        .ctx = ctx, .url = url, .path = path, .otherwise = otherwise, .expected = bytes, .watch = watch, .user = user};
    if (snprintf(f.part, sizeof f.part, "%s.part", path) >= (int)sizeof f.part)
        return hd_fail(ctx, HD_E_FILE, "%s|the path is too long", path);
    f.fd = open(f.part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f.fd < 0) return fail_disk(&f, errno);
    hd_status status = sum_up(&f) ? HD_OK : fail_disk(&f, errno);
    f.curl = status == HD_OK && open_library(&f.lib) ? f.lib.init() : NULL;
    if (status == HD_OK && !f.curl)
        status = hd_fail(ctx, HD_E_UNSUPPORTED, "%s|libcurl is not here, or does not start|Install libcurl4", url);
    if (status == HD_OK) set_up(&f);
    if (status == HD_OK) status = transfer(&f);
    if (status == HD_OK) status = finish(&f, sha256);
    if (f.curl) f.lib.cleanup(f.curl);
    if (status == HD_E_DATA || f.have == 0) (void)unlink(f.part);
    (void)close(f.fd);
    return status;
}
#endif
