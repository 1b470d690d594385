/* test_hostile.c: files that lie, through the command itself: each is refused with exit code 2, 3, 4 or 7 and one line
 * of text, within a second of processor time and 64 MB + 4 × the file beside what the program takes by itself. */
#define _GNU_SOURCE /* wait4, RLIMIT */
#include "cli_run.h"
#include <sys/resource.h>
#include <sys/time.h>

typedef struct hostile {
    const char *file;
    const char *bytes;
    size_t size;
    const char *words; /* %s: the file */
} hostile;
#define FILE_OF(name, words, text)                                                                                     \
    { name, text, sizeof text - 1, words }
#define TABLE(name, text) FILE_OF(name, "train %s --epochs 1 --out run", text)
#define MODEL(name, text) FILE_OF(name, "summary %s", text)
#define RUN(name, text)   FILE_OF(name, "train %s --epochs 1 --out run", text)

/* safetensors: eight bytes of length, a header in JSON, the data. */
#define HEADED(length, header, data) length "\0\0\0\0\0\0\0" header data

static const hostile files[] = {
    /* ---- weights ---- */
    MODEL("st00.safetensors", ""),
    MODEL("st01.safetensors", "\1\0\0\0"),
    MODEL("st02.safetensors", "\377\377\377\377\377\377\377\377{}"),
    MODEL("st03.safetensors", "\0\0\0\0\0\0\0\200{}"),
    MODEL("st04.safetensors", HEADED("\2", "{}", "")),
    MODEL("st05.safetensors", HEADED("\2", "[]", "")),
    MODEL("st06.safetensors", HEADED("\100", "{}", "")),
    MODEL("st07.safetensors",
          HEADED("\75", "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}     ", "")),
    MODEL("st08.safetensors",
          HEADED("\75", "{\"w\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}     ", "12345678")),
    MODEL("st09.safetensors",
          HEADED("\75", "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}     ", "12345678")),
    MODEL(
        "st10.safetensors",
        HEADED("\160",
               "{\"w\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4611686018427387904],\"data_offsets\":[0,8]}} "
               "                                    ",
               "12345678")),
    MODEL("st11.safetensors",
          HEADED("\75", "{\"w\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}    ", "12345678")),
    MODEL("st12.safetensors",
          HEADED("\75", "{\"w\":{\"dtype\":\"F32\",\"shape\":\"2\",\"data_offsets\":[0,8]}}   ", "12345678")),
    MODEL("st13.safetensors", HEADED("\57", "{\"__metadata__\":{\"hadal.recipe\":\"{\\\"model\\\": 1}\"}}", "")),
    /* ---- recipes ---- */
    RUN("re00.yaml", ""),
    RUN("re01.yaml", "model: [\n"),
    RUN("re02.yaml", "model: &a [*a]\n"),
    RUN("re03.yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nmodel: [*c,*c]\n"),
    RUN("re04.yaml", "data: digits\nmodel: 784-\n"),
    RUN("re05.yaml", "data: digits\nmodel:\n  - linear: {out_features: 9223372036854775807}\n"),
    RUN("re06.yaml", "data: digits\nmodel:\n  - flatten\n  - linear: {out_features: 4611686018427387904}\n"),
    RUN("re07.yaml", "data: digits\nmodel:\n  - conv2d: {out_channels: 4, kernel_size: -3}\n"),
    RUN("re08.yaml",
        "data: digits\nmodel:\n  - max_pool2d: {kernel_size: 99}\n  - flatten\n  - linear: {out_features: 10}\n"),
    RUN("re09.yaml", "data: digits\ntrain: {epochs: -1}\n"),
    RUN("re10.yaml", "data: digits\ntrain: {batch_size: 9223372036854775807}\n"),
    RUN("re11.yaml", "data: digits\ntrain: {lr: .nan}\n"),
    RUN("re12.yaml", "data: {source: digits, n: 9223372036854775807}\n"),
    RUN("re13.yaml", "data: {source: digits, val: 2}\n"),
    RUN("re14.yaml", "\377\376d\0a\0t\0a\0"),
    RUN("re15.yaml", "data: digits\n\tmodel: mlp\n"),
    RUN("re16.yaml", "data: digits\nmodel: {name: mlp, hidden: [0]}\n"),
    RUN("re17.json", "{\"data\": \"digits\", \"model\": \"mlp\""),
    RUN("re18.json", "{\"data\": \"digits\", \"data\": \"xor\"}"),
    RUN("re19.json", "{\"data\": 7}"),
    RUN("re20.json", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
    RUN("re21.json", "{\"data\": \"digits\", \"model\": [{\"linear\": {\"out_features\": 1e999}}]}"),
    RUN("re22.json", "{\"\\ud800\": 1}"),
    /* ---- tables ---- */
    TABLE("ta00.csv", ""),
    TABLE("ta01.csv", "\n\n\n"),
    TABLE("ta02.csv", "a,b\n"),
    TABLE("ta03.csv", "a,b\n1,2\n3\n"),
    TABLE("ta04.csv", "a,b\n1,2\n3,4,5\n"),
    TABLE("ta05.csv", "a,b\n1,x\n\"2,y\n"),
    TABLE("ta06.csv", "a,b\n1,x\nnan,y\n"),
    TABLE("ta07.csv", "a,b\n1,x\ninf,y\n"),
    TABLE("ta08.csv", "a,b\n1,x\n1e999,y\n"),
    TABLE("ta09.csv", "a,b\n1,x\n2,x\n3,x\n"),
    TABLE("ta10.csv", "a,b\n1,x\n,y\n"),
    TABLE("ta11.csv", "a,b\n1,x\nword,y\n2,x\n"),
    TABLE("ta12.csv", "\0\0\0\0\0\0\0\0\0\0\0\0"),
    TABLE("ta13.csv", "a,b\n1,\0\n2,y\n"),
    TABLE("ta14.csv", "\377\377\377\377,\376\n\200,\201\n"),
    TABLE("ta15.csv", "\"a\",\"b\n1,x\n2,y\n"),
    TABLE("ta16.csv.gz", "\37\213\10\0\0\0\0\0\0\3"),
    TABLE("ta17.csv.gz", "\37\213\10\0\0\0\0\0\0\3\377\377\377\377\377\377\377\377"),
    TABLE("ta18.csv.gz", "\37\213\11\0\0\0\0\0\0\3abcdefghijkl"),
    TABLE("ta19.csv.gz", "not packed at all"),
    TABLE("ta20.csv", "a\n1\n2\n3\n"),
    /* Its quotes are read in one way before the separator is known, in another after. */
    TABLE("ta21.csv", "\0063\377\3773 \042 3\200\012\012 \042zzzz|zzzzzzzzzzzzzzzzzzzz\002a\011\211\01213000000"
                      "0000.00000000\0116~z\012zzzzzz\024gzzzz\313\313\313\313 na\012\012zzzzzz~zz\011\011\011"
                      "\011\011\011\011\011\011\011\011\011\011\011~\042zzzzzzzzzzz\327\327\327zzz\0114\012"),
    /* ---- arrays ---- */
    TABLE("np00.npy", ""),
    TABLE("np01.npy", "\223NUMPY"),
    TABLE("np02.npy", "\223NUMPY\1\0\377\377{"),
    TABLE("np03.npy", "\223NUMPY\1\0\20\0{'descr': '<f4'}"),
    TABLE("np04.npy", "\223NUMPY\1\0\100\0{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }  \n1234"),
    TABLE("np05.npy", "\223NUMPY\1\0\100\0{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,)}\n"),
    TABLE("np06.npy", "\223NUMPY\1\0\100\0{'descr': '|O', 'fortran_order': False, 'shape': (3, 3), }   \n"),
    TABLE("np07.npy", "\223NUMPY\1\0\100\0{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 3), } \n"),
    TABLE("np08.npy", "\223NUMPY\11\0\100\0{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }  \n"),
    TABLE("np09.npz", "PK\3\4"),
    TABLE("np10.npz", "PK\5\6\0\0\0\0\377\377\377\377\377\377\377\377\377\377\377\377\0\0"),
    TABLE("np11.npz", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    TABLE("np12.npz", "no archive"),
    /* ---- IDX, alone and by its name ---- */
    TABLE("train-images-idx3-ubyte", "\0\0\10\3\377\377\377\377\377\377\377\377\377\377\377\377"),
    TABLE("idx1-ubyte", "\0\0\10"),
    TABLE("id02.idx", "\0\0\16\3\0\0\0\1\0\0\0\1\0\0\0\1"),
};

/* Pictures are asked of a model that is trained first. */
#define PICTURE(name, text) FILE_OF(name, "predict net %s", text)
static const hostile pictures[] = {
    PICTURE("pi00.png", ""),
    PICTURE("pi01.png", "\211PNG\r\n\32\n"),
    PICTURE("pi02.png", "\211PNG\r\n\32\n\0\0\0\15IHDR\377\377\377\377\377\377\377\377\10\2\0\0\0abcd"),
    PICTURE("pi03.png", "\211PNG\r\n\32\n\0\0\0\15IHDR\0\0\0\0\0\0\0\0\10\2\0\0\0abcd"),
    PICTURE("pi04.png", "\211PNG\r\n\32\n\377\377\377\377IHDR"),
    PICTURE("pi05.png", "GIF89a"),
    PICTURE("pi06.png", "\211PNG\r\n\32\n\0\0\0\15IEND"),
    PICTURE("pi07.pgm", "P5"),
    PICTURE("pi08.pgm", "P5\n99999999 99999999\n255\n"),
    PICTURE("pi09.pgm", "P5\n-1 4\n255\nabcd"),
    PICTURE("pi10.pgm", "P5\n4 4\n0\nabcd"),
    PICTURE("pi11.pgm", "P5\n4 4\n99999\nabcd"),
    PICTURE("pi12.pgm", "P5\n4 4\n255\nabcd"),
    PICTURE("pi13.pgm", "P2\n2 2\n255\n1 2 x 4\n"),
    PICTURE("pi14.pgm", "P2\n2 2\n255\n1 2 300 4\n"),
    PICTURE("pi15.ppm", "P6\n1000000 1000000\n65535\n"),
    PICTURE("pi16.ppm", "P3\n2 2\n255\n1 2 3\n"),
    PICTURE("pi17.pgm", "P9\n2 2\n255\nabcd"),
    PICTURE("pi18.txt", "1,2,three,4\n"),
    PICTURE("pi19.txt", "1e999,2\n"),
    PICTURE("pi20.csv", "\0\0\0\0"),
};

/* Sanitizers keep shadows of memory and take their time: what they show is something else. */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { MEASURED = 0 };
#else
enum { MEASURED = 1 };
#endif
static long own_kilobytes; /* what the program takes by itself */

/* Starts it, waits; processor seconds and peak memory. */
static int run_measured(const char *words, double *seconds, long *kilobytes) {
    int status;
    struct rusage used;
    const pid_t pid = start_hadal(words, NULL, "stdout.txt", "stderr.txt");
    assert_int_equal(wait4(pid, &status, 0, &used), pid);
    *seconds = (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec;
    *kilobytes = used.ru_maxrss;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int bad; /* files that were not refused as they should; each is printed */
#define BAD(...) ((void)bad++, print_message(__VA_ARGS__), print_message("\n"))

static void must_be_refused(const char *words, const char *name, size_t size) {
    double seconds;
    long kilobytes;
    const int code = run_measured(words, &seconds, &kilobytes);
    char *err = read_text("stderr.txt");
    const bool lacking = TEST_LACKS_LIBRARY && code == HD_E_UNSUPPORTED;
    if (code != 2 && code != 3 && code != 4 && code != 7 && !lacking) BAD("hadal %s: exit %d\n%s", words, code, err);
    if (strncmp(err, "hadal: ", 7) != 0 || !strchr(err, '\n')) BAD("hadal %s: no message: %s", words, err);
    if (MEASURED && seconds > 1) BAD("%s: %.2f s", name, seconds);
    const long allowed = own_kilobytes + 64 * 1024 + (long)(4 * size / 1024);
    if (MEASURED && kilobytes > allowed) BAD("%s: %ld kB, allowed %ld", name, kilobytes, allowed);
    free(err);
}

static void refuse(const hostile *h) {
    char words[512];
    FILE *f = fopen(h->file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(h->bytes, 1, h->size, f), h->size);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(words, sizeof words, h->words, h->file);
    must_be_refused(words, h->file, h->size);
}

static void measure_itself(void) {
    double seconds;
    assert_int_equal(run_measured("summary 2-2", &seconds, &own_kilobytes), 0);
}

static void files_that_lie_are_refused(void **state) {
    (void)state;
    measure_itself();
    bad = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) refuse(&files[i]);
    assert_int_equal(bad, 0);
    assert_int_equal(access("run", F_OK), -1); /* nothing was begun */
}

static void pictures_that_lie_are_refused(void **state) {
    (void)state;
    measure_itself();
    bad = 0;
    expect("train digits n=200 --model 256-10 --epochs 1 --out net", 0, NULL, NULL);
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) refuse(&pictures[i]);
    assert_int_equal(bad, 0);
}

/* One long line, a million columns, deep nesting, a bomb: larger than a literal. */
static void large_lies_are_refused(void **state) {
    (void)state;
    enum { MANY = 2000000 };
    measure_itself();
    bad = 0;
    char *bytes = malloc(MANY);
    assert_non_null(bytes);
    static const struct {
        const char *file, *words, *pattern;
    } large[] = {
        {"columns.csv", "train columns.csv --out run", "1,"},
        {"line.csv", "train line.csv --out run", "9"},
        {"quote.csv", "train quote.csv --out run", "\""},
        {"deep.json", "train deep.json --out run", "["},
        {"deep.yaml", "train deep.yaml --out run", "{a: "},
        {"zeros.npy", "train zeros.npy --out run", "\n"},
        {"noise.safetensors", "summary noise.safetensors", "{\"a\":"},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const size_t n = strlen(large[i].pattern);
        for (size_t k = 0; k + n <= MANY; k += n) memcpy(bytes + k, large[i].pattern, n);
        FILE *f = fopen(large[i].file, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, MANY / n * n, f), MANY / n * n);
        assert_int_equal(fclose(f), 0);
        must_be_refused(large[i].words, large[i].file, MANY / n * n);
    }
    free(bytes);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_lie_are_refused),
        cmocka_unit_test(pictures_that_lie_are_refused),
        cmocka_unit_test(large_lies_are_refused),
    };
    return cmocka_run_group_tests(tests, into_folder, out_of_folder);
}
