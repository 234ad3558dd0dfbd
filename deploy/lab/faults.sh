# SPDX-License-Identifier: BSD-3-Clause
# What goes wrong in a lab beside processes that end: cut links, lost packets, wrong clocks; sourced by lab.sh.
# shellcheck shell=bash disable=SC2154

# port_of NODE redis|clients: the bridge and the port that tie the node to them.
port_of() {
  case $2 in
    redis) printf 'br1 %s-mg\n' "$1" ;;
    clients) printf 'br0 %s\n' "$1" ;;
    *) die "partition: a node is cut off from redis or from clients" ;;
  esac
}

# A switch that forwards nothing: the node's own link stays up.
network_partition() {
  local bridge port
  read -r bridge port <<<"$(port_of "$1" "$2")"
  [[ -n $port ]] || exit 1
  ip -n "$lab-sw" link set "$port" nomaster
}

network_heal() {
  local bridge port what
  for what in redis clients; do
    read -r bridge port <<<"$(port_of "$1" "$what")"
    ip -n "$lab-sw" link set "$port" master "$bridge"
  done
}

# network_loss PERCENT: of every frame that a bridge passes on, in each direction; 0 ends it.
network_loss() {
  [[ $1 =~ ^[0-9]{1,2}$ ]] || die "loss needs a percentage from 0 to 99"
  ip netns exec "$lab-sw" nft delete table bridge loss 2>/dev/null || true
  [[ $1 -gt 0 ]] || return 0
  ip netns exec "$lab-sw" nft -f - <<EOF
table bridge loss {
  chain forward {
    type filter hook forward priority 0; policy accept;
    numgen random mod 100 < $1 drop
  }
}
EOF
}

# node_set_clock NAME OFFSET: as "+600" or "-600", seconds; of a lab with --faketime.
node_set_clock() {
  [[ $faketime == yes ]] || die "clock: this lab was not started with --faketime"
  [[ $2 =~ ^[+-][0-9]{1,9}$ ]] || die "clock needs an offset in seconds, as +600"
  # In place: the node has mapped the file.
  python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("=q", int(sys.argv[1])))' "$2" 1<>"$dir/$1/clock"
}
