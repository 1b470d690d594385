#!/bin/sh
# check_perf.sh BUILD: the judgement of hadal-perf --compare on made-up runs: slower, within noise, faster, gone, new; what
# it warns of, what it refuses, files that lie. Nothing is timed.
set -eu
perf=$(cd "$1" && pwd)/hadal-perf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# look FILE: the JSON in it against the assertions on standard input; a machine without Python takes the rest for enough.
look() { if command -v python3 >/dev/null; then python3 - "$1"; fi; }

# row NAME MS…: a row with these rounds; its median is taken from the middle one.
row() {
  name=$1 && shift
  sorted=$(printf '%s\n' "$@" | sort -g)
  middle=$(printf '%s\n' "$sorted" | sed -n "$((($# + 1) / 2))p")
  rounds=$(for ms in "$@"; do printf '{"ms": %s}, ' "$ms"; done)
  printf '{"name": "%s", "ms": %s, "rounds": [%s]}' "$name" "$middle" "${rounds%, }"
}
# run FACTS ROW…: a whole file on standard output
run() {
  facts=$1 && shift
  rows=$(for r in "$@"; do printf '%s, ' "$r"; done)
  printf '{"date": "2000-01-01T00:00:00Z", "machine": "a machine", "processors": 2, "isa": "avx2", "mode": "train", "precision": "f32", %s, "workloads": [%s]}' \
    "$facts" "${rows%, }"
}
same='"threads": 2, "ceiling_gflops": 200, "memory_gb_s": 40'

code=0
# compare CODE OLD NEW [FLAG…]: runs it and looks at the exit code; output in out, errors in err
compare() {
  want=$1 old=$2 new=$3
  shift 3
  code=0
  "$perf" --compare "$old" --with "$new" "$@" >out 2>err </dev/null || code=$?
  [ "$code" = "$want" ] || { echo "$old and $new $*: exit $code, expected $want"; cat out err; exit 1; }
}
says() { # FILE PATTERN: a line of it matches
  grep -q -E -e "$2" "$1" || { echo "$1 lacks: $2"; cat "$1"; exit 1; }
}
silent() { if grep -q -E -e "$2" "$1"; then echo "$1 should not say: $2"; cat "$1"; exit 1; fi; }

# quartiles 10 and 10: no noise at all. 11.5 is 15 % slower; 10.9 is not 10 %; 8 is faster
run "$same" "$(row still 10 10 10 10 10)" "$(row noisy 8 9 10 11 12)" "$(row quick 10 10 10)" "$(row gone 1)" >old
run "$same" "$(row still 11.5 11.5 11.5)" "$(row noisy 11.5 11.5 11.5)" "$(row quick 8 8 8)" "$(row fresh 1)" >new
compare 8 old new
says out '^still  *10  *11\.5  *1\.150  *0\.0%  SLOWER$'
# quartiles 9 and 11 of 10: noise 0.2, band 1.5 times that
says out '^noisy  *10  *11\.5  *1\.150  *30\.0%  within noise$'
says out '^quick  *10  *8  *0\.800  *0\.0%  faster$'
says out '^gone  *1  *-  *-  *-  GONE$'
says out '^fresh  *-  *1  *-  *-  new$'
says out '^2 of 5 flagged: 1 more than 10 % slower and beyond the band, 1 gone; 1 faster, 1 within noise$'
silent out warning
compare 8 old new --json
look out <<'END'
import json, sys
r = json.load(open(sys.argv[1]))
v = {x["name"]: x for x in r["rows"]}
assert r["flagged"] == 2 and r["warnings"] == [] and r["old_date"] == "2000-01-01T00:00:00Z", r
assert [v[n]["verdict"] for n in ("still", "noisy", "quick", "gone", "fresh")] == [
    "SLOWER", "within noise", "faster", "GONE", "new"], v
assert abs(v["noisy"]["band"] - 0.3) < 1e-9 and abs(v["still"]["ratio"] - 1.15) < 1e-9 and v["gone"]["new_ms"] is None, v
END

# noise of both sides counts together: 0.04 and 0.03 are 0.05, times 1.5 a band of 7.5 %
run "$same" "$(row a 9.8 9.8 10 10.2 10.2)" >old
run "$same" "$(row a 11.8 11.82 12 12.18 12.2)" >new
compare 8 old new
says out '^a  *10  *12  *1\.200  *7\.5%  SLOWER$'
# just above 10 %, just below
run "$same" "$(row a 11.01 11.01 11.01)" >new && run "$same" "$(row a 10 10 10)" >old
compare 8 old new
run "$same" "$(row a 10.99 10.99 10.99)" >new
compare 0 old new
says out '  same$'
# a name chooses among the rows
run "$same" "$(row a 10 10 10)" "$(row b 10 10 10)" >old && run "$same" "$(row a 10 10 10)" "$(row b 20 20 20)" >new
compare 0 old new a
silent out '^b '
compare 8 old new b
# fewer than three rounds: the quartiles inside them
printf '{"threads": 2, "workloads": [{"name": "a", "ms": 10, "rounds": [{"ms": 10, "q1_ms": 8, "q3_ms": 12}]}]}' >old
printf '{"threads": 2, "workloads": [{"name": "a", "ms": 12}]}' >new
compare 0 old new
says out '^a  *10  *12  *1\.200  *60\.0%  within noise$'

