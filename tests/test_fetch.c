/* test_fetch.c: data sets over the network, from a server in this process: whole, in pieces, cut off, changed, missing,
 * and onto a disk that takes nothing more. */
#include "support.h"

#include "base/file.h"
#include "base/sha256.h"
#include "data/fetch.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { SIZE = 100000 };

/* Answers one request after the other on the loopback address. */
typedef struct server {
    int fd, port;
    pthread_t thread;
    unsigned char body[SIZE];
    char sha256[65];
    /* how it behaves */
    int cut_after; /* the first so many answers end after cut_at bytes */
    size_t cut_at;
    bool no_ranges, missing;
    /* what it saw */
    int requests, ranged;
    char last_path[256];
} server;

static void send_all(int fd, const void *bytes, size_t length) {
    for (const char *p = bytes; length > 0;) {
        const ssize_t n = send(fd, p, length, MSG_NOSIGNAL);
        if (n <= 0) return;
        p += n;
        length -= (size_t)n;
    }
}

static void answer(server *s, int fd) {
    char request[4096] = "", head[256];
    size_t used = 0, from = 0;
    while (used + 1 < sizeof request && !strstr(request, "\r\n\r\n")) {
        const ssize_t n = recv(fd, request + used, sizeof request - 1 - used, 0);
        if (n <= 0) return;
        used += (size_t)n;
        request[used] = 0;
    }
    s->requests++;
    (void)sscanf(request, "GET %255s", s->last_path);
    const char *range = strstr(request, "Range: bytes=");
    if (range && !s->no_ranges) {
        from = strtoul(range + 13, NULL, 10);
        s->ranged++;
    }
    if (s->missing) {
        static const char no[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nnone!";
        send_all(fd, no, sizeof no - 1);
        return;
    }
    if (from >= SIZE) {
        static const char no[] = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        send_all(fd, no, sizeof no - 1);
        return;
    }
    size_t length = SIZE - from;
    const int n =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\nContent-Length: %zu\r\nContent-Range: bytes %zu-%d/%d\r\nConnection: close\r\n\r\n",
                 from ? "206 Partial Content" : "200 OK", length, from, SIZE - 1, SIZE);
    send_all(fd, head, (size_t)n);
    if (s->requests <= s->cut_after && length > s->cut_at) length = s->cut_at;
    send_all(fd, s->body + from, length);
}

static void *serve(void *user) {
    server *s = user;
    for (;;) {
        const int fd = accept(s->fd, NULL, NULL);
        if (fd < 0) return NULL;
        answer(s, fd);
        (void)shutdown(fd, SHUT_WR);
        char rest[64];
        while (recv(fd, rest, sizeof rest, 0) > 0) continue;
        (void)close(fd);
    }
}

static server *s;
static hd_context *ctx;
static char *folder;
static char url[128], path[4200], part[4300];

static int set_up(void **state) {
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    s = calloc(1, sizeof *s);
    assert_non_null(s);
    for (int i = 0; i < SIZE; i++) s->body[i] = (unsigned char)(i * 31 + i / 251);
    hd_sha256 sum;
    hd_sha256_init(&sum);
    hd_sha256_add(&sum, s->body, SIZE);
    hd_sha256_hex(&sum, s->sha256);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)(void *)&address, sizeof address), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)(void *)&address, &length), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    folder = test_folder();
    ctx = test_context(1);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/some/file.bin", s->port);
    (void)snprintf(path, sizeof path, "%s/file.bin", folder);
    (void)snprintf(part, sizeof part, "%s.part", path);
    (void)setenv("no_proxy", "127.0.0.1", 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    (void)shutdown(s->fd, SHUT_RDWR);
    (void)close(s->fd);
    (void)pthread_join(s->thread, NULL);
    free(s);
    hd_context_free(ctx);
    test_folder_remove(folder);
    return 0;
}

/* A fresh disk and a server that behaves. */
static bool ready(void) {
#ifndef HD_HAVE_CURL
    print_message("skipped: built without libcurl\n");
    return false;
#else
    (void)unlink(path);
    (void)unlink(part);
    s->cut_after = s->requests = s->ranged = 0;
    s->no_ranges = s->missing = false;
    return true;
#endif
}

static void check_whole(void) {
    char *bytes;
    size_t length;
    assert_int_equal(hd_file_read(ctx, path, 0, &bytes, &length), HD_OK);
    assert_int_equal(length, SIZE);
    assert_memory_equal(bytes, s->body, SIZE);
    hd_free(ctx, bytes);
    assert_false(hd_path_exists(part));
}

static hd_status fetch(void) {
    return hd_fetch(ctx, url, path, s->sha256, SIZE, NULL, NULL, NULL);
}

static void refused(hd_status expected, const char *words) {
    const hd_status status = fetch();
    if (status != expected) fail_msg("%s: %s", hd_status_name(status), hd_last_error(ctx));
    if (!strstr(hd_last_error(ctx), words)) fail_msg("no \"%s\" in: %s", words, hd_last_error(ctx));
    assert_false(hd_path_exists(path));
}

