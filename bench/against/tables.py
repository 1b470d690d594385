"""What was measured, as text: ratios, means over the two groups of rows, bars, tables. Needs no torch and runs nothing.

A result holds `rows`; a row the `name`, `kind` (train or infer), and under `ours` (f32, bf16) and `torch` (each mode) a
measurement {ms, low, high, peak_bytes, ...} or {failed: why}."""
import math

OVERHEAD = ("tiny_b1", "tiny_b1000", "mlp64_b1", "mlp64_b64", "lecun1989_b1", "lenet5_b64")
NOT_BF16 = ("tiny_b1", "tiny_b1000", "mlp64_b1", "mlp64_b64")
RATIO_BARS = {
    "tiny_b1": 26, "tiny_b1000": 5.8, "mlp64_b1": 13, "mlp64_b64": 4.0, "mlp1024_b128": 1.85, "lecun1989_b1": 25,
    "lenet5_b64": 2.4, "cnn_b128": 2.1, "resnet20_b128": 1.5, "alexnet_b64": 1.3, "vgg16_b8": 2.2, "googlenet_b16": 1.36,
    "resnet18_b16": 1.57, "resnet50_b16": 1.3, "mobilenet_b16": 1.55, "lstm128_b32": 1.5, "lstm512_b64": 1.38,
    "lstm512_b1": 1.5, "gpt128_b12": 2.3, "gpt384_b16": 2.1}
SHARE_BARS = {"vgg16_b8": 1.3, "resnet18_b16": 1.1, "resnet50_b16": 0.83, "alexnet_b64": 0.8, "gpt384_b16": 0.75,
              "lstm512_b64": 0.8}
FORWARD_BARS_MS = {"tiny_b1_forward": 0.002, "mlp64_b1_forward": 0.002}


def measured(x):
    return bool(x) and "ms" in x


def best(row, bf16):
    """The fastest mode of that precision, or None."""
    names = [m for m, x in row["torch"].items() if measured(x) and ("bf16" in m.split("+")) == bf16]
    return min(names, key=lambda m: row["torch"][m]["ms"], default=None)


def ratio(row, precision):
    """How many times faster ours is than the best mode of the same precision."""
    mode, ours = best(row, precision == "bf16"), row["ours"].get(precision)
    return row["torch"][mode]["ms"] / ours["ms"] if mode and measured(ours) else None


def memory_ratio(row):
    """Our whole process against the mode that takes least above its import."""
    theirs = [x["peak_bytes"] for m, x in row["torch"].items()
              if measured(x) and x.get("peak_bytes") and "bf16" not in m.split("+")]
    ours = row["ours"].get("f32")
    return ours["peak_bytes"] / min(theirs) if theirs and measured(ours) else None


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


class Group:
    """Rows whose geometric mean has a bar, and each of them perhaps one."""

    def __init__(self, title, key, rows, value, mean_bar, row_bar=None, at_most=False):
        self.title, self.key, self.mean_bar, self.row_bar, self.at_most = title, key, mean_bar, row_bar, at_most
        self.of = len(rows)
        self.values = {r["name"]: value(r) for r in rows if value(r) is not None}
        self.mean = geometric_mean(list(self.values.values()))

    def beyond(self, value, bar):
        return value > bar if self.at_most else value < bar

    def text(self):
        how = "at most" if self.at_most else "at least"
        counted = f"{len(self.values)} of {self.of} rows"
        return (f"{self.title}: " + (f"{self.mean:.2f}" if self.mean else "–") + f" over {counted} (bar: {how} "
                f"{self.mean_bar}" + (f", no row below {self.row_bar}" if self.row_bar else "") + ")")

    def missed(self):
        if self.mean and self.beyond(self.mean, self.mean_bar):
            yield f"{self.title}: mean {self.mean:.2f}, bar {self.mean_bar}"
        for name, value in self.values.items():
            if self.row_bar and self.beyond(value, self.row_bar):
                yield f"{name}: {self.title} {value:.2f}, no row may be below {self.row_bar}"


def groups(rows):
    train = [r for r in rows if r["kind"] == "train"]
    f32, bf16 = lambda r: ratio(r, "f32"), lambda r: ratio(r, "bf16")
    nets = [r for r in rows if r["kind"] == "infer" and r["name"] not in FORWARD_BARS_MS]
    return [
        Group("f32, rows of overhead", "overhead", [r for r in train if r["name"] in OVERHEAD], f32, 7),
        Group("f32, the other rows", "others", [r for r in train if r["name"] not in OVERHEAD], f32, 1.6, 1.25),
        Group("bf16", "bf16", [r for r in train if r["name"] not in NOT_BF16], bf16, 1.5, 1.1),
        Group("peak memory, ours / PyTorch above its import", "memory", train, memory_ratio, 0.6, at_most=True),
        Group("inference, convolutional networks", "inference", nets, f32, 1.3, 1.0),
    ]


