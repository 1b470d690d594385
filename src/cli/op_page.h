/* op_page.h: the manual page of an operation, made from its descriptor; tables of options. */
#ifndef HD_CLI_OP_PAGE_H
#define HD_CLI_OP_PAGE_H
#include "cli/json_out.h"

/* "tested against differences", or why there is none. */
const char *op_gradient_words(const hd_op *op);
/* The page, and the same as members of the object that is open. */
void op_page_say(cli *c, const hd_op *op);
void op_page_json(cli *c, json_out *j, const hd_op *op);

/* The NAME of a verb that takes "NAME" or "show NAME", or NULL for none. kind: "an operation", for messages. */
hd_status named_thing(cli *c, const char *kind, const char *example, const char **name);
/* An error: none of the names is meant by `name`; the nearest is told. */
hd_status no_such_name(cli *c, const char *kind, const char *name, const char *const *names, size_t n);
/* An option schema as a table, and as a member "options"; NULL: nothing, or an empty list. */
void say_options(cli *c, const hd_option *options);
void options_json(json_out *j, const hd_option *options);
#endif
