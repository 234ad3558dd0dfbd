#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ways to the data planes that lose, repeat, delay, forge and end under load: no request through the edge fails.
. "$(dirname "$0")/lib.sh"

subscribers 100 "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl" --http


# way PORT FAULTS...: its process into way_pid
way() {
  ip netns exec "$TKMS_LAB-http" python3 "$tests/udp_proxy.py" "$1" "$TKMS_ADDRESSES" "${@:2}" >"$work/way.$1" 2>&1 &
  way_pid=$!
  background+=("$way_pid")
  eventually 5 "a way by port $* is open" grep -q ready "$work/way.$1"
}
# edge_over PORTS: tkms-http at 10.69.3.1:8090 over ways
edge_over() {
  ip netns exec "$TKMS_LAB-http" "$TKMS_BUILD/dataplane/http/tkms-http" --set "kms=$1" --set listen=10.69.3.1:8090 --set metrics=10.69.3.1:9490 \
    --set requests_per_source=0 >"$work/edge.log" 2>&1 &
  edge_pid=$!
  background+=("$edge_pid")
  eventually 5 "an edge over $1 serves" client curl -s -m 2 -o /dev/null http://10.69.3.1:8090/
}
edge_end() { kill -TERM "$edge_pid" && wait "$edge_pid"; }
load() { client tkms-bench load --kms http://10.69.3.1:8090/keymanagement --rate 300 --seconds "$1" --subscribers "$work/subscribers.jsonl" --json >"$work/load.json" 2>"$work/load.log" || true; }
none_failed() { jq -e ".sent == $1 and .answered == $1 and .failed == 0" "$work/load.json" || { cat "$work/load.log" "$work/load.json" && false; }; }
metric() { client curl -s -m 5 http://10.69.3.1:9490/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
silent() { metric "tkms_http_kms_silent{address=\"127.0.0.1:$1\"}"; }

way 7001 lose=0.05 twice=0.1 late=0.1 swap=0.1
way 7002 lose=0.05 twice=0.1 late=0.1 forge=0.2
edge_over 127.0.0.1:7001,127.0.0.1:7002
load 4
check "a lossy, repeating, forging network: 1200 requests, none failed" none_failed 1200
check "datagrams that answered nothing were noticed" test "$(metric tkms_http_answers_stray_total)" -gt 50
check "Errors without MAC had the other address asked" test "$(metric tkms_http_answers_unvouched_total)" -gt 10
check "what was lost was sent again" test "$(metric tkms_http_datagrams_retried_total)" -gt 10
check "the edge ends with status 0" edge_end

way 7003
first=$way_pid
way 7004
second=$way_pid
edge_over 127.0.0.1:7003,127.0.0.1:7004
test_silent() { test "$(silent 7003)" -eq 1 || test "$(silent 7004)" -eq 1; }
for event in KILL STOP; do
  load 5 &
  load_pid=$!
  sleep 1.5
  if [[ $event == KILL ]]; then kill -KILL "$first"; else kill -STOP "$second"; fi
  eventually 3 "the edge notices a way that is gone ($event)" test_silent
  wait "$load_pid"
  check "one of two ways ends under load ($event): 1500 requests, none failed" none_failed 1500
  check "the longest time without an answer is below half a second ($(jq .longest_gap_ms "$work/load.json") ms)" \
    jq -e '.longest_gap_ms < 500' "$work/load.json"
  if [[ $event == KILL ]]; then way 7003; else kill -CONT "$second"; fi
  back() { load 0.2 && test "$(silent 7003)" -eq 0 && test "$(silent 7004)" -eq 0; }
  eventually 20 "its return is noticed" back
  said() { grep -q "$1" "$work/edge.log"; }
  eventually 5 "the log says that it was gone" said 'warning: 127.0.0.1:700[34] does not answer'
  eventually 5 "and that it is back" said 'info: 127.0.0.1:700[34] answers again'
done
