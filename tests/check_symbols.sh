#!/bin/sh
# check_symbols.sh BUILD: libhadal.so shows only hd_ names, and calls nothing that ends the process or prints.
set -eu
lib=$1/libhadal.so
foreign=$(nm -D --defined-only "$lib" | awk '{print $3}' | grep -v '^hd_' | grep -vE '^(_init|_fini|__gcov_.*|mangle_path|__bss_start|_edata|_end)$' || true)
[ -z "$foreign" ] || { echo "exported without hd_:" $foreign; exit 1; }
# what a header promises is there
hidden=$(sed -n 's/^HD_API[^(]*[ *]\(hd_[a-z0-9_]*\)(.*/\1/p' "$(dirname "$0")"/../include/hadal/*.h | sort -u |
  { nm -D --defined-only "$lib"; cat; } | awk 'NF == 3 { there[$3] = 1 } NF == 1 && !($1 in there) { print $1 }')
[ -z "$hidden" ] || { echo "declared with HD_API, not exported:" $hidden; exit 1; }
calls=$(nm -D --undefined-only "$lib" | awk '{print $2}' | sed 's/@.*//' |
  grep -xE 'exit|_exit|_Exit|quick_exit|abort|__assert_fail|printf|__printf_chk|vprintf|puts|putchar|perror|system' || true)
[ -z "$calls" ] || { echo "the library calls:" $calls; exit 1; }
# threads are numbered where contexts are made: in the library, never in the command's copy of the base
twice=$(nm "$1/hadal" | awk '$2 ~ /^[Tt]$/ { print $3 }' | grep -xE 'hd_(context|pool)_[a-z]*' || true)
[ -z "$twice" ] || { echo "the command brings its own:" $twice; exit 1; }
echo "only hd_ names are exported, all that the headers declare; nothing exits or prints"
