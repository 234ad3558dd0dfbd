#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The HTTP edge with real clients: UEs, curl, wrk, hostile ones, many idle ones; limits, sandbox, restart.
. "$(dirname "$0")/lib.sh"

subscribers 200 "$work/subscribers.jsonl"
sed -n 1p "$work/subscribers.jsonl" >"$work/a.json"
sed -n 2p "$work/subscribers.jsonl" >"$work/b.json"
lab_up --subscribers "$work/subscribers.jsonl" --http
url=$TKMS_HTTP_URL
host=${url#http://}
host=${host%%:*}
edge=$TKMS_BUILD/dataplane/http/tkms-http

# UEs
for suite in A B; do
  check "a call over HTTP, suite $suite: the SRTP keys are equal" call "$url" kms@tkms.example --suite "$suite"
done
check "a call over IPv6" call "http://[fd69::3:1]:8080/keymanagement"
refuses "a KMS that is not there is named" "HTTP status 404" client tkms-ue probe --kms "http://$host:8080/other" --as "$work/a.json"

# curl
client tkms-bench load --kms "$TKMS_ADDRESSES" --rate 2000 --seconds 1 --subscribers "$work/subscribers.jsonl" --save "$work/messages"
xxd -r -p <(head -1 "$work/messages") >"$work/message"
head -c 9 "$work/message" >"$work/short"
printf '\x02' | cat - <(tail -c +2 "$work/message") >"$work/version"
printf '\x01\x0e' | cat - <(tail -c +3 "$work/message") >"$work/transfer"
head -c 9000 /dev/zero >"$work/long"
mikey='Content-Type: application/mikey'
# status EXPECTED [CURL OPTIONS...]
answers_with() { test "$(client curl -s -m 10 -o "$work/body" -D "$work/head" -w '%{http_code}' "${@:2}")" = "$1"; }
post() { answers_with "$1" -H "$mikey" --data-binary "@$work/$2" "${3:-$url}"; }
check "200 for a message" post 200 message
check "the answer is application/mikey" grep -qi '^content-type: application/mikey' "$work/head"
decodes() { "$TKMS_BUILD/control/tkmsctl" decode "$work/body" | grep -q RESOLVE_RESP; }
check "the answer is a RESOLVE_RESP" decodes
check "200 with the query for requests" post 200 message "$url?requesttype=ticketrequest"
check "200 with the query for resolves" post 200 message "$url?requesttype=ticketresolve"
check "400 for a body that is too short" post 400 short
check "400 for another version" post 400 version
check "400 for a message that is no request" post 400 transfer
check "a short reason comes with it" grep -q MIKEY "$work/body"
check "404 for another path" post 404 message "http://$host:8080/"
check "404 for another query" post 404 message "$url?requesttype=other"
check "405 for GET" answers_with 405 "$url"
check "it names what is allowed" grep -qi '^allow: POST' "$work/head"
check "413 for a body that is too long" post 413 long
check "413 before the body is sent, when asked" answers_with 413 -H "$mikey" -H 'Expect: 100-continue' --data-binary "@$work/long" "$url"
check "200 after 100-continue" answers_with 200 -H "$mikey" -H 'Expect: 100-continue' --data-binary "@$work/message" "$url"
check "200 for chunks" answers_with 200 -H "$mikey" -H 'Transfer-Encoding: chunked' --data-binary "@$work/message" "$url"
check "415 for another type" answers_with 415 --data-binary "@$work/message" "$url"
jq -c '.psk = "00112233445566778899aabbccddeeff"' "$work/a.json" >"$work/stranger.json"
refuses "an Error message comes through (status 200)" "Error 0" client tkms-ue probe --kms "$url" --timeout 1 --as "$work/stranger.json"

metric() { client curl -s -m 5 "http://$host:9469/metrics" | awk -v m="$1" '$1 == m { print $2 }'; }
check "metrics count answers by status" test "$(metric 'tkms_http_requests_total{status="415"}')" -eq 1
check "metrics count answers by address" test "$(metric "tkms_http_kms_answers_total{address=\"${TKMS_ADDRESSES%%,*}:2269\"}")" -ge 10
log=/run/$TKMS_LAB-lab/http/edge.log
check "the access log has refused requests" grep -qE 'client=10.69.2.1 method=POST target="/keymanagement" status=415 in=[0-9]+' "$log"
check "it has nothing of a body" test "$(grep -c user1 "$log")" -eq 0

# A client's messages leave from a port of its own (or one that it shares with few).
ip netns exec "$TKMS_LAB-http" tcpdump -i ht0 -n -l -q udp dst port 2269 >"$work/ports" 2>"$work/tcpdump.log" &
background+=($!)
eventually 5 "the capture runs" grep -q "listening on" "$work/tcpdump.log"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
  for _ in 1 2; do
    client curl -s -m 5 -o /dev/null --interface "10.69.128.$i" -H "$mikey" --data-binary @<(xxd -r -p <(sed -n "$((i + 20))p" "$work/messages")) "$url"
  done
done
seen() { test "$(wc -l <"$work/ports")" -ge 24; }
eventually 5 "the messages of twelve clients are captured" seen
awk '{ split($3, a, "."); print a[5] }' "$work/ports" >"$work/by-client"
pairs() { awk 'NR % 2 { first = $1; next } first != $1 { bad = 1 } END { exit bad }' "$work/by-client"; }
check "a client's messages leave from the same port" pairs
check "clients are spread over ports" test "$(sort -u "$work/by-client" | wc -l)" -ge 3

# many requests, every answer verified
# As fast as answers come, so that a busy machine only takes longer.
if [[ -n ${TKMS_LONG:-} ]]; then wanted=100000; else wanted=5000; fi
answered=0
while [[ $answered -lt $wanted ]]; do
  check "requests and resolves, each answer verified as a UE does: none failed" client sh -c \
    "tkms-bench load --kms $url --rate max --window 64 --seconds 3 --op mix --subscribers $work/subscribers.jsonl --json >$work/load.json"
  answered=$((answered + $(jq .answered "$work/load.json")))
done
check "$answered of them" jq -e '.failed == 0' "$work/load.json"
client wrk -t1 -c64 -d3 -s "$root/bench/http/post.lua" "$url" -- "$work/messages" >"$work/wrk"
check "wrk with 64 connections: every answer is a 200 ($(grep RESULT "$work/wrk"))" grep -qE 'RESULT .* bad=0$' "$work/wrk"

# An edge of its own with narrow limits: edge_with NAME PORT SETTINGS...
edge_with() {
  local name=$1 port=$2 setting set=()
  for setting in "kms=$TKMS_ADDRESSES" "listen=$host:$port" metrics= "${@:3}"; do set+=(--set "$setting"); done
  ip netns exec "$TKMS_LAB-http" "$edge" "${set[@]}" >"$work/$name.log" 2>&1 &
  edge_pid=$!
  background+=("$edge_pid")
  eventually 10 "an edge with ${*:3} serves" answers_with 405 "http://$host:$port/keymanagement"
}
edge_with limits 8090 request_timeout=2s keepalive_timeout=20s
check "hostile clients get what they deserve" \
  client python3 "$tests/http_hostile.py" "$host" 8090 /keymanagement "$work/message" 2
cat "$work/check.log"

edge_with sources 8091 requests_per_source=1 requests_burst=5 connections_per_source=20
limited() {
  local i
  for ((i = 0; i < 30; i++)); do answers_with 200 -H "$mikey" --data-binary "@$work/message" "http://$host:8091/keymanagement" || break; done
  grep -q ' 429 ' "$work/head" && grep -qi '^retry-after: [0-9]' "$work/head"
}
check "a source that asks too much gets 429 and is told when to come back" limited
# Each of these is refused for what it is while its source is within its rate.
invalid() {
  local name=$1 port=$2 i
  edge_with "$name" "$port" requests_per_source=1 requests_burst=5 access_log_rate=3 "metrics=$host:$((port + 1000))"
  for ((i = 0; i < 12; i++)); do answers_with 429 "${@:3}" "http://$host:$port/keymanagement" && return; done
  return 1
}
invalid_body() { invalid flood1 8101 -H "$mikey" -d x; }
invalid_type() { invalid flood2 8102 -d x; }
invalid_method() { invalid flood3 8103 -X PUT; }
invalid_length() { invalid flood4 8104 -H "$mikey" --data-binary "@$work/long"; }
for what in invalid_body invalid_type invalid_method invalid_length; do
  check "a source that floods with requests that are refused gets 429 (${what#invalid_})" "$what"
done
left_out() { client curl -s -m 5 "http://$host:9104/metrics" | awk '$1 == "tkms_http_log_lines_left_out_total" { exit !($2 > 0) }'; }
more_lines() { answers_with 429 "http://$host:8104/keymanagement{,,,,,,,,,,,,,,,,,,,}" || true; left_out; }
eventually 5 "the access log has its rate, and what it leaves out is counted" more_lines
other() { answers_with 200 --interface 10.69.128.7 -H "$mikey" --data-binary "@$work/message" "http://$host:8091/keymanagement"; }
check "another source is not concerned" other
few() { client python3 "$tests/http_clients.py" count "$host" 8091 /keymanagement 50; }
check "a source has so many connections and no more" test "$(few)" = answered=20

edge_with silence 8092 kms=10.69.1.200 answer_timeout=1s in_flight=2
check "504 when no KMS answers" post 504 message "http://$host:8092/keymanagement"
overload() {
  local i
  for i in 1 2 3 4; do
    client curl -s -m 10 -o /dev/null -D "$work/head.$i" -H "$mikey" --data-binary @<(xxd -r -p <(sed -n "${i}p" "$work/messages")) \
      "http://$host:8092/keymanagement" &
  done
  wait $!
  sleep 1.2
  grep -l ' 503 ' "$work"/head.? | xargs -r grep -li '^retry-after' | grep -q .
}
check "503 when too much is in flight" overload

edge_with share 8095 kms=10.69.1.200 answer_timeout=3s in_flight=4 in_flight_per_source=2
share() {
  local i
  for i in 1 2 3; do
    client curl -s -m 10 -o /dev/null -w '%{http_code}\n' -H "$mikey" --data-binary @<(xxd -r -p <(sed -n "${i}p" "$work/messages")) \
      "http://$host:8095/keymanagement" >"$work/share.$i" &
    sharing[i]=$!
  done
  client curl -s -m 10 -o /dev/null -w '%{http_code}\n' --interface 10.69.128.7 -H "$mikey" --data-binary "@$work/message" \
    "http://$host:8095/keymanagement" >"$work/share.4"
  wait "${sharing[@]}"
  test "$(sort "$work"/share.? | tr '\n' ' ')" = "429 504 504 504 "
}
sharing=()
check "a source has its share of what is in flight and no more" share

# Sandbox, workers
edge_with workers 8093 workers=2 requests_per_source=0 "metrics=$host:9470"
sent_by_workers() { client curl -s -m 5 "http://$host:9470/metrics" | awk '$1 == "tkms_http_datagrams_sent_total" { print $2 }'; }
for i in $(seq 40); do post 200 message "http://$host:8093/keymanagement"; done
counted=$(sent_by_workers)
worker_pids() { pgrep -P "$1"; }
check "as many workers as asked for" test "$(worker_pids "$edge_pid" | wc -l)" -eq 2
workers_pid=$edge_pid
first=$(worker_pids "$edge_pid" | head -1)
confined() {
  local pid
  for pid in "$edge_pid" $(worker_pids "$edge_pid"); do
    grep -qx 'Seccomp:	2' "/proc/$pid/status" && grep -qx 'NoNewPrivs:	1' "/proc/$pid/status" &&
      grep -qx 'CapPrm:	0000000000000000' "/proc/$pid/status" && ! grep -q '^Uid:	0' "/proc/$pid/status" || return 1
  done
}
check "supervisor and workers are unprivileged and confined" confined
kill -KILL "$first"
again() { test "$(worker_pids "$edge_pid" | wc -l)" -eq 2 && ! worker_pids "$edge_pid" | grep -qx "$first"; }
eventually 5 "a worker that died is started again" again
check "it serves" post 200 message "http://$host:8093/keymanagement"
for i in $(seq 20); do post 200 message "http://$host:8093/keymanagement"; done
check "counters go on where they were ($counted)" test "$(sent_by_workers)" -gt "$((counted + 19))"

# Many idle connections
mkfifo "$work/hold"
client python3 "$tests/http_clients.py" idle "$host" 8080 /keymanagement 10000 <"$work/hold" >"$work/idle" &
background+=($!)
idle_pid=$!
exec 3>"$work/hold"
eventually 30 "10,000 connections, each with a request that was answered" grep -q ready "$work/idle"
kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
memory=$(kib "$(worker_pids "$(cat "/run/$TKMS_LAB-lab/http/edge.pid")")")
check "10,000 idle connections take less than 100 MiB ($memory KiB)" test "$memory" -lt 102400
check "a request in between is answered" post 200 message
exec 3>&-
wait "$idle_pid"
check "none of them was closed" grep -qx 'closed=0' "$work/idle"

edge_with full 8094 connections=50
mkfifo "$work/hold.full"
client python3 "$tests/http_clients.py" idle "$host" 8094 /keymanagement 80 <"$work/hold.full" >"$work/full" &
full_pid=$!
background+=("$full_pid")
exec 4>"$work/hold.full"
eventually 20 "80 connections to an edge that keeps 50: each has its request answered" grep -q ready "$work/full"
exec 4>&-
wait "$full_pid"
check "those that were idle longest made room ($(tail -1 "$work/full"))" grep -qE '^closed=(29|3[0-9])$' "$work/full"

edge_with evict 8096 connections=30 connections_per_source=20
mkfifo "$work/hold.evict"
client python3 "$tests/http_clients.py" idle "$host" 8096 /keymanagement 20 10.69.128.7 <"$work/hold.evict" >"$work/evict" &
evict_pid=$!
background+=("$evict_pid")
exec 5>"$work/hold.evict"
eventually 10 "a source has 20 idle connections" grep -q ready "$work/evict"
mkfifo "$work/hold.evict2"
client python3 "$tests/http_clients.py" idle "$host" 8096 /keymanagement 10 <"$work/hold.evict2" >"$work/evict2" &
evict2_pid=$!
background+=("$evict2_pid")
exec 6>"$work/hold.evict2"
eventually 10 "another fills the edge" grep -q ready "$work/evict2"
greedy() { client python3 "$tests/http_clients.py" count "$host" 8096 /keymanagement 60 10.69.128.7; }
check "one that has all it may have gets no more" test "$(greedy)" = answered=0
exec 5>&- 6>&-
wait "$evict_pid" "$evict2_pid"
check "and nobody else loses a connection by its trying" grep -qx 'closed=0' "$work/evict2"

# Graceful stop
# A worker that is held up finds many connections in its queue, and the signal.
edge_with queue 8098 requests_per_source=0
held=$(worker_pids "$edge_pid")
kill -STOP "$held"
client python3 "$tests/http_clients.py" queue "$host" 8098 /keymanagement 200 "$work/message" >"$work/queue" 2>&1 &
queue_pid=$!
background+=("$queue_pid")
queued() { grep -q ready "$work/queue"; }
eventually 10 "200 connections wait in the queue" queued
kill -TERM "$edge_pid"
kill -CONT "$held"
queue_end() { wait "$queue_pid" || { tail -3 "$work/queue" && false; }; }
check "told to stop, it answers every one of them" queue_end
check "it ends with status 0" wait "$edge_pid"
edge_with fresh 8097 workers=2 requests_per_source=0
client python3 "$tests/http_clients.py" fresh "$host" 8097 /keymanagement 40 "$work/message" >"$work/fresh" 2>&1 &
fresh_pid=$!
background+=("$fresh_pid")
eventually 5 "clients with a connection per request are busy" grep -q ready "$work/fresh"
sleep 0.5
kill -TERM "$edge_pid"
fresh_end() { wait "$fresh_pid" || { cat "$work/fresh" && false; }; }
check "told to stop, it resets none of them" fresh_end
check "it ends with status 0" wait "$edge_pid"
client python3 "$tests/http_clients.py" busy "$host" 8093 /keymanagement 20 "$work/message" >"$work/busy" 2>&1 &
busy_pid=$!
background+=("$busy_pid")
eventually 5 "clients are busy" grep -q ready "$work/busy"
sleep 0.5
kill -TERM "$workers_pid"
clean_end() { wait "$busy_pid" || { cat "$work/busy" && false; }; }
check "told to stop, it answers what it has and ends every connection between two answers" clean_end
check "it ends with status 0" wait "$workers_pid"

# Ratios in one run, with slack for busy machines; bench/README.md has the figures.
if [[ -n ${TKMS_LONG:-} ]]; then
  TKMS_LAB=${TKMS_LAB%-http}-hbench "$root/bench/http.sh" --json >"$work/bench.json"
  cat "$work/bench.json"
  check "a resolve through the edge costs its core at most 2.5 fixed answers" jq -e '.cpu_ratio > 0.4' "$work/bench.json"
fi
