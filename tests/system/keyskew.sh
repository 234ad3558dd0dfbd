#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sealing keys of two nodes whose clocks differ.
. "$(dirname "$0")/lib.sh"

lab_up --nodes 2 --redis --faketime
ctl() { lab ctl "$@"; }
of() { ctl "$1" status --json | jq -er "$2"; }
keys_of() { ctl "$1" key list --json | jq -cS '{epoch, keys: [.keys[] | {id, state, seals_from, seals_until, resolves_until}] | sort_by(.id)}'; }
agree() { [[ $(keys_of node1) == "$(keys_of node2)" ]]; }
rotate() { ctl "$1" key rotate --json | tee "$work/rotated" | jq -e '.state == "active" and .dataplane == "acknowledged"'; }
states() { keys_of "$1" | jq -r '.keys[].state'; }

check "right clocks: a rotation" rotate node1
offsets=+10
[[ -z ${TKMS_LONG:-} ]] || offsets="+10 -10"
for offset in $offsets; do
  check "the clock of one node is off by $offset s" lab clock node2 "$offset"
  eventually 40 "the node that is off rotates, once the others know its clock" rotate node2
  eventually 20 "so does the other one" rotate node1
  eventually 10 "both have the same keys with the same times" agree
  test "$(of node1 .active_key)" = "$(of node2 .active_key)" || fail "they seal with different keys"
  if states node1 | grep -qE 'destroyed|revoked'; then fail "a key was destroyed before its time"; fi
done
active=$(of node1 .active_key)
check "a key is revoked by the node that is off" ctl node2 key revoke "$active"
eventually 10 "both know" agree
check "the clock is right again" lab clock node2 +0
eventually 40 "and rotation goes on" rotate node2
eventually 10 "with the same keys everywhere" agree
