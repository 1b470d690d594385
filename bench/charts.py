#!/usr/bin/env python3
"""charts.py: draws docs/charts/*.svg, the cost of a training step against batch, width, depth, length and threads, from
docs/charts/measured.json. --measure makes that file anew with build/hadal-perf; --torch PYTHON (which has torch) adds
PyTorch eager with fused optimisers on the same networks."""
import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
FOLDER = os.path.join(ROOT, "docs", "charts")
CE = "cross_entropy"


def powers(first, last):
    return [2 ** i for i in range(first.bit_length() - 1, last.bit_length())]


def case(network, sample, outputs, batch):
    return {"network": network, "sample": sample, "outputs": outputs, "batch": batch}


def lstm(n):
    return case('char-lstm {"embedding": 64, "hidden_size": 64, "num_layers": 1, "dropout": 0}', [n], 65, 16)


def gpt(n):
    return case(f'gpt-nano {{"n_layer": 1, "n_head": 2, "n_embd": 64, "n_positions": {n}}}', [n], 65, 2)


# key: title, what x is, its values, the case of an x
CHARTS = {
    "batch": ("MLP 784-64-10", "batch, samples", powers(1, 256), lambda n: case("784-64-relu-10", [784], 10, n)),
    "batch-lenet5": ("LeNet-5", "batch, pictures", powers(1, 256), lambda n: case("lenet5", [1, 28, 28], 10, n)),
    "width": ("MLP 256-n-n-10, batch 64", "width n, units", powers(8, 2048),
              lambda n: case(f"256-{n}-relu-{n}-relu-10", [256], 10, 64)),
    "depth": ("MLP of 64 units a layer, batch 64", "depth, hidden layers", powers(1, 64),
              lambda n: case("64-" + "64-relu-" * n + "10", [64], 10, 64)),
    "sequence-lstm": ("LSTM of 64 units, batch 16", "sequence, steps", powers(16, 2048), lstm),
    "sequence-transformer": ("Transformer of one layer, 64 units, batch 2", "context, tokens", powers(16, 2048), gpt),
    "threads": ("CNN 32-32-128 on 28×28, batch 64", "threads", None, lambda n: case("cnn-small", [1, 28, 28], 10, 64)),
}


# ---- measuring ----

