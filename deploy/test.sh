#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   deploy/test.sh [--suite NAME]... [--long]
#
# Installs what is missing, builds into build/ and runs every test. The last line is
# "N passed, N failed"; the exit status is 0 only if all ran and all passed.
#
#   --suite NAME  only this suite (may be repeated):
#                   unit    unit tests
#                   fuzz    fuzz targets over their corpus
#                   system  whole system in network namespaces of its own
#                   asan    unit and fuzz again, built with address and undefined-behaviour
#                           sanitizers (into build-asan/); a leak is a failure too
#                   campaign  every fuzz target with libFuzzer and sanitizers for an hour
#                           (TKMS_FUZZ_SECONDS), as many at a time as there are CPUs (into
#                           build-fuzz/); new crashes are kept in build-fuzz/fuzz/NAME/crashes
#   --long        long campaigns too: more rounds of the tests above, and the suite campaign
#   --help        this text
#
# Logs: build/meson-logs/SUITE.txt.
set -uo pipefail
# shellcheck source=deploy/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
unset TKMS_BUILD
build=$root/build

usage() { sed -n '4,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }

suites=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --suite)
      [[ ${2:-} =~ ^(unit|fuzz|system|asan|campaign)$ ]] || die "--suite needs unit, fuzz, system, asan or campaign"
      suites+=("$2")
      shift
      ;;
    --long) export TKMS_LONG=1 ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
[[ ${#suites[@]} -gt 0 ]] || suites=(unit fuzz asan system ${TKMS_LONG:+campaign})

# Whatever happens, the last line has the numbers, and nothing that ran is no success.
logs=()
finish() {
  local status=$?
  trap - EXIT
  [[ -z ${stopped:-} ]] || say "Stopped: $stopped"
  python3 "$root/tests/summary.py" --broken "${stopped:-}" "${logs[@]}" || status=1
  exit "$status"
}
trap finish EXIT
trap 'stopped="interrupted"; exit 130' INT TERM HUP
give_up() {
  stopped=$1
  exit 1
}

# run_suite BUILD SUITE LABEL: runs it and keeps its log; a suite without a single test is a mistake.
run_suite() {
  local dir=$1 suite=$2 label=$3
  local log=$dir/meson-logs/$label slack=1
  [[ $label != asan-* ]] || slack=4
  [[ -z ${TKMS_LONG:-} ]] || slack=30
  say "== $label tests"
  # Else Criterion does not tell which cases it skipped.
  export CRITERION_VERBOSITY_LEVEL=1
  rm -f "$log.json"
  meson test -C "$dir" --no-rebuild --suite "$suite" --print-errorlogs --logbase "$label" \
    --timeout-multiplier "$slack" || true
  [[ -s $log.json ]] || give_up "suite $label ran no test"
  logs+=("$label=$log.json")
}

[[ $EUID -eq 0 ]] || give_up "needs root (network namespaces): run it with sudo"
say "== packages"
"$root/deploy/packages.sh" || give_up "packages could not be installed"
(need_cpu) || give_up "this machine cannot run tkms"

plain=0
for suite in "${suites[@]}"; do [[ $suite =~ ^(asan|campaign)$ ]] || plain=1; done
if [[ $plain -eq 1 ]]; then
  say "== build"
  build_in "$build" || give_up "the build failed"
fi
for suite in "${suites[@]}"; do
  if [[ $suite == campaign ]]; then
    say "== build of the fuzz targets"
    CC=clang-14 build_target=fuzzers build_in "$root/build-fuzz" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
      --buildtype=debugoptimized || give_up "the build of the fuzz targets failed"
    run_suite "$root/build-fuzz" campaign campaign
    continue
  fi
  if [[ $suite != asan ]]; then
    run_suite "$build" "$suite" "$suite"
    continue
  fi
  say "== build with sanitizers"
  build_in "$root/build-asan" -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized ||
    give_up "the build with sanitizers failed"
  # Not detect_stack_use_after_return: with it gcc 12 misaligns vectors on the stack.
  export ASAN_OPTIONS=detect_leaks=1
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  run_suite "$root/build-asan" unit asan-unit
  run_suite "$root/build-asan" fuzz asan-fuzz
done
