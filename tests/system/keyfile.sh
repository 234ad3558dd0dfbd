#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sealing keys in files: export under a passphrase, import on another node. Control processes alone, without data plane.
. "$(dirname "$0")/lib.sh"

control=$TKMS_BUILD/control/tkms-control
ctl() { "$TKMS_BUILD/control/tkmsctl" --socket "$work/$1/run/control.sock" "${@:2}"; }

# node NAME: made and started.
node() {
  local dir=$work/$1 tries
  mkdir "$dir"
  cat >"$dir/tkms.yaml" <<CONFIG
kms: {identity: kms@tkms.example}
node: {name: $1, state_dir: $dir/state, run_dir: $dir/run, kek_file: $dir/kek}
service: {addresses: [192.0.2.1/24]}
metrics: {listen: ""}
CONFIG
  "$TKMS_BUILD/control/tkmsctl" --config "$dir/tkms.yaml" init
  "$control" --config "$dir/tkms.yaml" >>"$dir/log" 2>&1 &
  background+=("$!")
  for ((tries = 0; tries < 100; tries++)); do
    ctl "$1" status >/dev/null 2>&1 && return 0
    sleep 0.05
  done
  return 1
}
key() { ctl "$1" key list --json | jq -ce --arg id "$2" '.keys[] | select(.id == $id) | {seals_from, seals_until, resolves_until}'; }
state_is() { ctl "$1" key list --json | jq -e --arg id "$2" --arg s "$3" '.keys[] | select(.id == $id).state == $s'; }

check "a node" node a
check "another one" node b
octets=00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0
printf %s "$octets" >"$work/octets"
check "a key that the test knows" ctl a key import --id tpk-known --key-file "$work/octets" --activate
printf 'correct horse battery\n' >"$work/passphrase"
printf 'correct horse buttery\n' >"$work/wrong"
printf 'too short\n' >"$work/short"

refuses "a short passphrase is refused" "12 to" ctl a key export --passphrase-file "$work/short" tpk-known
refuses "a key that is not there cannot be exported" "no such key" ctl a key export --passphrase-file "$work/passphrase" tpk-none
check "the key is exported" ctl a key export --passphrase-file "$work/passphrase" --out "$work/key.json" tpk-known
check "to a file that only its owner reads" test "$(stat -c %a "$work/key.json")" = 600
refuses "a file that exists is not overwritten" "File exists" \
  ctl a key export --passphrase-file "$work/passphrase" --out "$work/key.json" tpk-known
found() { grep -qai -e "$octets" -e "${octets:0:16}" -e "${octets:48}" "$@" || LC_ALL=C grep -qaP '\x00\x11\x22\x33\x44\x55\x66\x77' "$@"; }
hidden() { ! found "$@"; }
check "the search finds what is there" found "$work/octets"
check "the octets are neither in the file nor in logs nor in the store" \
  hidden "$work/key.json" "$work/a/log" "$work"/a/state/*
exported_anew() {
  ctl a key export --passphrase-file "$work/passphrase" tpk-known >"$work/again.json" &&
    [[ $(jq -r .salt "$work/key.json") != $(jq -r .salt "$work/again.json") ]]
}
check "every export has a salt of its own" exported_anew

refuses "another passphrase opens nothing" "passphrase is another one" \
  ctl b key import --wrapped "$work/key.json" --passphrase-file "$work/wrong"
jq -c '.id = "tpk-other"' "$work/key.json" >"$work/renamed.json"
refuses "nor does the file under another id" "altered" \
  ctl b key import --wrapped "$work/renamed.json" --passphrase-file "$work/passphrase"
jq -c '.sealed |= (.[0:200] + (if .[200:201] == "0" then "1" else "0" end) + .[201:])' "$work/key.json" >"$work/altered.json"
refuses "nor an altered file" "altered" \
  ctl b key import --wrapped "$work/altered.json" --passphrase-file "$work/passphrase"
jq -c '.log_n = 40' "$work/key.json" >"$work/greedy.json"
refuses "a file that asks for terabytes is refused" "no file of key export" \
  ctl b key import --wrapped "$work/greedy.json" --passphrase-file "$work/passphrase"
printf '{}' >"$work/empty.json"
refuses "as is any other file" "no file of key export" \
  ctl b key import --wrapped "$work/empty.json" --passphrase-file "$work/passphrase"
check "the other node imports it" ctl b key import --wrapped "$work/key.json" --passphrase-file "$work/passphrase"
check "with its times" test "$(key a tpk-known)" = "$(key b tpk-known)"
check "it resolves only" state_is b tpk-known retiring
refuses "twice is refused" "there is, or was, a key of that id" \
  ctl b key import --wrapped "$work/key.json" --passphrase-file "$work/passphrase"
ctl b key revoke tpk-known >"$work/revoked" 2>&1 || true # no data plane: said so, and revoked nevertheless
check "it is revoked there" state_is b tpk-known revoked
refuses "a revoked key does not come back from a file" "there is, or was, a key of that id" \
  ctl b key import --wrapped "$work/key.json" --passphrase-file "$work/passphrase"
refuses "nor can it be exported" "nothing left to export" ctl b key export --passphrase-file "$work/passphrase" tpk-known
