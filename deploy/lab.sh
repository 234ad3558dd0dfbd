#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   deploy/lab.sh COMMAND ...
#
# A KMS on one machine: a network namespace per node, three for Redis with a Sentinel each, one for clients,
# joined by bridges in a namespace of their own. Nothing of the machine's own network is touched; no hugepages
# and no NIC needed.
#
#   up [options]          build what is missing, start the lab; returns when it serves
#     --nodes N             nodes (default 1; with --redis 0 is Redis alone)
#     --redis               Redis and Sentinels, as the nodes' bus (implied by more than one node)
#     --subscribers FILE    import FILE (JSON Lines: psk_id, psk, uids)
#     --identity KMS        identity of the KMS (default kms@tkms.example)
#     --profile NAME        3gpp (default) or rfc6043
#     --workers N           workers of each data plane (default 1)
#     --faketime            the nodes' clocks can be set (clock)
#     --addresses N         service addresses, each IPv4 with an IPv6 twin (default: one a node)
#     --http                the HTTP edge in front of them, in a namespace of its own
#   env                   print TKMS_CLIENT_NETNS, TKMS_ADDRESSES (IPv4), TKMS_ADDRESSES6, TKMS_NODES, TKMS_REDIS,
#                         TKMS_SENTINELS, with --http TKMS_HTTP_URL; for eval
#   client CMD...         run CMD where the clients are
#   ctl NODE ARGS...      tkmsctl on NODE
#   redis NAME ARGS...    redis-cli to the server of NAME as the operator (NAME/sentinel: to its Sentinel)
#   kill NAME             SIGKILL everything in NAME: a node (node1), a Redis (redis1), http, or one process of it
#                         (node1/control, node1/dataplane, redis1/server, redis1/sentinel)
#   start NAME            start what does not run of NAME; returns when it serves
#   stop NAME             end NAME with SIGTERM, as systemd does; returns when it has ended
#   add                   one more node
#   settle                return when all nodes know each other and each holds its share of the addresses
#   freeze|thaw NAME      SIGSTOP / SIGCONT everything in NAME, or one process of it
#   partition NODE WHAT   cut NODE off from WHAT: redis or clients; its links stay up
#   heal NODE             undo all partitions of NODE
#   loss PERCENT          lose that share of all packets (0: none any more)
#   clock NODE OFFSET     set NODE's clock off by OFFSET seconds (+600, -600; +0: right again)
#   logs NAME|all         print the end of NAME's logs
#   down                  stop and remove the lab; also after a crash
#   --help                this text
#
# Namespaces and files (/run/$TKMS_LAB-lab) carry the prefix $TKMS_LAB (default: tkms): labs with
# different prefixes run side by side. In a lab the activation lead time of keys is 200 ms and there is
# no limit on what a source, a subscriber or a message gets.
# TKMS_BUILD=DIR takes the programs from DIR.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/common.sh
. "$here/common.sh"
# shellcheck source=deploy/lab/network.sh
. "$here/lab/network.sh"
# shellcheck source=deploy/lab/faults.sh
. "$here/lab/faults.sh"
# shellcheck source=deploy/lab/process.sh
. "$here/lab/process.sh"
# shellcheck source=deploy/lab/redis.sh
. "$here/lab/redis.sh"
# shellcheck source=deploy/lab/node.sh
. "$here/lab/node.sh"
# shellcheck source=deploy/lab/set.sh
. "$here/lab/set.sh"
# shellcheck source=deploy/lab/http.sh
. "$here/lab/http.sh"

lab=${TKMS_LAB:-tkms}
[[ $lab =~ ^[a-z0-9][a-z0-9-]{0,23}$ ]] || die "TKMS_LAB=$lab: use up to 24 small letters, digits and hyphens"
dir=/run/$lab-lab

