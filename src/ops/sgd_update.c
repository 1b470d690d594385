/* sgd_update.c: one step of stochastic gradient descent, in place. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status sgd_update_infer(hd_infer *c) {
    if (hd_need_float(c, 0) || hd_need_same(c, 0, 1) || hd_need_hyper(c, 2, 3)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    /* Without momentum there is no velocity to write: output 1 then has no elements. */
    c->out[1] = (hd_type){c->in[0].dtype, {.rank = 1}};
    if (hd_absent(c, 4)) return HD_OK;
    c->out[1] = c->in[0];
    return hd_need_same(c, 0, 4);
}

static void sgd_update_ref(const hd_ref *r) {
    const hd_sgd_update_args *a = r->attr;
    const double *hyper = r->in[2].data, lr = hyper[0], t = hyper[1], decay = hyper[2];
    const double scale = r->n_in > 3 && r->in[3].data ? hd_get(&r->in[3], 0) : 1;
    const void *velocity = r->n_in > 4 ? r->in[4].data : NULL;
    HD_FLOATS(
        r->out[0].dtype, const T *p = r->in[0].data; const T *g = r->in[1].data; const T *v = velocity;
        T *p_new = r->out[0].data; T *v_new = r->out[1].data; for (int64_t i = 0; i < r->out[0].count; i++) {
            const double d = (double)g[i] * scale + decay * (double)p[i];
            double step = d;
            if (v) {
                step = t == 1 ? d : a->momentum * (double)v[i] + d;
                v_new[i] = (T)step;
                if (a->nesterov) step = d + a->momentum * step;
            }
            p_new[i] = (T)((double)p[i] - lr * step);
        })
}

static hd_cost sgd_update_cost(const hd_infer *c) {
    return hd_cost_of(c, 6 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_sgd_update = {
    .name = "sgd_update",
    .n_in = 3,
    .n_optional = 2,
    .n_out = 2,
    .in_names = HD_NAMES("p", "g", "hyper", "scale", "v"),
    .out_names = HD_NAMES("p", "v"),
    .args_size = sizeof(hd_sgd_update_args),
    .options =
        (const hd_option[]){
            HD_OPTION(FLOAT, hd_sgd_update_args, momentum, .min = 0, .max = 1, .help = "of the velocity"),
            HD_OPTION(BOOL, hd_sgd_update_args, nesterov, .help = "look ahead along the velocity"), HD_OPTION_END},
    .flags = HD_OP_EFFECT,
    .infer = sgd_update_infer,
    .no_grad_reason = "it acts after the step that is differentiated",
    .ref = sgd_update_ref,
    .cost = sgd_update_cost,
    .alias = {1, 5},
    .formula = "g ← scale·g + wd·p; v ← momentum·v + g; p ← p − lr·(nesterov ? g + momentum·v : v)",
    .source = "Robbins, Monro 1951; Sutskever et al. 2013; as torch.optim.SGD",
    .doc =
        "One step of stochastic gradient descent: hyper is f64 [4] (learning rate, step number from 1, weight decay, "
        "0), "
        "scale a factor of the gradient (clipping), v the velocity (none without momentum; at step 1 it starts as g).",
    .samples =
        (const hd_sample[]){
            {"f32[2]={1 2}, f32[2]={10 -10}, f64[4]={0.1 1 0 0}", "{0 3} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[4]={0.5 2 0 0}, -, f32[1]={4} | momentum=0.5", "{-1} {4}"},
            {"f32[1]={1}, f32[1]={2}, f64[4]={0.5 2 0 0}, -, f32[1]={4} | momentum=0.5 nesterov=true", "{-1} {4}"},
            {"f32[1]={1}, f32[1]={2}, f64[4]={0.5 1 2 0}, f32[]={0.5}, f32[1]={4} | momentum=0.5", "{-0.5} {3}"},
            {"f32[3,5], f32[3,5], f64[4]={0.1 3 0.01 0}, f32[]={0.7}, f32[3,5] | momentum=0.9 "
             "nesterov=true",
             NULL},
            {"f32[1000], f32[1000], f64[4]={0.1 3 0.01 0}, -, f32[1000] | momentum=0.9", NULL},
            {"f32[33], f32[33], f64[4]={0.1 1 0.01 0}", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[4]={0.1 1 0 0}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [4]"},
                                   {"f32[3], f32[3], f64[4]={0.1 1 0 0}, f32[1]", "scale must be a float scalar"},
                                   {0}},
};

HD_BUILDER(sgd_update, hd_sgd_update_args)