def measure_ours(o, cases, threads):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"cases": [{"name": f"c{i}", **c} for i, c in enumerate(cases)]}, file)
        file.flush()
        command = [os.path.join(o.build, "hadal-perf"), "--cases", file.name, "--json", "--seconds", "0.08", "--rounds", "2"]
        done = subprocess.run(command + ["--threads", str(threads)], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return [min(r["ms"] for r in w["rounds"]) for w in found["workloads"]], found


def measure_torch(o, cases, threads):
    if not o.torch:
        return None, None
    done = subprocess.run([o.torch, os.path.abspath(__file__), "--torch-worker", str(threads)], input=json.dumps(cases),
                          stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return found["ms"], found["torch"]


def torch_worker(threads):
    """Inside a Python that has torch: the same steps, eager."""
    sys.path.insert(0, os.path.join(HERE, "against"))
    import networks
    import torch
    import worker
    import workloads
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    ms = []
    for c in json.load(sys.stdin):
        word, _, options = c["network"].partition(" ")
        w = workloads.Workload("", word, json.loads(options or "{}"), tuple(c["sample"]), c["outputs"], c["batch"], CE, "sgd",
                               1e-3, 0.9)
        step = worker.training(torch, w, networks.build(w), {"eager"}, *worker.data(torch, w))
        ms.append(1e3 * step_seconds(step))
    print(json.dumps({"ms": ms, "torch": torch.__version__}))


def step_seconds(step):
    """The least of two medians, as it is for ours."""
    for _ in range(3):
        step()
    found = []
    for _ in range(2):
        times, end = [], time.perf_counter() + 0.08
        while len(times) < 3 or time.perf_counter() < end:
            before = time.perf_counter()
            step()
            times.append(time.perf_counter() - before)
        found.append(sorted(times)[len(times) // 2])
    return min(found)


def measure(o):
    most = o.threads or os.cpu_count()
    plan = [(key, x, most) for key, (_, _, xs, _) in CHARTS.items() for x in xs or ()]
    plan += [("threads", n, n) for n in sorted({*(p for p in powers(1, most)), most})]
    result = {"date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(), "threads": most, "torch": None,
              "charts": {key: {"x": [], "ours": [], "torch": []} for key in CHARTS}}
    for threads in sorted({t for _, _, t in plan}):
        mine = [(key, x) for key, x, t in plan if t == threads]
        cases = [CHARTS[key][3](x) for key, x in mine]
        ours, facts = measure_ours(o, cases, threads)
        theirs, version = measure_torch(o, cases, threads)
        result.update({k: facts[k] for k in ("machine", "isa", "hadal", "onednn")}, torch=version)
        for i, (key, x) in enumerate(mine):
            chart = result["charts"][key]
            chart["x"].append(x)
            chart["ours"].append(ours[i])
            if theirs:
                chart["torch"].append(theirs[i])
    with open(o.data, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


# ---- drawing: an own background, so that the page's may be light or dark ----

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 74, 112, 62, 62
INK, FAINT, GRID = "#1d2733", "#5b6673", "#e3e7ec"
SERIES = {"ours": ("Hadal", "#0b62b0"), "torch": ("PyTorch eager", "#b4530a")}


def time_text(ms):
    for unit, size in (("s", 1e3), ("ms", 1), ("µs", 1e-3)):
        if ms >= size * 0.9999 or unit == "µs":
            return f"{ms / size:.3g} {unit}"
    return ""


class Scale:
    """Logarithmic, from a value to a place."""

    def __init__(self, low, high, start, end):
        self.low, self.span, self.start, self.length = math.log(low), math.log(high / low) or 1, start, end - start

    def __call__(self, value):
        return self.start + self.length * (math.log(value) - self.low) / self.span


def text(x, y, words, anchor="start", size=12, colour=INK, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{more}>'
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, colour, width=1.0):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def marker(name, x, y, colour):
    if name == "ours":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{colour}"/>'
    return f'<rect x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4" fill="{colour}"/>'


def ticks(low, high):
    """1, 2, 5 of every decade inside."""
    found = [m * 10.0 ** e for e in range(-5, 7) for m in (1, 2, 5)]
    found = [t for t in found if low * 0.999 <= t <= high * 1.001]
    return found if len(found) <= 9 else [t for t in found if abs(math.log10(t) - round(math.log10(t))) < 1e-9]


def bounds(values):
    """The 1, 2 or 5 of a decade below the least and above the greatest."""
    all_ticks = [m * 10.0 ** e for e in range(-6, 8) for m in (1, 2, 5)]
    low = max(t for t in sorted(all_ticks) if t <= 0.93 * min(values))
    high = min(t for t in sorted(all_ticks) if t >= 1.07 * max(values))
    return low, high if high > low else low * 10


def axes(xs, x_of, y_of, low, high, x_title):
    out = []
    for t in ticks(low, high):
        out += [line(LEFT, y_of(t), WIDTH - RIGHT, y_of(t), GRID), text(LEFT - 8, y_of(t) + 4, time_text(t), "end", 11.5, FAINT)]
    for x in xs:
        out += [line(x_of(x), HEIGHT - BOTTOM, x_of(x), HEIGHT - BOTTOM + 5, FAINT),
                text(x_of(x), HEIGHT - BOTTOM + 19, str(x), "middle", 11.5, FAINT)]
    out += [line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, FAINT),
            text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 22, x_title + (" (log)" if len(xs) > 2 else ""), "middle", 12.5)]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(text(18, middle, "time of a training step (log)", "middle", 12.5, INK, f' transform="rotate(-90 18 {middle:.1f})"'))
    return out


def ends(chart, y_of):
    """Where the names at the end of the lines stand: never on each other."""
    places = {name: y_of(chart[name][-1]) for name in SERIES if chart.get(name)}
    if len(places) == 2 and abs(places["ours"] - places["torch"]) < 32:
        middle = sum(places.values()) / 2
        upper = min(places, key=places.get)
        places = {name: middle + (-16 if name == upper else 16) for name in places}
    return places


def draw(key, chart, facts):
    title, x_title = CHARTS[key][:2]
    xs, shown = chart["x"], {name: chart[name] for name in SERIES if chart.get(name)}
    low, high = bounds([v for values in shown.values() for v in values])
    x_of = Scale(xs[0], xs[-1], LEFT + 14, WIDTH - RIGHT - 8)
    y_of = Scale(low, high, HEIGHT - BOTTOM, TOP)
    threads = "" if key == "threads" else f", {facts['threads']} threads"
    said = f"{facts['machine']} ({facts['isa']}){threads}, f32, {facts['date']}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="system-ui, \'DejaVu Sans\', Arial, sans-serif" role="img">',
           f"<title>{escape(title)}: time of a training step against {escape(x_title)}</title>",
           f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="6" fill="#ffffff" stroke="#cdd4dc"/>',
           text(LEFT - 56, 28, title, size=15, more=' font-weight="600"'), text(LEFT - 56, 46, said, size=11.5, colour=FAINT)]
    out += axes(xs, x_of, y_of, low, high, x_title)
    places = ends(chart, y_of)
    for name, values in shown.items():
        label, colour = SERIES[name]
        points = [(x_of(x), y_of(v)) for x, v in zip(xs, values)]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2.2" stroke-linejoin="round"/>')
        out += [marker(name, x, y, colour) for x, y in points]
        out += [text(points[-1][0] + 10, places[name] - 2, label, size=12, colour=colour, more=' font-weight="600"'),
                text(points[-1][0] + 10, places[name] + 12, time_text(values[-1]), size=11.5, colour=colour)]
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--measure", action="store_true", help="measure first (some minutes)")
    p.add_argument("--torch", metavar="PYTHON", help="measure PyTorch too, with this Python")
    p.add_argument("--threads", type=int, default=0, help="(all processors)")
    p.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder with hadal-perf (build)")
    p.add_argument("--data", default=os.path.join(FOLDER, "measured.json"), help="what was measured (docs/charts/measured.json)")
    p.add_argument("--out", default=FOLDER, help="folder of the charts (docs/charts)")
    p.add_argument("--torch-worker", type=int, default=0, help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.torch_worker:
        torch_worker(o.torch_worker)
        return
    if o.measure:
        measure(o)
    with open(o.data, encoding="utf-8") as file:
        facts = json.load(file)
    for key in CHARTS:
        with open(os.path.join(o.out, key + ".svg"), "w", encoding="utf-8") as file:
            file.write(draw(key, facts["charts"][key], facts))
    print(f"{len(CHARTS)} charts in {o.out}")


if __name__ == "__main__":
    main()
