/* session.c: owns what the process is made of: context, clock, signals, whole files in and out. */
#define _GNU_SOURCE /* ru_maxrss is no part of POSIX */
#include "cli/cli.h"
#include "cli/screen.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

double cli_clock(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The library's remarks: what it adapted or doubts. */
static void on_log(void *user, hd_log_level level, const char *text) {
    if (level == HD_LOG_WARNING) screen_note(user, text);
}

hd_status cli_context(cli *c) {
    if (c->ctx) return HD_OK;
    int64_t threads = 0;
    double limit = 0;
    const char *mem = cli_get(c, "mem");
    hd_status status = cli_get_int(c, "threads", 1, 256, &threads);
    if (status != HD_OK) return status;
    if (mem && !cli_bytes(mem, &limit))
        return cli_fail(c, HD_E_USAGE, "--mem|expected a size, got \"%s\"|Write it as 512MB or 8GB", mem);
    hd_context_args args = {.threads = (int)threads, .log = on_log, .log_user = c, .memory_limit = (size_t)limit};
    status = hd_context_new(&c->ctx, &args);
    if (status == HD_E_MEMORY) return cli_no_memory(c);
    return status == HD_OK ? HD_OK : cli_fail(c, status, "|the threads could not be started|Try --threads 1");
}

static volatile sig_atomic_t signals;

static void on_signal(int number) {
    (void)number;
    if (signals) _exit(HD_E_INTERRUPTED);
    signals = 1;
}

void cli_catch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void) {
    return signals != 0;
}

size_t cli_peak_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}

hd_status cli_read_all(cli *c, const char *path, size_t limit, char **out, size_t *length) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0, room = 1 << 16;
    char *data = malloc(room);
    hd_status status = HD_OK;
    *out = NULL;
    if (!data) {
        if (fd >= 0 && !standard) (void)close(fd);
        return cli_no_memory(c);
    }
    if (fd < 0) status = cli_fail(c, HD_E_FILE, "%s|%s|", path, strerror(errno));
    while (status == HD_OK) {
        if (used > limit) {
            status = cli_fail(c, HD_E_DATA, "%s|more than %zu bytes|", path, limit);
            break;
        }
        if (used + 1 >= room) {
            size_t wanted = room < limit / 2 ? room * 2 : limit + 2;
            char *more = realloc(data, wanted);
            if (!more) {
                status = cli_no_memory(c);
                break;
            }
            data = more;
            room = wanted;
        }
        ssize_t n = read(fd, data + used, room - used - 1);
        if (n == 0) break;
        if (n < 0 && errno != EINTR) status = cli_fail(c, HD_E_FILE, "%s|%s|", path, strerror(errno));
        if (n > 0) used += (size_t)n;
    }
    if (fd >= 0 && !standard) (void)close(fd);
    if (status != HD_OK) {
        free(data);
        return status;
    }
    data[used] = '\0';
    *out = data;
    *length = used;
    return HD_OK;
}

static bool write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

hd_status cli_write_file(cli *c, const char *path, const char *bytes, size_t length) {
    char temporary[4096];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary) return cli_fail(c, HD_E_FILE, "%s|the path is too long|", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return cli_fail(c, HD_E_FILE, "%s|can not be written: %s|", path, strerror(errno));
    bool ok = write_all(fd, bytes, length);
    int error = errno;
    if (close(fd) != 0 && ok) ok = false, error = errno;
    if (ok && rename(temporary, path) != 0) ok = false, error = errno;
    if (ok) return HD_OK;
    (void)unlink(temporary);
    return cli_fail(c, HD_E_FILE, "%s|can not be written: %s|Make room, or choose another folder with --out", path,
                    strerror(error));
}
