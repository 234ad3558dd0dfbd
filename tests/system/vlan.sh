#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# VLANs that are served and VLANs that are not, on a port that hands tags on (TAP) and on one that takes them off
# (AF_PACKET); and the setting is reloaded.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/single.sh
. "$tests/single.sh"

clients=$TKMS_LAB-client
ue_files
single_begin
single_namespace "$clients"
ip -n "$node" link add dp0 type veth peer name cl0 netns "$clients"
ip netns exec "$clients" ethtool -K cl0 tx off >/dev/null 2>&1
ip -n "$node" link set dp0 up
ip -n "$clients" link set cl0 up
single_config <<'EOF'
service:
  addresses: [10.77.0.1/16, "fd77::1/64"]
  vlans: [7, 4094]
EOF
single_control "$work/subscribers.jsonl"
single_dataplane -- --vdev=net_tap0,iface=kms0 --vdev=net_af_packet0,iface=dp0
ip -n "$node" link set kms0 up

# on NAMESPACE DEVICE TCI ADDRESS4 ADDRESS6: the clients' only way to the service; TCI 0: without a tag.
relay=''
on() {
  [[ -z $relay ]] || kill "$relay" 2>/dev/null || true
  ip -n "$1" link delete in0 2>/dev/null || true
  ip -n "$1" link add in0 type veth peer name in1
  ip netns exec "$1" ethtool -K in0 tx off >/dev/null 2>&1
  ip netns exec "$1" sysctl -qw net.ipv6.conf.in1.disable_ipv6=1
  ip -n "$1" link set in0 up
  ip -n "$1" link set in1 up
  ip -n "$1" address add "$4/16" dev in0
  ip -n "$1" address add "$5/64" dev in0 nodad
  : >"$work/relay.log"
  ip netns exec "$1" python3 "$tests/vlan.py" in1 "$2" "$3" >"$work/relay.log" 2>&1 &
  relay=$!
  disown
  background+=("$relay")
  eventually 5 "clients use tag $3" grep -q ready "$work/relay.log"
}
call_from() {
  ip netns exec "$1" "$TKMS_BUILD/bench/tkms-ue" call --kms "$2" --kms-identity kms@tkms.example --from "$work/a.json" --to "$work/b.json" \
    --timeout "${3:-5}" --json | jq -e .keys_equal
}
nobody() { ! call_from "$1" "$2" 0.5; }

# port NAMESPACE DEVICE ADDRESS4 ADDRESS6 KIND
port() {
  local id address
  for id in 7 4094; do
    on "$1" "$2" "$id" "$3" "$4"
    for address in 10.77.0.1 fd77::1; do
      check "VLAN $id is served: $address on a $5 port" call_from "$1" "$address"
    done
  done
  for id in 0 8; do
    on "$1" "$2" "$id" "$3" "$4"
    check "VLAN $id is not served on a $5 port" nobody "$1" 10.77.0.1
  done
}
port "$node" kms0 10.77.0.2 fd77::2 TAP
dropped=$(counter drop_eth_vlan)
port "$clients" cl0 10.77.0.3 fd77::3 AF_PACKET
moved() { test "$(counter drop_eth_vlan)" -gt "$dropped"; }
eventually 5 "what is not served is counted" moved

# The clients' end takes frames with exactly its tag.
on "$clients" cl0 $((5 << 13 | 7)) 10.77.0.3 fd77::3
check "answers carry the tag of the message, priority included" call_from "$clients" 10.77.0.1

ip netns exec "$clients" tcpdump -n -e -l -i cl0 >"$work/vlan9.txt" 2>"$work/tcpdump.log" &
watcher=$!
background+=("$watcher")
disown
listening() { grep -q 'listening on' "$work/tcpdump.log"; }
eventually 5 "the wire is watched" listening
sed -i 's/vlans: .*/vlans: [0, 9]/' "$home/tkms.yaml"
single_reload
announced() { grep -q "vlan 9.*$1" "$work/vlan9.txt"; }
eventually 5 "the IPv4 address is announced on the new VLAN" announced 'ARP.*who-has 10.77.0.1 tell 10.77.0.1'
eventually 5 "so is the IPv6 address" announced 'neighbor advertisement, tgt is fd77::1'
eventually 5 "so is its group" announced 'multicast listener report'
for id in 0 9; do
  on "$clients" cl0 "$id" 10.77.0.3 fd77::3
  check "VLAN $id is served now" call_from "$clients" fd77::1
done
on "$clients" cl0 7 10.77.0.3 fd77::3
check "VLAN 7 is no longer" nobody "$clients" 10.77.0.1