static void leave_part(const void *bytes, size_t length) {
    FILE *f = fopen(part, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void a_file_comes_whole(void **state) {
    (void)state;
    if (!ready()) skip();
    assert_int_equal(fetch(), HD_OK);
    check_whole();
    assert_int_equal(s->requests, 1);
    assert_int_equal(s->ranged, 0);
    assert_string_equal(s->last_path, "/some/file.bin");
}

static void a_cut_connection_is_taken_up_again(void **state) {
    (void)state;
    if (!ready()) skip();
    s->cut_after = 2;
    s->cut_at = 30000;
    assert_int_equal(fetch(), HD_OK);
    check_whole();
    assert_int_equal(s->requests, 3);
    assert_int_equal(s->ranged, 2);
}

static void a_later_call_goes_on(void **state) {
    (void)state;
    if (!ready()) skip();
    s->cut_after = 100;
    s->cut_at = 5000;
    refused(HD_E_FILE, "The same command goes on from");
    assert_true(hd_path_exists(part));
    s->cut_after = s->requests = s->ranged = 0;
    assert_int_equal(fetch(), HD_OK);
    assert_int_equal(s->ranged, 1);
    check_whole();
}

static void a_server_without_ranges_sends_all_again(void **state) {
    (void)state;
    if (!ready()) skip();
    leave_part(s->body, 4000);
    s->no_ranges = true;
    assert_int_equal(fetch(), HD_OK);
    check_whole();
}

static void a_whole_part_needs_no_server(void **state) {
    (void)state;
    if (!ready()) skip();
    leave_part(s->body, SIZE);
    s->missing = true;
    assert_int_equal(fetch(), HD_OK);
    check_whole();
    assert_int_equal(s->requests, 0);
}

static void a_wrong_file_is_not_kept(void **state) {
    (void)state;
    if (!ready()) skip();
    unsigned char wrong[4000];
    memset(wrong, 7, sizeof wrong);
    leave_part(wrong, sizeof wrong); /* begun by another file */
    refused(HD_E_DATA, "its SHA-256 is");
    assert_false(hd_path_exists(part));
    assert_int_equal(fetch(), HD_OK);
    check_whole();
    (void)unlink(path);
    assert_int_equal(hd_fetch(ctx, url, path, s->sha256, SIZE / 2, NULL, NULL, NULL), HD_E_DATA); /* longer than said */
    assert_false(hd_path_exists(part) || hd_path_exists(path));
}

static void what_is_missing_is_said(void **state) {
    (void)state;
    if (!ready()) skip();
    s->missing = true;
    refused(HD_E_FILE, "404");
    assert_false(hd_path_exists(part));
    char closed[128];
    (void)snprintf(closed, sizeof closed, "http://127.0.0.1:1/file.bin");
    assert_int_equal(hd_fetch(ctx, closed, path, s->sha256, SIZE, NULL, NULL, NULL), HD_E_FILE);
    assert_non_null(strstr(hd_last_error(ctx), "could not be fetched"));
    assert_int_equal(hd_fetch(ctx, "file:///etc/hostname", path, s->sha256, 0, NULL, NULL, NULL), HD_E_FILE);
    assert_int_equal(hd_fetch(ctx, url, "/nowhere/file.bin", s->sha256, SIZE, NULL, NULL, NULL), HD_E_FILE);
}

/* A limit on the length of files stands for a full disk. */
static void a_full_disk_is_said_and_the_part_stays(void **state) {
    (void)state;
    if (!ready()) skip();
    struct rlimit old, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 20000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    const hd_status status = fetch();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, HD_E_FILE);
    assert_non_null(strstr(hd_last_error(ctx), "can not be written"));
    assert_true(hd_path_exists(part) && !hd_path_exists(path));
    assert_int_equal(fetch(), HD_OK);
    check_whole();
}

static bool stop(void *user, const char *name, int64_t bytes, int64_t total) {
    (void)name;
    ++*(int *)user;
    return bytes > 0 && total == SIZE;
}

static void a_watcher_may_end_it(void **state) {
    (void)state;
    if (!ready()) skip();
    int calls = 0;
    s->cut_after = 1; /* so that there is something to go on with */
    s->cut_at = 50000;
    const hd_status status = hd_fetch(ctx, url, path, s->sha256, SIZE, NULL, stop, &calls);
    assert_true(calls > 0);
    assert_int_equal(status, HD_E_INTERRUPTED);
    assert_int_equal(fetch(), HD_OK);
    check_whole();
}

static void a_data_set_names_what_it_lacks(void **state) {
    (void)state;
    if (!ready()) skip();
    char from[128], where[4300];
    (void)snprintf(from, sizeof from, "http://127.0.0.1:%d/mirror", s->port);
    hd_data_get_args args = {.name = "semeion", .dir = folder, .from = from};
    assert_int_equal(hd_data_get(ctx, &args, where, sizeof where), HD_E_DATA); /* not what is published */
    assert_string_equal(s->last_path, "/mirror/semeion.data");
    char closed[] = "http://127.0.0.1:1";
    args.name = "fashion-mnist";
    args.from = closed;
    assert_int_equal(hd_data_get(ctx, &args, NULL, 0), HD_E_FILE);
    assert_non_null(strstr(hd_last_error(ctx), "apt install dataset-fashion-mnist"));
    args.from = from;
    args.name = "usps";
    assert_int_equal(hd_data_get(ctx, &args, NULL, 0), HD_E_UNSUPPORTED);
    assert_non_null(strstr(hd_last_error(ctx), "zip.train.gz"));
    args.name = "optdigits";
    assert_int_equal(hd_data_get(ctx, &args, NULL, 0), HD_E_UNSUPPORTED);
    assert_non_null(strstr(hd_last_error(ctx), "python3-sklearn"));
    args.name = "moons";
    assert_int_equal(hd_data_get(ctx, &args, NULL, 0), HD_E_DATA);
    args.name = "nothing";
    assert_int_equal(hd_data_get(ctx, &args, NULL, 0), HD_E_DATA);
    /* a file of that name that is another stays as it is */
    char own[4300];
    (void)snprintf(own, sizeof own, "%s/semeion/semeion.data", folder);
    FILE *f = fopen(own, "w");
    assert_non_null(f);
    (void)fputs("mine\n", f);
    assert_int_equal(fclose(f), 0);
    args.name = "semeion";
    assert_int_equal(hd_data_get(ctx, &args, NULL, 0), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "there is another file of this name"));
    assert_true(hd_path_exists(own));
}

