# SPDX-License-Identifier: BSD-3-Clause
# What quickstart.sh, test.sh and lab.sh share; sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Programs are taken from TKMS_BUILD when it is set (meson's tests do that), else built into build/.
build=${TKMS_BUILD:-$root/build}

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
  warn "$*"
  exit 1
}

need_root() { [[ $EUID -eq 0 ]] || die "needs root (network namespaces): run it with sudo"; }

# DPDK and ipsec-mb need these; a clear word now saves a SIGILL later.
need_cpu() {
  local flag
  [[ $(uname -m) == x86_64 ]] || die "this machine is a $(uname -m); tkms runs on x86-64 only"
  for flag in sse4_2 aes pclmulqdq; do
    grep -qw "$flag" /proc/cpuinfo || die "this CPU lacks $flag; tkms needs SSE4.2 and AES-NI"
  done
}

install_packages() { "$root/deploy/packages.sh" || die "packages could not be installed (see above)"; }

# build_in DIR [meson options]: configures DIR once and brings it up to date: all of it, or $build_target.
build_in() {
  local dir=$1
  shift
  if [[ ! -f $dir/build.ninja ]]; then
    rm -rf "$dir/meson-private" "$dir/meson-info"
    meson setup "$dir" "$root" "$@" >"$dir.setup.log" 2>&1 || {
      cat "$dir.setup.log" >&2
      rm -f "$dir.setup.log"
      return 1
    }
    rm -f "$dir.setup.log"
  fi
  ninja -C "$dir" ${build_target:+"$build_target"}
}

# Programs ready in $build: built there unless the caller brought them.
need_programs() {
  if [[ -n ${TKMS_BUILD:-} ]]; then
    [[ -x $build/control/tkms-control ]] || die "TKMS_BUILD=$build holds no programs; build them or unset it"
    return 0
  fi
  need_cpu
  "$root/deploy/packages.sh" --check >/dev/null 2>&1 || {
    say "Installing packages (deploy/packages.sh --list names them)"
    install_packages
  }
  say "Building into $build"
  mkdir -p "$root/build"
  (
    flock 9
    build_in "$build" >"$build/tkms-build.log" 2>&1 || {
      tail -40 "$build/tkms-build.log" >&2
      exit 1
    }
  ) 9>"$root/build/.tkms-lock" || die "the build failed (all of it: $build/tkms-build.log)"
}

program() {
  case $1 in
    tkms-control | tkmsctl) printf '%s/control/%s\n' "$build" "$1" ;;
    tkms-http) printf '%s/dataplane/http/%s\n' "$build" "$1" ;;
    tkms-dataplane) printf '%s/dataplane/%s\n' "$build" "$1" ;;
    *) printf '%s/bench/%s\n' "$build" "$1" ;;
  esac
}
