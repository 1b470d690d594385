#!/usr/bin/env python3
"""Times every op of bench/ops.txt, ours against PyTorch eager, forward alone and with gradients.

    python bench/ops_against_pytorch.py [--build build] [--threads 2] [--rounds 6] [--json FILE] [NAME ...]

Both sides are asked in turn, and the fastest run of each counts: what else the machine does only adds. Needs a Python
with torch; `cmake --build build --target op-bench` makes our half.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))


def cases():
    with open(os.path.join(HERE, "ops.txt"), encoding="utf-8") as lines:
        for line in lines:
            parts = [p.strip() for p in line.split("|", 3)]
            if len(parts) == 4 and not line.startswith("#"):
                yield parts


def tensor(text):
    """A tensor as one word of a case describes it, and its name."""
    name, kind = text.split("=", 1)
    dtype, rest = kind.split("[", 1)
    dims, rest = rest.split("]", 1)
    shape = [int(d) for d in dims.split(",") if d]
    if dtype == "f32":
        low = float(rest.rstrip("!")[1:]) if rest.startswith(">") else -1.0
        x = torch.rand(shape) * 2 + low
        return name, x.requires_grad_(not rest.endswith("!"))
    if dtype == "bool":
        return name, torch.randint(0, 2, shape).bool()
    return name, torch.randint(0, int(rest[1:]), shape)


class Theirs:
    """One case in PyTorch."""

    def __init__(self, inputs, expression):
        self.names = dict(tensor(w) for w in inputs.split())
        self.code = compile(expression, "ops.txt", "eval")
        self.leaves = [t for t in self.names.values() if t.requires_grad]
        y = self.forward()
        self.dy = torch.rand_like(y) if y.dtype.is_floating_point else None
        self.differentiable = bool(self.leaves) and y.requires_grad

    def forward(self):
        return eval(self.code, {"torch": torch, "F": F}, self.names)

    def once(self, what):
        if what == "forward":
            with torch.no_grad():
                self.forward()
        else:
            torch.autograd.grad(self.forward(), self.leaves, self.dy, allow_unused=True)

    def fastest(self, what):
        # one thread: the time that it had a processor, so that what else runs counts little
        clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
        best, begin, n = float("inf"), clock(), 0
        while n < 3 or (clock() - begin < 0.02 and n < 500):
            t = clock()
            self.once(what)
            best = min(best, clock() - t)
            n += 1
        return 1e6 * best


class Ours:
    """The program op-bench, which answers line by line."""

    def __init__(self, build, threads):
        command = [os.path.join(build, "op-bench"), os.path.join(HERE, "ops.txt"), str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def fastest(self, name, what):
        self.process.stdin.write(f"{name} {what}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if answer.startswith("error") or not answer:
            raise RuntimeError(answer.strip() or "op-bench ended")
        words = answer.split()
        return float(words[0]), words[1:]


def measure(ours, case, what, rounds):
    name, inputs, _, expression = case
    theirs = Theirs(inputs, expression)
    if what == "backward" and not theirs.differentiable:
        return None
    mine, other, kernels = float("inf"), float("inf"), []
    for _ in range(rounds):
        us, kernels = ours.fastest(name, what)
        mine = min(mine, us)
        other = min(other, theirs.fastest(what))
    return {"name": name, "what": what, "ours": mine, "pytorch": other, "ratio": mine / other, "kernels": kernels}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default="build")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=6)
    p.add_argument("--json")
    p.add_argument("--above", type=float, default=0, help="print only ratios above this")
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    ours, rows = Ours(a.build, a.threads), []
    for case in cases():
        if a.names and case[0] not in a.names:
            continue
        for what in ("forward", "backward"):
            try:
                row = measure(ours, case, what, a.rounds)
            except Exception as e:  # a case that one side lacks must not end the table
                print(f"{case[0]} {what}: {e}", file=sys.stderr)
                break
            if row:
                rows.append(row)
    rows.sort(key=lambda r: -r["ratio"])
    print(f"{datetime.date.today()}, {platform.processor() or platform.machine()}, {a.threads} threads, torch "
          f"{torch.__version__}; microseconds")
    print(f"{'op':22} {'':9} {'ours':>10} {'PyTorch':>10} {'ratio':>7}")
    for r in rows:
        if r["ratio"] > a.above:
            what = "forward" if r["what"] == "forward" else "+ gradient"
            slow = [k for k in r["kernels"] if k.endswith(":ref")]
            print(f"{r['name']:22} {what:10} {r['ours']:10.1f} {r['pytorch']:10.1f} {r['ratio']:7.2f}  {' '.join(slow)}")
    if a.json:
        with open(a.json, "w", encoding="utf-8") as f:
            json.dump({"date": str(datetime.date.today()), "threads": a.threads, "torch": torch.__version__,
                       "rows": rows}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
