#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Octets from a hostile network: random, truncated, damaged messages and frames. Nothing ends, everything is counted,
# and calls work as before.
. "$(dirname "$0")/lib.sh"

ue_files
lab_up --subscribers "$work/subscribers.jsonl"
address4=$TKMS_ADDRESSES address6=$TKMS_ADDRESSES6
pids() { cat /run/"$TKMS_LAB"-lab/node1/*.pid; }
before=$(pids)
drops() { status '[.dataplane.counters | to_entries[] | select(.key | test("_(ok|answered)$") | not) | .value] | add'; }

check "a call works before" call "$address4"
first=$(drops)
for address in "$address4" "$address6"; do
  sent=$(client python3 "$tests/hostile.py" datagrams "$address" "$root/tests/vectors/exchanges.json")
  check "$sent bad messages were sent to $address" test "$sent" -gt 5000
  check "a call to $address works after them" call "$address"
done
moved() { test $(($(drops) - first)) -ge 5000; }
eventually 5 "the bad messages are counted" moved
second=$(drops)

mac=$(ip -n "$TKMS_LAB-node1" link show dp0 | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2)
sent=$(client python3 "$tests/hostile.py" frames cl0 "$mac" "$address4" "$address6")
check "$sent broken frames were sent" test "$sent" -gt 4000
check "a call over IPv4 works after them" call "$address4"
check "a call over IPv6 works after them" call "$address6"
moved() { test $(($(drops) - second)) -ge 1000; }
eventually 5 "the broken frames are counted" moved
check "the same processes serve as before" test "$(pids)" = "$before"
clean_log() { ! grep -iE "sanitizer|segfault|assert|panic" /run/"$TKMS_LAB"-lab/node1/*.log; }
check "the logs have no trace of a crash" clean_log
