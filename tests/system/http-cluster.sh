#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The edge in front of a replica set: a node is killed under load and no request fails. With TKMS_LONG also nodes that freeze, drain, or are cut off.
. "$(dirname "$0")/lib.sh"

subscribers 100 "$work/subscribers.jsonl"
lab_up --nodes 2 --http --subscribers "$work/subscribers.jsonl"
metric() { client curl -s -m 5 http://10.69.3.1:9469/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
holds() { lab ctl "$1" status --json | jq -e '.addresses_held | map(select(contains("."))) | length > 0'; }
shared() { holds node1 && holds node2; }
load() { client tkms-bench load --kms "$TKMS_HTTP_URL" --rate 300 --seconds "$1" --subscribers "$work/subscribers.jsonl" --json >"$work/load.json" 2>"$work/load.log" || true; }
none_failed() { jq -e ".sent == $1 and .answered == $1 and .failed == 0" "$work/load.json" || { cat "$work/load.log" "$work/load.json" && false; }; }

# under_load SENTENCE COMMAND...: while 1500 requests come in five seconds
under_load() {
  eventually 30 "both nodes hold an address" shared
  load 5 &
  local load_pid=$!
  sleep 2
  "${@:2}"
  wait "$load_pid"
  check "$1: 1500 requests through the edge, none failed (longest gap $(jq .longest_gap_ms "$work/load.json") ms)" none_failed 1500
}

under_load "a node is killed" lab kill node1
lab start node1
if [[ -n ${TKMS_LONG:-} ]]; then
  under_load "a node freezes" lab freeze node2
  lab thaw node2
  under_load "a node drains" lab ctl node1 node drain node1
  lab ctl node1 node undrain node1
  under_load "a node is cut off from the clients" lab partition node2 clients
  lab heal node2
fi
answering() { for address in ${TKMS_ADDRESSES//,/ }; do test "$(metric "tkms_http_kms_silent{address=\"$address:2269\"}")" -eq 0 || return 1; done; }
back() { load 0.2 && answering; }
eventually 30 "both addresses answer the edge again" back
