#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ten thousand requests of 500 subscribers from 400 source addresses: every one is answered, none is sent twice.
. "$(dirname "$0")/lib.sh"

subscribers 500 "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl" --workers 2
sources() {
  client "$TKMS_BUILD/tests/system/tkms-sources" --kms "$1" --identity kms@tkms.example \
    --subscribers "$work/subscribers.jsonl" --sources 400 --requests "$2" --rate "${3:-2000}"
}
count=$((${TKMS_LONG:-0} ? 100000 : 5000))

check "$count requests over IPv4 are all answered" sources "$TKMS_ADDRESSES" "$count"
check "$count requests over IPv6 are all answered" sources "$TKMS_ADDRESSES6" "$count"
counted() { test "$(counter request_ok)" -eq $((2 * count)); }
eventually 5 "the status counts $((2 * count)) of them, no more and no less" counted
check "both workers took part" status_is '[.dataplane.workers[].messages] | length == 2 and all(. > 100)'
