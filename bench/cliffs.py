#!/usr/bin/env python3
"""cliffs.py [FAMILY...]: looks for sizes where one more unit costs far more: training steps of small networks over widths,
batches, channels, units and lengths n = 32 ... 2048, where t(n+1) <= 1.5 t(n) and t(2n) <= 1.1 x the ratio of FLOPs x t(n)
should hold. What looks like a cliff is measured again before it counts. Ends with 8 when there is one."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STEP, DOUBLE = 1.5, 1.1
SIZES = sorted({m + d for m in (48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536) for d in (-1, 0, 1)} |
               {32, 33, 47, 2047, 2048})


def mlp(n, batch, layers=2):
    return {"network": "-".join(["256"] + [f"{n}-relu"] * layers + ["10"]), "sample": [256], "outputs": 10, "batch": batch}


def convolutions(n, batch, side):
    conv = {"conv2d": {"out_channels": n, "kernel_size": 3, "padding": 1}}
    return {"network": [conv, "relu", conv, "relu", "global_avg_pool", "flatten", {"linear": {"out_features": 10}}],
            "sample": [16, side, side], "outputs": 10, "batch": batch}


def lstm(n, batch, steps):
    return {"network": f'char-lstm {{"embedding": 64, "hidden_size": {n}, "num_layers": 1, "dropout": 0}}',
            "sample": [steps], "outputs": 65, "batch": batch}


def gpt(n, batch):
    return {"network": f'gpt-nano {{"n_layer": 1, "n_head": 2, "n_embd": 64, "n_positions": {n}}}', "sample": [n],
            "outputs": 65, "batch": batch}


# name: what n is, the case of an n, the largest n (what is larger takes minutes and is made of the same pieces)
FAMILIES = {
    "mlp_width": ("width of an MLP, batch 64", lambda n: mlp(n, 64), 2048),
    "mlp_batch": ("batch of an MLP of width 64", lambda n: mlp(64, n), 2048),
    "mlp_batch_wide": ("batch of an MLP of width 512", lambda n: mlp(512, n), 2048),
    "conv_channels": ("channels of 3x3 convolutions, 14x14, batch 4", lambda n: convolutions(n, 4, 14), 512),
    "conv_batch": ("batch of 3x3 convolutions of 32 channels, 14x14", lambda n: convolutions(32, n, 14), 1024),
    "conv_batch_odd": ("batch of 3x3 convolutions of 20 channels, 14x14", lambda n: convolutions(20, n, 14), 1024),
    "lstm_units": ("units of an LSTM, batch 16 x 16", lambda n: lstm(n, 16, 16), 1024),
    "lstm_batch": ("batch of an LSTM of 64 units, 16 steps", lambda n: lstm(64, n, 16), 2048),
    "attention_length": ("length of a transformer's context, 64 units, batch 2", lambda n: gpt(n, 2), 2048),
}


def measure(o, family, sizes, rounds):
    """{n: (least ms, FLOPs)} of these sizes."""
    case = FAMILIES[family][1]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"cases": [{"name": f"{family}_{n}", **case(n)} for n in sizes]}, file)
        file.flush()
        command = [os.path.join(o.build, "hadal-perf"), "--cases", file.name, "--json", "--rounds", str(rounds),
                   "--seconds", str(o.seconds)] + (["--threads", str(o.threads)] if o.threads else [])
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"cliffs: hadal-perf ended with {done.returncode} on {family}")
    rows = json.loads(done.stdout)["workloads"]
    return {n: (min(r["q1_ms"] for r in row["rounds"]), row["flops"]) for n, row in zip(sizes, rows)}


def cliffs(found):
    """(n, m, how many times the bar) of every pair that breaks its bar."""
    broken = []
    for n in found:
        for m, bar in ((n + 1, STEP), (2 * n, DOUBLE * found[2 * n][1] / found[n][1] if 2 * n in found else 0)):
            if m in found and found[m][0] > bar * found[n][0]:
                broken.append((n, m, found[m][0] / (bar * found[n][0])))
    return broken


def search(o, family):
    """All sizes once over, then twice more those that look bad: noise seldom strikes the same size three times."""
    sizes = [n for n in SIZES if n <= FAMILIES[family][2]]
    found = measure(o, family, sizes, o.rounds)
    for _ in range(2):
        again = sorted({n for pair in cliffs(found) for n in pair[:2]})
        if not again:
            break
        for n, new in measure(o, family, again, o.rounds + 2).items():
            found[n] = min(found[n], new)
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__.split(": ")[0])
    p.add_argument("families", metavar="FAMILY", nargs="*", help=", ".join(FAMILIES))
    p.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder with hadal-perf (build)")
    p.add_argument("--threads", type=int, default=0, help="(all processors)")
    p.add_argument("--rounds", type=int, default=3, help="measurements of each size; the fastest counts (3)")
    p.add_argument("--seconds", type=float, default=0.03, help="of timing in each (0.03)")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output")
    p.add_argument("--all", action="store_true", help="print every size, not the cliffs alone")
    o = p.parse_args()
    unknown = set(o.families) - set(FAMILIES)
    if unknown:
        sys.exit(f"cliffs: no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    result, bad = {}, 0
    for family in o.families or FAMILIES:
        found = search(o, family)
        broken = cliffs(found)
        bad += len(broken)
        result[family] = {"what": FAMILIES[family][0], "ms": {n: v[0] for n, v in found.items()},
                          "flops": {n: v[1] for n, v in found.items()},
                          "cliffs": [{"from": n, "to": m, "over": over} for n, m, over in broken]}
        if o.json:
            continue
        print(f"{family}: {FAMILIES[family][0]}, {len(found)} sizes, {len(broken)} cliffs", flush=True)
        for n in found if o.all else ():
            print(f"  {n:5d} {found[n][0]:10.4f} ms {1e-6 * found[n][1] / found[n][0]:8.1f} GFLOP/s")
        for n, m, over in broken:
            print(f"  {n} -> {m}: {found[n][0]:.4f} -> {found[m][0]:.4f} ms, {1e-6 * found[n][1] / found[n][0]:.1f} -> "
                  f"{1e-6 * found[m][1] / found[m][0]:.1f} GFLOP/s, {100 * over - 100:.0f} % over the bar", flush=True)
    if o.json:
        print(json.dumps(result))
    sys.exit(8 if bad else 0)


if __name__ == "__main__":
    main()
