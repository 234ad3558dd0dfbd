# SPDX-License-Identifier: BSD-3-Clause
# What the system tests share; sourced first. A test says in sentences what it checks and stops at the first
# thing that is wrong, with the reason and the logs of the nodes.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tests=$root/tests/system
export TKMS_BUILD=${TKMS_BUILD:-$root/build}
test_name=$(basename "$0" .sh)
# Two checkouts may run their tests at the same time.
TKMS_LAB=tt$(printf '%s' "$TKMS_BUILD" | cksum | cut -c1-5)-$test_name
TKMS_LAB=${TKMS_LAB:0:24}
export TKMS_LAB

[[ $EUID -eq 0 ]] || {
  echo "FAILED: system tests need root (network namespaces)"
  exit 1
}
work=$(mktemp -d "/tmp/$TKMS_LAB.XXXXXX")
background=()

lab() { "$root/deploy/lab.sh" "$@"; }
client() { lab client "$@"; }

# Ends what this test started, whatever happened. Called as a trap.
# shellcheck disable=SC2329
clean_up() {
  local status=$? pid
  trap - EXIT INT TERM HUP
  for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [[ $status -ne 0 && -f /run/$TKMS_LAB-lab/lab.conf ]]; then lab logs all || true; fi
  lab down || status=1
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND"' ERR

fail() {
  echo "FAILED: $*"
  exit 1
}

# check SENTENCE COMMAND...: it must succeed.
check() {
  local sentence=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then
    echo "ok: $sentence"
  else
    cat "$work/check.log"
    fail "$sentence ($*)"
  fi
}

# refuses SENTENCE TEXT COMMAND...: it must fail and say TEXT.
refuses() {
  local sentence=$1 text=$2
  shift 2
  if "$@" >"$work/check.log" 2>&1; then
    cat "$work/check.log"
    fail "$sentence: succeeded ($*)"
  fi
  grep -qF -- "$text" "$work/check.log" || {
    cat "$work/check.log"
    fail "$sentence: does not say \"$text\" ($*)"
  }
  echo "ok: $sentence"
}

# eventually SECONDS SENTENCE COMMAND...: it must succeed within the time.
eventually() {
  local deadline=$((SECONDS + $1)) sentence=$2
  shift 2
  until "$@" >"$work/check.log" 2>&1; do
    if [[ $SECONDS -ge $deadline ]]; then
      cat "$work/check.log"
      fail "$sentence ($*)"
    fi
    sleep 0.1
  done
  echo "ok: $sentence"
}

# lab_up OPTIONS...: a fresh lab, its addresses in TKMS_ADDRESSES and TKMS_ADDRESSES6.
lab_up() {
  lab down
  lab up "$@"
  eval "$(lab env)"
}

# status EXPRESSION: jq over node1's status.
status() { lab ctl node1 status --json | jq -er "$1"; }
status_is() { status "$1" | grep -qx true; }

# counter NAME: of a verdict, 0 when it is not there.
counter() { status ".dataplane.counters.\"$1\" // 0"; }

# ue_files: two subscribers, for the KMS in subscribers.jsonl, for tkms-ue in a.json and b.json.
ue_files() {
  subscribers 2 "$work/subscribers.jsonl"
  sed -n 1p "$work/subscribers.jsonl" >"$work/a.json"
  sed -n 2p "$work/subscribers.jsonl" >"$work/b.json"
}

# call ADDRESS [KMS [OPTIONS]]: from A to B; succeeds when both have the same SRTP keys.
call() {
  local address=$1 identity=${2:-kms@tkms.example}
  shift; [[ $# -eq 0 ]] || shift
  client tkms-ue call --kms "$address" --kms-identity "$identity" --from "$work/a.json" --to "$work/b.json" --json "$@" |
    jq -e .keys_equal
}

# subscribers N FILE: user1@tkms.example ... with random PSKs, one UID each.
subscribers() {
  python3 - "$1" >"$2" <<'EOF'
import json, secrets, sys
for i in range(1, int(sys.argv[1]) + 1):
    print(json.dumps({"psk_id": f"user{i}", "psk": secrets.token_hex(32), "uids": [f"user{i}@tkms.example"]}))
EOF
}
