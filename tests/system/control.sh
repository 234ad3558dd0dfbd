#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The control process and tkmsctl alone, without data plane and network: init, start, import, restart, bad input, damage.
. "$(dirname "$0")/lib.sh"

control=$TKMS_BUILD/control/tkms-control
home=$work/home
mkdir "$home"
ctl() { "$TKMS_BUILD/control/tkmsctl" --socket "$home/run/control.sock" "$@"; }
offline() { "$TKMS_BUILD/control/tkmsctl" --config "$home/tkms.yaml" "$@"; }

cat >"$home/tkms.yaml" <<CONFIG
kms:
  identity: kms@tkms.example
node:
  name: alone
  state_dir: $home/state
  run_dir: $home/run
  kek_file: $home/kek
service:
  addresses: [192.0.2.1/24, "2001:db8::1/64"]
keys:
  activation_lead: 1s
CONFIG

pid=
start() {
  "$control" --config "$home/tkms.yaml" >>"$home/log" 2>&1 &
  pid=$!
  background+=("$pid")
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    ctl status >/dev/null 2>&1 && return 0
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}
stop() { # SIGNAL: and its exit status
  kill "-$1" "$pid"
  wait "$pid"
}
# Starts, and must end by itself with a reason that has TEXT.
does_not_start() {
  local sentence=$1 text=$2
  refuses "$sentence" "$text" timeout 20 "$control" --config "$home/tkms.yaml"
}
same_as() { cmp "$1" "$home/state/store.db"; }
json_is() { # EXPRESSION COMMAND...
  local expression=$1
  shift
  "$@" | tee "$work/json" | jq -e "$expression"
}

check "the configuration is right" offline check-config "$home/tkms.yaml"
check "also for machines" json_is '. == {"ok": true}' offline --json check-config "$home/tkms.yaml"
printf 'kms: {identity: nobody}\n' >"$work/wrong.yaml"
refuses "a wrong one is told to machines" '{"ok":false,"errors":["' offline --json check-config "$work/wrong.yaml"
refuses "a word that is no option is named" "bogus" "$control" bogus
does_not_start "without init there is no start, and the fix is named" "tkmsctl init"
check "init makes KEK and store" offline init
test "$(stat -c %a "$home/kek" "$home/state" "$home/state/store.db" | tr '\n' ' ')" = "600 700 600 " || fail "modes"
cp "$home/state/store.db" "$work/first.db"
cp "$home/kek" "$work/kek"
refuses "a second init refuses" "exists; it is not touched" offline init
check "and has touched nothing" same_as "$work/first.db"

check "it starts" start
check "status has what scripts rely on" json_is '.node == "alone" and (.roles | type) == "array" and
  (.addresses_held | type) == "array" and .keyring_epoch == 1 and (.active_key | startswith("tpk-")) and
  .sync.configured == false and .sync.reachable == false and .sync.role == "standalone" and
  .dataplane.connected == false and .dataplane.workers == 0 and (.dataplane.counters | type) == "object" and
  .subscribers == 0' ctl status --json
test "$(stat -c %a "$home/run/control.sock" "$home/run/dataplane.sock" | tr '\n' ' ')" = "600 600 " || fail "modes"
refuses "a second one on the same directories refuses" "another tkms-control" timeout 20 "$control" --config "$home/tkms.yaml"
check "the first one has noticed nothing" ctl status
active=$(ctl status --json | jq -r .active_key)

subscribers 3000 "$work/s.jsonl"
check "3,000 subscribers are imported" json_is '.added == 3000 and .dataplane == "not connected"' ctl --json subscriber import "$work/s.jsonl"
check "the same file again changes nothing" json_is '.added == 0 and .replaced == 3000' ctl --json subscriber import "$work/s.jsonl"
check "count" test "$(ctl subscriber count)" = 3000
check "list has all" test "$(ctl subscriber list | wc -l)" = 3000
psk=$(jq -r 'select(.psk_id == "user17").psk' "$work/s.jsonl")
check "show shows one" json_is '.uids == ["user17@tkms.example"] and .psk_octets == 32' ctl --json subscriber show user17
if ctl subscriber show user17 | grep -q "$psk"; then fail "show shows the PSK"; fi

