#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What an operator meets: status, subscribers, keys, reload, wrong input, a wrong KEK, a damaged store.
. "$(dirname "$0")/lib.sh"

ue_files
lab_up --subscribers "$work/subscribers.jsonl"
home=/run/$TKMS_LAB-lab/node1
ctl() { lab ctl node1 "$@"; }
json() { ctl "$1" "$2" --json | jq -e "$3"; }

contract='.node == "node1" and (.roles | index("request") and index("resolve")) and .addresses_held == ["10.69.1.1", "fd69::1:1"]
  and .keyring_epoch >= 1 and (.active_key | startswith("tpk-"))
  and .sync.configured == false and .sync.reachable == false and (.sync.role | type == "string")
  and .dataplane.connected and .dataplane.workers == 1 and (.dataplane.counters | type == "object")'
check "the status has what scripts rely on" status_is "$contract"
check "the status for people names the active key" sh -c "'$TKMS_BUILD/control/tkmsctl' --socket $home/control.sock status | grep -q tpk-"
check "the key list has one active key" json key list '.keys | map(select(.state == "active")) | length == 1'

# Subscribers
check "two subscribers are there" test "$(ctl subscriber count)" = 2
ctl subscriber show user1 >"$work/shown"
check "show names the UID" grep -q user1@tkms.example "$work/shown"
psk=$(jq -r .psk "$work/a.json")
not_in() { ! grep -qiF "$1" "$2"; }
check "show does not show the PSK" not_in "$psk" "$work/shown"
printf '%s\n' '{"psk_id": "new", "psk": "00112233445566778899aabbccddeeff", "uids": ["new@tkms.example"]}' \
  '{"psk_id": "short", "psk": "0011", "uids": ["short@tkms.example"]}' >"$work/bad.jsonl"
refuses "a file with a bad line is refused, and the line is named" "bad.jsonl:2:" ctl subscriber import "$work/bad.jsonl"
printf '{"psk_id": "nul\0", ' >"$work/nul.jsonl"
refuses "so is a NUL octet" "nul.jsonl:1: has a NUL octet" ctl subscriber import "$work/nul.jsonl"
check "nothing of it was taken" test "$(ctl subscriber count)" = 2
check "a group of commands has help" ctl subscriber --help
refuses "a group alone is no command" "Usage: tkmsctl subscriber import" ctl subscriber
head -n 1 "$work/bad.jsonl" >"$work/good.jsonl"
check "a good file is taken" ctl subscriber import "$work/good.jsonl"
jq -c '{psk_id, psk, uids}' "$work/good.jsonl" >"$work/new.json"
check "the data plane has it at once: a call of the new subscriber works" \
  client tkms-ue call --kms "$TKMS_ADDRESSES" --from "$work/new.json" --to "$work/b.json"
check "removed" ctl subscriber remove new
if client tkms-ue probe --kms "$TKMS_ADDRESSES" --as "$work/new.json" --timeout 1 >"$work/out" 2>&1; then
  fail "a removed subscriber still gets tickets"
fi
echo "ok: a removed subscriber gets nothing any more"

# Reload
sed -i 's/^  profile: .*/  profile: nonsense/' "$home/tkms.yaml"
kill -HUP "$(cat "$home/control.pid")"
logged() { grep -qE "$1" "$home/control.log"; }
eventually 5 "a wrong configuration is refused at reload, with file and line" logged 'tkms.yaml:[0-9]+'
check "and the old one serves on" call "$TKMS_ADDRESSES"
sed -i 's/^  profile: .*/  profile: rfc6043/; s/^  errors_per_source: .*/  errors_per_source: 50/' "$home/tkms.yaml"
kill -HUP "$(cat "$home/control.pid")"
eventually 5 "a good one is taken" logged 'profile'
check "calls work under it" call "$TKMS_ADDRESSES"

