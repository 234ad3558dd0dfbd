#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   deploy/scenarios.sh [options] [NAME...]
#
# Failures under load. Starts a lab (three nodes, three Redis servers with Sentinels, three service addresses),
# and for each scenario sends requests on a fixed schedule, makes the failure, undoes it, and prints what the
# clients saw, beside what they may see at most. Without a NAME: the first four scenarios.
#
#   --long          all scenarios
#   --list          names of the scenarios and what each does
#   --rate R        requests a second of the client that knows all addresses (default 1000)
#   --tries N       runs of a scenario that answers too slowly (default 1): other work on the machine, not the
#                   KMS, may be why. A request that fails is never tried away, unless the client itself stood
#                   still for as long as a request may take (5 s).
#   --json          a JSON object a scenario and run, one a line, and no table
#   --keep          leave the lab running afterwards
#   --help          this text
#
# Columns: requests (sent by the first client), failed (no verified answer within 5 s), lost (those of them that
# got nothing at all), retried, slowest answer, longest gap of a second client that knows one address only (of a
# node that the scenario hits), and the time from the failure until every service address answered again.
# On a machine that is too busy for the clients to keep their schedule, times may be longer by four times what the
# clients were late, at most by 500 ms. Where that is not enough, and clients were later, the run is not judged and is
# made again (N times more at most). Exit status: 0 if every scenario kept to its bars.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/scenarios/faults.sh
. "$here/scenarios/faults.sh"
# shellcheck source=deploy/scenarios/measure.sh
. "$here/scenarios/measure.sh"

usage() { sed -n '4,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }

rate=1000 tries=1 json=no keep=no chosen=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --long) chosen=("${scenario_names[@]}") ;;
    --list) scenario_list && exit 0 ;;
    --rate | --tries)
      [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || die "$1 needs a number"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --json) json=yes ;;
    --keep) keep=yes ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && exit 2 ;;
    *)
      scenario_known "$1" || die "no scenario $1 (deploy/scenarios.sh --list)"
      chosen+=("$1")
      ;;
  esac
  shift
done
[[ ${#chosen[@]} -gt 0 ]] || chosen=("${scenario_names[@]:0:4}")

need_root
export TKMS_LAB=${TKMS_LAB:-tkmssc}
lab() { "$here/lab.sh" "$@"; }
work=''
pids=()

# shellcheck disable=SC2329
clean_up() {
  local status=$? pid
  trap - EXIT
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [[ $status -ne 0 && -z ${judged:-} && -f /run/$TKMS_LAB-lab/lab.conf ]]; then lab logs all >&2 || true; fi
  [[ $keep == yes ]] || lab down || status=1
  [[ -z $work ]] || rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

need_programs
export TKMS_BUILD=$build
work=$(mktemp -d "/tmp/$TKMS_LAB.XXXXXX")
"$(program tkms-bench)" subscribers --count 200 >"$work/subscribers.jsonl"
options=()
for name in "${chosen[@]}"; do [[ $name != clock-off ]] || options=(--faketime); done
lab down
lab up --nodes 3 --addresses 3 --subscribers "$work/subscribers.jsonl" "${options[@]}" >"$work/up.log" || {
  cat "$work/up.log" >&2
  die "the lab did not come up"
}
eval "$(lab env)"
[[ $json == yes ]] || report header
bad=0
for name in "${chosen[@]}"; do scenario_judge "$name" || bad=$((bad + 1)); done
judged=yes
[[ $bad -eq 0 ]] || die "$bad of ${#chosen[@]} scenarios broke a bar"
