#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A long run of one fuzz target: campaign.sh FUZZER CORPUS DIRECTORY. Meson runs it (suite campaign of a build with -Dfuzz=true).
#
# TKMS_FUZZ_SECONDS: how long, an hour unless given. New inputs that reach new code are kept in DIRECTORY/corpus and are the
# start of the next campaign; inputs that crash, leak or hang stay in DIRECTORY/crashes and fail every campaign until they
# are gone: copy them to tests/fuzz/corpus/NAME/found-* and fix what they show.
set -euo pipefail

fuzzer=$1 corpus=$2 directory=$3
seconds=${TKMS_FUZZ_SECONDS:-3600}
mkdir -p "$directory/corpus" "$directory/crashes"
export ASAN_OPTIONS=detect_leaks=1:${ASAN_OPTIONS:-} UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

status=0
"$fuzzer" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=3000 -print_final_stats=1 -verbosity=1 \
  -artifact_prefix="$directory/crashes/" "$directory/corpus" "$corpus" >"$directory/log" 2>&1 || status=$?
grep -E '^stat::number_of_executed_units' "$directory/log" || true
crashes=$(find "$directory/crashes" -type f | sort)
if [[ $status -ne 0 || -n $crashes ]]; then
  tail -n 60 "$directory/log"
  echo "status $status; inputs kept:"
  echo "${crashes:-none}"
  exit 1
fi
# A target that does nothing has no inputs.
units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$directory/log")
[[ ${units:-0} -gt 0 ]] || {
  echo "nothing was executed"
  exit 1
}
