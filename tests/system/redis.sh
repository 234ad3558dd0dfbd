#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Redis as deploy/redis sets it up: who may do what, a primary that is lost, all of them lost.
. "$(dirname "$0")/lib.sh"

lab_up --nodes 0 --redis
secrets=/run/$TKMS_LAB-lab/passwords
primary() { lab redis "$1/sentinel" sentinel get-master-addr-by-name tkms | head -1; }
# as USER ADDRESS:PORT COMMAND...: with the password of the user; fails when the server says no.
as() {
  local user=$1 host=${2%:*} port=${2#*:}
  shift 2
  REDISCLI_AUTH=$(<"$secrets/$user") ip netns exec "$TKMS_LAB-redis1" redis-cli -e --user "$user" --no-auth-warning \
    -h "$host" -p "$port" "$@"
}
nobody() { ip netns exec "$TKMS_LAB-redis1" redis-cli -e -h "${1%:*}" -p "${1#*:}" "${@:2}"; }

check "env names the three" test "$TKMS_REDIS" = redis1,redis2,redis3
first=$(primary redis1)
for name in redis1 redis2 redis3; do
  check "the Sentinel of $name has a quorum" sh -c "'$root/deploy/lab.sh' redis $name/sentinel sentinel ckquorum tkms | grep -q '^OK 3 '"
done
check "a node writes a record" as tkms "$first:6379" hset tkms:nodes one two
check "a node gives notice" as tkms "$first:6379" publish tkms:notice nodes
refuses "a node writes nowhere else" NOPERM as tkms "$first:6379" hset other:nodes one two
refuses "a node gives notice nowhere else" NOPERM as tkms "$first:6379" publish other nodes
set -f
for command in "keys *" "get tkms:nodes" "hgetall tkms:nodes" "expire tkms:nodes 1" "rename tkms:nodes tkms:other" flushall "config get dir" "eval return 0" "acl list" shutdown "replicaof no one"; do
  # shellcheck disable=SC2086
  refuses "a node may not $command" NOPERM as tkms "$first:6379" $command
done
set +f
refuses "without a password there is nothing" NOAUTH nobody "$first:6379" ping
refuses "a wrong password is one" WRONGPASS nobody "$first:6379" --no-auth-warning --user tkms --pass wrong ping
check "anybody may ask a Sentinel who the primary is" nobody 10.71.2.2:26379 sentinel get-master-addr-by-name tkms
refuses "and nothing more" NOPERM nobody 10.71.2.2:26379 sentinel failover tkms
refuses "nor may a node" NOPERM as tkms 10.71.2.2:26379 sentinel remove tkms
check "passwords are for root alone" test "$(stat -c %a "$secrets" "$secrets/tkms" | tr '\n' ' ')" = "700 600 "
# shellcheck disable=SC2009
hidden() { ! ps -e -o args | grep -F -f "$secrets/admin" && ! grep -rlF -f "$secrets/tkms" "/run/$TKMS_LAB-lab"/redis?; }
check "the nodes' password is in no file of Redis, the operator's in no command line" hidden

lab kill redis1
other() { [[ $(primary redis2) != "$first" && $(primary redis2) == "$(primary redis3)" ]]; }
eventually 30 "another server is the primary" other
second=$(primary redis2)
held() { [[ $(as tkms "$second:6379" hmget tkms:nodes one) == two ]]; }
check "it has the record" held
eventually 30 "it takes writes" as tkms "$second:6379" hset tkms:nodes one three
check "the lost one comes back" lab start redis1
role_of() { lab redis "$1" role | head -1; }
check "as a replica" test "$(role_of redis1)" = slave
for name in redis1 redis2 redis3; do lab kill "$name"; done
for name in redis1 redis2 redis3; do check "after the loss of all $name starts" lab start "$name"; done
kept() { [[ $(as tkms "$(primary redis1):6379" hmget tkms:nodes one) == three ]]; }
check "what was confirmed before is there" kept
lab down
check "down leaves nothing" sh -c "! ip netns list | grep -q '^$TKMS_LAB-' && test ! -e /run/$TKMS_LAB-lab"
