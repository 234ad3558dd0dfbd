#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Clients that know several addresses: any node gives the same answer, and what is dead is remembered.
. "$(dirname "$0")/lib.sh"

interop=$tests/interop
export PYTHONDONTWRITEBYTECODE=1
python3 "$interop/check.py" subscribers >"$work/subscribers.jsonl"
subscribers 100 "$work/more.jsonl"
cat "$work/more.jsonl" >>"$work/subscribers.jsonl"
lab_up --nodes 2 --subscribers "$work/subscribers.jsonl" --profile rfc6043

# The address that a node holds, IPv4.
address_of() { lab ctl "$1" status --json | jq -er '[.addresses_held[] | select(test("^[0-9.]+$"))][0]'; }
check "each node holds its share of the addresses" lab settle
first=$(address_of node1) second=$(address_of node2)

later() { client python3 "$interop/later.py" "$1" "$work/later" "${@:2}"; }
answered() { lab ctl "$1" status --json | jq -er ".dataplane.counters.$2"; }
check "a ticket is requested and resolved at one node" later "$first"
before=$(answered node2 resolve_ok)
check "the same messages give the same keys at the other" later "$second" same same
grown() { [[ $(answered node2 resolve_ok) -gt $before ]]; }
eventually 5 "it was the other node that answered" grown

load() {
  client tkms-bench load --kms "$1" --op mix --rate 200 --seconds "$2" --tickets 100 --subscribers "$work/more.jsonl" \
    --identity kms@tkms.example --json >"$work/report" 2>"$work/report.err"
}
report() {
  cat "$work/report" "$work/report.err"
  jq -e "$1" "$work/report"
}
check "with a dead address among three a load has its answers" load "$first,10.69.1.99,$second" 4
check "all of them" report '.sent == 800 and .failed == 0'
# It is asked about once a second, not in turn (267 times).
check "the dead one is remembered" report '.retried > 0 and .retried < 120'
with_dead() { client tkms-ue probe --kms "10.69.1.99,$second" --kms-identity kms@tkms.example --as "$work/one.json"; }
head -1 "$work/more.jsonl" >"$work/one.json"
check "tkms-ue finds the living one too" with_dead

# Somebody who answers everything with Errors that prove nothing does not end a question.
# (It spoils the MAC, asks the KMS, and brings back the Error, which has none.)
ip netns exec "$TKMS_CLIENT_NETNS" python3 - "$second" <<'PY' &
import socket, sys
liar = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
liar.bind(("127.0.0.1", 2269))
kms = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
kms.connect((sys.argv[1], 2269))
kms.settimeout(1)
while True:
    asked, who = liar.recvfrom(65535)
    kms.send(asked[:-1] + bytes([asked[-1] ^ 1]))
    try:
        liar.sendto(kms.recv(65535), who)
    except OSError:
        pass
PY
liar=$!
background+=("$liar")
sleep 0.5
liar_first() { client tkms-ue probe --kms "127.0.0.1,$second" --kms-identity kms@tkms.example --as "$work/one.json"; }
check "tkms-ue goes on after an Error without MAC" liar_first
check "so does a load" load "127.0.0.1,$second" 2
check "with all its answers" report '.sent == 400 and .failed == 0'

# What Prometheus is told of the set.
scrape() { ip netns exec "$TKMS_LAB-$1" curl -sSf --max-time 5 http://127.0.0.1:9269/metrics >"$work/metrics-$1"; }
well_formed() { scrape "$1" && promtool check metrics <"$work/metrics-$1"; }
told() { scrape "$1" && grep -E "$2" "$work/metrics-$1"; }
check "the metrics of a replica set are well-formed" well_formed node1
check "both members are in it" told node2 '^tkms_members 2$'
held_once() { scrape node1 && scrape node2 && [[ $(cat "$work"/metrics-node? | grep -c '^tkms_service_address_held{.*} 1$') -eq 4 ]]; }
check "every address is held once" held_once
check "Redis can be reached" told node1 '^tkms_sync_reachable 1$'
lab kill node2
eventually 10 "a dead member is told" told node1 '^tkms_member_alive\{member="node2",origin="[0-9a-f]{16}"\} 0$'
eventually 10 "and all addresses are here" sh -c "ip netns exec $TKMS_LAB-node1 curl -sS http://127.0.0.1:9269/metrics |
  grep -c '^tkms_service_address_held{.*} 1\$' | grep -qx 4"
