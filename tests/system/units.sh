#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What is shipped beside the programs is right: units, example configuration, package list, scripts' help.
. "$(dirname "$0")/lib.sh"

for unit in tkms-control tkms-dataplane tkms-http; do
  sed "s#/usr/local/bin/\(tkms-[a-z]*\)#$work/bin/\1#" "$root/deploy/systemd/$unit.service" >"$work/$unit.service"
done
mkdir "$work/bin"
cp "$TKMS_BUILD/control/tkms-control" "$TKMS_BUILD/control/tkmsctl" "$TKMS_BUILD/dataplane/tkms-dataplane" \
  "$TKMS_BUILD/dataplane/http/tkms-http" "$work/bin"
verify() {
  systemd-analyze verify "$work"/tkms-*.service 2>&1 | tee "$work/verify"
  test ! -s "$work/verify"
}
check "systemd accepts the units without a word" verify
exposure() {
  systemd-analyze security --no-pager --offline=true --threshold="$2" "$work/$1.service"
}
check "the control process' sandbox is tight" exposure tkms-control 20
check "the data plane's sandbox is as tight as its ports allow" exposure tkms-dataplane 40
check "the edge's sandbox is tight" exposure tkms-http 20

example() { diff <(tail -n +2 "$root/deploy/tkms.yaml") <("$TKMS_BUILD/control/tkms-control" --print-config); }
check "the example configuration is what tkms-control says about its settings" example
check "the example configuration is accepted" "$TKMS_BUILD/control/tkmsctl" check-config "$root/deploy/tkms.yaml"
sed 's/^  identity:.*/  identity: nobody/' "$root/deploy/tkms.yaml" >"$work/bad.yaml"
refuses "a wrong one is refused, with file, line and key" "identity" "$TKMS_BUILD/control/tkmsctl" check-config "$work/bad.yaml"
cp "$work/check.log" "$work/said"
check "the message names file and line" grep -qE "bad.yaml:[0-9]+" "$work/said"
"$TKMS_BUILD/dataplane/http/tkms-http" --print-config >"$work/http.yaml"
check "the settings that tkms-http prints are accepted by it" "$TKMS_BUILD/dataplane/http/tkms-http" --config "$work/http.yaml" --check-config
refuses "a wrong one of the edge is refused" "http.yaml:1: workes: unknown setting" \
  sh -c "echo 'workes: 2' >'$work/http.yaml' && '$TKMS_BUILD/dataplane/http/tkms-http' --config '$work/http.yaml' --check-config"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=kms.example -days 2 \
  -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/openssl.log"
cat "$work/tls.crt" "$work/tls.key" >"$work/tls.pem"
sed "s#/etc/haproxy/tkms.pem#$work/tls.pem#" "$root/deploy/haproxy/haproxy.cfg" >"$work/haproxy.cfg"
check "HAProxy accepts its configuration" haproxy -c -f "$work/haproxy.cfg"
check "every package of the list is installed" "$root/deploy/packages.sh" --check
for script in quickstart test lab; do
  check "deploy/$script.sh explains itself" grep -q "deploy/$script.sh" <("$root/deploy/$script.sh" --help)
done
for program in control/tkms-control control/tkmsctl dataplane/tkms-dataplane dataplane/http/tkms-http bench/tkms-ue; do
  check "$program --help prints a usage" sh -c "'$TKMS_BUILD/$program' --help | grep -qi usage"
done
