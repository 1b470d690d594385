/* optim_adamw.h: Adam with weight decay apart from the gradient. */
#ifdef HD_OPTIM_RULES
HD_INLINE R adamw_rule(const RULE *f, R p, R d, R *s) {
    return adam_rule(f, p, d, s);
}
#endif

#ifdef HD_OPTIM_ABOUT
static const hd_optim hd_optim_adamw = {
    .name = "adamw",
    .op = &hd_op_adamw_update,
    .lr = 0.001,
    .weight_decay = 0.01,
    .decoupled = true,
    .slot = ADAM_SLOTS,
    .keeps = adam_keeps,
    .step = adam_step,
};

HD_UPDATE(adamw, .options = (const hd_option[]){ADAM_SETTINGS}, .formula = "p ← (1 − lr·wd)·p; then as adam",
          .source = "Loshchilov, Hutter: Decoupled weight decay regularization, ICLR 2019; as torch.optim.AdamW",
          .doc = "One step of AdamW: as Adam, but weight decay is taken off the weights.",
          .samples =
              (const hd_sample[]){
                  {"f32[1]={2}, f32[1]={1}, f64[5]={0.1 1 0.5 1 1}, -, f32[1]={0}, f32[1]={0}",
                   "{1.8} {0.1} {0.001} {} {}"},
                  {"f32[1]={2}, f32[1]={1}, f64[5]={0.1 1 0.5 1 1}, -, f32[1]={0}, f32[1]={0} | decay=0",
                   "{1.9} {0.1} {0.001} {} {}"},
                  {"f32[300], f32[300], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[300], f32[300]:pos | beta1=0.8 "
                   "beta2=0.99 eps=1e-6",
                   NULL},
                  {"f32[33], f32[33], f64[5]={0.01 7 0.01 1 1}, -, f32[33], f32[33]:pos, f32[33]:pos, f32[33] | "
                   "amsgrad=true ema=0.9",
                   NULL},
                  {0}},
          .bad = (const hd_bad_sample[]){ADAM_BAD})
#endif

HD_OPTIMIZER(adamw)
