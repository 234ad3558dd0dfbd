#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# deploy/quickstart.sh does what it says: twice in a row, after a killed run, and with --keep.
. "$(dirname "$0")/lib.sh"

quickstart() { "$root/deploy/quickstart.sh" "$@" >"$work/out" 2>&1 || { cat "$work/out" && return 1; }; }
equal() { test "$(grep -cF "SRTP keys of A and B are equal" "$work/out")" -eq 2; }
nothing_left() {
  ! ip netns list | grep -E "^$TKMS_LAB-" && ! ls -d /run/"$TKMS_LAB"-* 2>/dev/null
}
for run in first second; do
  check "the $run run succeeds" quickstart
  check "its summary says that the keys are equal, over IPv4 and IPv6" equal
  check "it leaves nothing behind" nothing_left
done
setsid "$root/deploy/quickstart.sh" >"$work/killed" 2>&1 &
pid=$!
sleep 0.8
kill -KILL -- "-$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
check "a run after a killed one succeeds" quickstart
check "and leaves nothing behind" nothing_left

check "--keep succeeds" quickstart --keep
check "the KMS keeps running" lab ctl node1 status
command=$(grep -oE 'tkms-ue call .*' "$work/out" | tail -1)
# shellcheck disable=SC2086
check "the command that it prints works" client $command
lab down
rm -r "/run/$TKMS_LAB-quickstart"
check "nothing is left after down" nothing_left
