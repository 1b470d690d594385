/* recipe.h: the inside of hd_recipe: a tree of what was said, a table of what can be said. */
#ifndef HD_TRAIN_RECIPE_H
#define HD_TRAIN_RECIPE_H
#include "base/json.h"
#include "hadal/train.h"
#include "hadal/zoo.h"

/* What a key's value may be. */
enum {
    HD_KEY_BOOL = 1,
    HD_KEY_INT = 2,
    HD_KEY_NUMBER = 4, /* a whole number will do */
    HD_KEY_TEXT = 8,
    HD_KEY_LIST = 16, /* of texts */
    HD_KEY_OBJECT = 32,
    HD_KEY_MODEL = 64,    /* a name, an object, or a list of layers */
    HD_KEY_NUMBERS = 128, /* a list of numbers */
    HD_KEY_GROUPS = 256   /* a list of objects that name parameters */
};

typedef struct hd_key {
    hd_recipe_key pub;
    unsigned types;
    double min, max;            /* numbers; min < max: checked */
    const char *const *choices; /* texts; NULL: any; see hd_key_choices */
    bool long_only;             /* no short form but section.name: the short name belongs to another key */
} hd_key;

const hd_key *hd_key_at(int i);
/* The texts that a key takes, ended by NULL; NULL: any. */
const char *const *hd_key_choices(const hd_key *key);
/* The key that a dotted or short name means, or NULL; sections ("optimizer") mean what stands for them ("….name"). */
const hd_key *hd_key_find(const char *name);
/* Is `path` (dotted, from the root) a section? shorthand (may be NULL) gets the member that a plain text means. */
bool hd_key_is_section(const char *path, const char **shorthand);

struct hd_recipe {
    hd_context *ctx;
    hd_arena arena;
    const char *where;       /* the file, for messages */
    const char *model_where; /* the same for the model, which may have been said elsewhere */
    hd_json *root;           /* an object: what was said */
};

/* A copy of its own. */
HD_CHECKED hd_status hd_recipe_copy(hd_recipe **out, const hd_recipe *recipe);
/* What was said for a key, or NULL when nothing was. */
const hd_json *hd_recipe_said(const hd_recipe *recipe, const char *key);
/* Values with defaults. key is the full name. Text: NULL when nothing was said and there is no default. */
double hd_recipe_number(const hd_recipe *recipe, const char *key);
int64_t hd_recipe_int(const hd_recipe *recipe, const char *key);
bool hd_recipe_bool(const hd_recipe *recipe, const char *key);
const char *hd_recipe_text(const hd_recipe *recipe, const char *key);
/* The name that `model` is, or has: of a known network, or a line as 784-200-relu-10; NULL: none. */
const char *hd_recipe_network_name(const hd_recipe *recipe);
/* The known network of that name, or NULL. */
const hd_zoo_entry *hd_recipe_network(const hd_recipe *recipe);
/* Puts a value into the tree (for what a run settles itself: model, loss). */
HD_CHECKED hd_status hd_recipe_put(hd_recipe *recipe, const char *key, hd_json *value);
HD_CHECKED hd_status hd_recipe_put_text(hd_recipe *recipe, const char *key, const char *text);
/* The optimiser with every setting filled in, but for the groups of parameters. */
hd_optimizer hd_recipe_optimizer(const hd_recipe *recipe);
/* The optimiser as it trains: with groups, average, accumulation (recipe_groups.c). */
HD_CHECKED hd_status hd_recipe_training(hd_optimizer *out, hd_arena *arena, const hd_recipe *recipe);
/* Checks the items of a list of groups: their members, and what these hold. */
HD_CHECKED hd_status hd_groups_check(hd_recipe *recipe, const hd_key *key, const char *place, const hd_json *list,
                                     hd_status blame);
/* The same for a list of ways to start parameters (recipe_init.c). */
HD_CHECKED hd_status hd_inits_check(hd_recipe *recipe, const char *place, const hd_json *list, hd_status blame);
/* Starts parameters of a graph as train.init says. */
HD_CHECKED hd_status hd_recipe_init(const hd_recipe *recipe, hd_graph *graph);
/* HD_E_MODEL when a group names no parameter of the store. */
HD_CHECKED hd_status hd_groups_check_names(const hd_recipe *recipe, const hd_optimizer *optimizer,
                                           const hd_store *store);
/* The default of a key as it comes out of the others (an optimiser's learning rate), as JSON text; "" for none;
 * text: room for it. */
const char *hd_recipe_default(const hd_recipe *recipe, const hd_key *key, char text[32]);

enum { HD_PLACE = 700 };
/* "file:line:column" of a member, in buffer; `otherwise` when it was not read from a text. */
const char *hd_recipe_place(const hd_recipe *recipe, const hd_json *member, const char *otherwise,
                            char buffer[HD_PLACE]);

/* Checks a tree against the table and settles shorthands ("optimizer: sgd"). */
HD_CHECKED hd_status hd_recipe_check(hd_recipe *recipe, hd_json *root);
/* Checks one value; place is its file:line:column or the flag. */
HD_CHECKED hd_status hd_recipe_check_value(hd_recipe *recipe, const hd_key *key, const char *place,
                                           const hd_json *value, hd_status blame);
/* Is the key read at all, with this optimiser and schedule? */
bool hd_key_applies(const hd_recipe *recipe, const hd_key *key);
/* What only a whole recipe shows: settings that the chosen optimiser or schedule does not read. */
HD_CHECKED hd_status hd_recipe_check_whole(hd_recipe *recipe);
#endif
