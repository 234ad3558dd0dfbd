#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   tests/unit/interop_engine.sh UDP_KMS
#
# The independent UE of tests/system/interop against the engine behind a UDP socket, where the sealing key is known (so
# that tickets are opened, and forged with it) and the clock can be another: now, and after the NTP era of 2036.
set -euo pipefail
kms=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../system/interop"
work=$(mktemp -d)
pid=
clean_up() {
  [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
export PYTHONDONTWRITEBYTECODE=1
key=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
python3 check.py subscribers >"$work/subscribers.jsonl"

# ask SKEW PROFILE
ask() {
  "$kms" "$work/subscribers.jsonl" "$1" "$key" "$2" >"$work/port" &
  pid=$!
  until [[ -s $work/port ]]; do sleep 0.02; done
  python3 check.py 127.0.0.1 --port "$(cat "$work/port")" --profile "$2" --clock-offset "$1" \
    --sealing-key "tpk-test:$key" --default-lifetime 3600
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  pid=
  : >"$work/port"
}
ask 0 rfc6043
ask $((11 * 365 * 86400)) 3gpp
