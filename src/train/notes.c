/* notes.c: frames of music as chords of notes, or in abc notation. Knows no model. */
#include "hadal/generate.h"
#include <stdio.h>
#include <string.h>

enum { LOWEST = 21, MOST_KEYS = 128 }; /* LOWEST: A0 as MIDI counts; C4 is 60 */

static size_t put(char *out, size_t size, size_t at, const char *text) {
    const size_t n = strlen(text);
    if (at + n >= size) return at;
    memcpy(out + at, text, n + 1);
    return at + n;
}

/* C4 is C, C5 c, C6 c', C3 C, (the comma belongs to it). */
static void abc_name(char *out, size_t size, int key) {
    static const char *const names[] = {"C", "^C", "D", "^D", "E", "F", "^F", "G", "^G", "A", "^A", "B"};
    const int octave = key / 12 - 1;
    char name[4], marks[12] = "";
    (void)snprintf(name, sizeof name, "%s", names[key % 12]);
    for (char *p = name; octave >= 5 && *p; p++)
        if (*p != '^') *p = (char)(*p - 'A' + 'a');
    const int n = octave >= 5 ? octave - 5 : 4 - octave;
    memset(marks, octave >= 5 ? '\'' : ',', (size_t)n);
    (void)snprintf(out, size, "%s%s", name, marks);
}

static void plain_name(char *out, size_t size, int key) {
    static const char *const names[] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
    (void)snprintf(out, size, "%s%d", names[key % 12], key / 12 - 1);
}

size_t hd_frame_write(char *out, size_t size, const float *frame, int64_t keys, bool abc) {
    size_t at = 0;
    int sounding = 0;
    char name[24];
    if (abc) at = put(out, size, at, "[");
    for (int64_t k = 0; k < keys && k < MOST_KEYS; k++) {
        if (frame[k] == 0) continue;
        (abc ? abc_name : plain_name)(name, sizeof name, LOWEST + (int)k);
        if (sounding++ && !abc) at = put(out, size, at, "+");
        at = put(out, size, at, name);
    }
    if (sounding == 0) return put(out, size, 0, abc ? "z " : "- ");
    return put(out, size, at, abc ? "] " : " ");
}

/* One note: a letter, # or b, an octave; −1 when it is none. */
static int note_key(const char *text, size_t n) {
    static const int steps[] = {9, 11, 0, 2, 4, 5, 7}; /* of A … G */
    if (n < 2 || n > 3 || text[0] < 'A' || text[0] > 'G') return -1;
    int key = steps[text[0] - 'A'];
    if (n == 3 && text[1] == '#')
        key++;
    else if (n == 3 && text[1] == 'b')
        key--;
    else if (n == 3)
        return -1;
    const char octave = text[n - 1];
    return octave < '0' || octave > '9' ? -1 : key + 12 * (octave - '0' + 1);
}

bool hd_frame_read(const char *text, size_t n, float *frame, int64_t keys) {
    memset(frame, 0, (size_t)keys * sizeof *frame);
    if (n == 1 && *text == '-') return true;
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && text[end] != '+') end++;
        const int key = note_key(text + at, end - at) - LOWEST;
        if (key < 0 || key >= keys) return false;
        frame[key] = 1;
        if (end + 1 == n) return false; /* a + with nothing behind it */
        at = end + 1;
    }
    return n > 0;
}