# another machine is warned of, and nothing is normalised
run "$same" "$(row a 10 10 10)" >old
run '"threads": 4, "ceiling_gflops": 100, "memory_gb_s": 39' "$(row a 10 10 10)" | sed 's/a machine/another/' >new
compare 0 old new
says out '^warning: another machine: a machine, now another; nothing is normalised$'
says out '^warning: threads: 2, now 4;'
says out '^warning: FMA ceiling, GFLOP/s: 200, now 100;'
silent out 'GB/s'
says out '  same$'

# runs of two kinds can not be held against each other
run "$same" "$(row a 10)" | sed 's/"mode": "train"/"mode": "infer"/' >new
compare 3 old new
says err 'training in f32, the new one of inference in f32'
run "$same" "$(row a 10)" | sed 's/"precision": "f32"/"precision": "bf16"/' >new
compare 3 old new

# files that are none, or lie
compare 7 nowhere old
printf '' >bad && compare 3 bad old
printf '{"threads": 2, "workloads": [' >bad && compare 3 bad old
printf '[]' >bad && compare 3 bad old
printf '{"threads": 2}' >bad && compare 3 bad old
printf '{"threads": 2, "workloads": {"a": 1}}' >bad && compare 3 bad old
printf '{"threads": "two", "workloads": []}' >bad && compare 3 bad old && says err 'bad:1:13: "threads": expected a number'
printf '{"threads": 1e300, "workloads": []}' >bad && compare 3 bad old
for bad in '7' '{}' '{"name": "a"}' '{"name": "a", "ms": -1}' '{"name": "a", "ms": 0}' '{"name": "a", "ms": "10"}' \
  '{"name": "a", "ms": 1e999}' '{"name": "", "ms": 1}' '{"name": "a\u0000b", "ms": 1}' '{"name": "a\u001b[31m", "ms": 1}' \
  '{"name": "a", "ms": 1, "rounds": []}' '{"name": "a", "ms": 1, "rounds": 3}' '{"name": "a", "ms": 1, "rounds": [{"ms": null}]}' \
  '{"name": "a", "ms": 1, "q1_ms": 2}' '{"name": "a", "ms": 1}, {"name": "a", "ms": 2}' \
  "{\"name\": \"$(printf '%0100d' 0)\", \"ms\": 1}" \
  "{\"name\": \"a\", \"ms\": 1, \"rounds\": [$(printf '{"ms": 1}, %.0s' $(seq 64)){\"ms\": 1}]}"; do
  printf '{"threads": 2, "workloads": [%s]}' "$bad" >bad
  compare 3 bad old
  says err '^hadal-perf: bad:1:'
  compare 3 old bad
done
{ printf '{"threads": 2, "workloads": '; printf '[%.0s' $(seq 5000); } >bad && compare 3 bad old
head -c 4096 /dev/zero >bad && compare 3 bad old

# words that are not understood
usage() {
  code=0
  "$perf" "$@" >out 2>err </dev/null || code=$?
  [ "$code" = 1 ] || { echo "$*: exit $code, expected 1"; cat out err; exit 1; }
}
usage --no-such-flag
usage --rounds 0 tiny_b1
usage --threads two tiny_b1
usage --compare
usage --with old
usage no_such_row && says err 'no workload no_such_row; there are: tiny_b1 '

# cases of one's own
cases() { # CODE TEXT
  printf '%s' "$2" >cases
  code=0
  "$perf" --cases cases --threads 1 --seconds 0 --json >out 2>err </dev/null || code=$?
  [ "$code" = "$1" ] || { echo "$2: exit $code, expected $1"; cat out err; exit 1; }
}
cases 3 '{"cases": []}'
cases 3 '{"cases": [{"name": "a", "network": "4-2", "sample": [0], "outputs": 2, "batch": 3}]}'
cases 3 '{"cases": [{"name": "a", "network": "4-2", "sample": [4], "outputs": 2, "batch": 100000000}]}'
cases 3 '{"cases": [{"name": "a", "network": 4, "sample": [4], "outputs": 2, "batch": 3}]}'
cases 3 '{"cases": [{"name": "a", "network": "4-2", "sample": [4], "outputs": 2, "batch": 3, "loss": "none"}]}'
cases 8 '{"cases": [{"name": "a", "network": "no-such-network", "sample": [4], "outputs": 2, "batch": 3}]}'
cases 0 '{"cases": [{"name": "a", "network": "4-2", "sample": [4], "outputs": 2, "batch": 3},
  {"name": "b", "network": [{"conv2d": {"out_channels": 2, "kernel_size": 3}}, "flatten", {"linear": {"out_features": 2}}], "sample": [1, 6, 6],
   "outputs": 2, "batch": 3}, {"name": "c", "network": "4-2", "sample": [4], "outputs": 2, "batch": 3, "forward": true, "loss": "mse"}]}'
look out <<'END'
import json, sys
r = json.load(open(sys.argv[1]))
rows = {x["name"]: x for x in r["workloads"]}
assert [rows[n]["params"] for n in "abc"] == [10, 20 + 66, 10], rows
assert rows["c"]["flops"] < rows["a"]["flops"] and r["threads"] == 1 and r["date"].startswith("20"), r
for row in rows.values():
    assert len(row["rounds"]) == 1 and row["q1_ms"] <= row["ms"] <= row["q3_ms"], row
    assert {"reorders", "weight_reorders", "peak_bytes", "plan_bytes"} <= set(row), row
assert {"machine", "processors", "isa", "hadal", "onednn", "compiler", "ceiling_gflops", "memory_gb_s"} <= set(r), r
END
# what it wrote is what it reads
mv out new
compare 0 new new
echo "hadal-perf --compare judges as it says"
