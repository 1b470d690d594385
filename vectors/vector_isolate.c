/* vector_isolate.c: runs the cases of a file in a child process, so that a crash or a hang costs one case and not the
 * run. The child has inherited the open file; results come back through a pipe. */
#include "base/status.h"
#include "vector_group.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_A_CASE = 60 };

static bool read_all(int fd, void *into, size_t bytes) {
    for (size_t got = 0; got < bytes;) {
        const ssize_t n = read(fd, (char *)into + got, bytes - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const void *from, size_t bytes) {
    for (size_t put = 0; put < bytes;) {
        const ssize_t n = write(fd, (const char *)from + put, bytes - put);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        put += (size_t)n;
    }
    return true;
}

typedef struct job {
    const vector_file *file;
    const char *name;
    const hd_json *cases;
    const vector_options *o;
    vector_runner run;
} job;

static void child(const job *j, int first, int fd) {
    int i = 0;
    for (const hd_json *v = j->cases->child; v; v = v->next, i++) {
        if (i < first) continue;
        hd_arena arena = {.ctx = j->file->ctx};
        vector_result r;
        memset(&r, 0, sizeof r);
        (void)alarm(SECONDS_A_CASE);
        j->run(j->file, j->name, v, j->o, &arena, &r);
        (void)alarm(0);
        hd_arena_free(&arena);
        if (!write_all(fd, &r, sizeof r)) _exit(1);
    }
    _exit(0);
}

/* Starts the child at case `first` and reads what it sends; returns the number of the first case without a result. */
static hd_status once(const job *j, int first, vector_result *results, int n, int *done, int *death) {
    int ends[2];
    (void)fflush(NULL);
    if (pipe(ends) != 0) return hd_fail(j->file->ctx, HD_E_FILE, "|a pipe can not be made: %s", strerror(errno));
    const pid_t pid = fork();
    if (pid < 0) return hd_fail(j->file->ctx, HD_E_MEMORY, "|a process can not be started: %s", strerror(errno));
    if (pid == 0) {
        (void)close(ends[0]);
        child(j, first, ends[1]);
    }
    (void)close(ends[1]);
    *done = first;
    while (*done < n && read_all(ends[0], &results[*done], sizeof *results)) ++*done;
    (void)close(ends[0]);
    while (waitpid(pid, death, 0) < 0 && errno == EINTR) {}
    return HD_OK;
}

hd_status vector_isolated(const vector_file *f, const char *name, const hd_json *cases, const vector_options *o,
                          vector_runner run, vector_result *results, int n) {
    const job j = {f, name, cases, o, run};
    for (int at = 0; at < n;) {
        int death = 0;
        HD_TRY(once(&j, at, results, n, &at, &death));
        if (at == n) break;
        vector_result *r = &results[at++];
        *r = (vector_result){.outcome = VECTOR_PASSED};
        if (WIFSIGNALED(death) && WTERMSIG(death) == SIGALRM)
            vector_failed(r, "took longer than %d seconds", SECONDS_A_CASE);
        else if (WIFSIGNALED(death))
            vector_failed(r, "crashed: signal %d", WTERMSIG(death));
        else
            vector_failed(r, "the process ended with code %d", WIFEXITED(death) ? WEXITSTATUS(death) : -1);
    }
    return HD_OK;
}
