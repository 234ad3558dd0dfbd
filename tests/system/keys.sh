#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sealing keys change while requests are answered: ten rotations, a revocation, a control process killed in a rotation.
. "$(dirname "$0")/lib.sh"

count=200 rate=400 seconds=14
subscribers "$count" "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl"
ctl() { lab ctl node1 "$@"; }
active() { status .active_key; }
state_of() { ctl key list --json | jq -r --arg id "$1" '.keys[] | select(.id == $id).state'; }

load() {
  client tkms-bench load --kms "$TKMS_ADDRESSES" --op mix --rate "$rate" --seconds "$seconds" --tickets "$count" \
    --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example --json >"$work/report" 2>"$work/report.err"
}
load &
traffic=$!
background+=("$traffic")
sleep 1

first=$(active)
rotate() {
  local before after
  before=$(active)
  ctl key rotate --json | tee "$work/rotated" | jq -e '.state == "active" and .dataplane == "acknowledged"' || return 1
  after=$(active)
  [[ $after != "$before" && $after == "$(jq -r .id "$work/rotated")" && $(state_of "$before") == retiring ]]
}
for round in $(seq 6); do check "rotation $round" rotate; done
together() {
  local a b
  ctl key rotate --json >"$work/a" &
  a=$!
  ctl key rotate --json >"$work/b" &
  b=$!
  wait "$a" && wait "$b" && [[ $(jq -r .id "$work/a") != "$(jq -r .id "$work/b")" ]]
}
check "two rotations at once: each has its own key" together

# The rotation outlives the process that began it.
ctl key rotate >"$work/cut" 2>&1 &
cut=$!
sleep 0.2
lab kill node1/control
wait "$cut" || true
check "the control process starts after a kill in a rotation" lab start node1/control
settled() { ctl key list --json | jq -e '[.keys[].state] | (map(select(. == "active")) | length) == 1 and all(. != "published")'; }
eventually 10 "the rotation comes to its end" settled
eventually 5 "the data plane serves the newest keyring" status_is '.dataplane.epoch == .keyring_epoch'

last=$(active)
check "the active key is revoked and has a successor" ctl key revoke "$last"
check "it is revoked" test "$(state_of "$last")" = revoked
check "another one is active" test "$(active)" != "$last"
refuses "it cannot be revoked again" "revoked or destroyed already" ctl key revoke "$last"
refuses "a key that never was cannot be revoked" "no such key" ctl key revoke tpk-0000000000000000
check "the first key is still there to resolve" test "$(state_of "$first")" = retiring

answered() { wait "$traffic" || { cat "$work/report" "$work/report.err" && return 1; }; }
check "the load ran to its end" answered
check "nothing failed, nothing was lost" jq -e '.failed == 0 and .lost == 0 and .answered > 1000' "$work/report"
check "nothing was refused for want of a key" test "$(counter request_no_sealing_key)" = 0
