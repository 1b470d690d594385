/* source.h: what a data source is. Each is one constant descriptor in one file, with one line in sources.def. */
#ifndef HD_DATA_SOURCE_H
#define HD_DATA_SOURCE_H
#include "base/json.h"
#include "base/status.h"
#include "data/dataset.h"
#include "hadal/op.h"

struct hd_data_source;

/* A file of a data set, as it is published. Its name is the last part of the address. */
typedef struct hd_data_file {
    const char *url, *sha256;
    int64_t bytes;
} hd_data_file;

/* What was asked for. */
typedef struct hd_data_request {
    hd_context *ctx;
    hd_arena *arena;      /* dies after opening */
    const char *name;     /* of the data set: the source's name, or the path's last part */
    const char *path;     /* file or folder; NULL for a data set asked for by its name */
    const char *data_dir; /* where named sets lie, with the distribution's folders after it */
    const void *args;     /* the source's args struct, every default filled in */
    int64_t classes;      /* classes=N, 0: by looking */
    const hd_json *like;  /* how the columns of the model's table became numbers; NULL: no such model */
    const char *text;     /* the data themselves, instead of a file at `path`; or NULL */
    bool unlabeled;       /* data without targets will do */
    int64_t width;        /* with it: elements that the model reads of a sample; 0: not known */
    hd_dims sample;       /* of the model; rank 0: there is none */
    const hd_json *names; /* of the model's classes, texts; NULL: none */

    /* of the program's own source, or NULL */
    const hd_data_reader *reader;
} hd_data_request;

typedef struct hd_data_source {
    const char *name;        /* as typed; a format's name is what format= takes */
    const char *description; /* one line */
    size_t args_size;        /* of the args struct; 0: no options */
    const hd_option *options;
    bool named; /* a data set in itself, opened by its name */
    /* Named sets that are not drawn: */
    int64_t samples;
    const char *kind;            /* "pictures", "table", "points" */
    const char *licence;         /* as its publisher says */
    const char *package;         /* Debian's, or NULL */
    const char *by_hand;         /* where people find it, when no check sum of it is known; or NULL */
    const hd_data_file *files;   /* to fetch, ended by {NULL}; NULL: none */
    const char *const *unpacked; /* what a .tar.gz among them holds, NULL-terminated; or NULL */
    const char *(*find)(const hd_data_request *request); /* where it lies, in the request's arena; NULL: nowhere */
    /* By looking: is what lies at this path of this form? NULL: only by name or format=. */
    bool (*looks_like)(const char *path);
    /* Fills an empty data set: everything that hd_data_finish, which the caller calls, does not. */
    hd_status (*open)(hd_dataset *data, const hd_data_request *request);
} hd_data_source;

#define HD_SOURCE(id) extern const hd_data_source hd_source_##id;
#include "data/sources.def"
#undef HD_SOURCE

/* Source number i of the list, or NULL past the end; by name, or NULL. */
const hd_data_source *hd_source_at(int i);
const hd_data_source *hd_source_find(const char *name);

/* The source through which readers of the program's own are opened, and the reader of that name, or NULL. */
extern const hd_data_source hd_source_own;
const hd_data_reader *hd_reader_find(const hd_context *ctx, const char *name);

/* Reads the members of a JSON object that are not in `skip` (NULL-terminated) into the source's args, over its
 * defaults. Errors: HD_E_DATA naming the unknown key or the wrong value. */
HD_CHECKED hd_status hd_source_options(hd_context *ctx, const hd_data_source *source, const hd_json *object,
                                       const char *const *skip, hd_arena *arena, void *args);

/* "PATH/NAME" in the request's arena, NULL without memory. */
char *hd_path_join(hd_arena *arena, const char *folder, const char *name);
const char *hd_path_last(const char *path);
/* The folder of named data sets: `given`, else $HADAL_DATA, else ~/.local/share/hadal, else "". */
const char *hd_data_folder(hd_arena *arena, const char *given);
/* The error for a named set that is nowhere: names the package (may be NULL) and `hadal data get NAME`. */
HD_CHECKED hd_status hd_source_missing(const hd_data_request *request, const char *package);
#endif
