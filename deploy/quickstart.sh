#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   deploy/quickstart.sh [--keep]
#
# One command on a fresh Debian 12 machine (as root) shows what tkms does: installs packages, builds into
# build/, starts a KMS in network namespaces of its own, lets UE A get a ticket over real packets, send it
# to UE B and B resolve it, once over IPv4 and once over IPv6, and compares the SRTP keys of both.
# Then everything that was started is stopped.
#
#   --keep   leave the KMS running and say how to talk to it and how to stop it
#   --help   this text
set -euo pipefail
# shellcheck source=deploy/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() { sed -n '4,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }

keep=no
case "${1:-}" in
  '') ;;
  --keep) keep=yes ;;
  --help | -h) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac
[[ $# -le 1 ]] || { usage >&2 && exit 2; }

need_root
# A lab of its own: whatever else runs under the default prefix stays as it is.
export TKMS_LAB=${TKMS_LAB:-tkmsqs}
files=/run/$TKMS_LAB-quickstart
lab() { "$root/deploy/lab.sh" "$@"; }

# shellcheck disable=SC2329
clean_up() {
  local status=$?
  trap - EXIT
  if [[ $status -ne 0 ]]; then
    [[ ! -f /run/$TKMS_LAB-lab/lab.conf ]] || lab logs node1 >&2 || true
    warn "failed at: ${step:-start}"
  fi
  if [[ $status -ne 0 || $keep == no ]]; then
    lab down || status=1
    rm -rf "$files"
  fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# step TEXT: what is being done, for the reader and for an error message.
step() {
  step=$1
  say "* $1"
}

ue_file() {
  printf '{"psk_id": "%s", "psk": "%s", "uids": ["%s@tkms.example"]}\n' "$1" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" "$1"
}

step "packages, build (the first time takes a few minutes)"
need_programs
export TKMS_BUILD=$build
step "two subscribers, alice and bob, with random pre-shared keys"
lab down
rm -rf "$files"
(umask 077 && mkdir "$files" && ue_file alice >"$files/alice.json" && ue_file bob >"$files/bob.json")
cat "$files/alice.json" "$files/bob.json" >"$files/subscribers.jsonl"
step "a KMS in namespaces of its own: control process, data plane, a wire"
lab up --subscribers "$files/subscribers.jsonl"
eval "$(lab env)"
for address in "$TKMS_ADDRESSES" "$TKMS_ADDRESSES6"; do
  step "alice calls bob, KMS at $address"
  lab client tkms-ue call --kms "$address" --from "$files/alice.json" --to "$files/bob.json"
done

sleep 1.2 # the data plane tells its counters once a second
say ""
lab ctl node1 status
say ""
if [[ $keep == yes ]]; then
  cat <<EOF
The KMS keeps running (TKMS_LAB=$TKMS_LAB). Talk to it:
  export TKMS_LAB=$TKMS_LAB
  deploy/lab.sh client tkms-ue call --kms $TKMS_ADDRESSES --from $files/alice.json --to $files/bob.json
  deploy/lab.sh ctl node1 status
  deploy/lab.sh ctl node1 --help
Stop it:
  TKMS_LAB=$TKMS_LAB deploy/lab.sh down && rm -r $files
EOF
fi
say "quickstart: done"