static void the_published_file_is_known(void **state) {
    (void)state;
    if (!test_data("data/digits-semeion/semeion.data")) skip();
    char place[4300], command[16000], own[4400];
    (void)snprintf(own, sizeof own, "%s/known", folder);
    (void)snprintf(command, sizeof command, "mkdir -p '%s/semeion' && cp '%s' '%s/semeion/'", own,
                   test_data("data/digits-semeion/semeion.data"), own);
    assert_int_equal(system(command), 0);
    const hd_data_get_args args = {.name = "semeion", .dir = own, .from = "http://127.0.0.1:1"};
    assert_int_equal(hd_data_get(ctx, &args, place, sizeof place), HD_OK); /* there already: nothing is asked for */
    assert_int_equal(hd_data_find(ctx, "semeion", own, place, sizeof place), HD_OK);
    assert_non_null(strstr(place, "semeion.data"));
    hd_dataset *d;
    assert_int_equal(hd_data_open(&d, ctx, "semeion", own), HD_OK);
    hd_data_entry e;
    for (int i = 0; hd_data_entry_at(&e, i); i++)
        if (strcmp(e.name, "semeion") == 0) assert_int_equal(e.samples, hd_data_get_info(d).count);
    hd_data_free(d);
}

static void archives_are_unpacked(void **state) {
    (void)state;
    if (!test_zlib()) skip();
    static const char *const names[] = {"a.bin", "empty.bin", NULL}, *const none[] = {"z.bin", NULL};
    char command[16000], tar[4300], out[4300], file[4400];
    (void)snprintf(tar, sizeof tar, "%s/x.tar.gz", folder);
    (void)snprintf(out, sizeof out, "%s/out", folder);
    (void)snprintf(command, sizeof command,
                   "cd '%s' && mkdir -p in/deep out && printf 'hello, tar' > in/deep/a.bin && : > in/empty.bin && "
                   "head -c 3000 /dev/zero > in/other && tar -czf x.tar.gz in",
                   folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(hd_untar(ctx, tar, out, names), HD_OK);
    char *bytes;
    size_t length;
    (void)snprintf(file, sizeof file, "%s/a.bin", out);
    assert_int_equal(hd_file_read(ctx, file, 0, &bytes, &length), HD_OK);
    assert_int_equal(length, 10);
    assert_memory_equal(bytes, "hello, tar", 10);
    hd_free(ctx, bytes);
    (void)snprintf(file, sizeof file, "%s/empty.bin", out);
    assert_true(hd_path_exists(file));
    (void)snprintf(file, sizeof file, "%s/other", out);
    assert_false(hd_path_exists(file));
    assert_int_equal(hd_untar(ctx, tar, out, none), HD_E_DATA);
    (void)snprintf(command, sizeof command, "cd '%s' && gzip -c x.tar.gz > y.tar.gz", folder);
    assert_int_equal(system(command), 0);
    (void)snprintf(tar, sizeof tar, "%s/y.tar.gz", folder);
    assert_int_equal(hd_untar(ctx, tar, out, names), HD_E_DATA);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_whole),           cmocka_unit_test(a_cut_connection_is_taken_up_again),
        cmocka_unit_test(a_later_call_goes_on),         cmocka_unit_test(a_server_without_ranges_sends_all_again),
        cmocka_unit_test(a_whole_part_needs_no_server), cmocka_unit_test(a_wrong_file_is_not_kept),
        cmocka_unit_test(what_is_missing_is_said),      cmocka_unit_test(a_full_disk_is_said_and_the_part_stays),
        cmocka_unit_test(a_watcher_may_end_it),         cmocka_unit_test(a_data_set_names_what_it_lacks),
        cmocka_unit_test(the_published_file_is_known),  cmocka_unit_test(archives_are_unpacked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
