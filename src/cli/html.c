/* html.c: owns what makes text safe inside the page: names come out of data, and data may be hostile. */
#include "cli/report_page.h"
#include <string.h>

void html_text(hd_text *t, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        size_t n = utf8_length(text + i, length - i);
        unsigned char c = (unsigned char)text[i];
        if (n == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            hd_text_puts(t, "\xef\xbf\xbd");
        else if (c == '&')
            hd_text_puts(t, "&amp;");
        else if (c == '<')
            hd_text_puts(t, "&lt;");
        else if (c == '>')
            hd_text_puts(t, "&gt;");
        else if (c == '"')
            hd_text_puts(t, "&quot;");
        else if (c == '\'')
            hd_text_puts(t, "&#39;");
        else
            hd_text_add(t, text + i, n);
        i += n ? n : 1;
    }
}

void html_class(hd_text *t, const char *name) {
    char quoted[CLASS_ROOM];
    html_text(t, describe_class(quoted, name));
}

void html_base64(hd_text *t, const unsigned char *bytes, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned word = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0u) |
                        (left > 2 ? (unsigned)bytes[i + 2] : 0u);
        char four[4] = {digits[word >> 18], digits[word >> 12 & 63], left > 1 ? digits[word >> 6 & 63] : '=',
                        left > 2 ? digits[word & 63] : '='};
        hd_text_add(t, four, 4);
    }
}
