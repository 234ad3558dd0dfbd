#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A node of three whose clock goes wrong, and one that answers for one role only.
. "$(dirname "$0")/lib.sh"

subscribers 2 "$work/subscribers.jsonl"
sed -n 1p "$work/subscribers.jsonl" >"$work/a.json"
sed -n 2p "$work/subscribers.jsonl" >"$work/b.json"
lab_up --nodes 3 --faketime --subscribers "$work/subscribers.jsonl"
lab settle
node() { lab ctl "$1" status --json | jq -e "$2"; }
log_says() { grep -q "$2" "/run/$TKMS_LAB-lab/$1/control.log"; }

check "each node holds two addresses" sh -c "for n in node1 node2 node3; do '$root/deploy/lab.sh' ctl \$n status --json | jq -e '.addresses_held | length == 2' || exit 1; done"
lab clock node2 -600
eventually 15 "a node whose clock is off drains itself" node node2 '.cluster.drain_reasons == ["clock"] and .addresses_held == []'
check "it answers nothing that it cannot be sure of" node node2 '.cluster.in_sync == false'
check "it says so in its log" log_says node2 'this node drains.*clock'
check "the others do not drain" node node1 '.cluster.drain_reasons == [] and .cluster.in_sync'
check "nor the third" node node3 '.cluster.drain_reasons == [] and .cluster.in_sync'
check "they say whose clock differs" log_says node1 'clock of a member differs from ours.*member=node2.*ahead=no.*by_ms=[56]'
check "and show it" sh -c "'$root/deploy/lab.sh' ctl node1 node list --json | jq -e '.nodes[] | select(.name == \"node2\") | .clock_offset_ms < -590000 and .clock_offset_ms > -610000'"
for address in ${TKMS_ADDRESSES//,/ }; do check "$address answers all the time" call "$address"; done
lab clock node2 +0
eventually 30 "with its clock right it holds addresses again" node node2 '.cluster.drain_reasons == [] and (.addresses_held | length == 2)'

# Roles
home=/run/$TKMS_LAB-lab/node1
address=$(lab ctl node1 status --json | jq -r '[.addresses_held[] | select(contains("."))][0]')
sed -i 's/roles: .*/roles: [resolve]/' "$home/tkms.yaml"
kill -HUP "$(cat "$home/control.pid")"
eventually 10 "a reload gives a node another role" node node1 '.roles == ["resolve"]'
known() { lab ctl node2 node list --json | jq -e '.nodes[] | select(.name == "node1") | .roles == ["resolve"]'; }
eventually 10 "the others know" known
silent() { ! client tkms-ue probe --kms "$address" --kms-identity kms@tkms.example --as "$work/a.json" --timeout 1; }
eventually 10 "a request gets no answer there" silent
counted() { node node1 '.dataplane.counters.message_role > 0'; }
eventually 5 "and is counted" counted
check "with all addresses a call goes through" call "$TKMS_ADDRESSES"
ticket() { client tkms-ue request --kms "$TKMS_ADDRESSES" --kms-identity kms@tkms.example --as "$work/a.json" --recipient user2@tkms.example --ticket "$work/ticket"; }
check "a ticket is had elsewhere" ticket
transfer() { client tkms-ue transfer --as "$work/a.json" --ticket "$work/ticket" --callee user2@tkms.example --message "$work/message"; }
check "it goes to B" transfer
resolve() { client tkms-ue resolve --kms "$address" --kms-identity kms@tkms.example --as "$work/b.json" --message "$work/message"; }
check "and is resolved at the node that only resolves" resolve
