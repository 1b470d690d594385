#!/bin/sh
# symbols.sh [--write] [BUILD]: holds the functions that libhadal.so exports against scripts/symbols.txt. A name that
# comes or goes is a change of the interface: --write takes it into the list, which then belongs to the commit.
set -eu
cd "$(dirname "$0")/.."
write=no
if [ "${1-}" = --write ]; then
  write=yes
  shift
fi
list=scripts/symbols.txt
exported() { nm -D --defined-only "${1:-build}/libhadal.so" | awk '$3 ~ /^hd_/ { print $3 }' | LC_ALL=C sort; }
if [ $write = yes ]; then
  exported "$@" >"$list"
  echo "$(wc -l <"$list") names in $list"
  exit 0
fi
# two branches that both added names leave them in no order
sorted=$(mktemp)
trap 'rm -f "$sorted"' EXIT
LC_ALL=C sort -u "$list" >"$sorted"
exported "$@" | diff -u "$sorted" - && echo "$(wc -l <"$list") names, as in $list" && exit 0
echo "The interface changed. When that is meant: scripts/symbols.sh --write"
exit 1
