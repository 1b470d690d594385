/* verb_ops.c: owns `hadal ops`: the list of operations, and the page of one. */
#include "cli/op_page.h"
#include "cli/screen.h"
#include <string.h>

static bool is_public(const hd_op *op) {
    return !(op->flags & HD_OP_INTERNAL);
}

static hd_status list_json(cli *c) {
    const hd_op *op;
    json_out j;
    json_begin(c, &j);
    hd_jw_key(&j.w, "ops");
    hd_jw_begin(&j.w, '[');
    for (int i = 0; (op = hd_op_at(i)) != NULL; i++) {
        if (!is_public(op)) continue;
        hd_jw_begin(&j.w, '{');
        json_string(&j, "name", op->name);
        json_string(&j, "formula", op->formula);
        json_string(&j, "gradient", op_gradient_words(op));
        json_string(&j, "onnx", op->onnx);
        hd_jw_end(&j.w);
    }
    hd_jw_end(&j.w);
    return json_end(c, &j);
}

static void say_list(cli *c) {
    const hd_op *op;
    int n = 0;
    table t;
    table_open(&t, "ll");
    for (int i = 0; (op = hd_op_at(i)) != NULL; i++) {
        if (!is_public(op)) continue;
        table_row(&t, (const char *const[]){op->name, op->formula});
        n++;
    }
    table_print(c, &t, false, 0);
    say(c, "\n%d operations; a page of each: hadal ops show conv2d\n", n);
}

static hd_status unknown_op(cli *c, const char *name) {
    const char *names[1024];
    size_t n = 0;
    const hd_op *op;
    for (int i = 0; (op = hd_op_at(i)) != NULL && n < 1024; i++) names[n++] = op->name;
    return no_such_name(c, "operation", name, names, n);
}

static hd_status run_ops(cli *c) {
    hd_status status = cli_context(c);
    const char *name = NULL;
    if (status == HD_OK) status = named_thing(c, "an operation", "conv2d", &name);
    if (status != HD_OK) return status;
    if (!name && c->json) return list_json(c);
    if (!name) return say_list(c), HD_OK;
    const hd_op *op = hd_op_find(c->ctx, name);
    if (!op) return unknown_op(c, name);
    if (!c->json) return op_page_say(c, op), HD_OK;
    json_out j;
    json_begin(c, &j);
    op_page_json(c, &j, op);
    return json_end(c, &j);
}

const cli_verb cli_verb_ops = {
    .name = "ops",
    .summary = "the operations, and a page of each",
    .things = "[show NAME]",
    .about = "Without a name: every operation with its formula. With one: formula, options, shapes, gradient,\n"
             "kernels in order of preference, source. All of it comes from the operation's own file.",
    .example = "hadal ops show conv2d",
    .min_things = 0,
    .max_things = 2,
    .run = run_ops,
};
