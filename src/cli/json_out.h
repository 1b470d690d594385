/* json_out.h: the one JSON object that a verb prints with --json. */
#ifndef HD_CLI_JSON_OUT_H
#define HD_CLI_JSON_OUT_H
#include "cli/cli.h"

typedef struct json_out {
    hd_text text;
    hd_jw w;
} json_out;

/* Begins the object; needs c->ctx. `j` must not move afterwards. */
void json_begin(cli *c, json_out *j);
/* Ends it, prints it on standard output with a newline, frees it. */
hd_status json_end(cli *c, json_out *j);

void json_int(json_out *j, const char *key, int64_t value);
void json_number(json_out *j, const char *key, double value); /* not finite: null */
void json_string(json_out *j, const char *key, const char *value);
void json_dims(json_out *j, const char *key, const hd_dims *dims);
/* "key": {"value", "low", "high"} */
void json_metric(json_out *j, const char *key, double value, double low, double high);
/* The metrics of scores as members of the object that is open. */
void json_metrics(json_out *j, const hd_scores *scores);

/* A share of n with Wilson's 95 % interval (Wilson 1927). */
hd_metric share_of(const char *name, double share, int64_t n);
#endif
