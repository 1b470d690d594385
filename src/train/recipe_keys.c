/* recipe_keys.c: the table of everything a recipe can say: names, types, ranges, defaults, help. Read by the parser, by
 * overrides, by `--help` and by the docs. */
#include "base/text.h"
#include "hadal/init.h"
#include "train/method.h"
#include "train/schedule.h"
#include <string.h>

static const char *const splits[] = {"stratified", "random", "last", NULL};
static const char *const tasks[] = {"auto", "class", "number", "category", NULL};
static const char *const missings[] = {"refuse", "mean", "zero", "drop", NULL};
static const char *const headers[] = {"auto", "yes", "no", NULL};
static const char *const units[] = {"char", "byte", NULL};
static const char *const normalizations[] = {"standard", "unit", "signed", "none", NULL};
static const char *const functions[] = {"and", "or", "not", "nand", "nor", "xor", "xnor", NULL};
static const char *const losses[] = {"cross_entropy",
                                     "nll",
                                     "multi_margin",
                                     "bce_with_logits",
                                     "bce",
                                     "focal",
                                     "dice",
                                     "multilabel_soft_margin",
                                     "hinge",
                                     "soft_margin",
                                     "kl_div",
                                     "mse",
                                     "l1",
                                     "smooth_l1",
                                     "huber",
                                     "half_squared_error",
                                     "poisson_nll",
                                     NULL};
static const char *const cycles[] = {"triangular", "triangular2", "exp_range", NULL};
static const char *const anneals[] = {"cos", "linear", NULL};
static const char *const weights[] = {"balanced", NULL};
static const char *const devices[] = {"auto", "cpu", NULL};
static const char *const precisions[] = {"f32", "bf16", NULL};
static const char *const backends[] = {"default", "ref", NULL};

#define MANY 9e15

#define TEXT(name, def, choices, help)                                                                                 \
    { {name, "text", def, help}, HD_KEY_TEXT, 0, 0, choices, false }
#define NUMBER(name, def, min, max, help)                                                                              \
    { {name, "number", def, help}, HD_KEY_NUMBER, min, max, NULL, false }
#define INT(name, def, min, max, help)                                                                                 \
    { {name, "whole number", def, help}, HD_KEY_INT, min, max, NULL, false }
#define BOOL(name, def, help)                                                                                          \
    { {name, "yes or no", def, help}, HD_KEY_BOOL, 0, 0, NULL, false }
#define LIST(name, def, help)                                                                                          \
    { {name, "list", def, help}, HD_KEY_LIST, 0, 0, NULL, false }
#define ANY(name, type, types, def, help)                                                                              \
    { {name, type, def, help}, types, 0, 0, NULL, false }
/* Short names belong to others: loss.gamma is said in full. */
#define LOSS_NUMBER(name, def, min, max, help)                                                                         \
    { {"train.loss." name, "number", def, help}, HD_KEY_NUMBER, min, max, NULL, true }

