#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ten thousand requests of 500 subscribers from 400 source addresses: every one is answered at the first try.
. "$(dirname "$0")/lib.sh"

subscribers 500 "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl" --workers 2
rate=1000
seconds=$((${TKMS_LONG:-0} ? 60 : 5))

# load OPERATION ADDRESS SOURCES
load() {
  client tkms-bench load --kms "$2" --bind "$3" --sources 400 --op "$1" --rate "$rate" --seconds "$seconds" \
    --tickets 500 --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example --json >"$work/report" || {
    cat "$work/report"
    return 1
  }
}
# A repetition that was answered beside the message it repeated was made too early (a busy machine): nothing was lost.
complete() {
  jq . "$work/report"
  jq -e --argjson n "$((rate * seconds))" \
    '.sent == $n and .answered == $n and .failed == 0 and .lost == 0 and .retransmissions == .duplicates' "$work/report"
}
before=$(($(counter request_ok) + $(counter resolve_ok)))
for family in "$TKMS_ADDRESSES 10.69.128.0/17" "$TKMS_ADDRESSES6 fd69::8:0/112"; do
  # shellcheck disable=SC2086
  check "load on ${family% *} runs" load mix $family
  check "all $((rate * seconds)) messages were answered and verified, each at the first try" complete
done
# Besides those of the schedule: the tickets that were fetched to be resolved.
counted() { test "$(($(counter request_ok) + $(counter resolve_ok) - before))" -ge $((2 * rate * seconds)); }
eventually 5 "the status counts them" counted
check "nothing of it was dropped" test "$(counter drop_tx_full)" -eq 0
both_workers() { status_is '.dataplane.worker_list | length == 2 and all(.messages > 1000)'; }
eventually 5 "both workers took part" both_workers
