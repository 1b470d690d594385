/* screen.c: owns colour, remarks and the width of the terminal. Knows nothing of what is said. */
#include "cli/screen.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDEST = 96 }; /* columns of running text */

static bool wants_color(int fd) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

void screen_open(cli *c) {
    int fd = fileno(c->people);
    const char *term = getenv("TERM");
    c->color = wants_color(fd);
    c->live = isatty(fd) && !(term && strcmp(term, "dumb") == 0);
}

bool screen_stderr_color(void) {
    return wants_color(STDERR_FILENO);
}

int screen_width(const cli *c) {
    struct winsize size;
    if (ioctl(fileno(c->people), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int64_t n;
    return columns && hd_text_to_i64(columns, strlen(columns), &n) && n >= 20 && n <= 1000 ? (int)n : 80;
}

const char *screen_style_code(const cli *c, screen_style style) {
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[36m", "\033[32m", "\033[33m"};
    return c->color ? codes[style] : "";
}

void say(cli *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vfprintf(c->people, format, args);
    va_end(args);
}

void say_fact(cli *c, const char *label, const char *format, ...) {
    char line[4096], clean[4096];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(c->people, "%s%-7s%s%s\n", screen_style_code(c, DIM), label, screen_style_code(c, PLAIN),
            screen_clean_utf8(clean, sizeof clean, line));
}

void screen_clear_line(cli *c) {
    if (!c->drawing) return;
    fputs("\r\033[K", c->people);
    (void)fflush(c->people);
    c->drawing = false;
}

void screen_note(cli *c, const char *text) {
    char clean[2200];
    screen_clear_line(c);
    fprintf(c->people, "  %s!%s %s\n", screen_style_code(c, WARN), screen_style_code(c, PLAIN),
            screen_clean_utf8(clean, sizeof clean, text));
    (void)fflush(c->people);
}

size_t utf8_length(const char *text, size_t length) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = length > 0 ? (unsigned char)text[0] : 0xff;
    if (first < 0x80) return 1;
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || n > length) return 0;
    uint32_t code = first & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

bool screen_is_control(const char *text, size_t n) {
    const unsigned char first = (unsigned char)text[0];
    return n == 0 || first < 0x20 || first == 0x7f || (n == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

char *screen_clean_utf8(char *buffer, size_t size, const char *text) {
    size_t used = 0, length = strlen(text);
    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(text + i, length - i);
        bool bad = screen_is_control(text + i, n);
        if (used + (bad ? 1 : n) >= size) break;
        if (bad)
            buffer[used++] = text[i] == '\n' || text[i] == '\t' ? ' ' : '?';
        else
            memcpy(buffer + used, text + i, n), used += n;
        i += n ? n : 1;
    }
    buffer[used] = '\0';
    return buffer;
}

int screen_columns(const char *text) {
    int n = 0;
    for (const char *p = text; *p; p++) n += ((unsigned char)*p & 0xc0) != 0x80;
    return n;
}

void say_wrapped(cli *c, const char *text, int indent) {
    int column = 0, limit = screen_width(c) < WIDEST ? screen_width(c) : WIDEST;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " \n");
        char word[256];
        (void)snprintf(word, sizeof word, "%.*s", (int)(n < 255 ? n : 255), p);
        int width = screen_columns(word);
        if (column > 0 && column + 1 + width > limit) say(c, "\n"), column = 0;
        if (column == 0)
            say(c, "%*s%s", indent, "", word), column = indent + width;
        else
            say(c, " %s", word), column += 1 + width;
        p += n;
        if (*p == '\n') say(c, "\n"), column = 0;
        if (*p) p++;
    }
    say(c, "\n");
}
