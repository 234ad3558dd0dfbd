#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tkms-bench dataplane: that it measures what it says. Speed is not judged.
set -euo pipefail
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

bench=$TKMS_BUILD/bench/tkms-bench
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

# measure OPTIONS...: result in $work/result.json.
measure() { "$bench" dataplane --subscribers 1000 --json "$@" >"$work/result.json"; }
result() { jq -e "$1" "$work/result.json"; }

ordered='[.p50, .p90, .p99, .p999, .max] | . == sort and .[0] > 0'

check "resolves are measured, with and without rotation" measure --seconds 2 --rotate 100
check "a rate without loss was found" result '.op_per_s > 0 and .loss == 0'
check "every answer came, and none was wrong" result '.sent > 0 and .answered == .sent and .wrong_in_all == 0'
check "answers were verified in full" result '.verified > 0 and .half.verified > 0'
check "half the rate is half the rate" result '.half.op_per_s / .op_per_s | . > 0.45 and . < 0.55'
check "latencies are in order" result ".latency_us | $ordered"
check "latencies at half the rate are in order" result ".half.latency_us | $ordered"
check "the engine alone is compared with" result '.engine_op_per_s > 0 and
  ((.op_per_s / .engine_op_per_s / .engine_ratio) | . > 0.8 and . < 1.25)'
check "snapshots were taken while it answered" result '.rotation.snapshots >= 2 and .rotation.half.answered > 0 and
  .rotation.half.wrong == 0 and .rotation.throughput_ratio > 0 and .rotation.p99_ratio > 0'

check "requests of suite A are measured" measure --seconds 0.5 --op request --suite A --poll busy
check "its parameters are told" result '.op == "request" and .suite == "A" and .subscribers == 1000 and .poll == "busy"'
check "it answered them" result '.op_per_s > 0 and .verified > 0 and .wrong_in_all == 0'

check "nothing is left behind" test -z "$(ls "$TMPDIR")"
