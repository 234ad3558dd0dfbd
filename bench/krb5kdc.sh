#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A yardstick: how many TGS-REQs MIT Kerberos' KDC answers in a second of one core. It is the nearest thing to a ticket-based KMS that operators
# run. Debian's packages are unpacked into a temporary directory, nothing is installed; the KDC runs in a network namespace of its own with a
# realm of its own.
#
# Asking costs about as much as answering, and clients and KDC share the machine, so what counts is the CPU time that the KDC spends, user and
# kernel: the rate is requests divided by it. The KDC has a CPU of its own where there are two. Needs root, gcc and a Debian mirror.
#
#   bench/krb5kdc.sh [--requests N] [--json]     N: default 20000
set -euo pipefail

packages=(krb5-kdc krb5-admin-server krb5-user libverto1 libverto-libev1 libev4 libkadm5srv-mit12 libkadm5clnt-mit12 libkdb5-10 libgssrpc4
  libkrb5-3 libkrb5support0 libk5crypto3 libgssapi-krb5-2 libss2 libkeyutils1 libcom-err2
  libkrb5-dev krb5-multidev comerr-dev)
requests=20000 format=text services=500 clients=8

fail() { echo "krb5kdc.sh: $*" >&2; exit 1; }

while [[ $# -gt 0 ]]; do
  case $1 in
    --requests) requests=${2:?}; shift 2 ;;
    --json) format=json; shift ;;
    *) sed -n '3,10p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
  esac
done
[[ $requests =~ ^[0-9]+$ && $requests -gt 0 ]] || fail "--requests: not a number above 0"
here=$(cd "$(dirname "$0")" && pwd)
[[ $EUID -eq 0 ]] || fail "run as root: it makes a network namespace"

# From here on inside a namespace that goes away with the last process in it.
if [[ -z ${KRB5KDC_WORK:-} ]]; then
  KRB5KDC_WORK=$(mktemp -d /tmp/tkms-krb5kdc.XXXXXX)
  export KRB5KDC_WORK
  trap 'rm -rf "$KRB5KDC_WORK"' EXIT
  mkdir "$KRB5KDC_WORK/debs" "$KRB5KDC_WORK/root"
  (cd "$KRB5KDC_WORK/debs" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}") || fail "packages cannot be fetched: apt-get update"
  for deb in "$KRB5KDC_WORK"/debs/*.deb; do dpkg-deb -x "$deb" "$KRB5KDC_WORK/root"; done
  again=(--requests "$requests")
  [[ $format == text ]] || again+=(--json)
  unshare --net "$0" "${again[@]}"
  exit
fi

work=$KRB5KDC_WORK
ip link set lo up
lib=$(dirname "$(find "$work/root" -name 'libkrb5.so.3' | head -1)")
export LD_LIBRARY_PATH=$lib PATH=$work/root/usr/sbin:$work/root/usr/bin:$PATH
export KRB5_CONFIG=$work/krb5.conf KRB5_KDC_PROFILE=$work/kdc.conf KRB5CCNAME=FILE:$work/cc
cat >"$work/krb5.conf" <<EOF
[libdefaults]
  default_realm = BENCH.TEST
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  BENCH.TEST = {
    kdc = 127.0.0.1:8888
  }
EOF
cat >"$work/kdc.conf" <<EOF
[kdcdefaults]
  kdc_ports = 8888
  kdc_tcp_ports = ""
[realms]
  BENCH.TEST = {
    database_name = $work/principal
    key_stash_file = $work/stash
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }
[dbmodules]
  db_module_dir = $lib/krb5/plugins/kdb
[logging]
  kdc = FILE:$work/kdc.log
EOF

{
  kdb5_util create -r BENCH.TEST -s -P benchmark
  {
    echo "addprinc -pw benchmark user"
    for ((i = 1; i <= services; i++)); do echo "addprinc -randkey s$i"; done
  } | kadmin.local
} >"$work/setup.log" 2>&1 || { cat "$work/setup.log" >&2; fail "the realm cannot be made"; }

krb5kdc -n >"$work/out.log" 2>&1 &
kdc=$!
trap 'kill "$kdc" 2>/dev/null || true' EXIT
for ((i = 0; ; i++)); do
  echo benchmark | kinit user >"$work/kinit.log" 2>&1 && break
  [[ $i -lt 50 ]] || { cat "$work/out.log" "$work/kinit.log" >&2; fail "krb5kdc does not answer"; }
  sleep 0.1
done
gcc -O2 -o "$work/client" -isystem "$work/root/usr/include/mit-krb5" -isystem "$work/root/usr/include" "$here/krb5kdc_client.c" -Wl,--allow-shlib-undefined \
  "$lib/libkrb5.so.3" "$lib/libk5crypto.so.3" || fail "the client does not compile"

# CPU time of the KDC so far, ns.
spent() { cut -d ' ' -f 1 "/proc/$kdc/schedstat"; }
ask() { "$work/client" "$clients" "$1" "$services"; }

cpus=$(nproc)
[[ $cpus -lt 2 ]] || {
  taskset -pc $((cpus - 1)) "$kdc" >/dev/null
  taskset -pc 0-$((cpus - 2)) $$ >/dev/null
}
ask "$services" || fail "requests failed"
answered_before=$(grep -c 'TGS_REQ.*ISSUE' "$work/kdc.log")
before=$(spent)
begin=$(date +%s%N)
ask "$requests" || fail "requests failed"
wall=$(($(date +%s%N) - begin))
cpu=$(($(spent) - before))
answered=$(($(grep -c 'TGS_REQ.*ISSUE' "$work/kdc.log") - answered_before))
[[ $answered -eq $requests ]] || fail "$answered answers to $requests requests"

version=$(dpkg-deb -f "$work"/debs/krb5-kdc_*.deb Version)
awk -v n="$answered" -v cpu="$cpu" -v wall="$wall" -v version="$version" -v format="$format" 'BEGIN {
  if (format == "json")
    printf "{\"krb5\": \"%s\", \"requests\": %d, \"cpu_us_per_op\": %.2f, \"op_per_s\": %.0f, \"client_op_per_s\": %.0f}\n",
      version, n, cpu / n / 1e3, n * 1e9 / cpu, n * 1e9 / wall
  else
    printf "krb5kdc %s: %d TGS-REQs, %.1f us of CPU each: %.0f a second on one core (asked for: %.0f a second)\n",
      version, n, cpu / n / 1e3, n * 1e9 / cpu, n * 1e9 / wall
}'
