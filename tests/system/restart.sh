#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Each process is killed and started again under traffic. Without the control process nothing is lost; a data plane that
# was killed serves all subscribers again without help.
. "$(dirname "$0")/lib.sh"

count=300
subscribers "$count" "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl"

# load SECONDS: requests and resolves of all subscribers at a steady rate; lost ones are asked again for five seconds.
load() {
  client tkms-bench load --kms "$TKMS_ADDRESSES" --op mix --rate 400 --seconds "$1" --tickets "$count" \
    --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example --json >"$work/report" 2>"$work/report.err"
}
load_start() {
  load "$1" &
  load_pid=$!
  background+=("$load_pid")
  sleep 1.5
}
# shellcheck disable=SC2329
load_end() {
  wait "$load_pid" || {
    cat "$work/report" "$work/report.err"
    return 1
  }
}
# A repetition that was answered beside the message it repeated was made too early (a busy machine): nothing was lost.
lossless='.failed == 0 and .retransmissions == .duplicates'
report() {
  jq . "$work/report"
  jq -e "$1" "$work/report"
}
# shellcheck disable=SC2329
connected() { status_is ".dataplane.connected and .dataplane.subscribers == $count"; }

for round in $(seq $((${TKMS_LONG:-0} ? 20 : 2))); do
  load_start 5
  check "round $round: control process killed under load" lab kill node1/control
  sleep 1.5
  check "it starts again" lab start node1/control
  eventually 5 "it is connected to the data plane with $count subscribers" connected
  check "the load ends" load_end
  check "every message was answered meanwhile, repetitions too" report "$lossless"

  load_start 5
  lab kill node1/dataplane
  sleep 0.3
  check "round $round: data plane killed under load, it starts again" lab start node1/dataplane
  check "the load ends, every message got its answer in the end" load_end
  check "the data plane was away for less than 3.5 seconds" report \
    '.failed == 0 and .retried > 0 and .longest_gap_ms < 3500'
  check "all subscribers are served as before" load 2
  check "without a loss" report "$lossless"
  eventually 5 "the status agrees" connected

  lab kill node1
  check "round $round: both killed, both start again" lab start node1
  check "all subscribers are served as before" load 2
  check "without a loss" report "$lossless"
done

# ends PROCESS: SIGTERM ends it within two seconds.
ends() {
  local pid tries
  pid=$(cat "/run/$TKMS_LAB-lab/node1/$1.pid")
  kill -TERM "$pid"
  for ((tries = 0; tries < 40; tries++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.05
  done
  return 1
}
check "SIGTERM ends the control process" ends control
check "SIGTERM ends the data plane" ends dataplane
check "both start after a clean end" lab start node1
check "all subscribers are served as before" load 2
