#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# deploy/lab.sh keeps its promises: labs side by side, nothing left behind, also after a crash.
. "$(dirname "$0")/lib.sh"

other=${TKMS_LAB:0:20}-b
other() { TKMS_LAB=$other "$root/deploy/lab.sh" "$@"; }
clean_up_other() {
  local status=$?
  other down || status=1
  (exit "$status")
  clean_up
}
trap clean_up_other EXIT
host_before=$(ip -o link show | cut -d@ -f1 && ip -o address show && ip route show)

ue_files
lab_up --subscribers "$work/subscribers.jsonl" --identity kms@one.example --faketime
other down
check "a second lab comes up beside the first" other up --identity kms@two.example --workers 2 --addresses 3
check "env of the second names three addresses" \
  sh -c "TKMS_LAB=$other '$root/deploy/lab.sh' env | grep -qx TKMS_ADDRESSES=10.69.1.1,10.69.1.2,10.69.1.3"
check "env can be evaluated and names the node" test "$TKMS_NODES" = node1
check "the client namespace carries the prefix" test "$TKMS_CLIENT_NETNS" = "$TKMS_LAB-client"
check "the machine's own network is as it was" \
  test "$host_before" = "$(ip -o link show | cut -d@ -f1 && ip -o address show && ip route show)"
refuses "an unknown node is named" "no node node7" lab kill node7
refuses "up of a lab that is up is refused" "is up already" lab up
check "a call works in the first" call "$TKMS_ADDRESSES" kms@one.example

lab freeze node1
silent() { ! client ping -n -q -c 1 -W 1 "$TKMS_ADDRESSES"; }
check "a frozen node is silent" silent
lab thaw node1
check "a thawed node answers" client ping -n -q -c 1 -W 2 "$TKMS_ADDRESSES"
lab partition node1 clients
check "a node that is cut off is silent" silent
refuses "a node is cut off from redis or clients only" "redis or from clients" lab partition node1 moon
lab heal node1
check "a healed node answers" client ping -n -q -c 1 -W 2 "$TKMS_ADDRESSES"
lost() {
  local received
  received=$(client ping -n -q -i 0.002 -c 500 "$TKMS_ADDRESSES" | grep -oE '[0-9]+ received' | cut -d' ' -f1)
  echo "$received of 500 echoes came back"
  [[ $received -gt 250 && $received -lt 450 ]]
}
lab loss 15
check "packets are lost" lost
lab loss 0
check "and no more" client ping -n -q -c 100 -i 0.002 "$TKMS_ADDRESSES"
late() { ! call "$TKMS_ADDRESSES" kms@one.example --timeout 1; }
lab clock node1 -600
eventually 10 "a clock that is off keeps a node from answering" late
lab clock node1 +0
eventually 10 "and a right one does not" call "$TKMS_ADDRESSES" kms@one.example
check "a node is stopped in order" lab stop node1
check "nothing of it lives" test -z "$(ip netns pids "$TKMS_LAB-node1")"
lab start node1
lab kill node1
check "nothing of a killed node lives" test -z "$(ip netns pids "$TKMS_LAB-node1")"
check "a killed node is silent" silent
check "start brings it back" lab start node1
check "a call works again" call "$TKMS_ADDRESSES" kms@one.example

lab down
nothing_left() {
  ! ip netns list | grep -qE "^$1-(sw|client|node1)( |$)" && test ! -e "/run/$1-lab" && test ! -e "/var/run/dpdk/$1-node1"
}
check "down leaves nothing" nothing_left "$TKMS_LAB"
check "the second lab has not noticed" other ctl node1 status
check "down of nothing is no error" lab down

for pause in 0.05 0.1 0.2 0.3 0.4 0.6; do
  setsid "$root/deploy/lab.sh" up >"$work/up.log" 2>&1 &
  pid=$!
  sleep "$pause"
  kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  # On a fast machine it was done already.
  [[ ! -f /run/$TKMS_LAB-lab/ready ]] || lab down
  check "up works after up was killed after $pause s" lab up
  lab down
done
lab up
lab kill node1
check "down works after the node was killed" lab down
check "and leaves nothing" nothing_left "$TKMS_LAB"
