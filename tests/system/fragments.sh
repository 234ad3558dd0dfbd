#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Messages that are longer than a packet, over a TAP device of 1500 octets, which delivers fragments as they are
# (AF_PACKET has the kernel put IPv4 together): real clients in both directions, then fragments as nobody should send.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/single.sh
. "$tests/single.sh"

ue_files
single_begin
single_config <<'EOF'
service: {addresses: [10.77.0.1/16, "fd77::1/64"]}
EOF
single_control "$work/subscribers.jsonl"
single_dataplane --workers 2 -- --vdev=net_tap0,iface=kms0
on_node ip link set kms0 mtu 1500 up
on_node ip address add 10.77.0.2/16 dev kms0
on_node ip address add fd77::2/64 dev kms0 nodad
mac=$(on_node cat /sys/class/net/kms0/address)

# How many datagrams the clients' kernel has put together (ReasmOKs) and cut (FragOKs).
kernel4() {
  on_node awk -v want="$1" '$1 != "Ip:" { next }
    !at { for (i = 2; i <= NF; i++) if ($i == want) at = i; next } { print $at }' /proc/net/snmp
}
kernel6() { on_node awk -v want="Ip6$1" '$1 == want { print $2 }' /proc/net/snmp6; }

# recipients N LENGTH: options for as many.
recipients() {
  local i name
  name=$(printf "%0$2d" 0 | tr 0 r)
  for ((i = 1; i <= $1; i++)); do printf -- '--recipient\n%s%03d@tkms.example\n' "$name" "$i"; done
}
# long_call ADDRESS N LENGTH: with so many recipients besides B.
long_call() {
  local list
  mapfile -t list < <(recipients "$2" "$3")
  on_node "$TKMS_BUILD/bench/tkms-ue" call --kms "$1" --kms-identity kms@tkms.example --from "$work/a.json" --to "$work/b.json" \
    --recipient user2@tkms.example "${list[@]}" --json | jq -e .keys_equal
}
# moved COUNTER BEFORE AT_LEAST
moved() { test $(($(counter "$1") - $2)) -ge "$3"; }

for address in 10.77.0.1 fd77::1; do
  family=4
  [[ $address != fd77::1 ]] || family=6
  eventually 5 "$address answers" on_node ping -n -q -c 1 -W 1 "$address"
  check "a call with 3 recipients works over $address" long_call "$address" 2 20
  kept=$(counter fragment_kept) cut=$(kernel$family FragOKs) joined=$(kernel$family ReasmOKs)
  check "a call with 26 recipients, whose messages exceed a packet three times, works over $address" long_call "$address" 25 150
  # REQUEST_INIT and RESOLVE_INIT came in three pieces or more, of which all but the last are kept.
  eventually 5 "the messages came to us in fragments" moved fragment_kept "$kept" 4
  check "the client's kernel cut them" test $(($(kernel$family FragOKs) - cut)) -ge 2
  check "and put the answer with the ticket together" test $(($(kernel$family ReasmOKs) - joined)) -ge 1
done

# An answer of 1281 to 1500 octets needs no fragments on IPv4, and some on IPv6 unless the setting says otherwise.
joined4=$(kernel4 ReasmOKs) joined6=$(kernel6 ReasmOKs)
check "a call with an answer of some 1400 octets works over IPv4" long_call 10.77.0.1 5 150
check "it comes in one piece" test "$(kernel4 ReasmOKs)" -eq "$joined4"
check "a call with an answer of some 1400 octets works over IPv6" long_call fd77::1 5 150
check "it comes in pieces" test "$(kernel6 ReasmOKs)" -gt "$joined6"
sed -i 's/service: {/service: {ipv4_path_mtu: 576, ipv6_path_mtu: 1500, /' "$home/tkms.yaml"
single_reload
joined4=$(kernel4 ReasmOKs)
check "a call with an answer of some 1400 octets works over a path of 576 octets" long_call 10.77.0.1 5 150
check "it comes in pieces" test "$(kernel4 ReasmOKs)" -gt "$joined4"
joined6=$(kernel6 ReasmOKs)
check "the call works with a path MTU of 1500" long_call fd77::1 5 150
check "the answer comes in one piece" test "$(kernel6 ReasmOKs)" -eq "$joined6"

verdicts=(protocol malformed size tiny duplicate overlap refused timeout source full)
is() { jq -e "$1" "$work/fragments.json"; }
for address in 10.77.0.1 fd77::1; do
  declare -A before=()
  for verdict in "${verdicts[@]}"; do before[$verdict]=$(counter "drop_fragment_$verdict"); done
  from=10.77.0.9
  [[ $address != fd77::1 ]] || from=fd77::9
  on_node python3 "$tests/fragments.py" kms0 "$mac" "$from" "$address" >"$work/fragments.json"
  check "fragments in any order, and twice, make a message ($address)" \
    is '.in_order == 1 and .last_first == 1 and .shuffled == 1 and .twice_each == 1 and .longest == 1'
  check "overlaps and contradictions refuse it ($address)" \
    is '.overlap == 0 and .teardrop == 0 and .other_octets == 0 and .two_ends == 0 and .same_identification == 0'
  check "so do fragments that nobody needs to send ($address)" \
    is '.tiny_first == 0 and .tiny_middle == 0 and .odd_length == 0 and .empty == 0 and .another_protocol == 0'
  check "what is not complete or too long is not answered ($address)" \
    is '.never_finished == 0 and .hole == 0 and .behind_the_end == 0 and .too_long == 0'
  check "10,000 unfinished datagrams from everywhere do not keep good ones out ($address)" is '.amid_a_flood == 20'
  if [[ $address == fd77::1 ]]; then
    check "a whole datagram in one fragment is a datagram, also beside others of its name" \
      is '.atomic == 1 and .atomic_among_others == 2'
  fi
  for verdict in "${verdicts[@]}"; do
    eventually 5 "drop_fragment_$verdict counts it ($address)" moved "drop_fragment_$verdict" "${before[$verdict]}" 1
  done
  check "a call works after it over $address" long_call "$address" 25 150
done
check "the same process serves as before" kill -0 "$dataplane_pid"
