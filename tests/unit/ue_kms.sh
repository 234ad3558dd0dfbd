#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   tests/unit/ue_kms.sh TKMS_UE UDP_KMS
#
# tkms-ue against the engine behind a UDP socket: calls of every mode and suite, single steps, refusals, dead addresses, clocks apart.
set -uo pipefail
ue=$(realpath "$1") kms=$(realpath "$2")
work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317
clean_up() {
  [[ ${#pids[@]} -eq 0 ]] || kill "${pids[@]}" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT
cd "$work" || exit 1
failed=0 n=0

check() {
  local text=$1
  shift
  n=$((n + 1))
  if "$@" >out.log 2>&1; then
    echo "ok $n - $text"
  else
    echo "not ok $n - $text"
    sed 's/^/# /' out.log
    failed=1
  fi
}
exits() {
  local want=$1 got
  shift
  "$@" >stdout.log 2>stderr.log
  got=$?
  cat stderr.log
  [[ $got -eq $want ]] || { echo "status $got, not $want"; return 1; }
}
has() { grep -qE -- "$1" "$2" || { cat "$2"; return 1; }; }
json() { python3 -c "import json,sys; d=json.load(open('${2:-stdout.log}')); sys.exit(0 if ($1) else print(d) or 1)"; }

umask 077
key() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
printf '{"psk_id": "alice", "psk": "%s", "uids": ["alice@tkms.example"]}\n' "$(key)" >alice.json
printf '{"psk_id": "bob", "psk": "%s", "uids": ["bob@tkms.example", "bob.sales@tkms.example"], "kms_identity": "kms@tkms.example"}\n' "$(key)" >bob.json
printf '{"psk_id": "carol", "psk": "%s", "uids": ["carol@tkms.example"]}\n' "$(key)" >carol.json
cat alice.json bob.json carol.json >all.jsonl

# start NAME [SKEW]: a KMS; its address goes into the variable NAME.
start() {
  coproc KMS { exec "$kms" all.jsonl "${2:-0}"; }
  # shellcheck disable=SC2034
  local port
  read -r port <&"${KMS[0]}" || exit 1
  pids+=("$KMS_PID")
  printf -v "$1" '127.0.0.1:%s' "$port"
}
# The shell warns that a coprocess is still there: it is meant to be.
{ start good; start late 1000; } 2>/dev/null
# shellcheck disable=SC2154
call=("$ue" call --kms "$good" --from alice.json --to bob.json)

for suite in A B; do
  for mode in 1 2 3; do
    check "a call of mode $mode, suite $suite" exits 0 "${call[@]}" --mode $mode --suite $suite --json
    check "gives equal keys" json 'd["keys_equal"] is True and len(d["sessions"]) == 1'
  done
done
check "a call for people" exits 0 "${call[@]}"
check "tells what happened" has 'REQUEST_RESP  KMS -> A  [0-9]+ octets from 127.0.0.1:[0-9]+ after [0-9.]+ ms \(1 sent\), MAC correct' stdout.log
check "and that the keys are equal" has '^SRTP keys of A and B are equal$' stdout.log
check "a group, 3GPP ticket, many keys" exits 0 "${call[@]}" --recipient '?.sales@tkms.example' --callee sales@tkms.example --ticket-type 2,0,0 --keys TGK,GTGK:64:0a,TEK+SALT --json
check "equal keys, forked for B's second identity" json 'd["keys_equal"] is True and len(d["sessions"]) == 3'
check "pre-encrypted content: no key of A or the KMS, one way is impossible" exits 5 "${call[@]}" --keys none
check "one-way" exits 0 "${call[@]}" --flags DEHNO --json
check "a ticket that the KMS shortens is taken" exits 0 "${call[@]}" --lifetime 900000000 --json
check "and marked" json 'd["ticket"]["changed_by_kms"] is True and "K" in d["ticket"]["flags"]'
check "or refused if nothing may change" exits 5 "${call[@]}" --lifetime 900000000 --unchanged
check "a ticket for Carol does not work for Bob" exits 5 "${call[@]}" --recipient carol@tkms.example

sed 's/"psk": "....../"psk": "000000/' alice.json >wrong.json
check "a wrong key: Errors without MAC do not end the call, the time limit does" exits 3 "$ue" call --kms "$good" --from wrong.json --to bob.json --timeout 0.5
check "and the reason is guessed at" has 'Error 0 .*check psk_id, psk' stderr.log
sed 's/alice@/mallory@/' alice.json >other.json
check "an identity that is not the key's: a verified Error" exits 4 "$ue" call --kms "$good" --kms-identity kms@tkms.example --from other.json --to bob.json --json
check "ends the call at once" json 'd["request"]["error_no"] == 7 and d["request"]["sent"] == 1'
check "another KMS than the one asked for" exits 4 "$ue" probe --kms "$good" --kms-identity kms@other.example --as alice.json
check "dead addresses are passed over" exits 0 "$ue" call --kms "127.0.0.1:9,[::1]:9,$good" --from alice.json --to bob.json --json
check "in no time" json 'd["request"]["total_ms"] < 1000 and d["resolve"]["sent"] == 1'

check "probe" exits 0 "$ue" probe --kms "$good" --as alice.json
check "prints round-trip time and clock offset" has '^ok 127.0.0.1:[0-9]+ rtt [0-9]+\.[0-9]{3} ms clock [-+]0\.00[0-9] s sent 1$' stdout.log
# shellcheck disable=SC2154
check "probe of a KMS whose clock is off" exits 3 "$ue" probe --kms "$late" --as alice.json --timeout 0.5
check "says by how much" has 'Error 1 .*\+(999|1000)\.[0-9] s from ours' stderr.log
check "a call finds the other one" exits 0 "$ue" call --kms "$late,$good" --from alice.json --to bob.json

check "step by step: a ticket" exits 0 "$ue" request --kms "$good" --as alice.json --recipient bob@tkms.example --ticket a.ticket
check "a message" exits 0 "$ue" transfer --as alice.json --ticket a.ticket --message init
check "its resolution" exits 0 "$ue" resolve --kms "$good" --as bob.json --message init --answer resp --json --show-keys
cp stdout.log b.json
check "the end" exits 0 "$ue" finish --as alice.json --ticket a.ticket --message init --answer resp --json --show-keys
check "the same keys" python3 -c 'import json; a, b = (json.load(open(f))["sessions"] for f in ("stdout.log", "b.json")); assert a == b and a'
check "not for Carol" exits 5 "$ue" resolve --kms "$good" --as carol.json --message init --answer x
echo "1..$n"
exit $failed