bad_import() { # SENTENCE TEXT LINE: two good lines, a bad one, a good one; nothing of it may stay
  local k=00112233445566778899aabbccddeeff
  printf '{"psk_id":"new1","psk":"%s","uids":["new1@d"]}\n\n%s\n{"psk_id":"new2","psk":"%s","uids":["new2@d"]}\n' $k "$3" $k >"$work/bad.jsonl"
  refuses "$1" "$2" ctl subscriber import "$work/bad.jsonl"
  grep -q "bad.jsonl:3: " "$work/check.log" || fail "the line is not named"
  refuses "nothing of it was stored" "no such subscriber" ctl subscriber show new1
  test "$(ctl subscriber count)" = 3000 || fail "count"
}
k=0123456789abcdef0123456789abcdef
bad_import "text that is no JSON" "no JSON" '{"psk_id": '
bad_import "an unknown member" 'unknown member "pks"' "{\"psk_id\":\"x\",\"pks\":\"$k\",\"uids\":[\"x@d\"]}"
bad_import "a short PSK" "psk: " '{"psk_id":"x","psk":"00","uids":["x@d"]}'
bad_import "a PSK id that could be a sealing key" "psk_id: " "{\"psk_id\":\"tpk-x\",\"psk\":\"$k\",\"uids\":[\"x@d\"]}"
bad_import "a UID with a wildcard" "uids: " "{\"psk_id\":\"x\",\"psk\":\"$k\",\"uids\":[\"?@d\"]}"
bad_import "a PSK id twice in the file" "there twice (line 1)" "{\"psk_id\":\"new1\",\"psk\":\"$k\",\"uids\":[\"x@d\"]}"
bad_import "a UID twice in the file" "belongs to psk_id new1 (line 1)" "{\"psk_id\":\"x\",\"psk\":\"$k\",\"uids\":[\"new1@d\"]}"
bad_import "a UID of a stored subscriber" "belongs to psk_id user5 (in the store)" "{\"psk_id\":\"x\",\"psk\":\"$k\",\"uids\":[\"user5@tkms.example\"]}"
bad_import "a stored PSK id with another PSK" "exists in the store and differs" "{\"psk_id\":\"user5\",\"psk\":\"$k\",\"uids\":[\"user5@tkms.example\"]}"
bad_import "a byte order mark" "byte order mark" $'\xef\xbb\xbf'"{\"psk_id\":\"x\",\"psk\":\"$k\",\"uids\":[\"x@d\"]}"
head -c 70000 /dev/zero | tr '\0' x >"$work/long.jsonl"
refuses "a line without end" "long.jsonl:1: longer than" ctl subscriber import "$work/long.jsonl"
refuses "a file that is not there" "No such file" ctl subscriber import "$work/none"

check "a subscriber is added" sh -c "echo $k | '$TKMS_BUILD/control/tkmsctl' --socket '$home/run/control.sock' subscriber add \
  --psk-id hex:00ff --psk-file - --uid a@d --uid b@d --expires 2040-01-01T00:00:00Z --role function"
check "with everything" json_is '.psk_id == "hex:00ff" and .uids == ["a@d", "b@d"] and .expires == "2040-01-01T00:00:00Z" and
  .roles == ["function"] and .psk_octets == 16' ctl --json subscriber show hex:00ff
check "and removed" ctl subscriber remove hex:00ff
refuses "it is gone" "no such subscriber" ctl subscriber remove hex:00ff

head -c 32 /dev/urandom >"$work/key"
check "a sealing key is imported" json_is '.state == "retiring"' ctl --json key import --id tpk-given --key-file "$work/key"
refuses "its id is taken then" "there is, or was" ctl key import --id tpk-given --key-file "$work/key"
head -c 16 "$work/key" >"$work/short"
refuses "a short one is refused" "32 octets" ctl key import --id tpk-short --key-file "$work/short"
check "unless that is asked for, and it can seal" json_is '.state == "active"' \
  ctl --json key import --id tpk-short --key-file "$work/short" --allow-short --activate
