#!/bin/sh
# check_includes.sh [ROOT]: every room includes only rooms it may know, and file names are unique.
# base < graph < ops < compile < runtime < backends; nn train data io zoo know base and public headers; the command knows
# public headers and the base's JSON, YAML and text.
set -eu
cd "${1:-.}"
find src include -name '*.[ch]' | LC_ALL=C sort | xargs awk '
BEGIN {
  split("base graph ops compile runtime backends", order, " ")
  for (i in order) rank[order[i]] = i
  split("nn train data io zoo", leaf, " ")
  for (i in leaf) leaves[leaf[i]] = 1
  split("json yaml text alloc", shared, " ")
  for (i in shared) for_cli["base/" shared[i] ".h"] = 1
}
function bad(why) { printf "%s:%d: %s\n", FILENAME, FNR, why; errors++ }
FNR == 1 {
  n = split(FILENAME, part, "/")
  room = part[1] == "include" ? "public" : part[2]
  if (seen[(room == "public") part[n]]++) bad("a second file of the name " part[n])
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
  split($0, quoted, "\"")
  file = quoted[2]
  split(file, path, "/")
  to = path[1]
  if (file ~ /\.def$/ && path[2] == "") next
  if (to == "hadal") next
  if (room == "public") { bad("a public header includes only \"hadal/…\", not " file); next }
  if (path[2] == "") { bad("write the room before the file: \"" room "/" file "\""); next }
  if (to == room) next
  if (room == "cli") { if (!(file in for_cli)) bad("the command may not know " file); next }
  if (room in leaves) { if (to != "base") bad(room " may not know " to); next }
  if (!(room in rank)) { bad("unknown room " room); next }
  if (!(to in rank) || rank[to] > rank[room]) bad(room " may not know " to)
}
END { exit errors > 0 }'
echo "includes obey the order of the rooms"
