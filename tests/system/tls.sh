#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Redis behind stunnel, as deploy/redis/README.md says: a node reaches it through the door that Sentinel names, and
# not when the certificate is somebody else's.
. "$(dirname "$0")/lib.sh"

home=$work/home
mkdir "$home"
ctl() { "$TKMS_BUILD/control/tkmsctl" --socket "$home/control.sock" "$@"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
redis=$(free_port) tls=$(free_port) door=$(free_port) sentinel=$(free_port)

certificate() { # NAME CA
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1\n' >"$work/$1.ext"
  openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.pem" -CAkey "$work/$2.key" -CAcreateserial -days 2 \
    -extfile "$work/$1.ext" -out "$work/$1.crt" 2>/dev/null
  cat "$work/$1.key" "$work/$1.crt" >"$work/$1.pem"
}
for ca in ca other; do
  openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$ca" -days 2 -keyout "$work/$ca.key" -out "$work/$ca.pem" 2>/dev/null
done
certificate server ca
certificate node ca
certificate stranger other

start() { # COMMAND...
  "$@" >>"$work/processes.log" 2>&1 &
  background+=("$!")
}
cat >"$work/server.conf" <<END
foreground = yes
pid =
[redis]
accept = 127.0.0.1:$tls
connect = 127.0.0.1:$redis
cert = $work/server.pem
CAfile = $work/ca.pem
verifyChain = yes
END
door_conf() { # CERTIFICATE CA
  cat <<END
foreground = yes
pid =
[redis1]
client = yes
accept = 127.0.0.1:$door
connect = 127.0.0.1:$tls
cert = $work/$1.pem
CAfile = $work/$2.pem
verifyChain = yes
checkIP = 127.0.0.1
END
}
printf 'bind 127.0.0.1\nport %s\nsave ""\ndir %s\nreplica-announce-ip 127.0.0.1\nreplica-announce-port %s\n' \
  "$redis" "$work" "$door" >"$work/redis.conf"
printf 'bind 127.0.0.1\nport %s\ndir %s\nsentinel monitor tkms 127.0.0.1 %s 1\n' "$sentinel" "$work" "$door" >"$work/sentinel.conf"
start redis-server "$work/redis.conf"
start stunnel4 "$work/server.conf"
door_conf node ca >"$work/door.conf"
start stunnel4 "$work/door.conf"
door_pid=${background[-1]}
eventually 20 "Redis answers at its door" sh -c "redis-cli -p $door ping | grep -q PONG"
start redis-sentinel "$work/sentinel.conf"

cat >"$home/tkms.yaml" <<END
kms:
  identity: kms@tkms.example
node:
  name: tls
  state_dir: $home
  run_dir: $home
  kek_file: $home/kek
service:
  addresses: [192.0.2.1/24]
sync:
  sentinels: ["127.0.0.1:$sentinel"]
END
check "a store is made" "$TKMS_BUILD/control/tkmsctl" --config "$home/tkms.yaml" init --new-set
start "$TKMS_BUILD/control/tkms-control" --config "$home/tkms.yaml"
is() { ctl status --json | jq -e ".sync | $1"; }
eventually 20 "the node reaches Redis through its door" is ".reachable and .primary == \"127.0.0.1:$door\""
subscribers 3 "$work/subscribers.jsonl"
check "changes reach Redis" ctl subscriber import --wait "$work/subscribers.jsonl"
kill "$door_pid"
eventually 20 "without the door it is not reached" is '.reachable == false'
door_conf stranger ca >"$work/door.conf"
start stunnel4 "$work/door.conf"
door_pid=${background[-1]}
sleep 3
check "nor with a certificate that Redis does not trust" is '.reachable == false'
kill "$door_pid"
wait "$door_pid" 2>/dev/null || true
door_conf node other >"$work/door.conf"
start stunnel4 "$work/door.conf"
door_pid=${background[-1]}
sleep 3
check "nor when Redis has a certificate that the door does not trust" is '.reachable == false'
kill "$door_pid"
wait "$door_pid" 2>/dev/null || true
door_conf node ca >"$work/door.conf"
start stunnel4 "$work/door.conf"
eventually 20 "with the right ones it is" is .reachable
