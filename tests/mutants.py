#!/usr/bin/env python3
"""mutants.py [--count N] [--seed S] [--jobs J] [--keep]: breaks the code in N places, one after the other, and looks
whether the tests notice.

Each mutant changes one operator in the mathematics of the library: a sign, a product, a transposition, a stride or an
axis, a constant, a comparison of data. Places are drawn by the seed, evenly over the folders below; nobody chooses
them. A mutant that does not compile is no mutant. Ends with 0 when at least 95 % were noticed (of fewer than 40: all but
two, since one that changes nothing is drawn now and then), and lists those that were not.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Where the numbers come from. Planning, scheduling and printing have tests of their own.
PLACES = {
    "ops": r"src/ops/(?!op_registry|op_rules|op_kit)\w+\.c$",
    "kernels": r"src/backends/cpu/\w+_body\.h$",
    "autodiff": r"src/compile/(autodiff|target|simplify|fuse|form)\.c$",
    "train": r"src/train/(schedule\w*|metric\w*|loss\w*|baselines)\.c$",
    "layers": r"src/nn/nn_\w+\.c$",
    "data": r"src/data/(normalizer|split|loader|resample|digit_draw)\.c$",
}
TURNS = ["ops", "kernels", "ops", "train", "ops", "kernels", "data", "ops", "layers", "kernels", "ops", "autodiff"]
RULES = [  # (kind, pattern, replacement)
    ("sign", r"(?<=[\w\])]) \+ (?=[\w(])", " - "),
    ("sign", r"(?<=[\w\])]) - (?=[\w(])", " + "),
    ("sign", r" \+= ", " -= "),
    ("sign", r"(?<=[=(,?:] )-(?=[a-z(])", ""),
    ("sign", r"\bhd_neg\(", "hd_abs("),
    ("sign", r"\bhd_sub\(", "hd_add("),
    ("product", r"(?<=[\w\])]) \* (?=[\w(])", " + "),
    ("product", r"(?<=[\w\])]) / (?=[\w(])", " * "),
    ("product", r"\bhd_mul\(", "hd_add("),
    ("product", r"\bhd_div\(", "hd_mul("),
    ("transposition", r"\.trans_a = true", ".trans_a = false"),
    ("transposition", r"\.trans_b = true", ".trans_b = false"),
    ("stride", r"\b(stride|padding|dilation|kernel_size)\[0\]", r"\1[1]"),
    ("stride", r"\b(stride|padding|dilation|kernel_size)\[1\]", r"\1[0]"),
    ("function", r"\bexp\(", "log1p("),
    ("function", r"\bhd_sigmoid\(", "hd_tanh("),
    ("comparison", r"(?<=\w) > 0(?= \?|\))", " < 0"),
    ("comparison", r"(?<=\w) < 0(?= \?|\))", " > 0"),
]
# Lines that say how much work there is, or which kernel fits: no numbers of a result hang on them.
LEAVE = re.compile(r"^\s*(/?\*|#|//|HD_OPTION|assert)|flops|bytes|cost|scratch|tasks|snprintf|\.(min|max|help|def) =|"
                   r"infer_fail|hd_fail|sizeof|prefetch|malloc|alloc")
# The quick and general first; then what else there is, but for whole commands, hostile files and failing disks, which look
# elsewhere.
TESTS = ["test_ops", "test_op_grads", "test_op_kernels", "test_vectors", "test_second_grads", "test_net_grads"]
ELSEWHERE = re.compile(r"test_(cli_\w+|hostile|write_faults|alloc_faults|base|file|json|pool|graph_text|fetch|hostile_files|"
                       r"errors|threads|extend)$")
FIRST = {"train": ["test_schedule", "test_metrics", "test_trainer"], "layers": ["test_nn", "test_recipe"],
         "data": ["test_loader", "test_digits", "test_picture", "test_data"], "autodiff": ["test_net_grads", "test_program"],
         "kernels": ["test_op_kernels", "test_kernels_vec", "test_kernels_planes", "test_kernels_conv"]}


def code_lines(path):
    """Numbers and texts of lines outside comments, strings, samples and cost functions."""
    inside_comment = False
    function = ""
    for number, line in enumerate(open(path, encoding="utf-8")):
        if inside_comment or line.lstrip().startswith("/*"):
            inside_comment = "*/" not in line
            continue
        if line and not line[0].isspace() and "(" in line:
            function = line
        if '"' in line or LEAVE.search(line) or re.search(r"_(cost|infer|supports|prepare|layouts)\(", function):
            continue
        if line[0].isspace():
            yield number, line


def tree_files(folder=ROOT):
    """Names of all files of the tree but builds, runs and what begins with a dot, whether or not it is a checkout."""
    names = []
    for here, folders, files in os.walk(folder):
        at = os.path.relpath(here, folder)
        folders[:] = [f for f in folders if not f.startswith(".") and not (at == "." and re.match(r"build|runs$", f))]
        names += [os.path.normpath(os.path.join(at, f)) for f in files if not f.startswith(".")]
    return sorted(names)


def sites():
    """All (place, file, line number, new line, kind)."""
    files = tree_files()
    for place, pattern in PLACES.items():
        for name in files:
            if not re.match(pattern, name):
                continue
            for number, line in code_lines(os.path.join(ROOT, name)):
                code = line.split("/*")[0]
                for kind, old, new in RULES:
                    for m in re.finditer(old, code):
                        broken = line[:m.start()] + m.expand(new) + line[m.end():]
                        yield place, name, number, broken, kind


def draw(count, seed):
    """In turns over the places, most often where most of the mathematics is; in a place evenly over files."""
    rng = random.Random(seed)
    by_place = {}
    for site in sites():
        by_place.setdefault(site[0], {}).setdefault(site[1], []).append(site)
    chosen = []
    while len(chosen) < count and by_place:
        for place in TURNS:
            files = by_place.get(place)
            if not files:
                continue
            name = rng.choice(sorted(files))
            site = files[name].pop(rng.randrange(len(files[name])))
            if not files[name]:
                del files[name]
            if not files:
                del by_place[place]
            chosen.append(site)
    return chosen


class Tree:
    """A copy of the tree with a build of its own."""

    def __init__(self, jobs):
        self.jobs = str(jobs)
        self.root = tempfile.mkdtemp(prefix="hadal-mutants-")
        for name in tree_files():
            os.makedirs(os.path.dirname(os.path.join(self.root, name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), os.path.join(self.root, name))
        # With the flags of the default build: where ccache is at work, its results serve here.
        self.run(["cmake", "--preset", "default"], 300, check=True)
        there = sorted(n[:-2] for n in os.listdir(os.path.join(self.root, "tests")) if re.match(r"test_\w+\.c$", n))
        self.tests = [t for t in TESTS if t in there]
        self.tests += [t for t in there if t not in TESTS and not ELSEWHERE.match(t)]
        self.run(["cmake", "--build", "build", "-j", self.jobs, "--target"] + self.tests, 1800, check=True)

    def run(self, command, limit, check=False):
        env = dict(os.environ, CCACHE_BASEDIR=self.root, HADAL_TEST_DATA=os.environ.get("HADAL_TEST_DATA", os.path.join(ROOT, "..", "shared")))
        try:
            done = subprocess.run(command, cwd=self.root, capture_output=True, timeout=limit, env=env)
        except subprocess.TimeoutExpired:
            return 124
        if check and done.returncode:
            sys.exit(done.stdout.decode()[-3000:] + done.stderr.decode()[-3000:])
        return done.returncode

    def notices(self, place):
        """The test that fails, "" when none does, None when the mutant does not compile."""
        order = [t for t in FIRST.get(place, []) if t in self.tests]
        order += [t for t in self.tests if t not in order]
        for i, test in enumerate(order):
            built = self.run(["cmake", "--build", "build", "-j", self.jobs, "--target", test], 900)
            if built:
                return None if i == 0 else test
            if self.run([os.path.join("build", test)], 200):
                return test
        return ""

    def check(self, site):
        place, name, number, broken, kind = site
        path = os.path.join(self.root, name)
        lines = open(path, encoding="utf-8").readlines()
        old = lines[number]
        lines[number] = broken
        open(path, "w", encoding="utf-8").writelines(lines)
        found = self.notices(place)
        lines[number] = old
        open(path, "w", encoding="utf-8").writelines(lines)
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    tree = Tree(args.jobs)
    noticed, survived, started = 0, [], time.time()
    try:
        for site in draw(args.count * 2, args.seed):
            if noticed + len(survived) == args.count:
                break
            place, name, number, broken, kind = site
            found = tree.check(site)
            if found is None:
                continue
            noticed += bool(found)
            if not found:
                survived.append(site)
            print(f"{'noticed ' if found else 'SURVIVED'} {kind:13} {name}:{number + 1}  {found or broken.strip()}", flush=True)
    finally:
        shutil.rmtree(tree.root)
    total = noticed + len(survived)
    print(f"{noticed} of {total} mutants noticed, {time.time() - started:.0f} s")
    for place, name, number, broken, kind in survived:
        print(f"  not noticed: {name}:{number + 1}: {broken.strip()}")
    allowed = 2 if total < 40 else total // 20
    return 0 if total and len(survived) <= allowed else 1


if __name__ == "__main__":
    sys.exit(main())
