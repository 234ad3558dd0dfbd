# SPDX-License-Identifier: BSD-3-Clause
# One KMS whose ports the test chooses, in the namespace $TKMS_LAB-node1; sourced after lib.sh, whose clean_up()
# removes it: names are those of a lab.
# shellcheck shell=bash disable=SC2154

node=$TKMS_LAB-node1
home=/run/$TKMS_LAB-lab/node1

on_node() { ip netns exec "$node" "$@"; }
ctl() { "$TKMS_BUILD/control/tkmsctl" --socket "$home/control.sock" "$@"; }
status() { ctl status --json | jq -er "$1"; }
counter() { status ".dataplane.counters.\"$1\" // 0"; }

# single_namespace NAME: lab down takes it away.
single_namespace() {
  ip netns add "$1"
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  ip -n "$1" link set lo up
}

# single_begin: files and namespace. Then write $home/tkms.yaml, with single_config or otherwise.
single_begin() {
  lab down
  mkdir -p -m 700 "$home"
  single_namespace "$node"
}

# single_config ADDRESSES < more sections: the configuration.
single_config() {
  cat >"$home/tkms.yaml" <<YAML
kms: {identity: kms@tkms.example}
node: {name: node1, state_dir: $home, run_dir: $home, kek_file: $home/kek}
YAML
  cat >>"$home/tkms.yaml"
}

# single_control SUBSCRIBERS: the control process (control_pid), its store filled. "ip netns exec" becomes the program.
single_control() {
  "$TKMS_BUILD/control/tkmsctl" init --config "$home/tkms.yaml" >"$home/init.log" 2>&1
  ip netns exec "$node" "$TKMS_BUILD/control/tkms-control" --config "$home/tkms.yaml" >"$home/control.log" 2>&1 &
  control_pid=$!
  disown
  eventually 10 "the control process runs" ctl status --json
  check "it takes the subscribers" ctl subscriber import "$1"
}

# single_dataplane OPTIONS -- EAL...: returns when it runs (its ports exist).
single_dataplane() {
  ip netns exec "$node" "$TKMS_BUILD/dataplane/tkms-dataplane" --socket "$home/dataplane.sock" "$@" --file-prefix="$node" \
    >"$home/dataplane.log" 2>&1 &
  dataplane_pid=$!
  disown
  eventually 20 "the data plane has all subscribers" status_is \
    '. as $s | .dataplane | .connected and .loaded and .epoch == $s.keyring_epoch and .subscribers == $s.subscribers'
}

# single_reload: the control process has read the configuration again and the data plane has it.
# shellcheck disable=SC2329
single_reload() {
  local before
  before=$(grep -c 'snapshot in service' "$home/dataplane.log")
  kill -HUP "$control_pid"
  reloaded() { test "$(grep -c 'snapshot in service' "$home/dataplane.log")" -gt "$before"; }
  eventually 10 "a reload reaches the data plane" reloaded
}

# single_logs: for a test that fails.
# shellcheck disable=SC2329
single_logs() {
  [[ $? -eq 0 ]] || tail -n 30 "$home"/*.log 2>/dev/null || true
}
trap 'single_logs; clean_up' EXIT
