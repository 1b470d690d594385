#!/bin/sh
# check_guide.sh BUILD: every program of docs/guide is cut out of its page, compiled against the library as a user would, run, and
# compared with the output that the page shows.
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
programs=0
awk -v work="$work" '
    /^<!-- file: /      { name = work "/" $3; next }
    /^<!-- output of /  { name = work "/" $4; sub(/\.c$/, ".expected", name); next }
    /^```/ && inside    { inside = 0; close(name); name = ""; next }
    /^```/ && name      { inside = 1; printf "" > name; next }
    inside              { print > name }
' docs/guide/*.md
for source in "$work"/*.c; do
  program=${source%.c}
  name=$(basename "$program")
  cc -std=c11 -Wall -Wextra -Werror -Iinclude "$source" -L"$build" -lhadal -lm -Wl,-rpath,"$build" -o "$program"
  (cd "$work" && "$program" >"$program.output") || { echo "$name.c fails:"; cat "$program.output"; exit 1; }
  [ ! -e "$program.expected" ] || diff "$program.expected" "$program.output" || { echo "$name.c prints something else than the guide says"; exit 1; }
  programs=$((programs + 1))
done
[ "$programs" -ge 6 ] || { echo "only $programs programs were found in docs/guide"; exit 1; }
for link in $(grep -o -h '](\([^)#:]*\))' docs/guide/*.md docs/README.md | sed 's/](\(.*\))/\1/' | sort -u); do
  [ -e "docs/guide/$link" ] || [ -e "docs/$link" ] || { echo "a page links to $link, which is not there"; exit 1; }
done
echo "$programs programs of the guide compile, run and print what it says"
