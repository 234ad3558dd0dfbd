#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Changes of subscribers between nodes while processes, Redis and disks fail: what was acknowledged is on every
# node in the end, whoever is in the way says so, and serving goes on all the time.
. "$(dirname "$0")/lib.sh"

rounds=20
[[ -z ${TKMS_LONG:-} ]] || rounds=200
home=/run/$TKMS_LAB-lab/node2
tmpfs=
unmount() { [[ -z $tmpfs ]] || umount -l "$tmpfs" || true; }
# shellcheck disable=SC2329
finish() {
  local status=$?
  [[ $status -eq 0 || -z $tmpfs ]] || tail -n 20 "$tmpfs"/*.log
  unmount
  set +e
  (exit "$status")
  clean_up
}
trap finish EXIT

lab_up --nodes 2 --redis
secrets=/run/$TKMS_LAB-lab/passwords
primary() { lab redis redis1/sentinel sentinel get-master-addr-by-name tkms 2>/dev/null | head -1; }
primary_name() {
  local name
  for name in redis1 redis2 redis3; do
    [[ $(lab redis "$name" role 2>/dev/null | head -1) != master ]] || { echo "$name"; return; }
  done
  return 1
}
# some NAME FIRST N: a file of N subscribers.
some() {
  local i
  for ((i = $2; i < $2 + $3; i++)); do
    printf '{"psk_id":"%s%d","psk":"%032x","uids":["%s%d@tkms.example"]}\n' "$1" "$i" "$i" "$1" "$i"
  done
}
list() { lab ctl "$1" subscriber list | sort; }
same() { list node1 >"$work/list1" && list node2 >"$work/list2" && cmp "$work/list1" "$work/list2"; }
# in_both FILE: every PSK id of a list of them.
in_both() { same && [[ -z $(sort -u "$1" | comm -23 - "$work/list1") ]]; }
loaded() { lab ctl "$1" status --json | jq -e --argjson n "$2" '.dataplane.loaded and .dataplane.subscribers == $n'; }
of() { lab ctl "$1" status --json | jq -er "$2"; }
ids() { jq -r .psk_id "$1"; }

ue_files
check "what is imported on one node, with --wait, is in Redis" lab ctl node1 subscriber import --wait "$work/subscribers.jsonl"
grep -q 'Redis: reached' "$work/check.log" || fail "import does not say so"
eventually 10 "the other node has it in its data plane" loaded node2 2
for address in ${TKMS_ADDRESSES//,/ }; do check "a call over $address" call "$address"; done

# --- many at once
if [[ -n ${TKMS_LONG:-} ]]; then
  some million 0 1000000 >"$work/million.jsonl"
  check "a million on one node" lab ctl node1 subscriber import --wait "$work/million.jsonl"
  eventually 90 "are in the data plane of the other within 90 s" loaded node2 1000002
  rm "$work/million.jsonl"
fi

# --- killed at random
some bulk 0 20000 >"$work/bulk.jsonl"
: >"$work/acknowledged"
client tkms-bench load --kms "$TKMS_ADDRESSES" --rate 20 --seconds 20 --subscribers "$work/subscribers.jsonl" --json \
  >"$work/load.json" 2>"$work/load.log" &
load=$!
background+=("$load")
killed=0 acknowledged=0
for ((round = 0; round < rounds; round++)); do
  node=node$((round % 2 + 1))
  some "round$round-" 0 5 >"$work/some.jsonl"
  (lab ctl "$node" subscriber import "$work/some.jsonl" >"$work/import.log" 2>&1 && ids "$work/some.jsonl" >"$work/done") &
  import=$!
  sleep "0.0$((RANDOM % 100 + 100))"
  case $((RANDOM % 4)) in
    0) victim=node1/control ;;
    1) victim=node2/control ;;
    2) victim=$node/control ;;
    3) victim=$(primary_name)/server || victim=$node/control ;;
  esac
  lab kill "$victim" >/dev/null 2>&1
  killed=$((killed + 1))
  wait "$import" || true
  if [[ -e $work/done ]]; then
    cat "$work/done" >>"$work/acknowledged"
    rm "$work/done"
    acknowledged=$((acknowledged + 1))
  fi
  lab start "${victim%/*}" >"$work/check.log" 2>&1 || { cat "$work/check.log"; fail "round $round: ${victim} does not start"; }
done
echo "ok: $killed processes killed at random, $acknowledged of as many imports acknowledged"
eventually 60 "what was acknowledged is on both nodes, and they have the same" in_both "$work/acknowledged"
wait "$load" || { cat "$work/load.log" "$work/load.json"; fail "load"; }
check "nobody noticed: $(jq -r '"\(.sent) sent, \(.failed) failed"' "$work/load.json")" jq -e '.failed == 0 and .sent > 200' "$work/load.json"

# --- primary lost in mid-import
victim=$(primary_name)
(sleep 0.3 && lab kill "$victim" >/dev/null) &
check "an import during which the primary is lost" lab ctl node1 subscriber import "$work/bulk.jsonl"
wait $! || true
ids "$work/bulk.jsonl" >>"$work/acknowledged"
eventually 60 "it is on both nodes" in_both "$work/acknowledged"
lab start "$victim" >/dev/null
eventually 30 "and in the data plane of the other" loaded node2 "$(wc -l <"$work/list1")"

# --- all of Redis away
for name in redis1 redis2 redis3; do lab kill "$name"; done
gone() { [[ $(of node1 .sync.reachable) == false && $(of node2 .sync.reachable) == false ]]; }
eventually 20 "both nodes notice that Redis is gone" gone
some away 0 50 >"$work/away.jsonl"
check "an import succeeds without Redis" lab ctl node2 subscriber import "$work/away.jsonl"
grep -q 'Redis: not reached yet' "$work/check.log" || fail "import does not say that Redis has not got it"
ids "$work/away.jsonl" >>"$work/acknowledged"
check "a call without Redis" call "${TKMS_ADDRESSES%%,*}"
for name in redis1 redis2 redis3; do lab start "$name" >/dev/null; done
eventually 60 "it arrives when Redis is back" in_both "$work/acknowledged"

# --- Redis full
name=$(primary_name)
lab redis "$name" config set maxmemory 1mb >/dev/null
some full 0 50 >"$work/full.jsonl"
check "an import succeeds while Redis is full" lab ctl node1 subscriber import "$work/full.jsonl"
grep -q 'Redis: not reached yet' "$work/check.log" || fail "import does not say that Redis has not got it"
ids "$work/full.jsonl" >>"$work/acknowledged"
says_full() { of node1 .sync.changes.error | grep -q OOM; }
eventually 10 "the status says that Redis is full" says_full
check "a call while Redis is full" call "${TKMS_ADDRESSES%%,*}"
lab redis "$name" config set maxmemory 256mb >/dev/null
eventually 30 "it arrives when there is room" in_both "$work/acknowledged"

# --- disk full
# ended in order: nothing is left over in the store's log that could be used again
lab stop node2
cp -a "$home" "$work/home"
mount -t tmpfs -o size=$(($(du -sk "$work/home" | cut -f1) + 1024))k,mode=700 tmpfs "$home"
tmpfs=$home
cp -a "$work/home/." "$home/"
check "a node with a small disk starts" lab start node2
some disk 0 20000 >"$work/disk.jsonl"
check "an import on the other node is more than it can hold" lab ctl node1 subscriber import "$work/disk.jsonl"
ids "$work/disk.jsonl" >>"$work/acknowledged"
says_disk() { of node2 .sync.changes.error | grep -q 'no space left'; }
eventually 30 "its status says that the disk is full" says_disk
some big 0 20000 >"$work/big.jsonl"
refuses "an import of its own fails with a reason" "No space left" lab ctl node2 subscriber import "$work/big.jsonl"
check "it serves on" call "${TKMS_ADDRESSES##*,}"
mount -o remount,size=512m "$home"
eventually 60 "it catches up when there is room" in_both "$work/acknowledged"
lab kill node2/control
check "and it starts from what it has stored" lab start node2
check "with everything" in_both "$work/acknowledged"

# --- tampered with
origin=$(of node1 .sync.origin)
last=$(of node1 .sync.changes.log_last)
tamper() { # COMMAND...: as somebody who has got hold of the nodes' password
  REDISCLI_AUTH=$(<"$secrets/tkms") ip netns exec "$TKMS_LAB-redis1" redis-cli -e --user tkms --no-auth-warning \
    -h "$(primary)" "$@"
}
tamper hset "tkms:log:$origin" "$last" rubbish >/dev/null
# Their writer writes the true ones again, at times before the other has looked.
refused() {
  local table
  for table in nodes keyrings logs; do tamper hset "tkms:$table" "$origin" rubbish >/dev/null; done
  [[ $(of node2 .sync.refused.forged) -ge 1 ]]
}
eventually 10 "forged records are refused and counted" refused
check "the log names them" sh -c "'$root/deploy/lab.sh' logs node2 | grep -q 'is refused; the last good one stays in use'"
check "a call all the same" call "${TKMS_ADDRESSES%%,*}"
some last 0 5 >"$work/last.jsonl"
check "changes go on" lab ctl node1 subscriber import --wait "$work/last.jsonl"
ids "$work/last.jsonl" >>"$work/acknowledged"
eventually 20 "to both" in_both "$work/acknowledged"
