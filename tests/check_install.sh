#!/bin/sh
# check_install.sh BUILD FOLDER: installs BUILD below FOLDER, builds programs outside the tree against what lies there
# then, by pkg-config and by find_package, from C and C++17, with the shared and the static library, and runs them.
set -eu
build=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2"
folder=$(cd "$2" && pwd)
source=$(cd "$(dirname "$0")/install" && pwd)
cmake --install "$build" --prefix "$folder/before" >/dev/null
mv "$folder/before" "$folder/root" # nothing may hang on where it was installed
libs=$(dirname "$(find "$folder/root" -name libhadal.so)")
soname=$(readelf -d "$libs/libhadal.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
[ "$soname" = libhadal.so.0 ] || { echo "soname is $soname"; exit 1; }
if grep -rlF -e "$build" -e "$folder/before" "$folder/root/include" "$libs/pkgconfig" "$libs/cmake"; then
  echo "these files name the folder of the build or of the installation"
  exit 1
fi
"$folder/root/bin/hadal" version

export PKG_CONFIG_PATH="$libs/pkgconfig"
cflags=$(pkg-config --cflags hadal)
[ "$(pkg-config --modversion hadal)" = "$("$folder/root/bin/hadal" version | sed -n 's/^hadal \([0-9.]*\).*/\1/p')" ]
cc -std=c11 -Wall -Wextra -Wpedantic -Werror $cflags "$source/user.c" $(pkg-config --libs hadal) -o "$folder/pc-shared"
LD_LIBRARY_PATH=$libs "$folder/pc-shared"
cc -std=c11 $cflags "$source/user.c" $(pkg-config --static --libs hadal | sed 's/-lhadal/-l:libhadal.a/') -o "$folder/pc-static"
"$folder/pc-static"
if readelf -d "$folder/pc-static" | grep -q libhadal; then
  echo "pc-static wants libhadal.so"
  exit 1
fi

cmake -S "$source" -B "$folder/build" -G Ninja -DCMAKE_PREFIX_PATH="$folder/root" >"$folder/cmake.log" 2>&1 &&
  cmake --build "$folder/build" >>"$folder/cmake.log" 2>&1 || { tail -n 30 "$folder/cmake.log"; exit 1; }
for program in shared static plusplus; do "$folder/build/$program"; done
