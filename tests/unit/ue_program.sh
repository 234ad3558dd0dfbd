#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   tests/unit/ue_program.sh TKMS_UE
#
# tkms-ue as scripts see it, without a KMS: a call of mode 4 at once and step by step, files, exit statuses.
set -uo pipefail
ue=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0 n=0

# check TEXT COMMAND...: the command succeeds.
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

# exits STATUS COMMAND...: the command ends with that status and says why in one line that begins with its name.
exits() {
  local want=$1 got
  shift
  "$@" >stdout.log 2>stderr.log
  got=$?
  cat stderr.log
  [[ $got -eq $want ]] || { echo "status $got, not $want"; return 1; }
  [[ $want -eq 0 ]] || tail -1 stderr.log | grep -q '^tkms-ue: '
}
has() { grep -qE -- "$1" "$2" || { cat "$2"; return 1; }; }
has_not() { ! grep -qE -- "$1" "$2"; }
json() { python3 -c "import json,sys; d=json.load(open('stdout.log')); sys.exit(0 if ($1) else 1)"; }

umask 022
key() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
subscriber() { printf '{"psk_id": "%s", "psk": "%s", "uids": ["%s@tkms.example"]}\n' "$1" "$(key)" "$1"; }
(umask 077; subscriber alice >alice.json; subscriber bob >bob.json; printf '{"id": "hex:00ff", "key": "%s"}\n' "$(key)" >tpk.json)
call=("$ue" call --mode 4 --from alice.json --to bob.json)

for suite in A B; do
  check "a call of suite $suite" exits 0 "${call[@]}" --suite $suite
  check "says that the keys are equal" has '^SRTP keys of A and B are equal$' stdout.log
  check "does not show them" has_not '^ *key ' stdout.log
done
check "--show-keys shows them" exits 0 "${call[@]}" --show-keys
check "in full" has '^ *key [0-9a-f]{64} salt [0-9a-f]{28}$' stdout.log
check "--json" exits 0 "${call[@]}" --json
check "says so too, without keys" json 'd["keys_equal"] is True and d["exit_status"] == 0 and "tek" not in d["sessions"][0] and d["sessions"][0]["equal"]'
check "all key types, one-way, 3GPP ticket, applications, a group" exits 0 "${call[@]}" --json --show-keys --flags HLNO --ticket-type 2,0,0 \
  --keys TGK,TGK+SALT:64,GTGK:16:0a,GTGK+SALT,TEK+SALT --app x --app y --recipient '?@tkms.example' --recipient carol@other.example --callee help@tkms.example --ts-type utc32
check "give five sessions with keys" json 'len(d["sessions"]) == 5 and all(len(s["tek"]) == 64 and len(s["salt"]) == 28 for s in d["sessions"]) and d["ticket"]["type"] == [2, 0, 0]'
check "a ticket for somebody else is refused" exits 5 "${call[@]}" --recipient carol@other.example
check "with the reason" has 'none of our identities is a recipient' stderr.log
check "flags that contradict each other are refused" exits 5 "${call[@]}" --flags GHLNO
check "a key file that everybody can read is warned about" sh -c "chmod 644 alice.json && '$ue' call --mode 4 --from alice.json --to bob.json 2>&1 >/dev/null | grep -q 'chmod 600 alice.json'; r=\$?; chmod 600 alice.json; exit \$r"

