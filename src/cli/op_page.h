/* op_page.h: the manual page of an operation, made from its descriptor. */
#ifndef HD_CLI_OP_PAGE_H
#define HD_CLI_OP_PAGE_H
#include "cli/json_out.h"

/* The type of an option in words: "whole number", "axis", "one of none, mean, sum". Returns buffer. */
const char *option_type_words(char *buffer, size_t size, const hd_option *option);
/* Its default as text, "" where there is none. Returns buffer. */
const char *option_default_words(char *buffer, size_t size, const hd_option *option);
/* "built by nodes of other operations", or why there is none. */
const char *op_gradient_words(const hd_op *op);

void op_page_say(cli *c, const hd_op *op);
/* Members of the object that is open. */
void op_page_json(cli *c, json_out *j, const hd_op *op);
#endif
