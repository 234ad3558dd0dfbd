# SPDX-License-Identifier: BSD-3-Clause
# The HTTP edge of a lab, in a namespace of its own; sourced by lab.sh.
# shellcheck shell=bash disable=SC2154
#
#   $lab-http    ht0: 10.69.3.1/16 and fd69::3:1/64; tkms-http listens there, metrics at port 9469

http_address=10.69.3.1
http_url() { printf 'http://%s:8080/keymanagement\n' "$http_address"; }

network_http() {
  namespace_add "$lab-http"
  join "$lab-http" ht0 br0 http
  ip -n "$lab-http" address add "$http_address/16" dev ht0
  ip -n "$lab-http" address add fd69::3:1/64 dev ht0 nodad
  ip -n "$lab-http" link set ht0 up
}

# One client of a lab may ask as much as it likes: it stands for many.
http_yaml() {
  cat <<EOF
kms: [$(address_list 4)]
listen: ["$http_address:8080", "[fd69::3:1]:8080"]
metrics: "$http_address:9469"
connections_per_source: 0
requests_per_source: 0
in_flight_per_source: 0
EOF
}

start_edge() { spawn http edge "$(program tkms-http)" --config "$dir/http/http.yaml"; }

# http_wait NAME: a GET is refused as it should be.
http_wait() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [[ $(ip netns exec "$lab-client" curl -s -m 2 -o /dev/null -w '%{http_code}' "$(http_url)") != 405 ]] || return 0
    host_alive http
    sleep 0.05
  done
  host_logs http 30 >&2
  die "tkms-http does not answer at $(http_url)"
}

http_up() {
  mkdir -m 700 "$dir/http"
  http_yaml >"$dir/http/http.yaml"
  start_edge
  http_wait http
}
