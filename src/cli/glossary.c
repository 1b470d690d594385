/* glossary.c: owns the words of the field, each explained short and true for somebody who meets it for the first time.
 * A new word is one entry; `hadal help WORD` finds it by its term or its other spellings. */
#include "cli/help.h"
#include <string.h>

const glossary_entry glossary[] = {
    {"accuracy", "acc",
     "The share of samples whose predicted class is the true one. Beside it stands a 95 % interval: with few samples "
     "the "
     "same network could as well have scored a little less or more. Compare it with the majority baseline: 90 % is "
     "nothing when 90 % of the data are of one class."},
    {"activation", "activations nonlinearity",
     "A function applied to each number between two layers: relu, tanh, sigmoid. Without it, any number of linear "
     "layers would be no more than one linear layer. The values it gives are called activations too; training keeps "
     "them for the backward pass, which is where most of its memory goes."},
    {"adam", "adamw",
     "An optimiser that keeps, for each weight, running means of the gradient and of its square, and divides one by "
     "the root of the other: every weight gets steps of about the learning rate's size. AdamW takes weight decay apart "
     "from the gradient. It needs twice the memory of the weights. Kingma and Ba 2015; Loshchilov and Hutter 2019."},
    {"backpropagation", "backward backprop",
     "How the gradient is computed: the chain rule, applied from the loss back through every layer. It costs about "
     "twice the work of the forward pass. Rumelhart, Hinton and Williams 1986."},
    {"baseline", "baselines majority linear-baseline",
     "What something very simple reaches on the same data: always answering the most frequent class (majority), the "
     "mean "
     "of the targets (mean), or a network with no hidden layer (linear). A network that is not clearly better has not "
     "learnt anything that needed it."},
    {"batch", "batch-size minibatch",
     "The samples that one training step looks at together. The gradient is their mean: a larger batch gives a "
     "steadier "
     "gradient and uses the machine better, but makes fewer steps an epoch. With another batch size the best learning "
     "rate changes too."},
    {"batch-norm", "batchnorm batch-normalization normalization-layer",
     "A layer that shifts and scales each channel to mean 0 and deviation 1 over the batch, then by two learnt "
     "numbers. "
     "While training it uses the batch's own statistics, in prediction the running ones it has collected. It lets deep "
     "networks train at larger learning rates. Ioffe and Szegedy 2015."},
    {"bf16", "bfloat16 mixed-precision",
     "Numbers of 16 bits: the range of f32 with two to three decimal digits. With --precision bf16 the products inside "
     "layers multiply such numbers and add them up in f32; weights, optimiser, losses and statistics stay f32, so "
     "training reaches the same accuracy. Up to twice as fast where the processor multiplies bf16 (hadal version "
     "says), "
     "no faster than f32 where it must be emulated."},
    {"bias", "", "The number that a unit adds to its weighted sum, so that it need not pass through zero."},
    {"checkpoint", "resume last.state",
     "Everything a run needs to go on as if nothing had happened: weights, the optimiser's memory, the place in the "
     "data, "
     "the random state. It is written aside and renamed, so that it is always the old one or the new one. "
     "hadal train --resume RUN goes on, to the same bits."},
    {"class", "classes label labels",
     "One of the answers a classifier can give. The label of a sample is its true class."},
    {"confusion-matrix", "confusion",
     "A table that counts, for each true class (row), which class was predicted (column). What is right lies on the "
     "diagonal; a large number beside it names two classes that are taken for each other."},
    {"convolution", "conv conv2d kernel filter",
     "A layer that moves a small window of weights (the kernel) over a picture and writes, for each place, the "
     "weighted "
     "sum under it. The same few weights serve every place, so a stroke is recognised wherever it is. LeCun et al. "
     "1989."},
    {"cross-entropy", "log-loss nll negative-log-likelihood",
     "The loss of classification: −ln of the probability that the network gave to the true class, averaged. Sure and "
     "right costs 0; guessing among k classes costs ln k (2.303 for 10); sure and wrong costs much. It takes logits "
     "and "
     "applies softmax itself."},
    {"dropout", "",
     "While training, each activation is set to zero with probability p and the others are scaled up by 1/(1−p); in "
     "prediction nothing is dropped. No unit can rely on one other, which works against overfitting. Srivastava et al. "
     "2014."},
    {"early-stopping", "patience",
     "Ending the training when validation has not become better for some epochs (patience=3). The best weights are "
     "kept, "
     "so stopping late costs only time."},
    {"epoch", "epochs",
     "One pass over all training samples, in a new random order. With 54,000 samples and batches of 128 it has 422 "
     "steps."},
    {"f1", "precision recall",
     "For one class: precision is the share of right ones among those predicted, recall the share found of those that "
     "are. "
     "F1 is 2·precision·recall / (precision + recall); here its mean over the classes. It shows what accuracy hides "
     "when "
     "classes are of unequal size."},
    {"feature", "features", "One number of an input: a column of a table, a pixel of a picture."},
    {"flop", "flops gflops mflop",
     "One floating-point operation. A multiply and an add are two. The work of a network is counted forward for one "
     "sample; a training step costs about three times as much per sample."},
    {"forward", "forward-pass inference", "Computing the outputs from the inputs, layer by layer."},
    {"generalization", "generalisation",
     "Doing well on data never seen in training: the only thing that counts, and what validation and test measure."},
    {"gradient", "gradients derivative",
     "For each weight: how much the loss would rise if that weight rose a little. Stepping against it makes the loss "
     "smaller."},
    {"gradient-descent", "sgd stochastic-gradient-descent",
     "Learning by small steps: w ← w − lr · gradient. Stochastic, because each step sees one batch and not all the "
     "data. "
     "Robbins and Monro 1951."},
    {"hidden-layer", "hidden hidden-layers",
     "A layer between input and output. With one of them that is wide enough, a network can approximate any continuous "
     "function (Cybenko 1989); several let it build large patterns from small ones."},
    {"interval", "confidence-interval uncertainty",
     "The range that would hold the true value in 95 of 100 repetitions with other samples. 97.8 % (97.5 … 98.1) on "
     "10,000 "
     "samples; on 100 samples the same score would only mean 92 … 99 %. Shares use Wilson's interval (1927). When two "
     "networks' intervals overlap widely, neither has been shown to be better."},
    {"layer", "layers",
     "One step of a network: takes the numbers of the layer before and gives new ones, with weights of its own "
     "(linear, "
     "conv2d) or without (relu, flatten)."},
    {"learning-rate", "lr step-size",
     "How large a step each weight takes against its gradient. The one number to get right first: too small learns "
     "slowly, too large makes the loss jump or become nan. Try 0.001 with adamw, 0.1 or 0.01 with sgd, then a third or "
     "three times as much."},
    {"linear", "dense fully-connected",
     "A layer in which each output is a weighted sum of all inputs plus a bias: y = x·Wᵀ + b."},
    {"logit", "logits",
     "The scores that a classifier's last layer gives, any real numbers, before softmax or sigmoid make probabilities "
     "of "
     "them. Losses here take logits: computing them together is exact where exp alone would overflow."},
    {"loss", "objective",
     "One number that says how wrong the network is on a batch; training makes it small. It must be smooth, so it is "
     "not accuracy itself. Its height means something only beside the same loss on the same data."},
    {"mae", "mean-absolute-error", "The mean size of the error, in the target's own units."},
    {"momentum", "nesterov",
     "SGD that keeps moving the way it has been going: v ← μ·v + gradient, w ← w − lr·v. With μ = 0.9 the steps become "
     "up "
     "to ten times longer along steady slopes and cancel across valleys. Polyak 1964; Nesterov 1983."},
    {"mse", "mean-squared-error squared-error half-squared-error",
     "The loss for numbers: the mean of (prediction − target)². Twice the error costs four times as much, so single "
     "large "
     "errors weigh heavily."},
    {"neuron", "unit units perceptron",
     "One output of a layer: a weighted sum of the inputs plus a bias, through an activation. Rosenblatt 1958."},
    {"normalize", "normalization normalisation standardize",
     "Inputs are shifted and scaled to mean 0 and deviation 1 before the network sees them. The mean and deviation are "
     "learnt on the training part alone and stored in the model, so predicting applies the same ones."},
    {"optimizer", "optimiser",
     "The rule that turns gradients into new weights: sgd, adamw, rmsprop, lion, muon …; see optimizers."},
    {"overfitting", "overfit",
     "The network learns the training samples by heart instead of what they have in common: training loss keeps "
     "falling "
     "while validation loss rises. More data helps most; then a smaller network, weight_decay=0.1, dropout, or "
     "stopping at the best "
     "epoch (patience=3), which Hadal's best.safetensors does in any case."},
    {"parameter", "parameters weight weights",
     "A number that training changes: weights and biases. A network's parameters are what it has learnt. "
     "784-200-relu-10 has 784·200 + 200 + 200·10 + 10 = 159,010."},
    {"plan", "memory-plan",
     "The memory a program will need, computed before anything is allocated: weights, gradients, the optimiser's "
     "memory, activations. Values whose lives do not overlap share a place."},
    {"pooling", "pool max-pool avg-pool",
     "A layer that makes a picture smaller by keeping, of each small window, the largest value or the mean."},
    {"r2", "r-squared",
     "The share of the targets' variance that the prediction explains: 1 is perfect, 0 is no better than always "
     "answering "
     "the mean, below 0 is worse."},
    {"relu", "rectifier",
     "max(0, x): the plainest activation, and the usual one. Its slope is 1 for positive numbers, so gradients pass "
     "through "
     "many layers without fading. Nair and Hinton 2010."},
    {"rmse", "root-mean-squared-error",
     "The root of the mean squared error: the typical size of an error, in the target's own units."},
    {"run", "run-folder runs",
     "One training and everything about it, in a folder: recipe.yaml, log.jsonl, results.csv, result.json, best and "
     "last "
     "weights, the state to go on from, report.html."},
    {"sample", "samples example", "One input with its target: a picture and its class, a row of a table."},
    {"schedule", "warmup cosine one-cycle",
     "How the learning rate changes during training. Large first and small at the end finds better weights than any "
     "constant: cosine falls to zero along half a cosine; a warm-up rises to the full rate over the first steps."},
    {"seed", "reproducible determinism",
     "The number that every random choice is computed from: first weights, order of samples, dropout. The same seed "
     "gives "
     "the same bits, on any number of threads. Two seeds show how much of a result was luck."},
    {"sigmoid", "logistic",
     "σ(x) = 1 / (1 + e⁻ˣ): squeezes any number into 0 … 1. The probability of the second of two classes when "
     "there is one output."},
    {"softmax", "",
     "Makes probabilities of k scores: e to each, divided by the sum. They are positive and add up to 1. How sure they "
     "sound "
     "is not how right they are."},
    {"split", "train validation test val",
     "Data are cut into three parts. The training part is learnt from; the validation part chooses (the best epoch, "
     "the "
     "learning rate); the test part is looked at once, at the end, because whatever chooses is no fair judge."},
    {"step", "iteration steps", "One batch forward, its loss, backward, and one update of the weights."},
    {"tanh", "", "An activation from −1 to 1, S-shaped like sigmoid but centred at zero."},
    {"tensor", "",
     "Numbers in a grid of any number of dimensions: a vector has one, a table two, a batch of colour pictures four "
     "(sample, channel, row, column)."},
    {"underfitting", "underfit",
     "Training loss itself stays high: the network is too small, the learning rate wrong, or the training too short. "
     "More data does not help here."},
    {"weight-decay", "l2 regularization regularisation",
     "Each step also shrinks the weights by lr · weight_decay. Small weights make smooth functions, which works "
     "against "
     "overfitting."},
    {NULL, NULL, NULL}};

/* Equal when "-", "_" and " " count as the same, over n bytes of `typed`. */
static bool same_term(const char *term, size_t n, const char *typed) {
    if (strlen(typed) != n) return false;
    for (size_t i = 0; i < n; i++) {
        char a = term[i], b = typed[i];
        if (b == '_' || b == ' ') b = '-';
        if (b >= 'A' && b <= 'Z') b = (char)(b - 'A' + 'a');
        if (a != b) return false;
    }
    return true;
}

const glossary_entry *glossary_find(const char *typed) {
    for (const glossary_entry *e = glossary; e->term; e++) {
        if (same_term(e->term, strlen(e->term), typed)) return e;
        for (const char *p = e->also; *p;) {
            size_t n = strcspn(p, " ");
            if (same_term(p, n, typed)) return e;
            p += n + (p[n] == ' ');
        }
    }
    return NULL;
}
