#!/bin/sh
# check_bench_tables.sh: what bench/against-pytorch makes of measurements: best modes, ratios, means, missed bars, the
# tables. Nothing is measured, and no torch is needed. Skipped (77) without Python.
set -eu
python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || { echo "no Python 3.8"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# every line of workloads.def is understood, in its order
sed -n 's/^HD_WORKLOAD(\([a-z0-9_]*\),.*/\1/p; s/^HD_FORWARD(\([a-z0-9_]*\),.*/\1/p' bench/workloads.def >"$work/names"
bench/against-pytorch --list --all >"$work/list"
cut -d' ' -f1 "$work/list" | diff "$work/names" -
grep -q '^lstm128_b32 *char-lstm {"hidden_size": 128, ' "$work/list"

cat >"$work/earlier.json" <<'END'
{"date": "2000-01-01", "machine": "a machine", "threads": 2, "hadal": "1.0.0", "isa": "avx2", "torch": "2.15.0", "rounds": 3, "load_before": 3,
 "rows": [
  {"name": "tiny_b1", "kind": "train", "params": 865,
   "ours": {"f32": {"ms": 0.01, "low": 0.01, "high": 0.02, "peak_bytes": 5000000, "ceiling_share": 0.01}},
   "torch": {"eager": {"ms": 0.2, "low": 0.1, "high": 0.3, "peak_bytes": 50000000, "first_s": 0.2},
             "compile": {"ms": 0.4, "low": 0.4, "high": 0.4, "peak_bytes": 20000000, "first_s": 9},
             "bf16": {"ms": 0.1, "low": 0.1, "high": 0.1, "peak_bytes": 1000000}}},
  {"name": "vgg16_b8", "kind": "train", "params": 138357544,
   "ours": {"f32": {"ms": 1000, "low": 990, "high": 1010, "peak_bytes": 1600000000, "ceiling_share": 1.2},
            "bf16": {"ms": 1000, "low": 990, "high": 1010, "peak_bytes": 1600000000}},
   "torch": {"eager": {"failed": "no room"},
             "channels_last": {"ms": 1200, "low": 1100, "high": 1300, "peak_bytes": 2000000000},
             "bf16+compile": {"ms": 1600, "low": 1500, "high": 1700, "peak_bytes": 2000000000}}},
  {"name": "resnet50_b1_forward", "kind": "infer",
   "ours": {"f32": {"ms": 10, "low": 9, "high": 11, "peak_bytes": 200000000}},
   "torch": {"onnxruntime": {"ms": 14, "low": 14, "high": 14, "peak_bytes": 0}}}]}
END
bench/against-pytorch --from "$work/earlier.json" >"$work/text"
bench/against-pytorch --from "$work/earlier.json" --markdown >"$work/markdown"
bench/against-pytorch --from "$work/earlier.json" --json >"$work/json"

expect() { # FILE LINE: stands there as a whole line
  grep -q -x -F -e "$2" "$work/$1" || { echo "$1 lacks: $2"; cat "$work/$1"; exit 1; }
}
expect text "f32, rows of overhead: 20.00 over 1 of 1 rows (bar: at least 7)"
expect text "f32, the other rows: 1.20 over 1 of 1 rows (bar: at least 1.6, no row below 1.25)"
expect text "bf16: 1.60 over 1 of 1 rows (bar: at least 1.5, no row below 1.1)"
# the square root of 5/20 times 1600/2000: the mode that takes least, bf16 not counted
expect text "peak memory, ours / PyTorch above its import: 0.45 over 2 of 2 rows (bar: at most 0.6)"
expect text "inference, convolutional networks: 1.40 over 1 of 1 rows (bar: at least 1.3, no row below 1.0)"
expect text "missed: tiny_b1: 20.00 times PyTorch, bar 26"
expect text "missed: vgg16_b8: 1.20 times PyTorch, bar 2.2"
expect text "missed: vgg16_b8: 120 % of the ceiling, bar 130 %"
expect text "missed: f32, the other rows: mean 1.20, bar 1.6"
expect text "missed: vgg16_b8: f32, the other rows 1.20, no row may be below 1.25"
expect text "  eager                      failed: no room"
[ "$(grep -c '^missed' "$work/text")" = 5 ]
grep -q 'PyTorch 2.15.0, 3 rounds; milliseconds, median; the machine was busy' "$work/markdown"
expect markdown '| `tiny_b1` | 0.2 (eager) | 0.01 (1 %) | **20.00** | 0.1 (eager) | – | – | 0.25 |'
expect markdown '| `vgg16_b8` | 1,200 (cl) | 1,000 (120 %) | **1.20** | 1,600 (compile) | 1,000 | 1.60 | 0.80 |'
expect markdown '| every mode | eager | compile | bf16 | channels_last | bf16+compile | onnxruntime |'
expect markdown '| `tiny_b1` | 0.2 | 0.4 | 0.1 | – | – | – |'
python3 - "$work/json" <<'END'
import json, sys
found = json.load(open(sys.argv[1]))
assert abs(found["groups"]["overhead"]["geometric_mean"] - 20) < 1e-9 and len(found["missed"]) == 5, found
END
if bench/against-pytorch --list no-such-row 2>"$work/error"; then exit 1; fi
grep -q 'no workload no-such-row; there are: tiny_b1 ' "$work/error"
# the charts of the docs are those that their numbers give
mkdir "$work/charts"
bench/charts.py --out "$work/charts" >/dev/null
for chart in "$work"/charts/*.svg; do diff -q "$chart" "docs/charts/$(basename "$chart")"; done
echo "the tables of bench/against-pytorch say what was measured"
