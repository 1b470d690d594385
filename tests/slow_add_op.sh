#!/bin/sh
# slow_add_op.sh: follows docs/add-an-op.md to the letter in a copy of the tree, builds it, and looks whether the generic tests ran
# on the new op.
set -eu
root=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar c --exclude='./build*' --exclude=./.git -f - . | tar x -C "$work"
cd "$work"
awk '
    /^<!-- file: /   { mode = "file"; name = $3; next }
    /^<!-- append: / { mode = "append"; name = $3; next }
    /^<!-- after /   { mode = "after"; match($0, /"[^"]*"/); mark = substr($0, RSTART + 1, RLENGTH - 2); name = $(NF - 1); next }
    /^```c/ && mode  { inside = 1; text = ""; next }
    /^```/ && inside {
        inside = 0
        if (mode == "file") printf "%s", text > name
        if (mode == "append") printf "%s", text >> name
        if (mode == "after") {
            out = ""
            while ((getline line < name) > 0) { out = out line "\n"; if (index(line, mark) == 1) out = out text }
            close(name)
            printf "%s", out > name
        }
        close(name); mode = ""; next
    }
    inside { text = text $0 "\n" }
' docs/add-an-op.md
grep -q hd_squareplus_at include/hadal/ops_math.h || { echo "the header was not changed: the page names a line that is not there"; exit 1; }

cmake --preset default -DCMAKE_BUILD_TYPE=Debug >/dev/null
cmake --build --preset default --target test_ops test_op_grads test_op_kernels -j2 >build.log 2>&1 || { cat build.log; exit 1; }
export HADAL_TEST_DATA="${HADAL_TEST_DATA:-$root/../shared}"
for t in test_ops test_op_grads test_op_kernels; do
    ./build/$t >$t.log 2>&1 || { cat $t.log; exit 1; }
done
# The suite must notice a wrong gradient.
sed -i 's/hd_div(y, root)/hd_div(x, root)/' src/ops/squareplus.c
cmake --build --preset default --target test_op_grads -j2 >build.log 2>&1 || { cat build.log; exit 1; }
if ./build/test_op_grads >wrong.log 2>&1; then echo "a wrong gradient was not noticed"; exit 1; fi
grep -q squareplus wrong.log || { echo "the wrong gradient was not named"; exit 1; }
echo "added squareplus by the page; the generic tests ran on it and noticed a wrong gradient"
