/* locale.h: numbers in text never depend on the locale that the host program has set. */
#ifndef HD_BASE_LOCALE_H
#define HD_BASE_LOCALE_H
#include "hadal/base.h"
#include <stdarg.h>

/* vsnprintf and strtod with '.' as the decimal point, whatever the caller's locale says. */
int hd_vsnprintf(char *buffer, size_t size, const char *format, va_list args);
int hd_snprintf(char *buffer, size_t size, const char *format, ...) HD_PRINTF(3, 4);
double hd_strtod(const char *text, char **end);
#endif
