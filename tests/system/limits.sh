#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a source, a subscriber and a message get at most; replays from forged addresses; edges that ask for many.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/single.sh
. "$tests/single.sh"

clients=$TKMS_LAB-client
kms=10.77.0.1
subscribers 3 "$work/subscribers.jsonl"
sed -i '3s/}$/, "roles": ["function"]}/' "$work/subscribers.jsonl"
for i in 1 2 3; do (umask 077 && sed -n "${i}p" "$work/subscribers.jsonl" >"$work/user$i.json"); done
single_begin
single_namespace "$clients"
ip -n "$node" link add dp0 type veth peer name cl0 netns "$clients"
ip netns exec "$clients" ethtool -K cl0 tx off >/dev/null 2>&1
ip -n "$node" link set dp0 up
ip -n "$clients" link set cl0 up
for host in 2 3 4 5; do ip -n "$clients" address add 10.77.0.$host/16 dev cl0; done
# configure LIMITS: as one line of YAML
configure() { printf 'service: {addresses: [%s/16]}\nlimits: {%s}\n' "$kms" "$1"; }
configure 'max_keys: 16' | single_config
single_control "$work/subscribers.jsonl"
single_dataplane -- --vdev=net_af_packet0,iface=dp0
mac=$(on_node cat /sys/class/net/dp0/address)
reconfigure() {
  { head -n 2 "$home/tkms.yaml" && configure "$1"; } >"$work/new.yaml"
  cp "$work/new.yaml" "$home/tkms.yaml"
  single_reload
}
client() { ip netns exec "$clients" "$@"; }
probe() { client "$TKMS_BUILD/bench/tkms-ue" probe --kms "$kms" --kms-identity kms@tkms.example --as "$work/user$1.json"; }
# load REPORT USER SOURCE PORTS RATE: a second of requests of that subscriber, each another message
load() {
  client "$TKMS_BUILD/bench/tkms-bench" load --kms "$kms" --bind "$3" --sources "$4" --op request --tickets 1 --rate "$5" --seconds 1 \
    --subscribers "$work/user$2.json" --identity kms@tkms.example --json >"$work/$1" || true
}
# report REPORT EXPRESSION
report() { jq -se ".[0] | $2" "$work/$1"; }
# With a limit too low, repetitions would not help: its bucket stays empty.
all_answered='.sent > 0 and .answered == .sent'
# at_once LOAD LOAD: what is not answered is given up after five seconds
at_once() {
  # shellcheck disable=SC2086
  load $1 &
  local pid=$!
  # shellcheck disable=SC2086
  load $2
  wait "$pid"
}
moved() { test $(($(counter "$1") - $2)) -ge "$3"; }

# With the limits that are the default
eventually 5 "the KMS answers" probe 1
client python3 "$tests/replay.py" record 4444 "$kms" "$work/message" >"$work/record.log" &
background+=($!)
eventually 5 "somebody listens on the way" grep -q ready "$work/record.log"
check "a request is answered and kept by somebody" client "$TKMS_BUILD/bench/tkms-ue" probe --kms 127.0.0.1:4444 \
  --kms-identity kms@tkms.example --as "$work/user1.json"
before=$(counter limit_repeat)
client python3 "$tests/replay.py" replay cl0 "$mac" 10.80 "$kms" "$work/message" 5000 >"$work/replay"
check "5000 replays from 5000 forged addresses get at most 100 answers, and 10 a second" \
  report replay '.answers >= 50 and .answers <= 100 + 10 * .seconds + 10'
check "what is reflected is a small part of what was sent" report replay '.answer_octets * 5 < .sent_octets'
eventually 5 "the others are counted" moved limit_repeat "$before" 2500
for ((i = 0; i < 5; i++)); do check "its sender is not held up: request $((i + 1))" probe 1; done
load edge 3 10.77.0.2/32 1 1000
check "an edge is not held up by the defaults: 1000 requests of one address and one network function" report edge "$all_answered"
check "nothing of it was over a limit" test "$(counter drop_source_limit) $(counter limit_subscriber)" = "0 0"

# Errors: with the verdict counted, and those that are withheld
reconfigure 'errors_per_source: 5, errors_burst: 10, messages_per_source: 0'
before=$(counter drop_error_source_limit)
verdicts=$(counter auth_mac)
client python3 "$tests/replay.py" wrong 10.77.0.3 "$kms" "$work/message" 1000 >"$work/wrong"
check "1000 messages with a wrong MAC get at most 10 Errors, and 5 a second" \
  report wrong '.errors >= 10 and .errors <= 10 + 5 * .seconds + 1 and .others == 0'
errors=$(report wrong .errors)
eventually 5 "each is counted with its verdict" moved auth_mac "$verdicts" 1000
eventually 5 "and each Error that is withheld" moved drop_error_source_limit "$before" $((1000 - errors))
check "no more of them" test "$(counter auth_mac) $(counter drop_error_source_limit)" = \
  "$((verdicts + 1000)) $((before + 1000 - errors))"
client python3 "$tests/replay.py" wrong 10.77.0.4 "$kms" "$work/message" 5 >"$work/wrong"
check "another address gets its own Errors" report wrong '.errors == 5'
check "a subscriber behind the first address is answered" probe 1

# Subscribers
reconfigure 'messages_per_subscriber: 5, subscriber_burst: 20, messages_per_function: 1000, function_burst: 1000'
before=$(counter limit_subscriber)
at_once "phone 1 10.77.0.2/32 4 200" "gateway 3 10.77.0.3/32 4 200"
check "a subscriber asks 200 times: most of it is not answered" report phone '.answered < 100 and .answered >= 20'
eventually 5 "but counted" moved limit_subscriber "$before" 100
check "a network function asks as often and is answered" report gateway "$all_answered"
check "another subscriber is answered" probe 2

# Sources
reconfigure 'messages_per_source: 5, source_burst: 50, messages_per_subscriber: 0'
before=$(counter drop_source_limit)
at_once "many 1 10.77.0.3/32 8 200" "few 1 10.77.0.4/32 1 10"
check "200 requests come from one address: most of them are not answered" report many '.sent == 200 and .answered < 120'
eventually 5 "but counted" moved drop_source_limit "$before" 100
check "another address is answered" report few "$all_answered"

# Edges: each port is a source
reconfigure 'messages_per_source: 5, source_burst: 50, messages_per_subscriber: 0, trusted_edges: [10.77.0.4/31]'
at_once "one 1 10.77.0.5/32 1 200" "ten 1 10.77.0.5/32 10 200"
check "200 requests come from ten ports of an edge: all are answered" report ten "$all_answered"
check "200 requests come from one port of it: most of them are not" report one '.sent == 200 and .answered < 120'
check "the same process serves as before" kill -0 "$dataplane_pid"
