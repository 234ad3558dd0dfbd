#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A SIP call between two user agents carries the Ticket Transfer: INVITE has A's message, 200 has B's answer, and both
# ends have the same SRTP keys.
. "$(dirname "$0")/lib.sh"

ue_files
lab_up --subscribers "$work/subscribers.jsonl"
ip -n "$TKMS_CLIENT_NETNS" address add 10.69.2.2/16 dev cl0
ue=$TKMS_BUILD/bench/tkms-ue

check "A gets a ticket" client tkms-ue request --kms "$TKMS_ADDRESSES" --as "$work/a.json" \
  --recipient user2@tkms.example --ticket "$work/ticket"
check "A makes the offer" client tkms-ue transfer --as "$work/a.json" --ticket "$work/ticket" --message "$work/offer.sdp"
tr -d '\r\n' <"$work/offer.sdp" >"$work/offer"
cat >"$work/resolve.sh" <<EOF
printf '%s\r\n' "\$1" >$work/received
$ue resolve --kms $TKMS_ADDRESSES --as $work/b.json --message $work/received --answer $work/reply.sdp --json \
  >$work/b.out 2>$work/b.err
tr -d '\r\n' <$work/reply.sdp >$work/reply
EOF
for end in a b; do sed "s#@WORK@#$work#g" "$tests/sip-$end.xml" >"$work/sip-$end.xml"; done

cd "$work"
client sipp -sf "$work/sip-b.xml" -i 10.69.2.2 -p 5060 -m 1 -nostdin -timeout 20 >"$work/b.sipp" 2>&1 &
background+=($!)
check "A calls B over SIP" client sipp -sf "$work/sip-a.xml" 10.69.2.2:5060 -i 10.69.2.1 -p 5061 -m 1 -nostdin -timeout 20
check "B's end of the call was complete" wait "${background[0]}"
check "B received what A sent" test "$(cat "$work/offer")" = "$(tr -d '\r\n' <"$work/received")"
check "A received B's answer" test -s "$work/answer"
check "A verifies the answer" sh -c "'$ue' finish --as '$work/a.json' --ticket '$work/ticket' \
  --message '$work/offer.sdp' --answer '$work/answer' --json >'$work/a.out'"
keys() { jq -ec '.sessions | map([.ssrc, .spi, .srtp, .fingerprint])' "$1"; }
check "both have session keys" test "$(keys "$work/a.out" | jq length)" -ge 1
check "the SRTP keys of A and B are equal" test "$(keys "$work/a.out")" = "$(keys "$work/b.out")"