static const hd_key keys[] = {
    ANY("data.source", "text", HD_KEY_TEXT | HD_KEY_OBJECT, "",
        "what to learn from: a name, a path, or {path: …, format: …}"),
    TEXT("data.format", "", NULL, "format of the path, where looking at it is not enough"),
    ANY("data.label", "text", HD_KEY_TEXT | HD_KEY_INT, "",
        "tables: the column to predict, or several as a,b or 257-266; the last when not given"),
    TEXT("data.task", "", tasks,
         "tables: class, number, or category (each value is a class); by looking when not given"),
    ANY("data.ignore", "text", HD_KEY_TEXT | HD_KEY_INT, "", "tables: columns to leave out, as id,7,10-12"),
    ANY("data.features", "text", HD_KEY_TEXT | HD_KEY_INT, "", "tables: columns to read; all when not given"),
    INT("data.n", "", 1, MANY, "drawn data: how many training samples"),
    NUMBER("data.noise", "", 0, 1e6, "drawn data: how much noise"),
    BOOL("data.binary", "", "drawn digits: black and white only"),
    TEXT("data.function", "", functions, "truth tables: and, or, not, nand, nor, xor, xnor"),
    INT("data.inputs", "", 1, 16, "truth tables: how many inputs"),
    INT("data.classes", "", 1, 1 << 20, "number of classes, when the labels do not show them all"),
    {{"data.seed", "whole number", "", "drawn data: which draw, whatever the run's seed"},
     HD_KEY_INT,
     0,
     MANY,
     NULL,
     true},
    TEXT("data.missing", "", missings, "tables: what becomes of cells without a value: refuse, mean, zero or drop"),
    TEXT("data.na", "", NULL, "tables: further words for a missing cell, as none,unknown"),
    TEXT("data.header", "", headers, "tables: does the first line name the columns: auto, yes, no"),
    TEXT("data.y", "", NULL, "file of the targets, where they are not beside the inputs"),
    TEXT("data.shape", "", NULL, "tables: shape of a row, as 1x16x16 for pictures"),
    TEXT("data.size", "", NULL, "pictures: bring all to this size, as 64x64"),
    TEXT("data.unit", "", units, "text: what is a token, char or byte"),
    INT("data.min_count", "", 1, 1 << 20, "tags: tokens there less often in the training part are unknown ones; 2"),
    INT("data.token", "", 1, 64, "tags: column of the token, from 1"),
    INT("data.tag", "", 1, 64, "tags: column of the tag; the last"),
    INT("data.length", "", 1, 1 << 20, "sequences: positions of a sample; 128 for text"),
    INT("data.stride", "", 1, 1 << 20, "text: from the begin of one sample to that of the next; the length"),
    NUMBER("data.val", "0.1", 0, 0.95, "share of the training samples held out for validation"),
    NUMBER("data.test", "0.2", 0, 0.95, "share held out for the test, where the data bring none of their own"),
    TEXT("data.split", "", splits, "how parts are cut: stratified (classes), random, last"),
    BOOL("data.augment.flip", "false", "pictures: mirrored left to right half of the time, in training"),
    INT("data.augment.crop", "0", 0, 1 << 16, "pictures: moved by up to so many pixels each way, in training"),
    TEXT("data.normalize", "standard", normalizations,
         "standard: mean 0, deviation 1 by the training part; unit: 0 … 1; signed: -1 … 1; none"),
    ANY("model", "text", HD_KEY_MODEL, "", "a known network, a one-line text as 784-200-relu-10, or a list of layers"),
    TEXT("train.loss.name", "", losses, "what is minimised; by the data and the model when not given"),
    BOOL("train.reconstruct", "",
         "learn to give back what is read, without labels; as the network is meant when not given"),
    {{"train.loss.weight", "list", "", "how much each class (output) counts: numbers, or balanced"},
     HD_KEY_TEXT | HD_KEY_NUMBERS,
     0,
     0,
     weights,
     true},
    NUMBER("train.loss.label_smoothing", "0", 0, 1,
           "cross_entropy: share of the target spread evenly over the classes"),
    INT("train.loss.ignore_index", "", 0, MANY, "cross_entropy, nll: class of samples that do not count"),
    {{"train.loss.pos_weight", "number", "", "bce_with_logits: how much a yes counts: a number, a list, or balanced"},
     HD_KEY_TEXT | HD_KEY_NUMBER | HD_KEY_NUMBERS,
     0,
     1e30,
     weights,
     false},
    LOSS_NUMBER("beta", "1", 0, 1e30, "smooth_l1: distance from which it is l1"),
    LOSS_NUMBER("delta", "1", 1e-30, 1e30, "huber: distance from which the loss grows straight"),
    LOSS_NUMBER("alpha", "0.25", -1, 1, "focal: share of yes; negative: both count the same"),
    LOSS_NUMBER("gamma", "2", 0, 1e6, "focal: how little counts what is already right"),
    LOSS_NUMBER("smooth", "1", 0, 1e30, "dice: added above and below"),
    LOSS_NUMBER("margin", "1", 0, 1e30, "multi_margin: lead that is enough"),
    {{"train.loss.p", "whole number", "1", "multi_margin: power of what a class lacks, 1 or 2"},
     HD_KEY_INT,
     1,
     2,
     NULL,
     true},
    {{"train.loss.squared", "yes or no", "false", "hinge: square it"}, HD_KEY_BOOL, 0, 0, NULL, true},
    {{"train.loss.full", "yes or no", "false", "poisson_nll: add Stirling's term"}, HD_KEY_BOOL, 0, 0, NULL, true},
    TEXT("train.method", "", NULL,
         "how the weights are found: gradient, exact, perceptron, gmdh, competitive, fixed; by the network when not "
         "given"),
    NUMBER("train.l2", "", 0, 1e30, "method exact: λ of λ/2·|w|², biases not counted; 0, and 1/samples for hinge"),
    TEXT("train.optimizer.name", "adamw", NULL, "how weights follow the gradient: see `hadal help optimizers`"),
    NUMBER("train.optimizer.lr", "0.001", 0, 1e6, "learning rate; the optimiser's own when not given"),
    NUMBER("train.optimizer.weight_decay", "0.01", 0, 1e6,
           "pull of weights towards 0; the optimiser's own when not given"),
    NUMBER("train.optimizer.momentum", "0", 0, 1, "share of the velocity that is kept"),
    NUMBER("train.optimizer.dampening", "0", 0, 1, "sgd: share of the gradient that the velocity leaves out"),
    BOOL("train.optimizer.nesterov", "false", "sgd: look ahead along the momentum"),
    BOOL("train.optimizer.maximize", "false", "go up instead of down"),
    NUMBER("train.optimizer.beta1", "0.9", 0, 1, "memory of the gradient's mean"),
    NUMBER("train.optimizer.beta2", "0.999", 0, 1, "memory of the gradient's square"),
    NUMBER("train.optimizer.eps", "1e-08", 0, 1, "added to the divisor"),
    BOOL("train.optimizer.amsgrad", "false", "adam, adamw: divide by the largest square so far"),
    NUMBER("train.optimizer.alpha", "0.99", 0, 1e3, "rmsprop: memory of the square; asgd: power of the rate's fall"),
    BOOL("train.optimizer.centered", "false", "rmsprop: divide by the deviation"),
    NUMBER("train.optimizer.rho", "0.9", 0, 1, "adadelta: memory of squares"),
    NUMBER("train.optimizer.lr_decay", "0", 0, 1e30, "adagrad: how the learning rate falls"),
    NUMBER("train.optimizer.initial_accumulator_value", "0", 0, 1e30, "adagrad: what the sum of squares starts with"),
    NUMBER("train.optimizer.momentum_decay", "0.004", 0, 1e30, "nadam: how fast the momentum grows to beta1"),
    NUMBER("train.optimizer.lambd", "0.0001", 0, 1e30, "asgd: pull of weights towards 0"),
    NUMBER("train.optimizer.t0", "1e6", 0, 1e300, "asgd: step from which averages are taken"),
    NUMBER("train.optimizer.eta_minus", "0.5", 0, 1, "rprop: factor of a step when the gradient's sign turns"),
    NUMBER("train.optimizer.eta_plus", "1.2", 1, 1e3, "rprop: factor of a step while the sign stays"),
    NUMBER("train.optimizer.step_min", "1e-06", 0, 1e30, "rprop: smallest step"),
    NUMBER("train.optimizer.step_max", "50", 0, 1e30, "rprop: largest step"),
    NUMBER("train.optimizer.ns_steps", "5", 1, 100, "muon: steps of the iteration that makes matrices orthogonal"),
    TEXT("train.schedule.name", "constant", NULL,
         "how the learning rate changes: constant, step, cosine, onecycle, plateau, …; see `hadal help schedules`"),
    NUMBER("train.schedule.warmup", "0", 0, 1e9, "epochs in which the rate rises to its full height"),
    NUMBER("train.schedule.warmup_start", "0.1", 0, 1, "share of the full rate at which warm-up begins"),
    NUMBER("train.schedule.step_size", "10", 0, 1e9, "step: epochs from one drop to the next"),
    ANY("train.schedule.milestones", "list", HD_KEY_NUMBERS | HD_KEY_NUMBER, "", "multistep: epochs of the drops"),
    NUMBER("train.schedule.gamma", "0.1", 0, 1,
           "step, multistep: factor of each drop; exponential: of each epoch; cyclic: of each step"),
    NUMBER("train.schedule.eta_min", "0", 0, 1e6, "cosine, cosine_restarts: the rate at the end"),
    NUMBER("train.schedule.t_0", "1", 0, 1e9, "cosine_restarts: epochs of the first fall"),
    INT("train.schedule.t_mult", "1", 1, 1000, "cosine_restarts: how much longer each fall is than the one before"),
    NUMBER("train.schedule.factor", "0.1", 0, 1e6,
           "plateau: factor of each drop; constant, linear: share of the rate at the beginning"),
    NUMBER("train.schedule.end_factor", "0", 0, 1e6, "linear: share of the rate at the end"),
    NUMBER("train.schedule.total_iters", "0", 0, 1e9,
           "constant, linear, polynomial: epochs; 0: the whole run, or none"),
    NUMBER("train.schedule.power", "1", 0, 1e3, "polynomial: power of the fall"),
    NUMBER("train.schedule.base_lr", "", 0, 1e6, "cyclic: the lowest rate; a tenth of lr when not given"),
    NUMBER("train.schedule.step_size_up", "2", 0, 1e9, "cyclic: epochs of a rise"),
    NUMBER("train.schedule.step_size_down", "0", 0, 1e9, "cyclic: epochs of a fall; 0: as of a rise"),
    TEXT("train.schedule.mode", "triangular", cycles,
         "cyclic: heights: triangular, triangular2 (half each), exp_range"),
    {{"train.schedule.patience", "whole number", "10", "plateau: epochs without a better one that are borne"},
     HD_KEY_INT,
     0,
     MANY,
     NULL,
     true},
    NUMBER("train.schedule.threshold", "0.0001", 0, 1, "plateau: share by which better has to be better"),
    INT("train.schedule.cooldown", "0", 0, MANY, "plateau: epochs of rest after a drop"),
    NUMBER("train.schedule.min_lr", "0", 0, 1e6, "plateau: the lowest rate"),
    NUMBER("train.schedule.pct_start", "0.3", 0, 1, "onecycle: share of the run in which the rate rises"),
    NUMBER("train.schedule.div_factor", "25", 1, 1e12, "onecycle: the first rate is lr divided by this"),
    NUMBER("train.schedule.final_div_factor", "10000", 1, 1e18, "onecycle: the last rate is the first divided by this"),
    TEXT("train.schedule.anneal", "cos", anneals, "onecycle: shape of rise and fall, cos or linear"),
    INT("train.epochs", "10", 1, MANY, "times through the training part"),
    INT("train.steps", "0", 0, MANY,
        "end after so many steps, and as many epochs as they take when those are not said; 0: no limit"),
    INT("train.batch_size", "128", 1, 1e9, "samples a step"),
    INT("train.patience", "0", 0, MANY, "end after so many epochs without a better one; 0: never"),
    TEXT("train.monitor", "loss", NULL, "what is better: lower validation loss, or a metric by name"),
    TEXT("train.target", "", NULL, "end when validation reaches it, as accuracy=0.98"),
    ANY("train.time", "text", HD_KEY_TEXT | HD_KEY_NUMBER, "", "end after so long, as 90s, 30m or 2h"),
    NUMBER("train.max_norm", "0", 0, 1e30, "clip the gradient to this length; 0: do not"),
    NUMBER("train.skip_outliers", "0", 0, 1e6,
           "leave out steps whose gradient is so many deviations longer than usual; 0: none"),
    INT("train.accumulate", "1", 1, 1e6, "batches whose gradients are added up for one step"),
    NUMBER("train.ema", "0", 0, 0.9999999,
           "memory of a moving average of the weights, with which is evaluated, as 0.999; 0: none"),
    ANY("train.no_decay", "text", HD_KEY_TEXT | HD_KEY_LIST, "",
        "parameters without weight decay: norms-and-biases, or names as *.bias"),
    ANY("train.groups", "list", HD_KEY_GROUPS, "",
        "parameters with settings of their own: [{params: features.*, lr_scale: 0.1, weight_decay: 0}]"),
    INT("train.seed", "1", 0, MANY, "the same seed gives the same bits"),
    BOOL("train.shuffle", "true", "a new order of the samples each epoch"),
    BOOL("train.streams", "false", "each batch goes on where the one before ended, for layers with stateful: true"),
    BOOL("train.drop_last", "false", "leave out a last batch that is short"),
    BOOL("train.prefetch", "true", "make the next batch while this one is used"),
    INT("train.save_every", "0", 0, MANY, "steps from one checkpoint to the next; 0: now and then, and at the end"),
    INT("train.log_every", "100", 0, MANY, "steps from one line of log.jsonl to the next; 0: epochs alone"),
    TEXT("train.from", "", NULL,
         "begin with the weights of this run folder or .safetensors file; a head of other size begins anew"),
    TEXT("train.rename", "", NULL, "how names in that file become the network's: a map (JSON), or caffe, wrapped"),
    BOOL("train.compare_scratch", "false", "train the network from scratch too and report what it reaches"),
    LIST("train.freeze", "", "parameters that are not trained, as conv1.* or *.bias"),
    ANY("train.init", "text", HD_KEY_TEXT | HD_KEY_GROUPS, "",
        "how weights start: kaiming_normal, or [{params: fc*.weight, name: orthogonal, gain: 1}]; the layers' own way"),
    TEXT("train.device", "auto", devices, "where to compute: auto, cpu"),
    TEXT("train.precision", "f32", precisions,
         "what is multiplied in products and convolutions: f32, or bf16 with sums and weights in f32"),
    TEXT("train.backend", "default", backends, "default, or ref: plain loops only"),
    BOOL("train.exact", "false", "direct kernels only, no Winograd"),
    LIST("eval.metrics", "",
         "what is measured: accuracy, f1, perplexity, bits; frame_accuracy for notes; rmse, mae, r2 for numbers"),
    BOOL("eval.baselines", "true", "measure a majority and a linear model beside it"),
};
enum { KEYS = sizeof keys / sizeof keys[0] };

