#!/usr/bin/env python3
"""Times the fully connected rows of bench/workloads.def in JAX: the whole training step under one jit, its state given
back to it (donated). python bench/peers/jax_steps.py [--threads N] [--seconds S] [NAME ...]"""
import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "against"))
import workloads  # noqa: E402


def layers(text):
    """Widths, and after each the name of an activation or None: 784-64-relu-10."""
    widths, acts = [], []
    for word in text.split("-"):
        if word.isdigit():
            widths.append(int(word))
            acts.append(None)
        else:
            acts[-1] = word
    return widths, acts[1:]


def step_of(w, jax, jnp, optimizer):
    widths, acts = layers(w.network)
    act = {None: lambda h: h, "relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
    keys = jax.random.split(jax.random.PRNGKey(1), len(widths))
    weights = [(jax.random.normal(k, (i, o)) * i**-0.5, jnp.zeros(o)) for k, i, o in zip(keys, widths, widths[1:])]

    def forward(weights, x):
        for (m, b), name in zip(weights, acts):
            x = act[name](x @ m + b)
        return x

    def loss(weights, x, y):
        out = forward(weights, x)
        if w.loss == "mse":
            return jnp.mean((out - y) ** 2)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1))

    def step(weights, state, x, y):
        return optimizer(weights, jax.grad(loss)(weights, x, y), state)

    x = jax.random.normal(keys[-1], (w.batch, *w.sample))
    y = jnp.zeros((w.batch, w.outputs)) if w.loss == "mse" else jnp.zeros(w.batch, dtype=int)
    if not w.trains:
        compiled = jax.jit(forward)
        return lambda state: (state, compiled(weights, x)), None
    compiled = jax.jit(step, donate_argnums=(0, 1))

    def once(state):
        state = compiled(*state, x, y)
        return state, state

    zeros = lambda: jax.tree_util.tree_map(jnp.zeros_like, weights)
    return once, (weights, (zeros(), zeros(), jnp.zeros(())))


def optimizers(w, jax, jnp):
    leaf = jax.tree_util.tree_map

    def momentum(weights, grads, state):
        moved = leaf(lambda m, g: w.momentum * m + g, state[0], grads)
        return leaf(lambda p, m: p - w.rate * m, weights, moved), (moved, *state[1:])

    def adam(weights, grads, state):
        t = state[2] + 1
        m = leaf(lambda m, g: 0.9 * m + 0.1 * g, state[0], grads)
        v = leaf(lambda v, g: 0.999 * v + 0.001 * g * g, state[1], grads)
        rate = w.rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return leaf(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), weights, m, v), (m, v, t)

    return adam if w.optimizer == "adam" else momentum


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("names", metavar="NAME", nargs="*")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=2)
    o = p.parse_args()
    if hasattr(os, "sched_setaffinity"):  # XLA takes as many threads as there are processors for it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: o.threads])
    import jax
    import jax.numpy as jnp
    print(f"JAX {jax.__version__}, {o.threads} threads; median, the first step with compilation")
    for w in workloads.read(os.path.join(HERE, "..", "workloads.def")):
        if not w.network[0].isdigit() or (o.names and w.name not in o.names):
            continue
        once, state = step_of(w, jax, jnp, optimizers(w, jax, jnp))
        times, begin = [], time.perf_counter()
        while len(times) < 5 or time.perf_counter() - begin < o.seconds:
            t = time.perf_counter()
            state, result = once(state)
            jax.block_until_ready(result)
            times.append(time.perf_counter() - t)
        print(f"{w.name:20s} {1e3 * sorted(times)[len(times) // 2]:9.4f} ms   first {times[0]:.2f} s", flush=True)


if __name__ == "__main__":
    main()