check "key list shows them" json_is "[.keys[] | {(.id): .state}] | add == {\"$active\": \"retiring\", \"tpk-given\": \"retiring\", \"tpk-short\": \"active\"}" ctl --json key list
secret=$(od -An -tx1 -v "$work/key" | tr -d ' \n')
if grep -qE "$secret|$psk" "$home/log" "$work"/*.log; then fail "a secret in a log"; fi

refuses "options of other commands are refused" "does not belong" ctl status --replace
refuses "unknown commands are refused" "unknown command" ctl frobnicate
for command in init status "subscriber import" "subscriber add" "key list" "key import" decode check-config; do
  # shellcheck disable=SC2086
  check "$command --help" sh -c "'$TKMS_BUILD/control/tkmsctl' $command --help | grep -q 'Usage: tkmsctl $command'"
done
jq -r '.[0].steps[0].message' "$root/tests/vectors/exchanges.json" >"$work/message.hex"
check "decode dissects a message in hex" sh -c "'$TKMS_BUILD/control/tkmsctl' decode '$work/message.hex' | grep -q REQUEST_INIT_PSK"
check "and on stdin, as JSON" json_is '.payloads | length > 2' "$TKMS_BUILD/control/tkmsctl" --json decode "$work/message.hex"
refuses "decode refuses what is no message" "neither a message" "$TKMS_BUILD/control/tkmsctl" decode "$home/tkms.yaml"

# What is no request costs a response or the connection, nothing more.
cat >"$work/hostile.py" <<'PYTHON'
import os, socket, sys

def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s

for line in (b"", b"{", b"[]", b"7", b"\xff\xfe", b"{}", b'{"command": 7}', b'{"command": "nothing"}', b"\0" * 100,
             b'{"command": "subscriber.import.lines", "lines": ["{}"]}', b'{"command": "subscriber.import.commit"}',
             b'{"command": "subscriber.show"}', b'{"command": "subscriber.show", "psk_id": "hex:0"}',
             b'{"command": "key.import", "id": "tpk-x", "key": "zz"}', b'{"command": "key.revoke"}',
             b"[" * 100000, b'{"command": "' + b"x" * 100000 + b'"}'):
    s = connect()
    s.sendall(line + b"\n")
    answer = s.makefile("rb").readline()
    assert answer.startswith(b'{"ok":false,"error":"'), (line[:50], answer)

s = connect()  # a line without end: the connection goes
try:
    for i in range(80):
        s.sendall(b"x" * 65536)
    assert s.recv(1) == b""
except (BrokenPipeError, ConnectionResetError):
    pass

crowd = [connect() for i in range(100)]  # more than may be connected
del crowd

s = connect()  # many requests at once, then gone in the middle of one
s.sendall(b'{"command": "subscriber.count"}\n' * 50 + b'{"comm')
f = s.makefile("rb")
assert all(b'"ok":true' in f.readline() for i in range(50))

s = connect()  # an import that is left open holds no one up for ever, one that is closed not at all
s.sendall(b'{"command": "subscriber.import.begin"}\n')
assert b'"ok":true' in s.makefile("rb").readline()
other = connect()
other.sendall(b'{"command": "subscriber.import.begin"}\n')
assert b"another import is running" in other.makefile("rb").readline()
PYTHON
check "what is no request is refused" python3 "$work/hostile.py" "$home/run/control.sock"
eventually 5 "and the process answers as before" test "$(ctl subscriber count)" = 3000
check "an import works again" ctl subscriber import "$work/s.jsonl"

# A killed one starts with everything; so does one that was ended.
epoch=$(ctl status --json | jq .keyring_epoch)
{ stop KILL 2>/dev/null || true; } 2>/dev/null
check "it starts after a kill" start
check "with all it had" json_is ".subscribers == 3000 and .keyring_epoch == $epoch and .active_key == \"tpk-short\"" ctl status --json
check "SIGTERM ends it with status 0" stop TERM
test ! -e "$home/run/control.sock" || fail "the socket is still there"
check "it starts again" start

# Reload: a wrong file changes nothing, a right one is taken.
cp "$home/tkms.yaml" "$work/good.yaml"
sed -i 's/activation_lead: 1s/activation_lead: soon/' "$home/tkms.yaml"
kill -HUP "$pid"
said() { grep -qF "$1" "$home/log"; }
eventually 5 "a wrong configuration is refused at reload, with file, line and key" said "tkms.yaml:11: keys.activation_lead: "
check "and the process lives" ctl status
sed -e 's/kms@tkms.example/kms@other.example/' -e 's/activation_lead: 1s/activation_lead: 2s/' "$work/good.yaml" >"$home/tkms.yaml"
kill -HUP "$pid"
eventually 5 "a reload says what changed" said 'msg="setting changed" setting=keys.activation_lead before=1s after=2s'
check "and what needs a restart" said 'takes effect after a restart" setting=kms.identity before=kms@tkms.example after=kms@other.example'
check "which is not in force" json_is '.identity == "kms@tkms.example"' ctl status --json
cp "$work/good.yaml" "$home/tkms.yaml"
check "end" stop TERM

# Ended in the middle of a start, or started right after a kill.
catches_term() { (($(printf '%d' "0x$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status")") & 1 << 14)); }
for round in 1 2 3; do
  "$control" --config "$home/tkms.yaml" >"$home/early.log" 2>&1 &
  pid=$!
  background+=("$pid")
  until catches_term; do kill -0 "$pid"; done
  check "SIGTERM in the middle of a start ends it with status 0" stop TERM
  grep -q 'msg=ending\|msg="ending"' "$home/early.log" || early=1
done
check "before it had started" test "${early:-0}" = 1
for round in 1 2 3; do
  check "start" start
  kill -KILL "$pid"
  check "it starts while the killed one may still hold its lock" start
  check "end" stop TERM
done

# An import that is cut off leaves nothing.
check "start" start
subscribers 60000 "$work/many.jsonl"
sed -i 's/user/late/g' "$work/many.jsonl"
ctl subscriber import "$work/many.jsonl" >"$work/import.log" 2>&1 &
importer=$!
sleep 0.3
{ stop KILL 2>/dev/null || true; } 2>/dev/null
if wait "$importer"; then
  echo "the import was faster than the kill"
else
  check "start after a kill in an import" start
  check "nothing of the import is there" json_is ".subscribers == 3000" ctl status --json
fi
kill -0 "$pid" 2>/dev/null || start || fail "start"
check "end" stop TERM
rm -f "$home/state/store.db-wal" "$home/state/store.db-shm"

# A full disk: an error that says so, nothing half done, and the process lives on.
sed "s#$home/state#$home/small#; s#$home/run#$home/run2#" "$work/good.yaml" >"$home/small.yaml"
mkdir "$home/small"
unshare -m bash -c "mount -t tmpfs -o size=2m,mode=700 none '$home/small' &&
  '$TKMS_BUILD/control/tkmsctl' --config '$home/small.yaml' init && exec '$control' --config '$home/small.yaml'" >>"$home/small.log" 2>&1 &
pid=$!
background+=("$pid")
small() { "$TKMS_BUILD/control/tkmsctl" --socket "$home/run2/control.sock" "$@"; }
eventually 5 "one on a small disk starts" small status
refuses "an import that does not fit is refused with the reason" "No space left" small subscriber import "$work/many.jsonl"
check "nothing of it is there" test "$(small subscriber count)" = 0
head -n 100 "$work/s.jsonl" >"$work/few.jsonl"
check "what fits is taken" small subscriber import "$work/few.jsonl"
check "end" stop TERM

# Damage: refused with the reason, the file stays as it is.
cp "$home/state/store.db" "$work/good.db"
printf 'garbage' | dd of="$home/state/store.db" bs=1 seek=4096 conv=notrunc status=none
cp "$home/state/store.db" "$work/damaged.db"
does_not_start "a corrupt store is refused" "store"
check "and not touched" same_as "$work/damaged.db"
head -c 5000 "$work/good.db" >"$home/state/store.db"
cp "$home/state/store.db" "$work/damaged.db"
does_not_start "a cut store is refused" "store"
check "and not touched" same_as "$work/damaged.db"
: >"$home/state/store.db"
does_not_start "an empty file is refused" "no store of tkms"
cp "$work/good.db" "$home/state/store.db"
head -c 32 /dev/urandom >"$home/kek"
does_not_start "another KEK is refused" "another KEK"
check "and the store not touched" same_as "$work/good.db"
cp "$work/kek" "$home/kek"
chmod 644 "$home/kek"
does_not_start "a KEK that others can read is refused, and the fix is named" "chmod 600 $home/kek"
chmod 600 "$home/kek"
sqlite3 "$home/state/store.db" 'PRAGMA user_version = 99'
does_not_start "a store of a newer version is refused" "newer version"
cp "$work/good.db" "$home/state/store.db"
check "the good one starts" start
check "end" stop TERM
