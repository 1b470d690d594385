/* number.c: owns numbers in text: strict readers and the writers that every file and message shares. No locale. */
#include "base/locale.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

bool hd_text_to_i64(const char *text, size_t length, int64_t *out) {
    size_t i = length > 0 && (text[0] == '-' || text[0] == '+');
    bool negative = i == 1 && text[0] == '-';
    int64_t value = 0;
    if (i == length) return false;
    for (; i < length; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9) return false;
        /* built up as a negative number: its range is the larger one */
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value)) return false;
    }
    if (!negative && value == INT64_MIN) return false;
    *out = negative ? value : -value;
    return true;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* A decimal number taken apart: the first 19 digits as an integer, and the power of ten it is to be multiplied by. */
typedef struct decimal {
    bool negative, exact; /* exact: no digit was left out */
    uint64_t digits;
    int64_t exponent;
} decimal;

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent. */
static bool read_decimal(const char *s, size_t length, decimal *d) {
    size_t i = 0, seen = 0;
    int64_t exponent = 0;
    *d = (decimal){.exact = true};
    if (i < length && (s[i] == '-' || s[i] == '+')) d->negative = s[i++] == '-';
    bool fraction = false;
    for (; i < length && (is_digit(s[i]) || (s[i] == '.' && !fraction)); i++) {
        if (s[i] == '.') {
            fraction = true;
            continue;
        }
        seen++;
        if (d->digits < UINT64_C(1000000000000000000)) {
            d->digits = d->digits * 10 + (uint64_t)(s[i] - '0');
            d->exponent -= fraction;
        } else {
            d->exact = d->exact && s[i] == '0';
            d->exponent += !fraction;
        }
    }
    if (seen == 0) return false;
    if (i == length) return true;
    if (s[i] != 'e' && s[i] != 'E') return false;
    i++;
    bool down = i < length && s[i] == '-';
    if (i < length && (s[i] == '-' || s[i] == '+')) i++;
    if (i == length) return false;
    for (; i < length; i++) {
        if (!is_digit(s[i])) return false;
        if (exponent < 100000000) exponent = exponent * 10 + (s[i] - '0');
    }
    d->exponent += down ? -exponent : exponent;
    return true;
}

/* What read_decimal took, through the C library: up to 800 digits decide a rounding (767 are the most that can), and a
 * 1 stands for whatever non-zero ones follow. */
static double convert(const char *s, size_t length, bool negative) {
    char buffer[864];
    size_t used = 0, i;
    int64_t exponent = 0;
    bool fraction = false, rest = false;
    if (negative) buffer[used++] = '-';
    buffer[used++] = '0';
    size_t first = used;
    for (i = s[0] == '-' || s[0] == '+'; i < length && s[i] != 'e' && s[i] != 'E'; i++) {
        if (s[i] == '.') {
            fraction = true;
        } else if (used < 800) {
            if (used > first || s[i] != '0') buffer[used++] = s[i];
            exponent -= fraction;
        } else {
            rest = rest || s[i] != '0';
            exponent += !fraction;
        }
    }
    if (rest) {
        buffer[used++] = '1';
        exponent--;
    }
    int64_t said = 0;
    bool down = i + 1 < length && s[i + 1] == '-';
    for (i++; i < length; i++)
        if (is_digit(s[i]) && said < 100000000) said = said * 10 + (s[i] - '0');
    (void)hd_snprintf(buffer + used, sizeof buffer - used, "e%lld", (long long)(exponent + (down ? -said : said)));
    return hd_strtod(buffer, NULL);
}

static bool is_word(const char *text, size_t length, const char *word) {
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

bool hd_text_to_f64(const char *text, size_t length, double *out) {
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');
    if (is_word(text + sign, length - sign, "inf") || is_word(text + sign, length - sign, "nan")) {
        double value = text[sign] == 'i' ? (double)INFINITY : (double)NAN;
        *out = sign && text[0] == '-' ? -value : value;
        return true;
    }
    decimal d;
    if (!read_decimal(text, length, &d)) return false;
    /* Clinger 1990: digits and power of ten both exact doubles, so one rounding. FLT_EVAL_METHOD 0 is the rule here. */
    if (d.exact && d.digits <= (UINT64_C(1) << 53) && d.exponent >= -22 && d.exponent <= 22) {
        double value = (double)d.digits;
        value = d.exponent < 0 ? value / tens[-d.exponent] : value * tens[d.exponent];
        *out = d.negative ? -value : value;
        return true;
    }
    double value = convert(text, length, d.negative);
    if (isinf(value)) return false;
    *out = value;
    return true;
}

char *hd_text_from_f64(char *buffer, double value) {
    if (isnan(value)) return strcpy(buffer, "nan");
    if (isinf(value)) return strcpy(buffer, value < 0 ? "-inf" : "inf");
    /* 15 digits always survive, and %g drops zeros at the end; below the normal range fewer may do */
    for (int digits = isnormal(value) || value == 0 ? 15 : 1; digits <= 17; digits++) {
        (void)hd_snprintf(buffer, 32, "%.*g", digits, value);
        double back = hd_strtod(buffer, NULL);
        if (memcmp(&back, &value, sizeof back) == 0) break;
    }
    return buffer;
}

char *hd_text_grouped(char *buffer, int64_t value) {
    char digits[24];
    int n = 0, used = 0;
    uint64_t rest = value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value;
    do digits[n++] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0) buffer[used++] = '-';
    while (n > 0) {
        buffer[used++] = digits[--n];
        if (n > 0 && n % 3 == 0) buffer[used++] = ',';
    }
    buffer[used] = '\0';
    return buffer;
}

char *hd_text_bytes(char *buffer, double bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    if (!(bytes > 0)) bytes = 0;
    while (bytes >= (unit ? 999.95 : 1000) && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1000;
        unit++;
    }
    (void)hd_snprintf(buffer, 32, unit ? "%.1f %s" : "%.0f %s", bytes < 1e9 ? bytes : 1e9, units[unit]);
    return buffer;
}
