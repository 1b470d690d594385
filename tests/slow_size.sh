#!/bin/sh
# slow_size.sh: the command and the library, stripped, take no more than 5 MB together, and the command finds the library
# that lies beside it.
set -eu
[ -e build/hadal ] && [ -e build/libhadal.so ] || { echo "build them first"; exit 77; }
command -v strip >/dev/null || { echo "no strip here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip -o "$work/hadal" build/hadal
strip -o "$work/libhadal.so.0" build/libhadal.so.0
bytes=$(cat "$work/hadal" "$work/libhadal.so.0" | wc -c)
LD_LIBRARY_PATH=$work "$work/hadal" version >/dev/null
echo "hadal $(wc -c <"$work/hadal"), libhadal $(wc -c <"$work/libhadal.so.0"): $bytes bytes of 5000000"
[ "$bytes" -le 5000000 ]
