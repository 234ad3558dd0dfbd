#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Three nodes share out the service addresses: one is killed, drained, stopped, cut off, and Redis is lost, while
# clients ask all the time.
. "$(dirname "$0")/lib.sh"

export PYTHONDONTWRITEBYTECODE=1
nodes=(node1 node2 node3)
python3 "$tests/interop/check.py" subscribers >"$work/calls.jsonl"
subscribers 50 "$work/load.jsonl"
sed -n 1p "$work/load.jsonl" >"$work/probe.json"
cat "$work/calls.jsonl" "$work/load.jsonl" >"$work/subscribers.jsonl"
lab_up --nodes 3 --profile rfc6043 --subscribers "$work/subscribers.jsonl"

held() { lab ctl "$1" status --json | jq -r '.addresses_held[]'; }
# holders NODE...: "ADDRESS NODE" lines of what these nodes hold by their own account.
holders() {
  local name
  for name in "$@"; do held "$name" | sed "s/\$/ $name/"; done | sort
}
# spread NODE...: the six addresses are held by one of these nodes each, and evenly: IPv4 and IPv6 each for itself.
spread() {
  local all name family
  all=$(holders "$@")
  [[ $(wc -l <<<"$all") -eq 6 && $(cut -d' ' -f1 <<<"$all" | uniq | wc -l) -eq 6 ]] || return 1
  for name in "$@"; do
    for family in : '\.'; do
      [[ $(grep " $name\$" <<<"$all" | grep -c "$family") -ge $((3 / $#)) ]] || return 1
    done
  done
}
holder_of() { holders "${nodes[@]}" | awk -v a="$1" '$1 == a { print $2 }'; }
answers() { client tkms-ue probe --kms "$1" --kms-identity kms@tkms.example --as "$work/probe.json"; }
all_answer() {
  local address
  for address in ${TKMS_ADDRESSES//,/ } ${TKMS_ADDRESSES6//,/ }; do answers "$address" || return 1; done
}
later() { client python3 "$tests/interop/later.py" "$1" "$work/later" "${@:2}"; }
listed() { lab ctl "$1" node list --json | jq -e "$2"; }

eventually 20 "each of three nodes holds two of six addresses" spread "${nodes[@]}"
check "all of them answer" all_answer
check "the list of members says so" listed node2 \
  '.nodes | length == 3 and all(.alive and .state == "serving" and .in_sync and (.addresses_held | length == 2))'
check "for people too" sh -c "'$root/deploy/lab.sh' ctl node1 node list | grep -q 'node3 .*serving .*request,resolve'"

mapfile -t v4 <<<"${TKMS_ADDRESSES//,/$'\n'}"
check "a ticket is requested and resolved at one node" later "${v4[0]}"
check "another node gives the same keys for the same messages" later "${v4[1]}" same same
check "and the third" later "${v4[2]}" same same

# From here on clients ask all the time, and none may fail.
client tkms-bench load --kms "$TKMS_ADDRESSES" --rate 100 --seconds 60 --subscribers "$work/load.jsonl" --json \
  >"$work/load.json" 2>"$work/load.err" &
load=$!
background+=("$load")

holders "${nodes[@]}" >"$work/before"
lab kill node2
eventually 5 "the addresses of a node that is killed are held by the others" spread node1 node3
holders node1 node3 >"$work/without"
stayed() { ! grep -v " node2\$" "$1" | grep -vxFf "$2"; }
check "and those of the others stayed where they were" stayed "$work/before" "$work/without"
check "it is listed as dead" listed node1 '.nodes[] | select(.name == "node2") | .alive == false and .state == "dead"'
refuses "a node that is alive is not forgotten" "is alive" lab ctl node1 node forget node3
lab start node2
eventually 20 "when it is back it gets its share" spread "${nodes[@]}"
holders "${nodes[@]}" >"$work/after"
check "and nothing else moves" stayed "$work/after" "$work/without"

# It is alive by its heartbeats, and answers nobody.
told() {
  ip netns exec "$TKMS_LAB-node1" curl -sSf --max-time 5 http://127.0.0.1:9269/metrics >"$work/metrics"
  grep -x "$1" "$work/metrics"
}
lab freeze node1/dataplane
eventually 5 "the addresses of a node whose data plane hangs are held by the others" spread node2 node3
check "it is told that it does not serve" told "tkms_dataplane_serving 0"
check "and all addresses answer" all_answer
lab thaw node1/dataplane
eventually 20 "when it goes on it gets its share" spread "${nodes[@]}"
check "it is told that it serves" told "tkms_dataplane_serving 1"
check "and all addresses answer again" all_answer

refuses "a node does not drain another" "run on the node itself" lab ctl node1 node drain node3
check "a node drains" lab ctl node3 node drain --wait node3
check "its addresses are with the others by then" spread node1 node2
check "it says so" sh -c "'$root/deploy/lab.sh' ctl node3 status --json | jq -e '.cluster.state == \"drained\" and .cluster.drain_reasons == [\"operator\"] and .addresses_held == []'"
check "and the others know" listed node1 '.nodes[] | select(.name == "node3") | .state == "drained"'
pid() { cat "/run/$TKMS_LAB-lab/$1/$2.pid"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
kill -TERM "$(pid node3 control)"
eventually 15 "a drained node's control process ends" ended "$(pid node3 control)"
lab start node3
still_drained() { lab ctl node3 status --json | jq -e '.cluster.state == "drained"'; }
eventually 15 "it is still drained after a restart" still_drained
check "undrain is enough" lab ctl node3 node undrain
eventually 20 "it holds addresses again" spread "${nodes[@]}"

control=$(pid node1 control) dataplane=$(pid node1 dataplane)
kill -TERM "$control" "$dataplane"
eventually 15 "SIGTERM ends a node's control process" ended "$control"
eventually 15 "and its data plane" ended "$dataplane"
check "by then the others hold its addresses" spread node2 node3
check "nothing was given up before it was taken" sh -c "! grep -q 'before the addresses have moved' /run/$TKMS_LAB-lab/node1/control.log"
lab start node1
eventually 20 "started again it gets its share" spread "${nodes[@]}"

dataplane=$(pid node2 dataplane)
kill -TERM "$dataplane"
eventually 15 "a data plane that is told to end does" ended "$dataplane"
check "once the others hold its addresses" spread node1 node3
lab start node2
eventually 20 "and comes back" spread "${nodes[@]}"

# A node that cannot reach Redis keeps its addresses while the others, who can, take them too.
victim=$(holder_of "${v4[0]}")
lab partition "$victim" redis
others=()
for name in "${nodes[@]}"; do [[ $name == "$victim" ]] || others+=("$name"); done
eventually 10 "the addresses of a node that is cut off from Redis are taken by the others" spread "${others[@]}"
holds_on() { held "$victim" | grep -qx "${v4[0]}"; }
check "it holds on to them itself" holds_on
mac_of() { ip -n "$TKMS_LAB-$1" -json link show dp0 | jq -r '.[0].address'; }
taker=$(holders "${others[@]}" | awk -v a="${v4[0]}" '$1 == a { print $2 }')
# at NODE COMMAND...: with the client's neighbour entry of the address pinned to the node.
at() {
  local name=$1
  shift
  ip -n "$TKMS_LAB-client" neigh replace "${v4[0]}" lladdr "$(mac_of "$name")" dev cl0 nud permanent
  "$@"
}
check "one holder gives the keys that it gave before" at "$victim" later "${v4[0]}" same same
check "so does the other" at "$taker" later "${v4[0]}" same same
ip -n "$TKMS_LAB-client" neigh del "${v4[0]}" dev cl0
lab heal "$victim"
eventually 20 "when it hears the others again everything has one holder" spread "${nodes[@]}"

holders "${nodes[@]}" >"$work/before"
for name in redis1 redis2 redis3; do lab kill "$name"; done
unhealthy() { lab ctl node1 status --json | jq -e '.cluster.healthy == false'; }
eventually 10 "the loss of Redis is noticed" unhealthy
sleep 3
stands() { holders "${nodes[@]}" | diff "$work/before" -; }
check "without Redis the assignment stands, long after a death would have been noticed" stands
lab kill node1/control
lab start node1
eventually 15 "also over a restart of a control process" stands
check "all addresses answer" all_answer
for name in redis1 redis2 redis3; do lab start "$name"; done
healthy() { lab ctl node1 status --json | jq -e '.cluster.healthy and .cluster.in_sync'; }
eventually 60 "with Redis back heartbeats are exchanged again" healthy
eventually 20 "and nothing has come to harm" spread "${nodes[@]}"

wait "$load" || true
cat "$work/load.json"
check "in all that no request failed" jq -e '.sent > 1000 and .failed == 0 and .lost == 0' "$work/load.json"

# A store that has lost everything does not make a node believe that it is alone.
lab kill node2
lab kill node3
lab kill node1/control
primary() { local n; for n in ${TKMS_REDIS//,/ }; do [[ $(lab redis "$n" role | head -1) != master ]] || echo "$n"; done; }
check "Redis is emptied" lab redis "$(primary)" flushall
lab start node1
healthy_alone() { lab ctl node1 status --json | jq -e '.cluster.healthy and .cluster.alive == 1'; }
eventually 20 "a node that starts then has contact with Redis" healthy_alone
check "it knows the others by name" listed node1 '([.nodes[] | select(.alive | not) | .name] | sort) == ["node2", "node3"]'
check "it is not in sync" listed node1 '.cluster.in_sync == false'
active=$(lab ctl node1 status --json | jq -r .active_key)
refuses "it does not rotate" "cut off" lab ctl node1 key rotate
# In the order of their origins, which are random.
away() {
  lab ctl node1 key revoke "$active" >"$work/revoke" 2>&1 || { cat "$work/revoke" && return 1; }
  grep "away and will learn of it.*node2" "$work/revoke" && grep "away and will learn of it.*node3" "$work/revoke" ||
    { cat "$work/revoke" && return 1; }
}
check "it names who has not heard of a revocation" away
kek=/run/$TKMS_LAB-lab/node1/tkms.yaml
check "a new KEK is made" lab ctl node1 --config "$kek" kek new
refuses "it is not taken while nobody knows who has it" "was not heard" lab ctl node1 --config "$kek" kek rotate
lab start node2
lab start node3
all_in_sync() { listed node1 '.nodes | length == 3 and all(.alive and .in_sync)'; }
eventually 30 "when the others are back all are in sync" all_in_sync
