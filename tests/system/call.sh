#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Whole calls over real packets: UE A requests (or makes) a ticket, B resolves it, both derive the same SRTP keys.
. "$(dirname "$0")/lib.sh"

ue_files
lab_up --subscribers "$work/subscribers.jsonl" --profile rfc6043
ip netns exec "$TKMS_CLIENT_NETNS" tcpdump -i cl0 -w "$work/call.pcap" -U -q udp port 2269 2>"$work/tcpdump.log" &
background+=($!)
eventually 5 "the capture runs" grep -q "listening on" "$work/tcpdump.log"

for address in "$TKMS_ADDRESSES" "$TKMS_ADDRESSES6"; do
  for suite in A B; do
    for mode in 1 3; do
      check "call to $address, suite $suite, mode $mode: the SRTP keys are equal" \
        call "$address" kms@tkms.example --suite "$suite" --mode "$mode"
    done
  done
done
# Those of the calls, and the probes of the lab.
counted() { test "$(counter request_ok)" -ge 4 && test "$(counter resolve_ok)" -eq 8; }
eventually 5 "requests and resolves are counted" counted

sleep 0.3
kill "${background[0]}"
wait "${background[0]}" 2>/dev/null || true
fields() {
  tshark -r "$work/call.pcap" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields -E separator=' ' "$@" 2>"$work/tshark.log"
}
service="ip.src==${TKMS_ADDRESSES%%,*} or ipv6.src==${TKMS_ADDRESSES6%%,*}"
answers=$(fields -Y "$service" -e frame.number | wc -l)
check "the capture has the answers ($answers)" test "$answers" -ge 12
all_good() { test "$(fields -Y "$service" -e "$1" | sort -u)" = "$2"; }
check "every answer leaves from port 2269" all_good udp.srcport 2269
check "every answer has a correct UDP checksum" all_good udp.checksum.status 1
check "every answer over IPv4 has a correct header checksum" \
  test "$(fields -Y "ip.src==${TKMS_ADDRESSES%%,*}" -e ip.checksum.status | sort -u)" = 1
asked() { fields -Y "not ($service)" -e ip.src -e ip.dst -e ipv6.src -e ipv6.dst -e udp.srcport | sort -u; }
answered() { fields -Y "$service" -e ip.dst -e ip.src -e ipv6.dst -e ipv6.src -e udp.dstport | sort -u; }
check "answers go from the address asked to the address and port that asked" test "$(asked)" = "$(answered)"

jq '.psk = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"' "$work/a.json" >"$work/wrong.json"
if client tkms-ue call --kms "$TKMS_ADDRESSES" --from "$work/wrong.json" --to "$work/b.json" >"$work/wrong.log" 2>&1; then
  cat "$work/wrong.log"
  fail "a call with a wrong PSK succeeded"
fi
echo "ok: a call with a wrong PSK fails"
