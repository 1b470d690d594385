/* screen.h: what people see: colour, tables, remarks, numbers with units. Programs get JSON instead (json_out.h). */
#ifndef HD_CLI_SCREEN_H
#define HD_CLI_SCREEN_H
#include "cli/cli.h"

typedef enum screen_style { PLAIN, BOLD, DIM, ACCENT, GOOD, WARN } screen_style;

/* Decides on colour and live lines: a terminal, no NO_COLOR, TERM not "dumb". */
void screen_open(cli *c);
bool screen_stderr_color(void);
int screen_width(const cli *c); /* columns; 80 when nobody knows */
/* Escape that begins or (PLAIN) ends a style; "" without colour. */
const char *screen_style_code(const cli *c, screen_style style);

/* People's text, printf-like, to c->people. */
void say(cli *c, const char *format, ...) HD_PRINTF(2, 3);
/* A line "label  text": the label in seven columns, dimmed. */
void say_fact(cli *c, const char *label, const char *format, ...) HD_PRINTF(3, 4);
/* "  ! text" */
void screen_note(cli *c, const char *text);
/* Text in lines of at most 96 columns (fewer on a narrow screen), indented. */
void say_wrapped(cli *c, const char *text, int indent);
/* Removes a live line, if one stands. */
void screen_clear_line(cli *c);

/* Bytes of the UTF-8 character that text begins with, or 0 when it is none (RFC 3629). */
size_t utf8_length(const char *text, size_t length);
/* Is what begins at text, n bytes by utf8_length, no character, or one that commands a terminal: C0, DEL, or C1? */
bool screen_is_control(const char *text, size_t n);
/* Text as one line of valid UTF-8 without control characters; returns buffer. */
char *screen_clean_utf8(char *buffer, size_t size, const char *text);
int screen_columns(const char *text); /* characters of UTF-8 text */

/* Numbers for people. Buffers ≥ 64 bytes; each returns it. */
char *text_count(char *buffer, int64_t value);      /* "54,000" */
char *text_bytes(char *buffer, double bytes);       /* "8.4 MB" */
char *text_seconds(char *buffer, double seconds);   /* "0.2 s", "3 min 20 s", "2 h 5 min" */
char *text_rate(char *buffer, double per_second);   /* "271k", "3.2M", "870" */
char *text_percent(char *buffer, double share);     /* "97.8 %" */
char *text_short(char *buffer, double value);       /* three significant digits */
char *text_flops(char *buffer, double flops);       /* "0.32 MFLOP" */
char *text_dims(char *buffer, const hd_dims *dims); /* "6×28×28", "120", "1" for a scalar */
/* "97.8 % (97.5 … 98.1)", or "0.231 (0.220 … 0.242)" for what is not a share. */
char *text_metric(char *buffer, const hd_metric *metric);
bool metric_is_share(const char *name); /* accuracy, f1, …: shown in percent */

/* A table: cells are copied, columns sized to fit, numbers to the right. */
enum { TABLE_COLUMNS = 32 };
typedef struct table {
    char **cells;
    size_t rows, room;
    int columns;
    bool right[TABLE_COLUMNS];
    bool failed;
} table;
/* spec: one letter a column, 'l' or 'r'. */
void table_open(table *t, const char *spec);
void table_row(table *t, const char *const *cells); /* cells[columns]; NULL is empty */
/* Prints and frees. The first row is a heading when `heading`; lines are indented by `indent`. */
void table_print(cli *c, table *t, bool heading, int indent);
#endif
