# SPDX-License-Identifier: BSD-3-Clause
# Namespaces, bridge and addresses of a lab; sourced by lab.sh.
# shellcheck shell=bash disable=SC2154
#
#   $lab-sw      the bridges br0 (clients and data planes) and br1 (management)
#   $lab-nodeN   dp0: the data plane's port. The kernel has no address on it, else it would answer too.
#                mg0: 10.71.1.N/16, for the control process: Redis and nothing else
#   $lab-redisN  mg0: 10.71.2.N/16, server and Sentinel
#   $lab-client  cl0: 10.69.2.1/16 and fd69::2:1/64. All of 10.69.128.0/17 and fd69::8:0/112 is local there
#                too, so that clients can have many source addresses.

management_address() {
  case $1 in
    node*) printf '10.71.1.%d' "${1#node}" ;;
    redis*) printf '10.71.2.%d' "${1#redis}" ;;
  esac
}

address4() { printf '10.69.1.%d' "$1"; }
address6() { printf 'fd69::1:%x' "$1"; }

# address_list 4|6: service addresses, comma-separated.
address_list() {
  local i out=()
  for ((i = 1; i <= addresses; i++)); do out+=("$("address$1" "$i")"); done
  local IFS=,
  printf '%s\n' "${out[*]}"
}

# Namespaces of this lab: the prefix and a name of ours, so that a lab "a" never takes a lab "a-b" for its own.
lab_namespaces() { ip netns list | awk '{print $1}' | grep -E "^$lab-(sw|client|http|node[0-9]+|redis[0-9]+)$" || true; }

namespace_add() {
  ip netns add "$1"
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  ip -n "$1" link set lo up
}

# join NAMESPACE DEVICE BRIDGE PORT: a veth pair between PORT of the bridge and DEVICE in NAMESPACE. Checksums are
# finished by the kernel's side: the data plane gets what a wire would carry. MTU 9000: long messages need no
# fragments.
join() {
  ip -n "$lab-sw" link add name "$4" mtu 9000 type veth peer name "$2" mtu 9000 netns "$1"
  ip netns exec "$lab-sw" ethtool -K "$4" tx off rx off gso off tso off gro off >/dev/null 2>&1
  ip netns exec "$1" ethtool -K "$2" tx off rx off gso off tso off gro off >/dev/null 2>&1
  ip -n "$lab-sw" link set "$4" master "$3" up
}

bridge_add() {
  ip -n "$lab-sw" link add name "$1" mtu 9000 type bridge mcast_snooping 0 forward_delay 0
  ip -n "$lab-sw" link set "$1" up
}

# join_management NAME
join_management() {
  join "$lab-$1" mg0 br1 "$1-mg"
  ip -n "$lab-$1" address add "$(management_address "$1")/16" dev mg0
  ip -n "$lab-$1" link set mg0 up
}

network_node() {
  namespace_add "$lab-$1"
  ip netns exec "$lab-$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
  join "$lab-$1" dp0 br0 "$1"
  ip -n "$lab-$1" link set dp0 up
  join_management "$1"
}

network_redis() {
  namespace_add "$lab-$1"
  ip netns exec "$lab-$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
  join_management "$1"
}

network_up() {
  namespace_add "$lab-sw"
  ip netns exec "$lab-sw" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  bridge_add br0
  bridge_add br1

  namespace_add "$lab-client"
  join "$lab-client" cl0 br0 client
  ip -n "$lab-client" address add 10.69.2.1/16 dev cl0
  ip -n "$lab-client" address add fd69::2:1/64 dev cl0 nodad
  ip -n "$lab-client" link set cl0 up
  ip -n "$lab-client" route add local 10.69.128.0/17 dev lo
  ip -n "$lab-client" -6 route add local fd69::8:0/112 dev lo
  ip netns exec "$lab-client" sysctl -qw net.core.rmem_max=67108864 net.core.wmem_max=67108864 \
    net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1 2>/dev/null || true

  local name
  for name in "${node_names[@]}"; do network_node "$name"; done
  for name in "${redis_names[@]}"; do network_redis "$name"; done
  [[ $http == no ]] || network_http
}

# Processes of a namespace, ended and waited for; then the namespace itself (with it go its devices).
network_down() {
  local namespace pids tries
  for namespace in $(lab_namespaces); do
    for ((tries = 0; tries < 100; tries++)); do
      pids=$(ip netns pids "$namespace" 2>/dev/null) || pids=''
      [[ -n $pids ]] || break
      # shellcheck disable=SC2086
      kill -KILL $pids 2>/dev/null || true
      sleep 0.05
    done
    ip netns delete "$namespace"
    rm -rf "/var/run/dpdk/$namespace"
  done
}

network_client() {
  [[ $# -gt 0 ]] || die "client needs a command"
  PATH=$build/bench:$PATH exec ip netns exec "$lab-client" "$@"
}

# answers ADDRESS COMMAND...: the command succeeds in the client namespace within ten tries.
answers() {
  local address=$1 tries
  shift
  for ((tries = 0; tries < 10; tries++)); do
    ! ip netns exec "$lab-client" "$@" >"$dir/probe.log" 2>&1 || return 0
    sleep 0.1
  done
  cat "$dir/probe.log" >&2
  host_logs "${node_names[0]}" 30 >&2
  die "$address does not answer (${1##*/})"
}

# Every service address answers over the wire: an echo, and a request if there is somebody to ask for a ticket.
network_probe() {
  local address
  [[ -z $subscribers ]] ||
    (umask 077 && jq -cn 'first(inputs | select(.expires | not))' "$subscribers" >"$dir/probe.json")
  for address in $(address_list 4 | tr , ' ') $(address_list 6 | tr , ' '); do
    answers "$address" ping -n -q -c 1 -W 1 "$address"
    [[ ! -s $dir/probe.json ]] ||
      answers "$address" "$(program tkms-ue)" probe --kms "$address" --kms-identity "$identity" --as "$dir/probe.json"
  done
  rm -f "$dir/probe.json" "$dir/probe.log"
}
