/* count_steps.c: twelve fixed steps whose instructions are counted under callgrind by scripts/instructions.py: one
 * thread, AVX2 (valgrind knows no AVX-512), in a build without libraries, so that every instruction is ours. Each step
 * is run once, which allocates, then once inside hadal_counted_step, which is what the counter looks for. */
#include "perf.h"
#include <stdio.h>

hd_status hadal_counted_step(hd_program *p);
__attribute__((noinline)) hd_status hadal_counted_step(hd_program *p) {
    return hd_program_run(p);
}

static hd_status count(const perf_workload *w) {
    static const perf_options o = {.threads = 1, .isa = "avx2"};
    perf_program built;
    hd_status status = perf_program_new(&built, w, &o);
    if (status == HD_OK) status = hd_program_run(built.program);
    if (status == HD_OK) status = hadal_counted_step(built.program);
    if (status == HD_OK)
        printf("%s\n", w->name);
    else
        fprintf(stderr, "count-steps: %s: %s\n", w->name, built.ctx ? hd_last_error(built.ctx) : "no memory");
    perf_program_free(&built);
    return status;
}

int main(void) {
    const hd_optimizer sgd = hd_sgd(.lr = 1e-3, .momentum = 0.9), adam = hd_adam(.lr = 1e-3),
                       adamw = hd_adamw(.lr = 1e-3);
    const char *ce = "cross_entropy";
    const perf_workload steps[] = {
        {"tiny_b1", "1-16-tanh-16-tanh-16-tanh-16-tanh-1", HD_DIMS(1), 1, 1, "mse", sgd, false},
        {"tiny_b256", "1-16-tanh-16-tanh-16-tanh-16-tanh-1", HD_DIMS(1), 1, 256, "mse", sgd, false},
        {"mlp64_b1", "784-64-relu-10", HD_DIMS(784), 10, 1, ce, sgd, false},
        {"mlp64_b64", "784-64-relu-10", HD_DIMS(784), 10, 64, ce, sgd, false},
        {"mlp256_adam_b32", "256-256-relu-256-relu-10", HD_DIMS(256), 10, 32, ce, adam, false},
        {"lecun1989_b1", "lecun-1989", HD_DIMS(1, 16, 16), 10, 1, "mse", sgd, false},
        {"lenet5_b8", "lenet5", HD_DIMS(1, 28, 28), 10, 8, ce, sgd, false},
        {"cnn_adam_b2", "cnn-small", HD_DIMS(1, 28, 28), 10, 2, ce, adam, false},
        {"resnet20_b1", "resnet20", HD_DIMS(3, 32, 32), 10, 1, ce, sgd, false},
        {"mobilenet_forward_b1", "mobilenet_v2 {\"width_mult\": 0.25}", HD_DIMS(3, 64, 64), 10, 1, ce, sgd, true},
        {"lstm64_b8", "char-lstm {\"hidden_size\": 64, \"num_layers\": 1, \"dropout\": 0}", HD_DIMS(32), 65, 8, ce, sgd,
         false},
        {"gpt64_adamw_b2", "gpt-nano {\"n_layer\": 2, \"n_head\": 2, \"n_embd\": 64, \"n_positions\": 32}", HD_DIMS(32),
         65, 2, ce, adamw, false}};
    hd_status status = HD_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == HD_OK; i++) status = count(&steps[i]);
    return (int)status;
}
