#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sealing keys change while requests are answered: rotations, a control process killed in a rotation, a revocation.
. "$(dirname "$0")/lib.sh"

count=100
subscribers "$count" "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl"
ctl() { lab ctl node1 "$@"; }
active() { status .active_key; }
state_of() { ctl key list --json | jq -r --arg id "$1" '.keys[] | select(.id == $id).state'; }
first=$(active)

load_start() {
  client tkms-bench load --kms "$TKMS_ADDRESSES" --op mix --rate 200 --seconds 14 --tickets "$count" \
    --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example --json >"$work/report" 2>"$work/report.err" &
  load_pid=$!
  background+=("$load_pid")
  sleep 1.5
}
rotate() {
  local before after
  before=$(active)
  ctl key rotate --json | tee "$work/rotated" | jq -e '.state == "active" and .dataplane == "acknowledged"' || return 1
  after=$(active)
  [[ $after != "$before" && $after == "$(jq -r .id "$work/rotated")" && $(state_of "$before") == retiring ]]
}
together() {
  local a b
  ctl key rotate --json >"$work/a" &
  a=$!
  ctl key rotate --json >"$work/b" &
  b=$!
  wait "$a" && wait "$b" && [[ $(jq -r .id "$work/a") != "$(jq -r .id "$work/b")" ]]
}
settled() {
  ctl key list --json |
    jq -e '[.keys[].state] | (map(select(. == "active")) | length) == 1 and all(. != "published")'
}

# Where the load generator itself got no CPU, a loss says nothing about the KMS: once more.
for attempt in 1 2 3; do
  load_start
  for round in $(seq 5); do check "rotation $round" rotate; done
  check "two rotations at once: each has its own key" together
  # The rotation outlives the process that began it.
  ctl key rotate >"$work/cut" 2>&1 &
  cut=$!
  sleep 0.2
  check "the control process killed in a rotation" lab kill node1/control
  wait "$cut" || true
  check "it starts again" lab start node1/control
  eventually 10 "the rotation comes to its end" settled
  eventually 5 "the data plane serves the newest keyring" status_is '.dataplane.epoch == .keyring_epoch'
  wait "$load_pid" || true
  if [[ $attempt -eq 3 ]] || ! jq -e .client_saturated "$work/report" >/dev/null; then break; fi
  echo "the load generator could not keep its schedule: once more"
done
report() {
  cat "$work/report" "$work/report.err"
  jq -e "$1" "$work/report"
}
check "every message was answered meanwhile" report '.answered > 1000 and .failed == 0 and .lost == 0'
counted() {
  ctl key list --json | jq -e --argjson ok "$(counter "$1")" "\$ok > 500 and ([.keys[].$2] | add) == \$ok"
}
eventually 5 "each ticket granted is counted under its key" counted request_ok sealed
eventually 5 "each ticket resolved is counted under its key" counted resolve_ok resolved
check "nothing was refused for want of a key" test "$(counter request_no_sealing_key)" = 0

last=$(active)
check "the active key is revoked and has a successor" ctl key revoke "$last"
check "it is revoked" test "$(state_of "$last")" = revoked
check "another one is active" test "$(active)" != "$last"
refuses "it cannot be revoked again" "revoked or destroyed already" ctl key revoke "$last"
refuses "a key that never was cannot be revoked" "no such key" ctl key revoke tpk-0000000000000000
check "the first key is still there to resolve" test "$(state_of "$first")" = retiring
