/* predict_out.h: what `hadal predict --out` keeps and writes. */
#ifndef HD_CLI_PREDICT_OUT_H
#define HD_CLI_PREDICT_OUT_H
#include "cli/cli.h"

typedef struct predict_out {
    const char *path; /* NULL: nothing is kept */
    bool picture;
    hd_dims sample;   /* of a picture */
    double low, high; /* its black and white */
    int64_t columns, count;
    float *y; /* [count, columns], malloc'ed */
    size_t room;
} predict_out;

/* path NULL: none. Errors: HD_E_USAGE: neither .npy, nor a .png of a model that gives back pictures. */
hd_status predict_out_open(cli *c, predict_out *o, const char *path, const hd_model_info *info, int64_t columns);
hd_status predict_out_add(cli *c, predict_out *o, const float *y, int64_t n);
hd_status predict_out_close(cli *c, predict_out *o); /* writes; the caller frees y */
#endif
