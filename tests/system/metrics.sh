#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What Prometheus gets from a node: well-formed, true, without secrets, and from nobody to be held up.
. "$(dirname "$0")/lib.sh"

ue_files
lab_up --subscribers "$work/subscribers.jsonl"
on_node() { ip netns exec "$TKMS_LAB-node1" "$@"; }
scrape() { on_node curl -sSf --max-time 5 "http://127.0.0.1:9269/metrics"; }
# value SAMPLE: of a sample written as it stands in the text.
value() { scrape | awk -v sample="$1" '$1 == sample { print $2; found = 1 } END { exit !found }'; }
is() { [[ $(value "$1") == "$2" ]]; }
well_formed() {
  scrape >"$work/metrics" && promtool check metrics <"$work/metrics"
}

check "promtool finds nothing wrong with the metrics" well_formed
check "the node is named" is 'tkms_build_info{version="'"$(status .version)"'",node="node1"}' 1
check "the data plane is connected" is tkms_dataplane_connected 1
check "it serves" is tkms_dataplane_serving 1
check "its workers run" is tkms_dataplane_workers_stuck 0
check "it has a link" is tkms_dataplane_cut_off 0
check "it has all subscribers" is tkms_dataplane_subscribers 2
check "the keyring's epoch is told" is tkms_keyring_epoch "$(status .keyring_epoch)"
check "there is one active key" is 'tkms_sealing_keys{state="active"}' 1
before=$(value 'tkms_dataplane_messages_total{verdict="resolve_ok"}')
check "a call is made" call "$TKMS_ADDRESSES"
counted() { is 'tkms_dataplane_messages_total{verdict="resolve_ok"}' $((before + 1)); }
eventually 5 "the resolve is counted" counted
worker_busy() { scrape | grep -qE '^tkms_worker_busy_ratio\{worker="0",cpu="[0-9]+"\} (0(\.[0-9]+)?|1)$'; }
check "each worker tells its share of busy time" worker_busy
check "a rotation is made" lab ctl node1 key rotate
eventually 5 "the worker serves the new epoch" is \
  "tkms_worker_epoch{worker=\"0\",cpu=\"$(status '.dataplane.worker_list[0].cpu')\"}" "$(status .keyring_epoch)"
check "the old key is retiring" is 'tkms_sealing_keys{state="retiring"}' 1

no_secret() {
  scrape >"$work/metrics"
  ! grep -qiF -e user1 -e user2 "$work/metrics" &&
    jq -r .psk "$work/subscribers.jsonl" | (! grep -qiF -f /dev/stdin "$work/metrics")
}
check "neither subscribers nor keys are in it" no_secret

code() { on_node curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$@"; }
is_code() { [[ $(code "${@:2}") == "$1" ]]; }
check "other paths are not there" is_code 404 http://127.0.0.1:9269/
check "a longer path is another one" is_code 404 http://127.0.0.1:9269/metricsx
check "a query is passed over" is_code 200 "http://127.0.0.1:9269/metrics?x=1"
check "nothing can be posted" is_code 405 -X POST -d x http://127.0.0.1:9269/metrics

# Clients that say nothing, say it slowly, or say too much.
ip netns exec "$TKMS_LAB-node1" python3 - <<'PY' &
import socket, time
held = []
for i in range(100):
    s = socket.create_connection(("127.0.0.1", 9269))
    s.sendall(b"GET /metrics HTTP/1.1\r\nX: " if i % 2 else b"")
    held.append(s)
big = socket.create_connection(("127.0.0.1", 9269))
try:
    big.sendall(b"GET /metrics HTTP/1.1\r\n" + b"x" * 100000)
except OSError:
    pass
time.sleep(60)
PY
hanging=$!
background+=("$hanging")
descriptors() { find "/proc/$(cat "/run/$TKMS_LAB-lab/node1/control.pid")/fd" | wc -l; }
sleep 1
check "a hundred clients that hang do not keep Prometheus away" well_formed
check "and hold a few descriptors only" test "$(descriptors)" -lt 60
kill "$hanging"
lab kill node1/dataplane
eventually 10 "a data plane that is gone is told" is tkms_dataplane_connected 0
old_numbers() { scrape >"$work/metrics" && ! grep ^tkms_worker_ "$work/metrics"; }
check "and its old numbers are not" old_numbers
lab start node1

# The port is taken when the control process starts.
lab kill node1/control
ip netns exec "$TKMS_LAB-node1" python3 -c '
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 9269)); s.listen(); time.sleep(300)' &
thief=$!
background+=("$thief")
sleep 0.5
check "without its port the control process starts all the same" lab start node1
check "it says so" grep -q "metrics cannot be served" "/run/$TKMS_LAB-lab/node1/control.log"
check "and serves" call "$TKMS_ADDRESSES"
kill "$thief"
eventually 20 "it takes the port when it is free" well_formed
