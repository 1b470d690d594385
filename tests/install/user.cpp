// user.cpp: the same headers from C++17: a graph by the functions that the C macros call, one step of training.
#include <cstdio>
#include <hadal/hadal.h>

namespace {
hd_val linear(hd_val x, const char *name, int64_t out) {
    hd_nn_linear_args args = {};
    args.x = x;
    args.name = name;
    args.out_features = out;
    return hd_nn_linear_at(HD_HERE, &args);
}

hd_status step(hd_graph *graph, hd_program **program, float *loss) {
    const hd_val x = hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, 3));
    const hd_val target = hd_input(graph, "target", HD_F32, HD_DIMS(HD_BATCH, 1));
    hd_loss_args args = {};
    args.x = linear(x, "fc", 1);
    args.target = target;
    hd_optimizer sgd = {};
    sgd.name = "sgd";
    sgd.lr = 0.01;
    const hd_target what = hd_train_step(hd_mse_at(HD_HERE, &args), sgd);
    const float in[] = {1, 2, 3}, wanted[] = {1};
    hd_status status = hd_compile(program, what, HD_DEVICE_AUTO);
    if (status == HD_OK) status = hd_program_set(*program, "x", in);
    if (status == HD_OK) status = hd_program_set(*program, "target", wanted);
    for (int i = 0; i < 2 && status == HD_OK; i++) {
        status = hd_program_run(*program);
        if (status == HD_OK) loss[i] = *static_cast<const float *>(hd_program_get(*program, "loss"));
    }
    return status;
}
} // namespace

int main() {
    hd_context *ctx = nullptr;
    hd_graph *graph = nullptr;
    hd_program *program = nullptr;
    float loss[2] = {};
    hd_status status = hd_context_new(&ctx, nullptr);
    if (status == HD_OK) status = hd_graph_new(&graph, ctx);
    if (status == HD_OK) status = step(graph, &program, loss);
    if (status != HD_OK) std::fprintf(stderr, "%s\n", ctx ? hd_last_error(ctx) : "no context");
    std::printf("loss %g, then %g\n", static_cast<double>(loss[0]), static_cast<double>(loss[1]));
    hd_program_free(program);
    hd_graph_free(graph);
    hd_context_free(ctx);
    return status == HD_OK && loss[1] < loss[0] ? 0 : 1;
}
