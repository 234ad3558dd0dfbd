#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Change of the KEK: on one node, killed at many points; on two nodes with Redis between them.
. "$(dirname "$0")/lib.sh"

control=$TKMS_BUILD/control/tkms-control
home=$work/home
mkdir "$home"
ctl() { "$TKMS_BUILD/control/tkmsctl" --config "$home/tkms.yaml" "$@"; }
cat >"$home/tkms.yaml" <<CONFIG
kms: {identity: kms@tkms.example}
node: {name: alone, state_dir: $home/state, run_dir: $home/run, kek_file: $home/kek}
service: {addresses: [192.0.2.1/24]}
metrics: {listen: ""}
CONFIG
pid=
start() {
  "$control" --config "$home/tkms.yaml" >>"$home/log" 2>&1 &
  pid=$!
  background+=("$pid")
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    ctl status >/dev/null 2>&1 && return 0
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}
stop() { kill "-$1" "$pid" && { wait "$pid" || true; }; }
kek_id() { ctl status --json | jq -r .kek.id; }
# All records of the store and the KEKs that they are under.
keks() { sqlite3 "$home/state/store.db" "SELECT DISTINCT lower(hex(substr(record, 2, 8))) FROM
  (SELECT record FROM subscribers UNION ALL SELECT record FROM keyring UNION ALL SELECT record FROM meta UNION ALL SELECT record FROM log)"; }
all_under() { [[ $(keks) == "$1" ]]; }

check "init" ctl init
check "start" start
subscribers 5000 "$work/subscribers.jsonl"
ctl subscriber import "$work/subscribers.jsonl" >"$work/imported" 2>&1 || true # no data plane
test "$(ctl subscriber count --json | jq .subscribers)" = 5000 || fail "the import"
first=$(kek_id)
check "everything is under the first KEK" all_under "$first"
active=$(ctl status --json | jq -r .active_key)
refuses "without a new KEK there is no change" "kek.next" ctl kek rotate
check "a new KEK is made" ctl kek new
refuses "a second one is not" "File exists" ctl kek new
test "$(stat -c %a "$home/kek.next")" = 600 || fail "others can read it"

kills=10
[[ -z ${TKMS_LONG:-} ]] || kills=100
for ((i = 1; i <= kills; i++)); do
  ctl kek rotate >"$work/rotate" 2>&1 & rotate=$!
  python3 -c "import random, time; time.sleep(random.uniform(0, 0.25))"
  stop KILL
  wait "$rotate" 2>/dev/null || true
  start || fail "start after kill $i: $(tail -1 "$home/log")"
done
echo "ok: killed $kills times in the change, it starts every time"
check "the change comes to its end" ctl kek rotate
second=$(kek_id)
test "$second" != "$first" || fail "the KEK is the old one"
check "everything is under the new KEK" all_under "$second"
check "done again it changes nothing" ctl kek rotate
test "$(ctl subscriber count --json | jq .subscribers)" = 5000 || fail "subscribers were lost"
test "$(ctl status --json | jq -r .active_key)" = "$active" || fail "the keyring is another one"
cmp -s "$home/kek" "$home/kek.previous" && fail "the old KEK is the new one"
stop TERM
check "it starts with both files" start
check "the old KEK is dropped" ctl kek drop
check "its file too" test ! -e "$home/kek.previous"
test "$(ctl status --json | jq '.kek.others | length')" = 0 || fail "it is still there"
stop TERM
check "it starts with the new one alone" start
check "the sealing key is the same" test "$(ctl status --json | jq -r .active_key)" = "$active"
grep -qF -e "$(<"$home/kek")" "$home/log" && fail "a KEK is in the log"
stop TERM

lab_up --nodes 2 --redis --subscribers <(head -100 "$work/subscribers.jsonl")
base=/run/$TKMS_LAB-lab
on() { lab ctl "$1" --config "$base/$1/tkms.yaml" "${@:2}"; }
redis() { local n; for n in ${TKMS_REDIS//,/ }; do [[ $(lab redis "$n" role | head -1) != master ]] || lab redis "$n" "$@"; done; }
# KEKs of the records in Redis: a table's value is version (8 octets) | format (1) | KEK (8) | ...
in_redis() {
  redis eval 'local out, t = {}, {}
    for _, name in ipairs({"nodes", "keyrings", "logs"}) do
      local all = redis.call("hgetall", "tkms:" .. name)
      for i = 2, #all, 2 do t[all[i]:sub(10, 17)] = true end
    end
    for _, key in ipairs(redis.call("keys", "tkms:log:*")) do
      local all = redis.call("hgetall", key)
      for i = 2, #all, 2 do t[all[i]:sub(2, 9)] = true end
    end
    for kek in pairs(t) do out[#out + 1] = (kek:gsub(".", function(c) return string.format("%02x", c:byte()) end)) end
    return out' 0 | sort
}
redis_under() { [[ $(in_redis) == "$1" ]]; }
of() { lab ctl "$1" status --json | jq -er "$2"; }
old=$(of node1 .kek.id)
eventually 20 "all that is in Redis is under the KEK of the set" redis_under "$old"
check "a new KEK on one node" on node1 kek new
refuses "it is not used before the other has it" "node2 does not have the new KEK" on node1 kek rotate
cp "$base/node1/kek.next" "$base/node2/kek.next"
check "the other gets it" on node2 kek load
rotated() { on "$1" kek rotate; }
eventually 10 "the first node changes" rotated node1
new=$(of node1 .kek.id)
test "$new" != "$old" || fail "the KEK is the old one"
refuses "the old one is not dropped while the other seals under it" "node2 still seals" on node1 kek drop
check "they still understand each other" lab ctl node2 key rotate
eventually 10 "the second node changes" rotated node2
eventually 20 "all that is in Redis is under the new KEK" redis_under "$new"
dropped() { on "$1" kek drop; }
eventually 10 "the first drops the old one" dropped node1
eventually 10 "the second drops it" dropped node2
check "a sealing key goes around" lab ctl node1 key rotate
check "both use it" test "$(of node1 .active_key)" = "$(of node2 .active_key)"
lab kill node2 && lab start node2
again() { [[ $(of node2 .kek.id) == "$new" && $(of node2 '.cluster.members // [] | length') != 0 ]]; }
eventually 20 "a node comes back with the new KEK alone" again
check "nothing was refused meanwhile for want of a KEK" test "$(of node1 '[.sync.refused[]] | add')" = 0