usage() { sed -n '4,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }

number() { [[ $2 =~ ^[1-9][0-9]{0,2}$ && $2 -le $3 ]] || die "$1 needs a number from 1 to $3"; }

# Settings of the lab live in $dir/lab.conf, so that later commands know them.
parse_up() {
  nodes=1 workers=1 addresses='' identity=kms@tkms.example profile=3gpp subscribers='' redis=no faketime=no http=no
  while [[ $# -gt 0 ]]; do
    case $1 in
      --nodes | --subscribers | --identity | --profile | --workers | --addresses)
        [[ $# -ge 2 ]] || die "$1 needs a value"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --redis) redis=yes ;;
      --faketime) faketime=yes ;;
      --http) http=yes ;;
      *) die "up: unknown option $1 (see deploy/lab.sh --help)" ;;
    esac
    shift
  done
  [[ $nodes == 0 && $redis == yes ]] || number --nodes "$nodes" 99
  [[ $nodes -le 1 ]] || redis=yes
  number --workers "$workers" 32
  addresses=${addresses:-$((nodes > 0 ? nodes : 1))}
  number --addresses "$addresses" 32
  [[ $profile == 3gpp || $profile == rfc6043 ]] || die "--profile is 3gpp or rfc6043"
  [[ $identity =~ ^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+$ ]] || die "--identity $identity: need user@domain"
  [[ $http == no || $nodes -gt 0 ]] || die "--http needs a node"
  [[ -z $subscribers || $nodes -gt 0 ]] || die "--subscribers needs a node"
  [[ -z $subscribers || -r $subscribers ]] || die "--subscribers: cannot read $subscribers"
}

lab_names() {
  node_names=() redis_names=() http_names=()
  local i
  for ((i = 1; i <= nodes; i++)); do node_names+=("node$i"); done
  [[ $redis == no ]] || redis_names=(redis1 redis2 redis3)
  [[ $http == no ]] || http_names=(http)
}

save_lab() {
  local setting
  for setting in nodes redis http faketime workers addresses identity profile build; do
    printf '%s=%q\n' "$setting" "${!setting}"
  done >"$dir/lab.conf.new"
  mv "$dir/lab.conf.new" "$dir/lab.conf"
}

load_lab() {
  [[ -f $dir/lab.conf ]] || die "no lab $lab is up (deploy/lab.sh up)"
  # shellcheck disable=SC1091
  . "$dir/lab.conf"
  lab_names
}

# is_one_of NAME NAMES...
is_one_of() {
  local name
  for name in "${@:2}"; do [[ $name != "$1" ]] || return 0; done
  return 1
}

need_node() { is_one_of "$1" "${node_names[@]}" || die "no node $1 in lab $lab (nodes: ${node_names[*]})"; }
need_host() {
  is_one_of "$1" "${node_names[@]}" "${redis_names[@]}" "${http_names[@]}" ||
    die "no node $1 in lab $lab (there are: ${node_names[*]} ${redis_names[*]} ${http_names[*]})"
}

cmd_up() {
  parse_up "$@"
  need_root
  need_programs
  if [[ -f $dir/ready ]]; then die "lab $lab is up already; deploy/lab.sh down ends it"; fi
  clear_lab
  mkdir -m 700 "$dir"
  trap 'clear_lab' EXIT
  trap 'exit 130' INT TERM HUP
  save_lab
  lab_names
  network_up
  [[ $redis == no ]] || redis_up
  nodes_up
  [[ $redis == no ]] || redis_wait_all
  [[ $redis == no || $nodes -eq 0 ]] || set_wait set_joined "the nodes do not find each other"
  [[ $nodes -eq 0 ]] || network_probe
  [[ $http == no ]] || http_up
  : >"$dir/ready"
  trap - EXIT
  [[ $nodes -gt 0 ]] || { say "Lab $lab: Redis alone." && return 0; }
  say "Lab $lab serves ${identity} at $(address_list 4) and $(address_list 6), UDP 2269."
  [[ $http == no ]] || say "HTTP: $(http_url)"
}

cmd_env() {
  load_lab
  say "TKMS_CLIENT_NETNS=$lab-client"
  say "TKMS_ADDRESSES=$(address_list 4)"
  say "TKMS_ADDRESSES6=$(address_list 6)"
  local name sentinels=()
  for name in "${redis_names[@]}"; do sentinels+=("$(management_address "$name"):26379"); done
  local IFS=,
  say "TKMS_NODES=${node_names[*]}"
  say "TKMS_REDIS=${redis_names[*]}"
  say "TKMS_SENTINELS=${sentinels[*]}"
  [[ $http == no ]] || say "TKMS_HTTP_URL=$(http_url)"
}

cmd_signal() {
  load_lab
  [[ $# -eq 2 ]] || die "$1 needs a name"
  need_host "${2%%/*}"
  case $1 in
    kill) host_signal KILL "$2" && host_gone "$2" ;;
    stop) host_stop "$2" ;;
    freeze) host_signal STOP "$2" ;;
    thaw) host_signal CONT "$2" ;;
    start)
      host_start "$2"
      "${2%%[0-9]*}_wait" "${2%%/*}"
      ;;
  esac
}

# The node belongs to the lab from the first moment on, so that "down" finds it.
cmd_add() {
  load_lab
  [[ $redis == yes ]] || die "add: this lab has no replica set (up --nodes N or --redis)"
  nodes=$((nodes + 1))
  save_lab
  node_add "node$nodes"
}

cmd_redis() {
  local name=${1:-} port=6379
  is_one_of "${name%%/*}" "${redis_names[@]}" || die "no Redis $name in lab $lab (there are: ${redis_names[*]})"
  [[ $name != */sentinel ]] || port=26379
  shift
  redis_cli "${name%%/*}" "$port" "$@"
}

cmd_logs() {
  local name names=("$1")
  if [[ $1 == all ]]; then names=("${node_names[@]}" "${redis_names[@]}" "${http_names[@]}"); else need_host "$1"; fi
  for name in "${names[@]}"; do host_logs "$name" 100; done
}

cmd_partition() {
  load_lab
  need_node "${2:-}"
  case $1 in
    partition) [[ $# -eq 3 ]] || die "partition needs a node, and redis or clients" ;;
    heal) [[ $# -eq 2 ]] || die "heal needs a node" ;;
  esac
  "network_$1" "${@:2}"
}

# Everything that carries the prefix, whatever state it is in.
clear_lab() {
  network_down
  rm -rf "$dir"
}

command=${1:-}
[[ $# -eq 0 ]] || shift
case $command in
  up) cmd_up "$@" ;;
  env) cmd_env ;;
  kill | start | stop | freeze | thaw) need_root && cmd_signal "$command" "$@" ;;
  client) load_lab && network_client "$@" ;;
  ctl) load_lab && need_node "${1:-}" && node_ctl "$@" ;;
  redis) need_root && load_lab && cmd_redis "$@" ;;
  logs) load_lab && cmd_logs "${1:-}" ;;
  add) need_root && cmd_add ;;
  settle) load_lab && set_wait set_settled "the replica set does not settle" ;;
  loss) need_root && load_lab && network_loss "${1:-}" ;;
  clock) need_root && load_lab && need_node "${1:-}" && node_set_clock "$1" "${2:-}" ;;
  partition | heal) need_root && cmd_partition "$command" "$@" ;;
  down) need_root && clear_lab ;;
  --help | -h | help) usage ;;
  *) usage >&2 && exit 2 ;;
esac