/* Sections, and the member that a plain text in their place means. */
static const struct {
    const char *path, *shorthand;
} sections[] = {{"data", "source"},     {"data.augment", NULL},      {"train", NULL},           {"eval", NULL},
                {"train.loss", "name"}, {"train.optimizer", "name"}, {"train.schedule", "name"}};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

const hd_key *hd_key_at(int i) {
    return i >= 0 && i < (int)KEYS ? &keys[i] : NULL;
}

const char *const *hd_key_choices(const hd_key *key) {
    if (strcmp(key->pub.name, "train.optimizer.name") == 0) return hd_optimizer_names();
    if (strcmp(key->pub.name, "train.init") == 0) return hd_init_names();
    if (strcmp(key->pub.name, "train.method") == 0) return hd_method_names();
    return strcmp(key->pub.name, "train.schedule.name") == 0 ? hd_schedule_names() : key->choices;
}

const hd_recipe_key *hd_recipe_key_at(int i) {
    const hd_key *key = hd_key_at(i);
    return key ? &key->pub : NULL;
}

bool hd_key_is_section(const char *path, const char **shorthand) {
    for (int i = 0; i < (int)SECTIONS; i++) {
        if (strcmp(sections[i].path, path) != 0) continue;
        if (shorthand) *shorthand = sections[i].shorthand;
        return true;
    }
    return false;
}

