# SPDX-License-Identifier: BSD-3-Clause
# One run of a scenario: two clients and a watch on every address, a failure in the middle; sourced by scenarios.sh.
# shellcheck shell=bash disable=SC2154

report() { python3 "$here/scenarios/report.py" "$@"; }

# The node that says it holds an address.
holder() {
  local node
  for node in ${TKMS_NODES//,/ }; do
    if lab ctl "$node" status --json 2>/dev/null | jq -e --arg a "$1" '.addresses_held | index($a)' >/dev/null; then
      printf '%s\n' "$node"
      return 0
    fi
  done
  return 1
}

now() { date +%s.%N; }

# start_client FILE ADDRESSES RATE SECONDS
start_client() {
  ip netns exec "$TKMS_CLIENT_NETNS" "$(program tkms-bench)" load --kms "$2" --op mix --rate "$3" --seconds "$4" --tickets 200 \
    --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example --json >"$work/$1" 2>"$work/$1.err" &
  pids+=("$!")
}

watch_addresses() {
  local address
  for address in ${TKMS_ADDRESSES//,/ } ${TKMS_ADDRESSES6//,/ }; do
    ip netns exec "$TKMS_CLIENT_NETNS" ping -n -D -i 0.05 "$address" >"$work/ping-$address" 2>&1 &
    watchers+=("$!")
    pids+=("$!")
  done
}

# scenario_run NAME: leaves its findings in $work/run.json.
scenario_run() {
  local name=$1 fn=${1//-/_} lasting victim one began ended watchers=() clients=()
  read -r _ _ _ lasting <<<"$(scenario_bars "$name")"
  one=${TKMS_ADDRESSES%%,*}
  lab settle || die "$name: the set does not settle before it"
  victim=$(holder "$one") || die "nobody holds $one"
  rm -f "$work"/ping-*
  watch_addresses
  # The clients are told to end when all is over: how long a restart takes is not known before.
  start_client all.json "$TKMS_ADDRESSES" "$rate" 600
  clients+=("$!")
  start_client one.json "$one" 100 600
  clients+=("$!")
  sleep 2.5
  began=$(now)
  "fault_$fn" "$victim" >"$work/fault.log" 2>&1 || fail_with "$work/fault.log" "$name: the failure could not be made"
  sleep "$lasting"
  "undo_$fn" "$victim" >"$work/fault.log" 2>&1 || fail_with "$work/fault.log" "$name: it could not be put right"
  lab settle || die "$name: the set does not settle after it"
  sleep 1.5
  kill -TERM "${clients[@]}" || die "$name: a client ended before its time"
  wait "${clients[@]}" || true
  ended=$(now)
  kill -INT "${watchers[@]}" || die "$name: a watch on an address ended before its time"
  wait "${watchers[@]}" || true
  pids=()
  report judge --name "$name" --bars "$(scenario_bars "$name")" --all "$work/all.json" --one "$work/one.json" \
    --began "$began" --ended "$ended" --pings "$work" >"$work/run.json" ||
    fail_with "$work/all.json.err" "$name: no report of the clients"
}

fail_with() {
  cat "$1" >&2
  die "$2"
}

# scenario_judge NAME: runs it until it keeps to its bars, or the tries are over, or a request failed. A run that is
# not judged is no try, but there are as many of them at most.
scenario_judge() {
  local try=0 unjudged=0
  while [[ $try -lt $tries && $unjudged -le $tries ]]; do
    scenario_run "$1" || die "$1: could not be run"
    if [[ $json == yes ]]; then cat "$work/run.json"; else report row "$work/run.json"; fi
    ! jq -e '.broken == []' "$work/run.json" >/dev/null || return 0
    if jq -e '.is_judged' "$work/run.json" >/dev/null; then
      ! jq -e '.failed > 0' "$work/run.json" >/dev/null || return 1
      try=$((try + 1))
    else
      unjudged=$((unjudged + 1))
    fi
  done
  return 1
}