# Secrets: neither in logs nor in files, but for the KEK's own.
check "the log has no PSK" not_in "$psk" "$home/control.log"
no_key_in_store() { ! cat "$home"/store.db* | od -An -v -tx1 | tr -d ' \n' | grep -qF "$psk"; }
check "the store has no PSK in clear" no_key_in_store
check "the store is for its owner only" test "$(stat -c %a "$home/store.db")" = 600
check "the KEK is for its owner only" test "$(stat -c %a "$home/kek")" = 600
check "the sockets are for their owner only" test "$(stat -c %a "$home/control.sock" "$home/dataplane.sock" | sort -u)" = 600

# What must not start, and must not be touched
control() { timeout 10 "$TKMS_BUILD/control/tkms-control" --config "$home/tkms.yaml"; }
refuses "a second control process on the same files is refused" "cannot start" control
kill -TERM "$(cat "$home/control.pid")"
gone() { ! kill -0 "$(cat "$home/control.pid")" 2>/dev/null; }
eventually 5 "SIGTERM ends it" gone
cp -a "$home" "$work/backup"
before=$(sha256sum <"$home/store.db")
od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' >"$home/kek"
refuses "a store is not opened with another KEK" "cannot start" control
check "and stays as it was" test "$before" = "$(sha256sum <"$home/store.db")"
cp "$work/backup/kek" "$home/kek"
dd if=/dev/urandom of="$home/store.db" bs=1 seek=0 count=200 conv=notrunc 2>/dev/null
damaged=$(sha256sum <"$home/store.db")
refuses "a damaged store stops the start" "cannot start" control
check "and is not overwritten" test "$damaged" = "$(sha256sum <"$home/store.db")"
refuses "init does not touch it either" "store" "$TKMS_BUILD/control/tkmsctl" init --config "$home/tkms.yaml"
check "calls work all the while: the data plane needs nobody" call "$TKMS_ADDRESSES"
cp -a "$work/backup/store.db" "$home/store.db"
check "with the backup it starts" lab start node1
check "and serves" call "$TKMS_ADDRESSES"

# A service user's process, asked by root
service=$work/service
mkdir "$service"
cat >"$service/tkms.yaml" <<EOF
kms: {identity: kms@tkms.example}
node: {name: s, state_dir: $service/state, run_dir: $service, kek_file: $service/kek}
service: {addresses: [192.0.2.1/24]}
EOF
chmod 711 "$work"
chown -R 65533:65533 "$service"
# CAP_IPC_LOCK stands for the unit's LimitMEMLOCK.
as_user() {
  setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps=-all,+ipc_lock --ambient-caps=-all,+ipc_lock \
    --bounding-set=-all,+ipc_lock "$@"
}
cp "$TKMS_BUILD/control/tkms-control" "$TKMS_BUILD/control/tkmsctl" "$work/"
check "a service user makes its own store" as_user "$work/tkmsctl" init --config "$service/tkms.yaml"
chmod 777 "$service/state"
refuses "a folder of the store that others can write to stops the start" "run chmod go-w $service/state" \
  as_user timeout 5 "$work/tkms-control" --config "$service/tkms.yaml"
chmod 700 "$service/state"
as_user "$work/tkms-control" --config "$service/tkms.yaml" >"$work/service.log" 2>&1 &
background+=($!)
eventually 5 "its process starts" test -S "$service/control.sock"
check "root may ask it" "$TKMS_BUILD/control/tkmsctl" --socket "$service/control.sock" status
chmod 777 "$service"
refuses "but not where others could have put the socket" "belongs to" \
  "$TKMS_BUILD/control/tkmsctl" --socket "$service/control.sock" status
stranger() { setpriv --reuid 65532 --regid 65532 --clear-groups --inh-caps=-all "$@"; }
chmod 666 "$service/control.sock"
refuses "another user gets no answer" "tkmsctl" stranger "$work/tkmsctl" --socket "$service/control.sock" status