/* Does the dotted name end in `short_name`, at a dot? */
static bool ends_in(const char *name, const char *short_name) {
    const size_t n = strlen(name), k = strlen(short_name);
    if (n < k || strcmp(name + n - k, short_name) != 0) return false;
    return n == k || name[n - k - 1] == '.';
}

/* "-" counts as "_". False when it is too long to be a key. */
static bool plain_name(const char *name, char *out, size_t size) {
    const size_t n = strlen(name);
    if (n == 0 || n >= size) return false;
    for (size_t i = 0; i <= n; i++) out[i] = name[i] == '-' ? '_' : name[i];
    return true;
}

const hd_key *hd_key_find(const char *name) {
    char key[64];
    if (!plain_name(name, key, sizeof key)) return NULL;
    if (strncmp(key, "model.", 6) == 0) return hd_key_find("model");
    for (int k = 0; k < (int)KEYS; k++) /* the whole name first: so the library asks, thousands of times a run */
        if (strcmp(keys[k].pub.name, key) == 0) return &keys[k];
    for (int i = 0; i < (int)SECTIONS; i++) {
        const char *word = sections[i].shorthand;
        if (!word || !ends_in(sections[i].path, key)) continue;
        for (int k = 0; k < (int)KEYS; k++) {
            const size_t n = strlen(sections[i].path);
            if (strncmp(keys[k].pub.name, sections[i].path, n) == 0 && keys[k].pub.name[n] == '.' &&
                strcmp(keys[k].pub.name + n + 1, word) == 0)
                return &keys[k];
        }
    }
    const hd_key *found = NULL;
    for (int k = 0; k < (int)KEYS; k++) {
        if ((keys[k].long_only && !strchr(key, '.')) || !ends_in(keys[k].pub.name, key)) continue;
        if (found) return NULL; /* two keys of that name: say which */
        found = &keys[k];
    }
    return found;
}

const hd_recipe_key *hd_recipe_key_find(const char *key) {
    const hd_key *found = key ? hd_key_find(key) : NULL;
    return found ? &found->pub : NULL;
}
