#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A sealing key and a PSK that the test knows are looked for everywhere: they are in the memory of the processes that need
# them, and nowhere else.
. "$(dirname "$0")/lib.sh"

key=9f3c51d8e24a7b06c1885e93fd20b74a6e1d92530fc8ab7764e0193b5ad2c84f
psk=51e0b29a7c3fd84681b5ea02d9f7634c08a1be95d372f64c19e8507b2f4adc63
new_psk=1a96d0f2b84c7e35a90d61c83bf257e40cd97128ae5fb3466207f1d95b8c3e4a
printf '{"psk_id": "a", "psk": "%s", "uids": ["a@tkms.example"]}\n' "$psk" >"$work/a.json"
printf '{"psk_id": "b", "psk": "%s", "uids": ["b@tkms.example"]}\n' "$new_psk" >"$work/b.json"
cat "$work/a.json" "$work/b.json" >"$work/subscribers.jsonl"
lab_up --nodes 1 --addresses 2 --redis --http --subscribers "$work/subscribers.jsonl"
base=/run/$TKMS_LAB-lab
ctl() { lab ctl "$@"; }
all=$key,$psk,$new_psk
find_in() { python3 "$tests/secrets.py" "$@"; }
holds() { find_in "$1" memory "$2"; }
# Status 1 says that it has looked and found nothing.
holds_nothing() { local status=0; find_in "$@" || status=$?; [[ $status -eq 1 ]]; }
pid_of() { # NODE PROGRAM
  local pid
  for pid in $(ip netns pids "$TKMS_LAB-$1"); do
    if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "${2:0:15}" ]]; then
      echo "$pid"
      return 0
    fi
  done
  return 1
}

# What servers are told meanwhile.
for name in ${TKMS_REDIS//,/ }; do
  timeout 120 "$root/deploy/lab.sh" redis "$name" monitor >>"$work/monitor" 2>&1 &
  background+=("$!")
done
printf %s "$key" >"$work/key"
eventually 15 "a key that the test knows seals" ctl node1 key import --id tpk-known --key-file "$work/key" --activate
rm "$work/key"
check "a second node joins" lab add
check "and takes its share" lab settle
sealing() { [[ $(ctl "$1" status --json | jq -r .active_key) == tpk-known ]]; }
eventually 15 "on the other node too" sealing node2
for address in ${TKMS_ADDRESSES//,/ }; do
  check "a call over $address" call "$address"
done
check "a call over HTTP" call "$TKMS_HTTP_URL"
printf 'correct horse battery' >"$work/passphrase"
check "the key is exported" ctl node1 key export --passphrase-file "$work/passphrase" --out "$work/exported.json" tpk-known

nodes=node1
[[ -z ${TKMS_LONG:-} ]] || nodes="node1 node2"
for node in $nodes; do
  check "the control process of $node has the key" holds "$key" "$(pid_of $node tkms-control)"
  check "the data plane of $node has the PSKs' states" holds "$psk,$new_psk" "$(pid_of $node tkms-dataplane)"
  for program in tkms-control tkms-dataplane; do
    pid=$(pid_of $node $program)
    check "$program of $node leaves no core" grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits"
    check "nothing of it is in swap" grep -q '^VmSwap:[[:space:]]*0 kB' "/proc/$pid/status"
    check "its memory is locked" sh -c "[ \"\$(sed -n 's/^VmLck:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$pid/status)\" -gt 1000 ]"
  done
done
http=$(pid_of http tkms-http)
check "tkms-http runs" test -n "$http"
check "it has nothing of any of them" holds_nothing "$all" memory "$http"
for name in redis1; do
  for pid in $(ip netns pids "$TKMS_LAB-$name"); do
    check "$name has nothing ($(cat "/proc/$pid/comm"))" holds_nothing "$all" memory "$pid"
  done
done

for node in node1 node2; do
  ctl "$node" status --json >>"$work/said"
  ctl "$node" key list --json >>"$work/said"
  ctl "$node" subscriber show a >>"$work/said"
done
ctl node1 subscriber import "$work/subscribers.jsonl" >>"$work/said" 2>&1 || true
sed 's/"uids"/"uid"/' "$work/a.json" >"$work/wrong.jsonl"
ctl node1 subscriber import "$work/wrong.jsonl" >>"$work/said" 2>&1 && fail "a wrong subscriber was taken"
printf '%s00' "$key" >"$work/long"
ctl node1 key import --id tpk-long --key-file "$work/long" >>"$work/said" 2>&1 && fail "a long key was taken"
rm "$work/long"
check "nor has anything that was said, errors too" holds_nothing "$all" file "$work/said" "$work/exported.json"
for name in ${TKMS_REDIS//,/ }; do lab redis "$name" save >/dev/null 2>&1 || true; done
check "Redis was listened to" test "$(wc -c <"$work/monitor")" -gt 1000
check "nothing in what Redis was told" holds_nothing "$all" file "$work/monitor"
check "nothing in stores, logs and Redis' files" holds_nothing "$all" file "$base"
lab stop node1
check "nor when a node has ended" holds_nothing "$all" file "$base"
check "the search finds what is there" find_in "$psk" file "$work/a.json"
