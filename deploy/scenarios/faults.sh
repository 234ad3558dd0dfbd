# SPDX-License-Identifier: BSD-3-Clause
# The scenarios: what goes wrong, how it is put right, what clients may notice; sourced by scenarios.sh.
# shellcheck shell=bash disable=SC2154
#
# For each NAME: fault_NAME VICTIM and undo_NAME VICTIM (with _ for -), run while requests flow. VICTIM is the
# node that holds the address of the client with one address. Bars: failed requests, slowest answer and longest
# gap in milliseconds; "-": none. They are called where bash does not end on a failure: every step says "|| return 1".

scenario_names=(node-killed node-frozen redis-primary-killed redis-all-killed
  partition-redis partition-clients packet-loss clock-off rolling-restart node-added)

# bars and for how long the failure lasts, seconds
scenario_table() {
  cat <<'END'
node-killed           0 1000 3000 4  everything of a node ends at once; it is started again
node-frozen           0 1000 3000 4  a node stops as a hanging machine does; it goes on later
redis-primary-killed  0 100  100  4  the primary Redis and its Sentinel end at once
redis-all-killed      0 100  100  4  all Redis servers and Sentinels end at once
partition-redis       0 100  100  5  a node cannot reach Redis
partition-clients     0 1000 -    4  clients cannot reach a node that can reach Redis
packet-loss           0 -    -    5  5 % of all packets are lost, in each direction
clock-off             0 1000 3000 5  the clock of a node is ten minutes ahead
rolling-restart       0 200  1000 0  every node is stopped and started, one after the other
node-added            0 100  200  2  a fourth node joins
END
}

scenario_known() { [[ " ${scenario_names[*]} " == *" $1 "* ]]; }
scenario_list() { scenario_table | sed -E 's/^(\S+)\s+\S+\s+\S+\s+\S+\s+\S+\s+/\1\t/' | column -t -s "$(printf '\t')"; }
# scenario_bars NAME: failed slowest gap lasting
scenario_bars() { scenario_table | awk -v name="$1" '$1 == name { print $2, $3, $4, $5 }'; }

fault_node_killed() { lab kill "$1"; }
undo_node_killed() { lab start "$1"; }

fault_node_frozen() { lab freeze "$1"; }
undo_node_frozen() { lab thaw "$1"; }

# The Redis whose server is the primary.
redis_primary_name() {
  local name
  for name in ${TKMS_REDIS//,/ }; do
    if [[ $(lab redis "$name" role 2>/dev/null | head -1) == master ]]; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  die "no Redis says that it is the primary"
}
killed_redis=''
fault_redis_primary_killed() {
  killed_redis=$(redis_primary_name) || return 1
  lab kill "$killed_redis"
}
undo_redis_primary_killed() { lab start "$killed_redis"; }

fault_redis_all_killed() {
  local name
  killed_redis=$(redis_primary_name) || return 1
  for name in ${TKMS_REDIS//,/ }; do lab kill "$name" || return 1; done
}
undo_redis_all_killed() {
  local name
  # The last primary first: else the Sentinels look for another one meanwhile.
  lab start "$killed_redis" || return 1
  for name in ${TKMS_REDIS//,/ }; do lab start "$name" || return 1; done
}

fault_partition_redis() { lab partition "$1" redis; }
undo_partition_redis() { lab heal "$1"; }

fault_partition_clients() { lab partition "$1" clients; }
undo_partition_clients() { lab heal "$1"; }

fault_packet_loss() { lab loss 5; }
undo_packet_loss() { lab loss 0; }

fault_clock_off() { lab clock "$1" +600; }
undo_clock_off() { lab clock "$1" +0; }

fault_rolling_restart() {
  local node
  for node in ${TKMS_NODES//,/ }; do
    lab stop "$node" || return 1
    lab start "$node" || return 1
    lab settle || return 1
  done
}
undo_rolling_restart() { :; }

fault_node_added() {
  local settings
  lab add || return 1
  settings=$(lab env) || return 1
  eval "$settings"
}
undo_node_added() { :; }
