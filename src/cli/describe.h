/* describe.h: data, models and recipes in one line each. */
#ifndef HD_CLI_DESCRIBE_H
#define HD_CLI_DESCRIBE_H
#include "cli/cli.h"

enum { DESCRIBE_ROOM = 512, CLASS_ROOM = 256 };

/* The recipe as a tree in the arena. */
hd_status recipe_tree(cli *c, const hd_recipe *recipe, hd_arena *arena, hd_json **out);
/* A value by its dotted path, or NULL; its text, number, or a fallback. */
const hd_json *tree_at(const hd_json *root, const char *path);
const char *tree_text(const hd_json *root, const char *path, const char *fallback);
double tree_number(const hd_json *root, const char *path, double fallback);

/* "28×28 grey", "13 features": buffers ≥ 64. */
char *describe_sample(char *buffer, const hd_dims *sample);
/* "28×28 grey, 10 classes, balanced" */
char *describe_content(char *buffer, const hd_dataset *data, const int64_t *indices, int64_t count);
/* A class as people can see it: its name, or, where that is a blank, has one at an end or within it the end of a line,
 * quoted: ' ', '\n'. Returns name or buffer, which is CLASS_ROOM. */
const char *describe_class(char *buffer, const char *name);
/* "784-200-relu-10", "resnet18", "5 layers" */
char *describe_model(char *buffer, const hd_json *recipe);
/* "frame accuracy": buffer ≥ 64. */
char *describe_metric(char *buffer, const char *name);
/* Share of the largest class among the samples; 0 without classes. *largest (may be NULL): which. */
double largest_share(const hd_dataset *data, const int64_t *indices, int64_t count, int64_t *largest);
#endif
