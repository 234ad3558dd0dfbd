#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An independent UE in Python against the KMS: first it proves itself on the vectors, then it asks everything that
# RFC 6043 says something about, in both profiles, calls tkms-ue, and asks the same again after the KMS has changed.
. "$(dirname "$0")/lib.sh"

interop=$tests/interop
export PYTHONDONTWRITEBYTECODE=1
python3 "$interop/vectors.py" "$root/tests/vectors"
python3 "$interop/check.py" subscribers >"$work/subscribers.jsonl"
sealing=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')

# With a sealing key that we know, tickets can be opened, and forged with it.
start() {
  lab_up --subscribers "$work/subscribers.jsonl" --profile "$1"
  check "a known sealing key seals in profile $1" \
    lab ctl node1 key import --id tpk-interop --key-file - --activate <<<"$sealing"
}
ask() { client python3 "$interop/check.py" "$1" --profile "$2" --sealing-key "tpk-interop:$sealing" "${@:3}"; }
later() { client python3 "$interop/later.py" "$TKMS_ADDRESSES" "$work/later" "$@"; }

start 3gpp
ask "$TKMS_ADDRESSES" 3gpp
start rfc6043
ask "$TKMS_ADDRESSES" rfc6043
ask "$TKMS_ADDRESSES6" rfc6043 --topic calls
client python3 "$interop/crossing.py" tkms-ue "$TKMS_ADDRESSES"

sed 's/psk-mallory/tpk-mallory/' "$work/subscribers.jsonl" | grep mallory >"$work/confused.jsonl"
refuses "a PSK id cannot look like the id of a sealing key" 'begins with "tpk-"' \
  lab ctl node1 subscriber import "$work/confused.jsonl"

check "a ticket is requested and resolved" later
check "the same messages give the same keys" later same same
lab kill node1
lab start node1
check "the same messages give the same keys after a crash" later same same
sed -i 's/profile: rfc6043/profile: 3gpp/' "/run/$TKMS_LAB-lab/node1/tkms.yaml"
kill -HUP "$(cat "/run/$TKMS_LAB-lab/node1/control.pid")"
eventually 10 "under another policy the same request shares no key with the first" later other same
check "the sealing key is rotated" lab ctl node1 key rotate
eventually 10 "a ticket under the key before resolves to the same keys" later other same
check "the key before is revoked" lab ctl node1 key revoke tpk-interop
eventually 10 "a ticket under a revoked key is refused" later other refused
