#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A stranger with a good clock, one wire away: an unknown user, a wrong MAC and a wrong key are answered alike and after the
# same time. TKMS_LONG=1: 100,000 samples of each and Welch's t-test; else a few, to see that the answers are alike.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/single.sh
. "$tests/single.sh"

clients=$TKMS_LAB-client
kms=10.77.0.1
# two digits each
same_length() {
  subscribers 73 "$work/all.jsonl"
  sed -n 10,73p "$work/all.jsonl" >"$1"
}
same_length "$work/here.jsonl"
# The same length of names, and the same names with other keys.
sed 's/user/away/g' "$work/here.jsonl" >"$work/away.jsonl"
same_length "$work/other.jsonl"
single_begin
single_namespace "$clients"
ip -n "$node" link add dp0 type veth peer name cl0 netns "$clients"
ip netns exec "$clients" ethtool -K cl0 tx off >/dev/null 2>&1
ip -n "$node" link set dp0 up
ip -n "$clients" link set cl0 up
ip -n "$clients" address add 10.77.0.2/16 dev cl0
single_config <<YAML
service: {addresses: [$kms/16]}
limits: {errors_per_source: 0, errors_per_worker: 0, messages_per_source: 0}
YAML
single_control "$work/other.jsonl"
single_dataplane --poll busy -- --vdev=net_af_packet0,iface=dp0

# messages NAME: requests of the subscribers of NAME.jsonl, in hex, a line each
messages() {
  ip netns exec "$clients" "$TKMS_BUILD/bench/tkms-bench" load --kms "$kms" --op request --rate 64 --seconds 1 --sources 1 \
    --subscribers "$work/$1.jsonl" --identity kms@tkms.example --save "$work/$1.hex" >"$work/$1.log" 2>&1
}
# The generator verifies what it makes: each kind is right while it is made.
check "messages under other keys" messages other
check "the keys are replaced" ctl subscriber import --replace "$work/here.jsonl"
check "messages of subscribers" messages here
check "others come" ctl subscriber import "$work/away.jsonl"
check "messages of others" messages away
for i in $(seq 10 73); do ctl subscriber remove "away$i" >"$work/remove.log"; done
samples=1000
[[ -z ${TKMS_LONG:-} ]] || samples=100000
check "unknown user, wrong MAC and wrong key cannot be told apart" \
  ip netns exec "$clients" python3 "$tests/timing_udp.py" "$kms" "$samples" "$work/away.hex" "$work/here.hex" "$work/other.hex"
cat "$work/check.log"