step=("$ue" request --mode 4 --as alice.json --tpk tpk.json --recipient bob@tkms.example --ticket a.ticket)
check "step by step: a ticket" exits 0 "${step[@]}"
check "in a file for its owner only" test "$(stat -c %a a.ticket)" = 600
check "the message to B" exits 0 "$ue" transfer --as alice.json --ticket a.ticket --callee bob@tkms.example
check "as an SDP line" has '^a=key-mgmt:mikey [A-Za-z0-9+/]+=*$' stdout.log
cp stdout.log init.sdp
check "the ticket's file still is for its owner only" test "$(stat -c %a a.ticket)" = 600
check "a second message with the same ticket is refused" exits 5 "$ue" transfer --as alice.json --ticket a.ticket
check "with the reason" has 'flag J' stderr.log
check "B resolves it" exits 0 "$ue" resolve --mode 4 --as bob.json --tpk tpk.json --message init.sdp --answer resp.sdp --json --show-keys
check "and has keys" json 'len(d["sessions"][0]["tek"]) == 64'
cp stdout.log b.json
check "A verifies the answer" exits 0 "$ue" finish --as alice.json --ticket a.ticket --message init.sdp --answer resp.sdp --json --show-keys
check "and has the same keys" python3 -c 'import json; a, b = (json.load(open(f))["sessions"] for f in ("stdout.log", "b.json")); assert a == b and a'
sed 's/mikey ..../mikey AAAA/' init.sdp >broken.sdp
check "a broken message is refused" exits 5 "$ue" resolve --mode 4 --as bob.json --tpk tpk.json --message broken.sdp --answer x.sdp
check "A's answer to nobody is refused" exits 5 "$ue" finish --as alice.json --ticket a.ticket --message init.sdp --answer init.sdp
(umask 077; printf '{"id": "hex:00ff", "key": "%s"}\n' "$(key)" >other.json)
check "another key does not open the ticket" exits 5 "$ue" resolve --mode 4 --as bob.json --tpk other.json --message init.sdp --answer x.sdp
check "no answer was written" test ! -e x.sdp

for form in hex base64 binary sdp; do
  check "key-mgmt --format $form" exits 0 "$ue" key-mgmt --format $form init.sdp
  cp stdout.log form
  check "and back" exits 0 "$ue" key-mgmt form
  check "is the same" cmp stdout.log init.sdp
done

check "nobody there: no verified answer" exits 3 "$ue" probe --kms 127.0.0.1:9 --as alice.json --timeout 0.2
check "in JSON" exits 3 "$ue" call --kms '127.0.0.1:9,[::1]:9' --from alice.json --to bob.json --timeout 0.2 --json
check "with the step that failed" json 'd["keys_equal"] is False and d["failed_step"] == "REQUEST" and d["request"]["result"] == "NO_ANSWER" and d["exit_status"] == 3'
for wrong in "" frobnicate "call" "call --kms" "call --kms host --from alice.json --to bob.json" "call --mode 4 --from alice.json" "call --mode 5" \
  "call --from a --to b --kms ::1 --nonsense" "request --as alice.json --kms ::1 --ticket t" "probe --as alice.json" "probe --as missing.json --kms ::1" \
  "call --mode 4 --from alice.json --to bob.json --keys XYZ" "call --mode 4 --from alice.json --to bob.json --flags Z" "key-mgmt a.ticket" \
  "finish --as alice.json --ticket init.sdp --message init.sdp" "call --timeout -1" "call --ticket-type 1,1" "resolve --json --as bob.json --message init.sdp --mode 4"; do
  # shellcheck disable=SC2086
  check "status 2: tkms-ue $wrong" sh -c "'$ue' $wrong >/dev/null 2>&1; test \$? -eq 2"
done
for bad in '{' '[]' '{"psk_id": "x", "uids": ["a@b"]}' '{"psk_id": "x", "psk": "00", "uids": ["a@b"]}' '{"psk_id": "x", "psk": "00112233445566778899aabbccddeeff", "uids": []}' \
  '{"psk_id": "x", "psk": "00112233445566778899aabbccddeeff", "uids": ["nobody"]}' '{"psk_id": "hex:0", "psk": "00112233445566778899aabbccddeeff", "uids": ["a@b"]}'; do
  (umask 077; echo "$bad" >bad.json)
  check "a UE's file like $bad is refused" exits 2 "$ue" probe --kms ::1 --as bad.json
  check "with its name" has 'bad.json' stderr.log
done
check "--help" exits 0 "$ue" --help
check "has a usage and the exit statuses" has 'Exit status' stdout.log
check "call --help" exits 0 "$ue" call --help
check "--version" exits 0 "$ue" --version
echo "1..$n"
exit $failed
