# packages.sh, sourced by ./quickstart and ./check: what is missing on this machine, why it is needed, and its installation.
# Says first, then does; asks nothing. Needs apt (Debian, Ubuntu); elsewhere it says what to install.

missing=""

# want PACKAGE WHY TEST…: remembers the package when the test command fails.
want() {
  package=$1 why=$2
  shift 2
  if "$@" >/dev/null 2>&1; then return 0; fi
  missing="$missing $package"
  printf '  %-18s %s\n' "$package" "$why"
}

has_command() { command -v "$1"; }

# has_header FILE: does the compiler find it? Without a compiler, is it where Debian puts it? What png.h, cmocka.h and
# others expect to be included before them is.
has_header() {
  command -v cc >/dev/null 2>&1 || { test -e "/usr/include/$1"; return; }
  printf '#include <%s>\n' stdarg.h stddef.h stdint.h stdio.h setjmp.h "$1" | cc -E -x c - -o /dev/null
}

want_build() {
  want gcc "the C compiler" has_command cc
  want libc6-dev "the C library's headers" has_header stdio.h
  want cmake "configures the build" has_command cmake
  want ninja-build "runs the build" has_command ninja
}

# Hadal works without these, with less.
want_libraries() {
  want libdnnl-dev "oneDNN: fast products and convolutions" has_header oneapi/dnnl/dnnl.h
  want libyaml-dev "recipes in YAML" has_header yaml.h
  want libpng-dev "PNG pictures" has_header png.h
  want libjpeg-dev "JPEG pictures" has_header jpeglib.h
  want zlib1g-dev "packed data files (.gz)" has_header zlib.h
  want libcurl4-openssl-dev "hadal data get: fetching data sets" has_header curl/curl.h
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_quiet() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root "$@" </dev/null >>"$apt_log" 2>&1
}

# Installs what want() found missing. Returns 1 when that can not be done, after saying what to do instead.
install_missing() {
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no apt here. Please install by hand what these Debian packages are called on your system:$missing"
    return 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
    echo "Neither root nor sudo. Please run as root: apt-get install$missing"
    return 1
  fi
  apt_log=$(mktemp)
  echo "  installing with apt-get:$missing"
  apt_quiet update || true # a stale mirror in the list need not stop what the others have
  if ! apt_quiet install --no-install-recommends $missing; then
    # one that this release does not have must not keep out the others
    for package in $missing; do
      apt_quiet install --no-install-recommends "$package" || echo "  could not install $package"
    done
  fi
  missing=""
  # ask again: whether something is really lacking shows in the build
  if ! command -v cc >/dev/null 2>&1 || ! command -v cmake >/dev/null 2>&1 || ! command -v ninja >/dev/null 2>&1; then
    echo "The installation failed:"
    tail -n 15 "$apt_log"
    rm -f "$apt_log"
    return 1
  fi
  rm -f "$apt_log"
}

jobs() { nproc 2>/dev/null || echo 2; }

# build_preset NAME LOG [TARGET…]: configures and builds all or the targets; on failure shows why.
build_preset() {
  preset=$1 log=$2
  shift 2
  if cmake --preset "$preset" >"$log" 2>&1 &&
    cmake --build --preset "$preset" -j "$(jobs)" ${1:+--target "$@"} >>"$log" 2>&1; then return 0; fi
  grep -E 'error|Error|warning' -A 4 "$log" | head -n 40
  echo "(all of it: $log)"
  return 1
}
