#!/usr/bin/env python3
"""instructions.py [--write] [BUILD]: counts the instructions of twelve fixed steps (bench/count_steps.c) under callgrind
and holds them against bench/instructions.txt: the same on every run and machine, where times are not. More than 2 %
above the list fails (exit 1); --write takes the numbers into the list, which then belongs to the commit.

Only instructions of our own program count, none of the C library, which chooses its functions by processor. BUILD
(build-ref) must be of preset `ref`: optimised, without libraries. Numbers belong to a compiler: with another one, or on
a processor without AVX2, there is nothing to compare (exit 77)."""
import os
import platform
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = os.path.join(ROOT, "bench", "instructions.txt")
TOLERANCE = 0.02
COUNTED = "hadal_counted_step"


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def compiler(build):
    """What the build was made with, as `gcc 12.2`."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        name = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", cache.read(), re.M).group(1)
    said = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    kind = "clang" if "clang" in said else "gcc"
    return kind + " " + re.search(r"\d+\.\d+", said.splitlines()[0].rsplit(")", 1)[-1] or said).group(0)


def own_instructions(path, program):
    """The self cost of all functions of `program` in a file of callgrind."""
    total, ours, inclusive = 0, False, False
    names = {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("ob="):
                number, _, name = line[3:].strip().partition(" ")
                if name:
                    names[number] = name
                ours = os.path.basename(names.get(number, number)) == program
            elif line.startswith("calls="):
                inclusive = True  # the next line is the cost of the call: counted where it was spent
            elif line[:1].isdigit() or line[:1] in "+-*":
                if ours and not inclusive:
                    total += int(line.split()[1])
                inclusive = False
            elif line.startswith("cob="):
                number, _, name = line[4:].strip().partition(" ")
                if name:
                    names[number] = name
    return total


def count(build):
    """The steps in their order with their instructions."""
    program = os.path.join(os.path.abspath(build), "count-steps")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "-q", "--collect-atstart=no", "--toggle-collect=" + COUNTED,
             "--dump-after=" + COUNTED, "--compress-strings=yes", "--callgrind-out-file=" + os.path.join(folder, "out"),
             program], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"instructions: {(done.stderr or 'count-steps failed').strip()}")
        names = done.stdout.split()
        files = [os.path.join(folder, f"out.{i + 1}") for i in range(len(names))]
        return {name: own_instructions(file, "count-steps") for name, file in zip(names, files)}


def read_list():
    kept, made_with = {}, None
    with open(LIST, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("# compiler: "):
                made_with = line.split(": ", 1)[1].strip()
            elif not line.startswith("#"):
                name, number = line.split()
                kept[name] = int(number.replace(",", ""))
    return kept, made_with


def write_list(found, made_with):
    with open(LIST, "w", encoding="utf-8") as out:
        out.write("# Instructions of one training step (forward: of prediction), AVX2, one thread, no libraries; see\n"
                  f"# scripts/instructions.py, which writes and checks this list.\n# compiler: {made_with}\n")
        for name, number in found.items():
            out.write(f"{name:24s}{number:>14,d}\n")
    print(f"{len(found)} steps in {os.path.relpath(LIST, ROOT)}")


def compare(found, kept):
    """Prints every step; how many are worse, or not in both."""
    bad = 0
    for name in dict.fromkeys([*kept, *found]):
        old, new = kept.get(name), found.get(name)
        if not old or not new:
            verdict, bad = "not in the list" if new else "not counted", bad + 1
            print(f"{name:24s}{old or 0:>14,d}{new or 0:>14,d}            {verdict}")
            continue
        change = new / old - 1
        verdict = "MORE" if change > TOLERANCE else "fewer: --write keeps the gain" if change < -TOLERANCE else ""
        bad += change > TOLERANCE
        print(f"{name:24s}{old:>14,d}{new:>14,d}{100 * change:>+9.2f} %  {verdict}".rstrip())
    return bad


def main():
    words = [w for w in sys.argv[1:] if w != "--write"]
    build = words[0] if words else os.path.join(ROOT, "build-ref")
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        if platform.machine() != "x86_64" or " avx2" not in info.read():
            skip("no AVX2 here")
    made_with = compiler(build)
    if "--write" in sys.argv[1:]:
        write_list(count(build), made_with)
        return
    kept, listed_with = read_list()
    if made_with != listed_with:
        skip(f"the list is of {listed_with}, this build of {made_with}")
    bad = compare(count(build), kept)
    if bad:
        print("More instructions than before. When that is meant: scripts/instructions.py --write")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
