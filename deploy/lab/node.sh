# SPDX-License-Identifier: BSD-3-Clause
# A node of a lab: its files under $dir/NAME, its two processes in the namespace $lab-NAME; sourced by lab.sh.
# shellcheck shell=bash disable=SC2154

processes=(control dataplane)

# node_configure NAME: configuration, KEK and an empty store.
node_configure() {
  local home=$dir/$1 i list=()
  mkdir -m 700 "$home"
  for ((i = 1; i <= addresses; i++)); do list+=("$(address4 "$i")/16" "\"$(address6 "$i")/64\""); done
  local IFS=,
  cat >"$home/tkms.yaml" <<EOF
kms:
  identity: $identity
  profile: $profile
node:
  name: $1
  state_dir: $home
  run_dir: $home
  kek_file: $home/kek
service:
  addresses: [${list[*]}]
limits:
  errors_per_source: 0
keys:
  activation_lead: 200ms
EOF
  "$(program tkmsctl)" init --config "$home/tkms.yaml" >"$home/init.log" 2>&1 || {
    cat "$home/init.log" >&2
    die "tkmsctl init failed"
  }
}

# A process of ours: its pid file names it and it is in the node's namespace (so never somebody else's process).
process_pid() {
  local pid
  pid=$(cat "$dir/$1/$2.pid" 2>/dev/null) || return 1
  ip netns pids "$lab-$1" | grep -qx "$pid" && printf '%s\n' "$pid"
}

# spawn NAME PROCESS COMMAND...: in the node's namespace, a session of its own, log appended.
spawn() {
  local home=$dir/$1 process=$2 namespace=$lab-$1
  shift 2
  ip netns exec "$namespace" setsid "$@" </dev/null >>"$home/$process.log" 2>&1 &
  local pid=$! tries
  disown
  echo "$pid" >"$home/$process.pid"
  # Until it has entered the namespace it would look as if it had ended.
  for ((tries = 0; tries < 100; tries++)); do
    ! ip netns pids "$namespace" | grep -qx "$pid" || return 0
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.01
  done
}

start_control() { spawn "$1" control "$(program tkms-control)" --config "$dir/$1/tkms.yaml"; }

start_dataplane() {
  rm -rf "/var/run/dpdk/$lab-$1"
  spawn "$1" dataplane "$(program tkms-dataplane)" --socket "$dir/$1/dataplane.sock" --workers "$workers" --mtu 9000 \
    -- --file-prefix="$lab-$1" --vdev=net_af_packet0,iface=dp0
}

# node_start NAME or NAME/PROCESS: starts what does not run.
node_start() {
  local name=${1%%/*} process
  for process in $(which_processes "$1"); do
    process_pid "$name" "$process" >/dev/null || "start_$process" "$name"
  done
}

which_processes() {
  local part=${1#*/} process
  [[ $1 == */* ]] || part=''
  for process in "${processes[@]}"; do
    [[ -n $part && $part != "$process" ]] || printf '%s\n' "$process"
  done
  [[ -z $part || " ${processes[*]} " == *" $part "* ]] || die "no process $part (there are: ${processes[*]})"
}

# Pids of NAME (everything in the namespace) or NAME/PROCESS.
node_pids() {
  if [[ $1 == */* ]]; then
    which_processes "$1" >/dev/null
    process_pid "${1%%/*}" "${1#*/}" || true
  else
    ip netns pids "$lab-$1"
  fi
}

node_signal() {
  local pids
  pids=$(node_pids "$2")
  # shellcheck disable=SC2086
  [[ -z $pids ]] || kill "-$1" $pids 2>/dev/null || true
}

node_gone() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [[ -n $(node_pids "$1") ]] || return 0
    sleep 0.02
  done
  die "$1 does not end"
}

node_ctl() {
  local name=$1
  shift
  "$(program tkmsctl)" --socket "$dir/$name/control.sock" "$@"
}

node_logs() {
  local file
  for file in "$dir/$1"/*.log; do
    [[ -s $file ]] || continue
    say "--- $file"
    tail -n "$2" "$file"
  done
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

# Both processes must live while we wait; a dead one has its reason in its log.
node_alive() {
  local process
  for process in "${processes[@]}"; do
    process_pid "$1" "$process" >/dev/null || {
      node_logs "$1" 30 >&2
      die "$process of $1 ended (its log is above)"
    }
  done
}

node_ready_admin() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    node_ctl "$1" status --json >/dev/null 2>&1 && return 0
    node_alive "$1"
    sleep 0.1
  done
  node_logs "$1" 30 >&2
  die "tkms-control of $1 does not answer"
}

# node_wait NAME: the data plane serves the newest keyring and every subscriber of the store.
node_wait() {
  local tries status
  for ((tries = 0; tries < 1200; tries++)); do
    if status=$(node_ctl "$1" status --json 2>/dev/null) && jq -e "$serving" <<<"$status" >/dev/null; then
      return 0
    fi
    node_alive "$1"
    sleep 0.1
  done
  node_logs "$1" 30 >&2
  die "$1 does not serve after two minutes; status: ${status:-none}"
}
# shellcheck disable=SC2016
serving='. as $s | .dataplane | .connected and .loaded and .epoch == $s.keyring_epoch and .subscribers == $s.subscribers'
