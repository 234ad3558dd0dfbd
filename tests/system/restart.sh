#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Each process is killed and started again under traffic. Without the control process nothing is lost; a data plane
# that was killed serves all subscribers again without help.
. "$(dirname "$0")/lib.sh"

count=300 rate=500
subscribers "$count" "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl"

# traffic SECONDS REPORT: one request of every subscriber in turn, each sent once.
traffic() {
  client "$TKMS_BUILD/tests/system/tkms-sources" --kms "$TKMS_ADDRESSES" --identity kms@tkms.example \
    --subscribers "$work/subscribers.jsonl" --sources 50 --requests $(($1 * rate)) --rate "$rate" >"$2" 2>"$2.err"
}
traffic_start() {
  traffic "$1" "$work/report" &
  traffic_pid=$!
  background+=("$traffic_pid")
  sleep 1
}
# shellcheck disable=SC2329
all_answered() { wait "$traffic_pid" || { cat "$work/report" "$work/report.err" && return 1; }; }
# shellcheck disable=SC2329
connected() { status_is ".dataplane.connected and .dataplane.subscribers == $count"; }

for round in $(seq $((${TKMS_LONG:-0} ? 20 : 2))); do
  traffic_start 5
  check "round $round: control process killed" lab kill node1/control
  sleep 1.5
  check "it starts again" lab start node1/control
  eventually 5 "it is connected to the data plane with $count subscribers" connected
  check "no request was lost meanwhile" all_answered

  traffic_start 5
  lab kill node1/dataplane
  sleep 0.3
  check "round $round: data plane killed, it starts again" lab start node1/dataplane
  wait "$traffic_pid" || true
  check "it was away (some requests are lost)" jq -e '.lost > 0 and .wrong == 0' "$work/report"
  check "and came back while requests were sent" jq -e '.longest_gap_ms < 3500' "$work/report"
  check "it serves every subscriber again, without loss" traffic 2 "$work/report"
  eventually 5 "status agrees" connected

  lab kill node1
  check "round $round: both killed, both start again" lab start node1
  check "every subscriber is served, without loss" traffic 2 "$work/report"
done

ends() { # PROCESS: SIGTERM ends it within two seconds, and with status 0 as far as its log can tell
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
check "every subscriber is served, without loss" traffic 2 "$work/report"
