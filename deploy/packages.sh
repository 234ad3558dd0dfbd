#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The one list of Debian 12 packages that tkms needs. quickstart.sh, test.sh, lab.sh and CI take
# them from here and nowhere else.
#
#   deploy/packages.sh            install what is missing (needs root)
#   deploy/packages.sh --list     print the names, one per line
#   deploy/packages.sh --check    exit 0 if all are installed, else name what is missing
#   deploy/packages.sh --help     this text
set -euo pipefail

packages=(
  # build
  build-essential meson ninja-build pkg-config
  libdpdk-dev libipsec-mb-dev liburcu-dev libssl-dev libcyaml-dev libyaml-dev libevent-dev libjansson-dev
  libsqlite3-dev libcap-dev libmicrohttpd-dev libseccomp-dev libcurl4-openssl-dev libhiredis-dev
  # tests
  libcriterion-dev clang-14 libclang-rt-14-dev libsrtp2-dev sip-tester tshark
  curl wrk haproxy nghttp2-client openssl xxd
  jq python3 sqlite3 tcpdump systemd
  redis-server redis-sentinel redis-tools stunnel4 faketime nftables prometheus
  # namespaces of quickstart, lab and system tests
  iproute2 iputils-ping ethtool procps util-linux
)

missing() {
  local p
  for p in "${packages[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || printf '%s\n' "$p"
  done
}

# Redis and Prometheus bring services. They are not wanted: tests and labs start their own, with their own files.
services=(redis-server redis-sentinel prometheus)
install_quietly() {
  local service wanted=() made=''
  for service in "${services[@]}"; do
    ! grep -qx "$service" <<<"$1" || wanted+=("$service")
  done
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    made=yes
  fi
  local status=0
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $1 || status=$?
  [[ -z $made ]] || rm -f /usr/sbin/policy-rc.d
  for service in "${wanted[@]}"; do
    [[ ! -e /lib/systemd/system/$service.service ]] || systemctl --quiet disable "$service" || status=1
  done
  return "$status"
}

usage() { sed -n '3,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }

case "${1:-}" in
  --list) printf '%s\n' "${packages[@]}" ;;
  --check)
    m=$(missing)
    [[ -z $m ]] || { printf 'missing packages: %s\nrun: sudo deploy/packages.sh\n' "${m//$'\n'/ }" >&2; exit 1; }
    ;;
  '')
    m=$(missing)
    [[ -n $m ]] || exit 0
    [[ $EUID -eq 0 ]] || { echo "deploy/packages.sh: run as root (sudo) to install: ${m//$'\n'/ }" >&2; exit 1; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    install_quietly "$m"
    ;;
  --help | -h) usage ;;
  *) usage >&2; exit 2 ;;
esac
