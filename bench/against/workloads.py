"""The lines of bench/workloads.def. Knows neither torch nor how anything is measured."""
import json
import re
from typing import NamedTuple


class Workload(NamedTuple):
    name: str
    network: str  # a line of widths, or a name of the zoo
    options: dict  # of the zoo's network
    sample: tuple
    outputs: int
    batch: int
    loss: str
    optimizer: str  # sgd, adam, adamw; "" for a forward pass
    rate: float
    momentum: float

    @property
    def trains(self):
        return self.optimizer != ""

    @property
    def tokens(self):
        """Reads whole numbers below `outputs` and answers at every position."""
        return self.network.startswith(("char-", "gpt"))

    @property
    def pictures(self):
        return len(self.sample) == 3


def arguments(text):
    """What stands between the commas that no bracket and no quotation mark encloses."""
    parts, depth, quoted, start, i = [], 0, False, 0, 0
    while i < len(text):
        c = text[i]
        if c == "\\":
            i += 1
        elif c == '"':
            quoted = not quoted
        elif not quoted:
            depth += (c == "(") - (c == ")")
            if c == "," and depth == 0:
                parts.append(text[start:i].strip())
                start = i + 1
        i += 1
    return parts + [text[start:].strip()]


def setting(optimizer, name, usual):
    found = re.search(r"\.%s = ([-+.\de]+)" % name, optimizer)
    return float(found.group(1)) if found else usual


def read(path):
    """Workloads in the order of the file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    short = dict(re.findall(r"^#define (\w+) (hd_\w+\(.*\))$", text, re.M))
    found = []
    for kind, inside in re.findall(r"^HD_(WORKLOAD|FORWARD)\((.*)\)$", text, re.M):
        name, network, sample, outputs, batch, *rest = arguments(inside)
        word, _, options = json.loads(network).partition(" ")
        optimizer = short.get(rest[1], rest[1]) if kind == "WORKLOAD" else ""
        found.append(Workload(
            name, word, json.loads(options or "{}"), tuple(int(n) for n in re.findall(r"\d+", sample)), int(outputs),
            int(batch), json.loads(rest[0]) if rest else "", optimizer[3:].split("(")[0],
            setting(optimizer, "lr", 1e-3), setting(optimizer, "momentum", 0.0)))
    return found
