#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Floods while valid traffic goes on at half the measured capacity: nothing of it is lost, and its 99th percentile of
# latency stays within three times that of quiet slices before and after. One worker has both ports, so that the
# kernel's queue of the flood's port is not what the valid traffic waits in; the limits are the defaults. TKMS_LONG=1:
# slices ten times as long.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/single.sh
. "$tests/single.sh"

clients=$TKMS_LAB-client
enemy=$TKMS_LAB-sw
kms=10.77.0.1
flood_rate=20000 slice=1 tries=8
[[ ${TKMS_LONG:-0} -eq 0 ]] || slice=10

subscribers 500 "$work/subscribers.jsonl"
(umask 077 && head -n 1 "$work/subscribers.jsonl" >"$work/user1.json")
single_begin
# wire NAMESPACE DEVICE PORT
wire() {
  single_namespace "$1"
  ip -n "$node" link add "$3" mtu 9000 type veth peer name "$2" mtu 9000 netns "$1"
  ip netns exec "$1" ethtool -K "$2" tx off >/dev/null 2>&1
  ip -n "$node" link set "$3" up
  ip -n "$1" link set "$2" up
}
wire "$clients" cl0 dp0
wire "$enemy" ev0 dp1
ip -n "$clients" address add 10.77.0.2/16 dev cl0
ip -n "$clients" route add local 10.77.128.0/17 dev lo
ip netns exec "$clients" sysctl -qw net.ipv4.ip_nonlocal_bind=1 net.core.rmem_max=67108864 2>/dev/null || true
single_config <<EOF
service: {addresses: [$kms/16, "fd77::1/64"]}
EOF
single_control "$work/subscribers.jsonl"
# A worker that is kept from its CPU for a while finds the valid frames still there.
single_dataplane --cpus 1 -- --vdev=net_af_packet0,iface=dp0,framesz=2048,blocksz=65536,framecnt=8192 \
  --vdev=net_af_packet1,iface=dp1
mac=$(on_node cat /sys/class/net/dp1/address)
client() { ip netns exec "$clients" "$@"; }

client python3 "$tests/replay.py" record 4444 "$kms" "$work/message" >"$work/record.log" &
background+=($!)
eventually 5 "somebody listens on the way" grep -q ready "$work/record.log"
check "a request is answered and kept by somebody" client "$TKMS_BUILD/bench/tkms-ue" probe --kms 127.0.0.1:4444 \
  --kms-identity kms@tkms.example --as "$work/user1.json"
mkdir "$work/floods"
python3 "$tests/flood.py" "$work/floods" "$mac" "$kms" fd77::1 "$work/message" >"$work/kinds"

# load RATE SECONDS REPORT
load() {
  client "$TKMS_BUILD/bench/tkms-bench" load --kms "$kms" --bind 10.77.128.0/17 --sources 64 --op resolve --rate "$1" --seconds "$2" \
    --tickets 64 --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example --json >"$3" 2>"$work/load.log" || true
  jq -se '.[0].sent > 0' "$3" >/dev/null || { cat "$work/load.log"; return 1; }
}
# complete REPORT: all was answered at the first try (a repetition that was answered beside the message was made too early).
complete() { jq -se '.[0] | .answered == .sent and .failed == 0 and .retransmissions == .duplicates' "$1" >/dev/null; }
seen() { status "[.dataplane.counters | to_entries[] | select(.key | startswith(\"$1\")) | .value] | add // 0"; }

check "capacity is measured" load max 2 "$work/max"
measured=$(jq -s '.[0] | .answered / 4 | floor' "$work/max")
half=$measured
echo "half of it: $measured/s"
p99() { jq -s '.[0].latency_us.p99' "$1"; }

# judge KIND COUNTER: one flood between two quiet slices; the second is the next one's first.
rm -f "$work/after"
judge() {
  local before sent enough pid
  if [[ -f $work/after ]]; then mv "$work/after" "$work/quiet"; else load "$half" "$slice" "$work/quiet" || return 1; fi
  before=$(seen "$2")
  ip netns exec "$enemy" "$TKMS_BUILD/tests/system/flood" ev0 "$work/floods/$1" "$flood_rate" $((slice + 5)) >"$work/sent" &
  pid=$!
  background+=("$pid")
  load "$half" "$slice" "$work/flooded" || return 1
  kill -TERM "$pid" 2>/dev/null || true # it may have ended
  wait "$pid" || true
  load "$half" "$slice" "$work/after" || return 1
  sent=$(cat "$work/sent")
  enough=$((sent / 2))
  echo "$1: $sent frames, p99 $(p99 "$work/quiet") $(p99 "$work/flooded") $(p99 "$work/after") us"
  if ! { complete "$work/quiet" && complete "$work/after"; }; then
    echo "the machine is too busy: quiet traffic was lost"
    return 1
  fi
  complete "$work/flooded" || { jq -c . "$work/flooded"; return 1; }
  jq -ne --slurpfile q "$work/quiet" --slurpfile f "$work/flooded" --slurpfile a "$work/after" \
    '$f[0].latency_us.p99 <= 3 * ([$q[0], $a[0] | .latency_us.p99] | max)' >/dev/null || return 1
  counted() { test $(($(seen "$2") - before)) -ge "$enough"; }
  local i
  for ((i = 0; i < 30; i++)); do
    ! counted "$1" "$2" || return 0
    sleep 0.1
  done
  echo "only $(($(seen "$2") - before)) of $sent frames were counted as $2"
  return 1
}

lowest=$measured
while read -r kind counter <&3; do
  # What the machine could not do while another kind was tried it may well do now.
  if [[ $half -ne $measured ]]; then
    half=$measured
    rm -f "$work/after"
  fi
  for ((try = 1; ; try++)); do
    ! judge "$kind" "$counter" || break
    rm -f "$work/after"
    [[ $try -lt $tries ]] || fail "$kind: valid traffic suffers"
    # Somebody else may have had the CPUs: what is half of the capacity now?
    load max 1 "$work/max" || true
    now=$(jq -s '.[0] | .answered // 0 | . / 2 | floor' "$work/max")
    [[ $now -ge $half || $now -lt 1000 ]] || half=$now
  done
  echo "ok: valid traffic loses nothing and stays fast: $kind, at $half/s, try $try"
  [[ $half -ge $lowest ]] || lowest=$half
done 3<"$work/kinds"
echo "half of the capacity measured: $measured/s; the lowest rate that a kind was judged at: $lowest/s"
check "the same process serves as before" kill -0 "$dataplane_pid"
