#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Service addresses can be reached like any host's: ARP, neighbour discovery, echo, of every size, and are counted.
. "$(dirname "$0")/lib.sh"

lab_up --addresses 2
all="${TKMS_ADDRESSES//,/ } ${TKMS_ADDRESSES6//,/ }"
echo_before=$(counter echo_answered)

for address in $all; do
  client ip neigh flush dev cl0
  check "$address answers a ping after its neighbour entry is forgotten" client ping -n -q -c 3 -i 0.05 -W 1 "$address"
  check "the client has learned the hardware address of $address from it" \
    client sh -c "ip neigh show $address dev cl0 | grep -E 'lladdr [0-9a-f:]+ .*(REACHABLE|DELAY|PROBE)'"
  for size in 0 1 56 1400 8000; do
    check "$address echoes $size octets unchanged" client ping -n -q -c 2 -i 0.05 -W 1 -s "$size" "$address"
  done
done

ping_once() { client ping -n -q -c 1 -W 1 "$1" >"$work/ping.log"; }
ping_once "${TKMS_ADDRESSES%%,*}"
mac=$(client ip neigh show "${TKMS_ADDRESSES%%,*}" dev cl0 | grep -oE '([0-9a-f]{2}:){5}[0-9a-f]{2}')
port_mac=$(ip -n "$TKMS_LAB-node1" link show dp0 | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2)
check "the hardware address is that of the port" test "$mac" = "$port_mac"

nobody() { ! client ping -n -q -c 1 -W 1 "$1"; }
check "an IPv4 address that is not ours stays unanswered" nobody 10.69.1.200
check "an IPv6 address that is not ours stays unanswered" nobody fd69::1:200
no_neighbour() { ! client sh -c "ip neigh show $1 dev cl0 | grep lladdr"; }
check "nobody claims the IPv4 address that is not ours" no_neighbour 10.69.1.200
check "nobody claims the IPv6 address that is not ours" no_neighbour fd69::1:200

# 4 addresses, 3 + 5 * 2 pings each, and lab_up's own
counted() { test $(($(counter echo_answered) - echo_before)) -ge 52; }
eventually 5 "every echo is counted in the status" counted