def missed(rows):
    """Every bar that these rows miss, as a line of text."""
    found = [line for group in groups(rows) for line in group.missed()]
    for row in rows:
        name, ours, r = row["name"], row["ours"].get("f32"), ratio(row, "f32")
        if r and r < RATIO_BARS.get(name, 0):
            found.append(f"{name}: {r:.2f} times PyTorch, bar {RATIO_BARS[name]}")
        if measured(ours) and ours.get("ceiling_share", 9) < SHARE_BARS.get(name, 0):
            found.append(f"{name}: {100 * ours['ceiling_share']:.0f} % of the ceiling, bar {100 * SHARE_BARS[name]:.0f} %")
        if measured(ours) and ours["ms"] > FORWARD_BARS_MS.get(name, math.inf):
            found.append(f"{name}: {1e3 * ours['ms']:.2f} µs, bar {1e3 * FORWARD_BARS_MS[name]:.0f} µs")
    return found


def number(x):
    return f"{x:,.0f}" if x >= 1000 else f"{x:.3g}" if x < 100 else f"{x:.0f}"


def megabytes(x):
    return f"{x / 1e6:,.0f}" if x >= 1e7 else f"{x / 1e6:.1f}"


def line_of(label, x, ours=None):
    if not measured(x):
        return f"  {label:26s} failed: {x.get('failed', 'nothing came')}"
    text = f"  {label:26s} {number(x['ms']):>9s} ms  ({number(x['low'])} … {number(x['high'])})"
    if x.get("peak_bytes") is not None:
        text += f"  {megabytes(x['peak_bytes']):>6s} MB"
    if x.get("ceiling_share"):
        text += f"  {100 * x['ceiling_share']:.0f} % of the ceiling"
    if x.get("first_s"):
        text += f"  first step after {x['first_s']:.1f} s"
    return text + (f"  ×{x['ms'] / ours['ms']:.2f}" if measured(ours) else "")


def row_text(row):
    """A row with every mode's number."""
    lines = [f"{row['name']}  {row['params']:,} parameters" if row.get("params") else row["name"]]
    if row.get("differs"):
        lines.append(f"  ! {row['differs']}")
    for precision, x in row["ours"].items():
        lines.append(line_of("Hadal " + precision, x))
    for mode, x in row["torch"].items():
        lines.append(line_of(mode, x, row["ours"].get("bf16" if "bf16" in mode.split("+") else "f32")))
    return "\n".join(lines)


def summary_text(rows):
    lines = [g.text() for g in groups(rows) if g.of]
    lost = missed(rows)
    return "\n".join(lines + ([f"missed: {line}" for line in lost] or ["no bar is missed"]))


def cell(x, mode=None):
    return "–" if not measured(x) else number(x["ms"]) + (f" ({mode})" if mode else "")


def plain(mode):
    return mode.replace("bf16+", "").replace("channels_last", "cl") if mode and mode != "bf16" else "eager"


def times(x):
    return f"{x:.2f}" if x else "–"


def markdown_row(row):
    cells = [f"`{row['name']}`"]
    for precision in ("f32", "bf16"):
        mode, ours = best(row, precision == "bf16"), row["ours"].get(precision)
        share = ours.get("ceiling_share") if measured(ours) and precision == "f32" else None
        cells += [cell(row["torch"].get(mode), plain(mode)), cell(ours) + (f" ({100 * share:.0f} %)" if share else ""),
                  f"**{times(ratio(row, precision))}**" if precision == "f32" else times(ratio(row, precision))]
    return "| " + " | ".join(cells + [times(memory_ratio(row))]) + " |"


def markdown(result):
    """The tables of docs/performance.md."""
    rows = result["rows"]
    lines = [f"{result['date']}, {result['machine']}, {result['threads']} threads, Hadal {result['hadal']} "
             f"({result['isa']}), PyTorch {result['torch']}, {result['rounds']} rounds; milliseconds, median" +
             ("; the machine was busy: not to be trusted" if result.get("load_before", 0) > 0.5 else ""), ""]
    for kind, title in (("train", "training step"), ("infer", "forward pass")):
        some = [r for r in rows if r["kind"] == kind]
        if not some:
            continue
        lines += [f"| {title} | PyTorch f32 (best mode) | Hadal f32 (share of ceiling) | ratio | PyTorch bf16 (best mode) "
                  "| Hadal bf16 | ratio | memory |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
        lines += [markdown_row(r) for r in some] + [""]
    modes = list(dict.fromkeys(m for r in rows for m in r["torch"]))
    lines += ["| every mode | " + " | ".join(modes) + " |", "|---|" + "---:|" * len(modes)]
    lines += ["| `" + r["name"] + "` | " + " | ".join(cell(r["torch"].get(m)) for m in modes) + " |" for r in rows]
    lines += [""] + [f"- {g.text()}" for g in groups(rows) if g.of] + [f"- missed: {line}" for line in missed(rows)]
    return "\n".join(lines)
