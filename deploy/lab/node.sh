# SPDX-License-Identifier: BSD-3-Clause
# A node of a lab: configuration, its two processes, and when it serves; sourced by lab.sh.
# shellcheck shell=bash disable=SC2154

# Settings of the replica set, of every lab with Redis.
node_yaml_set() {
  local name sentinels=()
  for name in "${redis_names[@]}"; do sentinels+=("\"$(management_address "$name"):26379\""); done
  local IFS=,
  cat <<EOF
sync:
  sentinels: [${sentinels[*]}]
  primary: tkms
  user: tkms
  password_file: $dir/passwords/tkms
  prefix: tkms
  max_staleness: 24h
cluster:
  roles: [request, resolve]
  heartbeat: 250ms
  dead_after: 1s
EOF
}

# node_yaml NAME
node_yaml() {
  local i list=()
  for ((i = 1; i <= addresses; i++)); do list+=("$(address4 "$i")/16" "\"$(address6 "$i")/64\""); done
  local IFS=,
  cat <<EOF
kms:
  identity: $identity
  profile: $profile
node:
  name: $1
  state_dir: $dir/$1
  run_dir: $dir/$1
  kek_file: $dir/$1/kek
service:
  addresses: [${list[*]}]
limits:
  errors_per_source: 0
  messages_per_source: 0
  messages_per_subscriber: 0
  messages_per_function: 0
  repeats_per_message: 0
$([[ $http == no ]] || printf '  trusted_edges: [%s/32, "fd69::3:1/128"]' "$http_address")
keys:
  activation_lead: 200ms
EOF
  [[ $redis == no ]] || node_yaml_set
}

# node_configure NAME: configuration, KEK (the same for all nodes) and an empty store.
node_configure() {
  local home=$dir/$1 part=()
  mkdir -m 700 "$home"
  node_yaml "$1" >"$home/tkms.yaml"
  [[ $faketime == no ]] || node_set_clock "$1" +0
  [[ ! -f $dir/kek ]] || (umask 077 && cp "$dir/kek" "$home/kek")
  # The first node of a set makes its first key, the others join it.
  [[ $redis == no ]] || if [[ -f $dir/kek ]]; then part=(--join); else part=(--new-set); fi
  "$(program tkmsctl)" init "${part[@]}" --config "$home/tkms.yaml" >"$home/init.log" 2>&1 || {
    cat "$home/init.log" >&2
    die "tkmsctl init failed"
  }
  [[ -f $dir/kek ]] || (umask 077 && cp "$home/kek" "$dir/kek")
}

# With --faketime the clock of a node is off by what $dir/NAME/clock says.
node_clock() {
  [[ $faketime == no ]] ||
    printf '%s\n' env "LD_PRELOAD=$build/deploy/libtkms-lab-clock.so" "TKMS_LAB_CLOCK=$dir/$1/clock"
}

start_control() {
  local clock
  mapfile -t clock < <(node_clock "$1")
  spawn "$1" control "${clock[@]}" "$(program tkms-control)" --config "$dir/$1/tkms.yaml"
}

start_dataplane() {
  rm -rf "/var/run/dpdk/$lab-$1"
  local clock
  mapfile -t clock < <(node_clock "$1")
  spawn "$1" dataplane "${clock[@]}" "$(program tkms-dataplane)" --socket "$dir/$1/dataplane.sock" --workers "$workers" --mtu 9000 \
    -- --file-prefix="$lab-$1" --vdev=net_af_packet0,iface=dp0
}

node_ctl() {
  local name=$1
  shift
  "$(program tkmsctl)" --socket "$dir/$name/control.sock" "$@"
}

# node_import NAME FILE
node_import() {
  local report=$dir/$1/import.log
  node_ready_admin "$1"
  node_ctl "$1" subscriber import "$2" >"$report" 2>&1 || {
    cat "$report" >&2
    die "the subscribers of $2 could not be imported"
  }
}

node_ready_admin() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    node_ctl "$1" status --json >/dev/null 2>&1 && return 0
    host_alive "$1"
    sleep 0.1
  done
  host_logs "$1" 30 >&2
  die "tkms-control of $1 does not answer"
}

# node_wait NAME: the data plane serves the newest keyring and every subscriber of the store.
node_wait() {
  local tries status
  for ((tries = 0; tries < 1200; tries++)); do
    if status=$(node_ctl "$1" status --json 2>/dev/null) && jq -e "$serving" <<<"$status" >/dev/null; then
      return 0
    fi
    host_alive "$1"
    sleep 0.1
  done
  host_logs "$1" 30 >&2
  die "$1 does not serve after two minutes; status: ${status:-none}"
}
# shellcheck disable=SC2016
serving='. as $s | .dataplane | .connected and .loaded and .epoch == $s.keyring_epoch and .subscribers == $s.subscribers'

# All nodes: the first one makes the key ring and takes the subscribers, then the others join it.
nodes_up() {
  local name
  for name in "${node_names[@]}"; do
    node_configure "$name"
    host_start "$name"
    [[ $name == node1 ]] || continue
    [[ -z $subscribers ]] || node_import "$name" "$subscribers"
    node_wait "$name"
  done
  for name in "${node_names[@]:1}"; do node_wait "$name"; done
}

# node_add NAME: one more node in a lab that is up.
node_add() {
  network_node "$1"
  node_configure "$1"
  host_start "$1"
  node_wait "$1"
}
