#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The data plane says what is missing, and what to do about it, before it starts anything.
. "$(dirname "$0")/lib.sh"

namespace=$TKMS_LAB
program=$TKMS_BUILD/dataplane/tkms-dataplane
port=--vdev=net_af_packet0,iface=dp0

ip netns del "$namespace" 2>/dev/null || true
ip netns add "$namespace"
# A namespace that nobody is in any more goes with its last process: nothing to remove on the way out.
exec {hold}<"/run/netns/$namespace"
ip netns del "$namespace"
inside() { nsenter --net="/proc/$$/fd/$hold" "$@"; }
inside ip link add dp0 type veth peer name dp1

# says STATUS SENTENCE PATTERN COMMAND...: must end with STATUS and say PATTERN (grep).
says() {
  local status=$1 sentence=$2 pattern=$3 got=0
  shift 3
  "$@" >"$work/says.log" 2>&1 || got=$?
  if [[ $got -eq $status ]] && grep -q -- "$pattern" "$work/says.log"; then
    echo "ok: $sentence"
  else
    cat "$work/says.log"
    fail "$sentence: status $got, wanted $status and \"$pattern\" ($*)"
  fi
}
preflight() { inside "$program" --preflight "$@"; }
without() { inside setpriv --bounding-set "-$1" "$program" --preflight -- "${@:2}"; }
little_memlock() { (ulimit -l 64 && without ipc_lock --vdev=net_null0); }

says 0 "a port that is there passes" 'preflight passed' preflight -- "$port"
says 0 "an interface that is down is a warning" 'interface is down.*ip link set dp0 up' preflight -- "$port"
says 0 "so is a frame size that cuts messages off" 'cut off.*framesz=' preflight -- "$port,framesz=2048"
says 1 "no port: an example is given" 'no port given.*--vdev=net_af_packet0' preflight
says 1 "a missing interface is named" 'does not exist.*iface=nope' preflight -- --vdev=net_af_packet0,iface=nope
says 1 "a device needs an interface" 'iface=NAME' preflight -- --vdev=net_af_packet0
says 1 "a worker needs a queue" 'too few queues.*qpairs=2' preflight --workers 2 -- "$port,qpairs=1"
xdp=--vdev=net_af_xdp0,iface
says 1 "an AF_XDP worker needs a queue of the interface" 'too few queues.*--workers 1' preflight --workers 2 -- "$xdp=dp0"
inside ip link add dp2 numrxqueues 2 numtxqueues 2 type veth peer name dp3 numrxqueues 2 numtxqueues 2
says 0 "a queue without AF_XDP worker is a warning" 'not seen.*ethtool -L dp2 rx 1' preflight -- "$xdp=dp2"
says 1 "no buffer holds any frame size" 'out of range.*framesz=' preflight -- "$port,framesz=65536"
says 1 "blocks need a frame size" 'need framesz' preflight -- "$port,blocksz=65536"
says 1 "memif needs a folder" 'mkdir -p /no/such' preflight -- --vdev=net_memif0,socket=/no/such/s,socket-abstract=no
says 1 "a CPU must be ours" 'may not use.*cpu=1023' preflight --cpus 1023 -- "$port"
says 1 "AF_PACKET needs a capability" 'cap_net_raw' without net_raw "$port"
says 1 "TAP needs a capability" 'cap_net_admin' without net_admin --vdev=net_tap0
says 1 "keys need lockable memory" 'ulimit -l unlimited' little_memlock
if [[ $(cat /proc/sys/vm/nr_hugepages) -eq 0 ]]; then
  says 1 "hugepages asked for must be there" 'sysctl -w vm.nr_hugepages' preflight -- --socket-mem=64 "$port"
fi
says 1 "cores are chosen by our options" 'use --workers and --cpus' inside "$program" -- -l 0 "$port"
says 2 "EAL arguments follow the dashes" 'follow after' inside "$program" "$port"
says 2 "a wrong number names the range" 'from 1 to 64' inside "$program" --workers 100
