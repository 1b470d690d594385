#!/bin/sh
# dnnl3.sh [FOLDER]: fetches oneDNN 3 with pip and lays include/ and lib/ into FOLDER (default build/onednn-3), where
# `cmake --preset dnnl3` looks: Debian brings 2.6, and both are to be tested. Does nothing when it is there. Status 77:
# no pip, or no network.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/onednn-3}
if [ -e "$folder/lib/libdnnl.so" ] && [ -e "$folder/include/oneapi/dnnl/dnnl.h" ]; then
  echo "$folder is there"
  exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "no pip: install python3-pip"
  exit 77
fi
mkdir -p "$folder"
wheels=$(mktemp -d "$folder/wheels.XXXXXX")
trap 'rm -rf "$wheels"' EXIT
cat >"$wheels/want.txt" <<'END'
onednn-cpu-gomp==2023.2.0 --hash=sha256:2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb
onednn-devel-cpu-gomp==2023.2.0 --hash=sha256:9763c69e8c907e119056bd52ad918ca84ac9ba939d130a99dfa95ccca3e5e284
END
if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
  -d "$wheels" -r "$wheels/want.txt"; then
  echo "pip could not fetch oneDNN 3: no network?"
  exit 77
fi
for wheel in "$wheels"/*.whl; do python3 -m zipfile -e "$wheel" "$wheels/files"; done
for part in "$wheels"/files/*.data/data/*; do cp -r "$part" "$folder/"; done
echo "oneDNN 3 lies in $folder"
