#!/bin/sh
# check_command.sh BUILD: the command itself, linked as it is installed, learns the same bits on any number of threads.
# The other tests link the library in one piece and would not see two pools in one process.
set -eu
hadal=$(cd "$1" && pwd)/hadal
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# sha THREADS: of the weights after some steps on that many threads
sha() {
  "$hadal" train digits --threads "$1" --model cnn-small data.n=1024 train.steps=12 eval.baselines=false --out "$work/$1" >/dev/null 2>&1
  sed -n 's/.*"weights_sha256": *"\([0-9a-f]*\)".*/\1/p' "$work/$1/result.json"
}
one=$(sha 1)
[ -n "$one" ] || { echo "no hash of the weights on one thread"; exit 1; }
for threads in 2 3; do
  [ "$(sha $threads)" = "$one" ] || { echo "other weights on $threads threads than on one"; exit 1; }
done
