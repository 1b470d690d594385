/* locale.c: owns the switch to the C locale around the C library's number formatting. The host program may have called
 * setlocale(); its threads must neither see nor suffer ours, so the switch is per thread and given back at once. */
#include "base/locale.h"
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct c_locale {
    locale_t own, before;
} c_locale;

static c_locale c_locale_enter(void) {
    c_locale c = {(locale_t)0, (locale_t)0};
    c.own = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a static object in glibc and musl: no memory, no file */
    if (c.own != (locale_t)0) c.before = uselocale(c.own);
    return c;
}

static void c_locale_leave(c_locale c) {
    if (c.own == (locale_t)0) return;
    (void)uselocale(c.before);
    freelocale(c.own);
}

int hd_vsnprintf(char *buffer, size_t size, const char *format, va_list args) {
    c_locale c = c_locale_enter();
    int n = vsnprintf(buffer, size, format, args);
    c_locale_leave(c);
    return n;
}

int hd_snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = hd_vsnprintf(buffer, size, format, args);
    va_end(args);
    return n;
}

double hd_strtod(const char *text, char **end) {
    c_locale c = c_locale_enter();
    double value = strtod(text, end);
    c_locale_leave(c);
    return value;
}
