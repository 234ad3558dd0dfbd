# SPDX-License-Identifier: BSD-3-Clause
# The nodes of a lab as a replica set: when all know each other, when each has its share; sourced by lab.sh.
# shellcheck shell=bash disable=SC2154

# Every node serves as many subscribers as the others, knows all that they know, and takes all for alive.
set_joined() {
  local name status count=''
  for name in "${node_names[@]}"; do
    status=$(node_ctl "$name" status --json 2>/dev/null) || return 1
    count=${count:-$(jq .subscribers <<<"$status")}
    jq -e --argjson n "$count" "$serving and .subscribers == \$n" <<<"$status" >/dev/null || return 1
    status=$(node_ctl "$name" node list --json 2>/dev/null) || return 1
    jq -e --argjson n "${#node_names[@]}" '.cluster.healthy and .cluster.in_sync and
      ([.nodes[] | select(.state == "serving")] | length) == $n' <<<"$status" >/dev/null || return 1
  done
}

# And every service address is held by one node, no node by two more than another (per family).
set_settled() {
  local name list held='' shares=()
  set_joined || return 1
  for name in "${node_names[@]}"; do
    list=$(node_ctl "$name" status --json 2>/dev/null | jq -r '.addresses_held[]') || return 1
    shares+=("$(grep -c '\.' <<<"$list")" "$(grep -c : <<<"$list")")
    held+=$list$'\n'
  done
  [[ $(grep -c . <<<"$held") -eq $((2 * addresses)) && $(grep . <<<"$held" | sort -u | wc -l) -eq $((2 * addresses)) ]] ||
    return 1
  shares_even "${shares[@]}"
}

# shares_even V4 V6 V4 V6 ...
shares_even() {
  local least=(999 999) most=(0 0) i=0 share
  for share in "$@"; do
    [[ $share -ge ${least[i]} ]] || least[i]=$share
    [[ $share -le ${most[i]} ]] || most[i]=$share
    i=$((1 - i))
  done
  [[ $((most[0] - least[0])) -lt 2 && $((most[1] - least[1])) -lt 2 ]]
}

# set_wait CONDITION SENTENCE: within two minutes.
set_wait() {
  local deadline=$((SECONDS + 120)) name
  until "$1"; do
    [[ $SECONDS -lt $deadline ]] || {
      for name in "${node_names[@]}"; do
        node_ctl "$name" node list >&2 || true
        host_logs "$name" 20 >&2
      done
      die "$2"
    }
    sleep 0.1
  done
}
