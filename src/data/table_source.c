/* table_source.c: a table in text as a data set. Owns what the target columns mean. */
#include "base/text.h"
#include "data/table.h"
#include "data/table_set.h"
#include <math.h>

static const char *const targets[] = {"auto", "class", "number", "category", NULL};
static const char *const missings[] = {"refuse", "mean", "zero", "drop", NULL};
static const char *const headers[] = {"auto", "yes", "no", NULL};

#define TEXT_OPTION(id, text)                                                                                          \
    { .name = #id, .type = HD_OPT_STRING, .offset = offsetof(hd_table_options, id), .help = text }
#define CHOICE_OPTION(id, list, text)                                                                                  \
    { .name = #id, .type = HD_OPT_ENUM, .offset = offsetof(hd_table_options, id), .choices = list, .help = text }

static const hd_option options[] = {
    TEXT_OPTION(label, "target column by name or number (from 1), several as a,b or 257-266; the last when not said"),
    {.name = "task",
     .type = HD_OPT_ENUM,
     .offset = offsetof(hd_table_options, target),
     .choices = targets,
     .help = "class, number, or category: each distinct value is a class; auto: words and whole numbers from 0 to 255 "
             "are classes"},
    CHOICE_OPTION(target, targets, "the same as task"),
    TEXT_OPTION(ignore, "columns to leave out, as name,7,10-12"),
    TEXT_OPTION(features, "columns to take; all others but the target are left out"),
    CHOICE_OPTION(missing, missings,
                  "cells without a value: mean (the usual word in columns of words), zero (no word), drop the line"),
    TEXT_OPTION(na, "further words for a missing cell, as none,unknown"),
    CHOICE_OPTION(header, headers, "whether the first line names the columns"),
    TEXT_OPTION(y, "file of the targets, where they are not in the same one"),
    {.name = "shape",
     .type = HD_OPT_DIMS,
     .offset = offsetof(hd_table_options, shape),
     .help = "of one row, as [1, 16, 16] for pictures"},
    HD_OPTION_END};

static hd_status read_table(hd_table *t, hd_dataset *data, const hd_data_request *r) {
    const hd_table_options *o = r->args;
    hd_schema like;
    hd_table_args args = {.label = o->label,
                          .ignore = o->ignore,
                          .features = o->features,
                          .na = o->na,
                          .missing = o->missing,
                          .header = o->header,
                          .categories = o->target == HD_TARGET_CATEGORY,
                          .no_target = o->y != NULL,
                          .target_optional = r->unlabeled,
                          .text = r->text};
    *t = (hd_table){0};
    if (r->like) {
        HD_TRY(hd_schema_read(&like, data->ctx, &data->arena, r->like));
        args.like = &like;
        if (o->missing == HD_MISSING_REFUSE) args.missing = like.missing;
    }
    return hd_table_read(t, data->ctx, &data->arena, r->path, &args);
}

/* The targets from a file of their own. */
static hd_status read_targets(hd_table *t, hd_dataset *data, const hd_data_request *r) {
    const hd_table_options *o = r->args;
    hd_table y;
    hd_table_args args = {
        .all_targets = true, .header = o->header, .na = o->na, .categories = o->target == HD_TARGET_CATEGORY};
    if (t->schema.missing == HD_MISSING_DROP)
        return hd_fail(data->ctx, HD_E_DATA,
                       "%s|lines can not be left out when the targets are in a file of their own|"
                       "Say missing=mean",
                       r->path);
    hd_status status = hd_table_read(&y, data->ctx, &data->arena, o->y, &args);
    if (status == HD_OK && y.rows + 1 == t->rows && args.header == HD_HEADER_AUTO) { /* the first word was no name */
        hd_table_free(&y, data->ctx);
        args.header = HD_HEADER_NO;
        status = hd_table_read(&y, data->ctx, &data->arena, o->y, &args);
    }
    if (status == HD_OK && y.rows != t->rows)
        status = hd_fail(data->ctx, HD_E_DATA,
                         "%s|%lld lines of targets for %lld of inputs in %s|The two files do not "
                         "belong together",
                         o->y, (long long)y.rows, (long long)t->rows, r->path);
    if (status == HD_OK) {
        t->y = y.y;
        y.y = NULL;
        t->targets = y.targets;
        t->words = y.words;
        t->word_count = y.word_count;
        t->label = hd_arena_printf(&data->arena, "%s of %s", y.label, o->y);
        t->schema.one_hot = y.schema.one_hot;
        if (!t->label) status = HD_E_MEMORY;
    }
    hd_table_free(&y, data->ctx);
    return status;
}

static hd_status open_table(hd_dataset *data, const hd_data_request *request) {
    const hd_table_options *o = request->args;
    hd_table table;
    hd_status status = read_table(&table, data, request);
    if (status == HD_OK && o->y) status = read_targets(&table, data, request);
    if (status == HD_OK) status = hd_table_set(data, &table, request, o->target, &o->shape);
    hd_table_free(&table, data->ctx);
    return status;
}

static bool looks_like_table(const char *path) {
    static const char *const ends[] = {".csv",    ".tsv",    ".txt",    ".data",    ".arff",
                                       ".csv.gz", ".tsv.gz", ".txt.gz", ".data.gz", ".arff.gz"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (hd_text_ends(path, ends[i])) return !hd_path_is_dir(path);
    return false;
}

const hd_data_source hd_source_table = {
    .name = "table",
    .description = "a table in text (commas, semicolons, tabs or blanks, or ARFF; plain or .gz), with or without a "
                   "header, of numbers and words",
    .args_size = sizeof(hd_table_options),
    .options = options,
    .looks_like = looks_like_table,
    .open = open_table,
};
