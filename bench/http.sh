#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# How fast the HTTP edge is, against the library it is made with: libmicrohttpd answering every POST with the same 200 octets (bench/http/fixed.c),
# on the same CPU and with the same connections, in turns in one run. Both run in a lab of their own; messages are resolves, all different.
#
#   bench/http.sh [--seconds N] [--rounds N] [--connections N] [--json]     of each slice: 2; slices of each: 5; 64
#
# ratio      resolves a second through the edge / fixed answers a second, medians of slices with wrk
# cpu_ratio  CPU time of a fixed answer / of a resolve through the edge: where clients, edge and data plane have to share CPUs, this is the
#            ratio that the edge's own core would see
# added_p99_us  at half of the edge's rate, constant (h2load): p99 through the edge - p99 of the fixed answer
# Needs root. TKMS_BUILD=DIR takes the programs from DIR.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=deploy/common.sh
. "$root/deploy/common.sh"
export TKMS_LAB=${TKMS_LAB:-bench-http}

usage() { sed -n '3,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }
seconds=2 rounds=5 connections=64 format=text
while [[ $# -gt 0 ]]; do
  case $1 in
    --seconds | --rounds | --connections)
      [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || die "$1 needs a number"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    --json) format=json ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
need_root
need_programs

work=$(mktemp -d "/tmp/$TKMS_LAB.XXXXXX")
fixed_pid=''
clean_up() {
  [[ -z $fixed_pid ]] || kill "$fixed_pid" 2>/dev/null || true
  "$root/deploy/lab.sh" down
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
lab() { TKMS_BUILD=$build "$root/deploy/lab.sh" "$@"; }

"$(program tkms-bench)" subscribers >"$work/subscribers.jsonl"
lab up --http --subscribers "$work/subscribers.jsonl" --identity kms@tkms.example >"$work/lab.log"
eval "$(lab env)"
host=10.69.3.1
lab client tkms-bench load --kms "$TKMS_ADDRESSES" --rate 10000 --seconds 1 --identity kms@tkms.example \
  --subscribers "$work/subscribers.jsonl" --save "$work/messages"
xxd -r -p <(head -1 "$work/messages") >"$work/message"

# The data plane has pinned itself to CPU 0. Clients cost as much as servers: with two CPUs they get one of their own, and the server shares the
# other with the data plane; with more, each has its own.
last=$(($(nproc) - 1)) others=$(($(nproc) > 1 ? 1 : 0))
if [[ $last -ge 2 ]]; then others=1-$((last - 1)); else last=0; fi
ip netns exec "$TKMS_LAB-http" taskset -c "$last" "$build/bench/http-fixed" "$host" 8081 &
fixed_pid=$!
edge_pid=$(pgrep -P "$(cat "/run/$TKMS_LAB-lab/http/edge.pid")")
taskset -acp "$last" "$edge_pid" >/dev/null

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
# slice NAME PORT PID: appends "rate cpu_us" to NAME
slice() {
  local before after result
  before=$(ticks "$3")
  result=$(lab client taskset -c "$others" wrk -t1 -c"$connections" -d"$seconds" -s "$root/bench/http/post.lua" \
    "http://$host:$2/keymanagement" -- "$work/messages" | grep RESULT)
  after=$(ticks "$3")
  [[ $result == *' bad=0' ]] || die "$1: not every answer was a 200 ($result)"
  [[ $result =~ rate=([0-9.]+).*requests=([0-9]+) ]]
  awk -v r="${BASH_REMATCH[1]}" -v n="${BASH_REMATCH[2]}" -v t="$((after - before))" -v hz="$(getconf CLK_TCK)" \
    'BEGIN { print r, t / hz * 1e6 / n }' >>"$work/$1"
}
for ((round = 0; round < rounds; round++)); do
  slice fixed 8081 "$fixed_pid"
  slice edge 8080 "$edge_pid"
done
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
column() { awk -v c="$2" '{ print $c }' "$work/$1" | median; }
fixed=$(column fixed 1) edge=$(column edge 1) fixed_cpu=$(column fixed 2) edge_cpu=$(column edge 2)

# p99 NAME PORT: at half the edge's rate
rps=$(awk -v e="$edge" -v c="$connections" 'BEGIN { print int(e / 2 / c) + 1 }')
p99() {
  rm -f "$work/$1.log"
  lab client taskset -c "$others" h2load --h1 -c "$connections" -n $((rps * connections * seconds)) --rps "$rps" -d "$work/message" \
    -H 'content-type: application/mikey' --log-file "$work/$1.log" "http://$host:$2/keymanagement" >"$work/h2load"
  awk '$2 == 200 { print $3 }' "$work/$1.log" | sort -n | awk '{ v[NR] = $1 } END { print v[int(NR * 0.99)] }'
}
for ((round = 0; round < 3; round++)); do
  p99 fixed 8081 >>"$work/p99.fixed"
  p99 edge 8080 >>"$work/p99.edge"
done
p99_fixed=$(median <"$work/p99.fixed") p99_edge=$(median <"$work/p99.edge")

jq -n --argjson fixed "$fixed" --argjson edge "$edge" --argjson fc "$fixed_cpu" --argjson ec "$edge_cpu" --argjson pf "$p99_fixed" \
  --argjson pe "$p99_edge" --argjson half "$((rps * connections))" \
  '{fixed_per_s: $fixed, edge_per_s: $edge, ratio: ($edge / $fixed), fixed_cpu_us: $fc, edge_cpu_us: $ec, cpu_ratio: ($fc / $ec),
    half_rate: $half, p99_fixed_us: $pf, p99_edge_us: $pe, added_p99_us: ($pe - $pf)}' >"$work/result"
if [[ $format == json ]]; then
  cat "$work/result"
else
  jq -r '"fixed answer    \(.fixed_per_s | round) a second, \(.fixed_cpu_us) us of CPU each\nresolves        \(.edge_per_s | round) a second, \(.edge_cpu_us) us of CPU each\nratio           \(.ratio), by CPU time \(.cpu_ratio)\np99 at \(.half_rate)/s    fixed \(.p99_fixed_us) us, edge \(.p99_edge_us) us: \(.added_p99_us) us added"' "$work/result"
fi
