#!/usr/bin/env python3
"""coverage.py BUILD [--least PERCENT]: line and branch coverage of src/ after the tests ran in a build with HADAL_COVERAGE.

A branch counts when it was taken at least once in any file that was compiled with it. Kernel bodies (headers of
src/backends/cpu) are inlined in hundreds of copies with constants of their own, in each of which one side of most tests can
never be taken: the copies of a line count as one test with two sides. Prints a row for each room and the files that lack
most; ends with 1 below PERCENT of the branches.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def reports(build):
    for folder, _, names in os.walk(build):
        data = [n for n in names if n.endswith(".gcda")]
        if not data or "/test_" in folder or "/slow_" in folder:
            continue
        for name in data:
            out = subprocess.run(["gcov", "--json-format", "--stdout", "-b", os.path.join(folder, name)], capture_output=True,
                                 cwd=folder, check=True).stdout
            for line in out.splitlines():
                yield json.loads(line)


def collect(build):
    lines = collections.defaultdict(dict)
    branches = collections.defaultdict(dict)
    for report in reports(build):
        for file in report["files"]:
            path = os.path.normpath(os.path.join(report["current_working_directory"], file["file"]))
            if not path.startswith(os.path.join(ROOT, "src") + os.sep):
                continue
            name = os.path.relpath(path, ROOT)
            for line in file["lines"]:
                key = line["line_number"]
                lines[name][key] = max(lines[name].get(key, 0), line["count"])
                inlined = name.startswith("src/backends/cpu/") and name.endswith(".h")
                for i, branch in enumerate(line["branches"]):
                    at = (key, i % 2 if inlined else i)
                    branches[name][at] = max(branches[name].get(at, 0), branch["count"])
    return lines, branches


def share(counts):
    return sum(1 for c in counts if c), len(counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--files", type=int, default=12)
    args = parser.parse_args()
    lines, branches = collect(os.path.abspath(args.build))
    rooms = collections.defaultdict(lambda: [0, 0, 0, 0])
    missing = []
    for name in sorted(lines):
        room = "/".join(name.split("/")[1:-1])
        numbers = (*share(lines[name].values()), *share(branches[name].values()))
        for row in (rooms[room], rooms["all"]):
            for i, n in enumerate(numbers):
                row[i] += n
        missing.append((numbers[3] - numbers[2], name, numbers[2], numbers[3]))
    if not rooms["all"][3]:
        sys.exit("nothing was counted: build with HADAL_COVERAGE and run the tests first")
    print(f"{'room':18} {'lines':>8} {'branches':>9}")
    for room in sorted(rooms, key=lambda r: (r == "all", r)):
        a, b, c, d = rooms[room]
        print(f"{room:18} {100 * a / max(b, 1):7.1f}% {100 * c / max(d, 1):8.1f}%   {c} of {d}")
    for n, name, taken, total in sorted(missing, reverse=True)[:args.files]:
        print(f"  {n:5} branches not taken of {total:5} in {name}")
    got = 100 * rooms["all"][2] / rooms["all"][3]
    return 0 if got >= args.least else 1


if __name__ == "__main__":
    sys.exit(main())
