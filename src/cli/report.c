/* report.c: owns report.html as a whole: gathers what its sections need, writes the page once, whole. One file, no
 * network, no script, no link that leads out of it. */
#include "cli/report_page.h"
#include <stdlib.h>

/* What the confusion and the scores of the result are of. */
static void choose_part(report *r) {
    const hd_result *s = r->result;
    r->judged = s->test.n > 0 ? &s->test : s->val.n > 0 ? &s->val : &s->train;
    r->judged_on = s->test.n > 0 ? "test" : s->val.n > 0 ? "validation" : "training";
    r->indices = s->test.n > 0 ? r->split->test : r->split->val;
    r->count = s->test.n > 0 ? r->split->test_count : r->split->val_count;
    r->metric = r->judged->count > 0 ? r->judged->metric[0].name : "";
    r->columns = r->info.classes > 0 ? r->info.classes : r->info.outputs;
}

static hd_status sections(report *r) {
    hd_text *t = r->page;
    hd_text_puts(t, "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
                    "content='width=device-width,initial-scale=1'><title>");
    html_text(t, r->result->run);
    hd_text_puts(t, " · hadal</title><style>");
    hd_text_puts(t, report_style);
    hd_text_puts(t, "</style></head><body>");
    report_header(r);
    report_curves(r);
    report_confusion(r);
    hd_status status = report_mistakes(r);
    report_method(r);
    if (status == HD_OK) status = report_reconstructions(r);
    if (status == HD_OK) status = report_written(r);
    report_network(r);
    report_data_and_recipe(r);
    hd_text_puts(t, "</body></html>\n");
    return status;
}

hd_status report_write(cli *c, hd_trainer *trainer, const hd_result *result) {
    hd_arena arena = {.ctx = c->ctx};
    hd_text page = {.ctx = c->ctx};
    hd_json *recipe = NULL;
    char path[4096];
    report r = {.c = c,
                .page = &page,
                .result = result,
                .trainer = trainer,
                .model = hd_trainer_model(trainer),
                .data = hd_trainer_data(trainer),
                .split = hd_trainer_split(trainer)};
    hd_status status;
    CLI_TRY_TO(end, c, hd_model_get_info(r.model, &r.info));
    CLI_TRY_TO(end, c, recipe_tree(c, hd_model_recipe(r.model), &arena, &recipe));
    r.recipe = recipe;
    r.facts = hd_data_get_info(r.data);
    choose_part(&r);
    CLI_TRY_TO(end, c, report_history(&r));
    CLI_TRY_TO(end, c, sections(&r));
    if (page.failed) status = cli_no_memory(c);
    (void)snprintf(path, sizeof path, "%s/report.html", result->run);
    if (status == HD_OK) status = cli_write_file(c, path, page.data, page.length);
end:
    free(r.points);
    hd_text_free(&page);
    hd_arena_free(&arena);
    return status;
}
