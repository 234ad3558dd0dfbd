# SPDX-License-Identifier: BSD-3-Clause
# Processes of a lab's hosts: a host NAME has the namespace $lab-NAME and the folder $dir/NAME; sourced by lab.sh.
# "NAME" is all of a host, "NAME/PROCESS" one process of it.
# shellcheck shell=bash disable=SC2154

# Processes of a host, in the order in which they are started (by start_PROCESS HOST).
host_processes() {
  case $1 in
    node*) printf '%s\n' control dataplane ;;
    redis*) printf '%s\n' server sentinel ;;
    http) printf 'edge\n' ;;
    *) die "no host $1" ;;
  esac
}

# A process of ours: its pid file names it and it is in the host's namespace (so never somebody else's process).
process_pid() {
  local pid
  pid=$(cat "$dir/$1/$2.pid" 2>/dev/null) || return 1
  ip netns pids "$lab-$1" | grep -qx "$pid" && printf '%s\n' "$pid"
}

# spawn NAME PROCESS COMMAND...: in the host's namespace, a session of its own, log appended.
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

which_processes() {
  local part=${1#*/} all
  all=$(host_processes "${1%%/*}")
  [[ $1 == */* ]] || part=''
  if [[ -z $part ]]; then
    printf '%s\n' "$all"
  else
    grep -x -- "$part" <<<"$all" || die "no process $part (there are: ${all//$'\n'/ })"
  fi
}

# host_start NAME or NAME/PROCESS: starts what does not run.
host_start() {
  local name=${1%%/*} process list
  list=$(which_processes "$1") || exit 1
  for process in $list; do
    process_pid "$name" "$process" >/dev/null || "start_$process" "$name"
  done
}

# Pids of NAME (everything in the namespace) or NAME/PROCESS.
host_pids() {
  if [[ $1 == */* ]]; then
    which_processes "$1" >/dev/null || exit 1
    process_pid "${1%%/*}" "${1#*/}" || true
  else
    ip netns pids "$lab-$1"
  fi
}

# host_signal SIGNAL NAME
host_signal() {
  local pids
  pids=$(host_pids "$2") || exit 1
  # shellcheck disable=SC2086
  [[ -z $pids ]] || kill "-$1" $pids 2>/dev/null || true
}

# host_gone NAME: until nothing of it runs.
host_gone() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [[ -n $(host_pids "$1") ]] || return 0
    sleep 0.02
  done
  die "$1 does not end"
}

# host_stop NAME: as a service manager does, one process after the other in the order of their start.
host_stop() {
  local process list tries
  list=$(which_processes "$1") || exit 1
  for process in $list; do
    host_signal TERM "${1%%/*}/$process"
    for ((tries = 0; tries < 1200; tries++)); do
      process_pid "${1%%/*}" "$process" >/dev/null || continue 2
      sleep 0.05
    done
    die "$process of ${1%%/*} does not end on SIGTERM"
  done
}

host_logs() {
  local file
  for file in "$dir/$1"/*.log; do
    [[ -s $file ]] || continue
    say "--- $file"
    tail -n "$2" "$file"
  done
}

# All processes must live while we wait; a dead one has its reason in its log.
host_alive() {
  local process
  for process in $(host_processes "$1"); do
    process_pid "$1" "$process" >/dev/null || {
      host_logs "$1" 30 >&2
      die "$process of $1 ended (its log is above)"
    }
  done
}
