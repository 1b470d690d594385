/* screen_table.c: owns columns of text: sized to their widest cell, numbers to the right, no trailing blanks. */
#include "cli/screen.h"
#include <stdlib.h>
#include <string.h>

void table_open(table *t, const char *spec) {
    *t = (table){0};
    for (; spec[t->columns] && t->columns < TABLE_COLUMNS; t->columns++) t->right[t->columns] = spec[t->columns] == 'r';
}

void table_row(table *t, const char *const *cells) {
    size_t columns = (size_t)t->columns;
    if (t->rows == t->room) {
        size_t room = t->room ? t->room * 2 : 32;
        char **more = realloc(t->cells, room * columns * sizeof *more);
        if (!more) {
            t->failed = true;
            return;
        }
        t->cells = more;
        t->room = room;
    }
    for (size_t i = 0; i < columns; i++) {
        char clean[256];
        char **cell = &t->cells[t->rows * columns + i];
        *cell = strdup(screen_clean_utf8(clean, sizeof clean, cells[i] ? cells[i] : ""));
        t->failed |= !*cell;
    }
    t->rows++;
}

static void print_row(cli *c, const table *t, size_t row, const int *width, int indent) {
    char line[8400];
    size_t used = 0, keep = 0;
    for (int i = 0; i < t->columns; i++) {
        const char *cell = t->cells[row * (size_t)t->columns + (size_t)i];
        int pad = width[i] - screen_columns(cell ? cell : "");
        int n = snprintf(line + used, sizeof line - used, "%*s%*s", i == 0 ? indent : 2, "", t->right[i] ? pad : 0, "");
        if (n > 0) used += (size_t)n;
        n = snprintf(line + used, sizeof line - used, "%s", cell ? cell : "");
        if (n > 0) used += (size_t)n;
        if (cell && *cell) keep = used;
        if (!t->right[i]) n = snprintf(line + used, sizeof line - used, "%*s", pad, "");
        if (!t->right[i] && n > 0) used += (size_t)n;
        if (used >= sizeof line) used = sizeof line - 1;
    }
    line[keep < sizeof line ? keep : sizeof line - 1] = '\0';
    say(c, "%s\n", line);
}

void table_print(cli *c, table *t, bool heading, int indent) {
    int width[TABLE_COLUMNS] = {0};
    for (size_t i = 0; i < t->rows * (size_t)t->columns; i++) {
        int n = t->cells[i] ? screen_columns(t->cells[i]) : 0, column = (int)(i % (size_t)t->columns);
        if (n > width[column]) width[column] = n;
    }
    for (size_t r = 0; r < t->rows; r++) {
        if (r == 0 && heading) say(c, "%s", screen_style_code(c, DIM));
        print_row(c, t, r, width, indent);
        if (r == 0 && heading) say(c, "%s", screen_style_code(c, PLAIN));
    }
    for (size_t i = 0; i < t->rows * (size_t)t->columns; i++) free(t->cells[i]);
    free(t->cells);
    *t = (table){0};
}
