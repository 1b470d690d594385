/* test_terminal.c: the command on a terminal: a line that lives, as wide as there is room for, colours unless they are
 * refused, and nothing of both where the terminal knows neither. */
#define _GNU_SOURCE /* TIOCSWINSZ, TIOCSCTTY and struct winsize are no part of POSIX */
#include "cli_run.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

typedef struct screen {
    int width;
    const char *term, *no_color;
} screen;

/* Everything the program wrote to a terminal of that kind; freed by the caller. */
static char *shown(const char *words, const screen *s, int *code) {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    const char *name = ptsname(terminal);
    assert_non_null(name);
    /* held open here, so that a read does not fail before the program has opened its own */
    const int other = open(name, O_RDWR | O_NOCTTY);
    assert_true(other >= 0);
    const struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)s->width};
    assert_int_equal(ioctl(other, TIOCSWINSZ, &size), 0);
    assert_int_equal(setenv("TERM", s->term, 1), 0);
    assert_int_equal(s->no_color ? setenv("NO_COLOR", s->no_color, 1) : unsetenv("NO_COLOR"), 0);
    const pid_t pid = start_hadal(words, NULL, name, name);
    size_t used = 0, room = 1 << 20;
    char *text = malloc(room);
    assert_non_null(text);
    int status = 0;
    assert_int_equal(fcntl(terminal, F_SETFL, O_NONBLOCK), 0);
    for (bool ended = false;;) {
        const ssize_t n = read(terminal, text + used, room - used - 1);
        if (n > 0) used += (size_t)n;
        if (n > 0 && used + 1 < room) continue;
        if (ended || used + 1 >= room) break; /* what was written before the end has been read */
        ended = waitpid(pid, &status, WNOHANG) == pid;
        if (!ended) (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    text[used] = '\0';
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    (void)close(other);
    (void)close(terminal);
    return text;
}

/* Lines that are drawn again begin with a carriage return and end by clearing the rest of the row. */
#define CLEAR "\033[K"

static void the_line_lives(void **state) {
    (void)state;
    static const char words[] = "train digits n=10000 --model 256-400-relu-10 --batch-size 1 --epochs 1 --threads 1";
    int code;
    char *text = shown(words, &(screen){.width = 120, .term = "xterm"}, &code);
    assert_int_equal(code, 0);
    const char *live = strstr(text, "\r");
    assert_non_null(strstr(text, CLEAR));
    assert_non_null(strstr(live, " left"));
    assert_non_null(strstr(text, "━"));
    assert_non_null(strstr(text, "\033[2m"));
    free(text);
    text = shown(words, &(screen){.width = 90, .term = "xterm", .no_color = "1"}, &code);
    assert_int_equal(code, 0);
    assert_non_null(strstr(text, CLEAR));
    assert_non_null(strstr(text, "─")); /* what is not done yet, without colour */
    assert_null(strstr(text, "\033[2m"));
    free(text);
    text = shown(words, &(screen){.width = 50, .term = "xterm", .no_color = ""}, &code);
    assert_int_equal(code, 0);
    assert_null(strstr(text, " left")); /* no room */
    free(text);
}

static void a_dumb_terminal_gets_plain_lines(void **state) {
    (void)state;
    int code;
    char *text = shown("train xor --model 2-8-tanh-1 --epochs 2", &(screen){.width = 100, .term = "dumb"}, &code);
    assert_int_equal(code, 0);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "epoch"));
    free(text);
}

static void help_and_errors_have_colours(void **state) {
    (void)state;
    int code;
    char *text = shown("tran xor", &(screen){.width = 40, .term = "xterm"}, &code);
    assert_int_equal(code, 1);
    assert_non_null(strstr(text, "\033["));
    assert_non_null(strstr(text, "train"));
    free(text);
    text = shown("summary lenet5", &(screen){.width = 200, .term = "xterm"}, &code);
    assert_int_equal(code, 0);
    assert_non_null(strstr(text, "61,706"));
    free(text);
}

/* What a text taught a model, ESC, CSI as a character and as a byte, commands nobody's terminal. */
static void a_model_commands_no_terminal(void **state) {
    (void)state;
    FILE *f = fopen("commands.txt", "wb");
    assert_non_null(f);
    for (int i = 0; i < 400; i++) assert_true(fputs("a\033b\302\233c\233d\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    int code;
    char *text =
        shown("train commands.txt --model gpt-nano model.n_layer=1 model.n_embd=16 model.n_head=2 --data.length 16 "
              "--batch-size 8 --lr 0.01 --steps 60 --out run --threads 1",
              &(screen){.width = 100, .term = "dumb"}, &code);
    assert_int_equal(code, 0);
    free(text);
    text = shown("generate run --prompt a --tokens 40 --temperature 0 --threads 1",
                 &(screen){.width = 100, .term = "dumb"}, &code);
    assert_int_equal(code, 0);
    assert_non_null(strstr(text, "abcd\r\nabcd"));
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\233'));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_lives), cmocka_unit_test(a_dumb_terminal_gets_plain_lines),
        cmocka_unit_test(help_and_errors_have_colours), cmocka_unit_test(a_model_commands_no_terminal)};
    return cmocka_run_group_tests(tests, into_folder, out_of_folder);
}
