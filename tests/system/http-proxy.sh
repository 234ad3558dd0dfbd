#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# HAProxy in front of the edge, as deploy/haproxy configures it: TLS, HTTP/2, and whom a request comes from.
. "$(dirname "$0")/lib.sh"

subscribers 50 "$work/subscribers.jsonl"
lab_up --subscribers "$work/subscribers.jsonl" --http
host=10.69.3.1
client tkms-bench load --kms "$TKMS_ADDRESSES" --rate 50 --seconds 1 --subscribers "$work/subscribers.jsonl" --save "$work/messages"
xxd -r -p <(head -1 "$work/messages") >"$work/message"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=kms.example -days 2 \
  -addext subjectAltName=IP:$host -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/openssl.log"
cat "$work/tls.crt" "$work/tls.key" >"$work/tls.pem"
chmod 711 "$work"
sed -e "s#/etc/haproxy/tkms.pem#$work/tls.pem#" -e "s#bind :443#bind $host:443#" \
  -e 's#sc0_conn_cur gt 256#sc0_conn_cur gt 20#' -e 's#server edge1 .*#server edge1 127.0.0.1:8080 check inter 200ms#' "$root/deploy/haproxy/haproxy.cfg" >"$work/haproxy.cfg"
# setpriv: as the unit does, an ordinary user with one capability. Port 80 needs it.
ip netns exec "$TKMS_LAB-http" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +net_bind_service \
  --ambient-caps +net_bind_service "$TKMS_BUILD/dataplane/http/tkms-http" --set "kms=$TKMS_ADDRESSES" \
  --set "listen=127.0.0.1:8080,$host:80" --set metrics= --set access_log=all --set trusted_proxies=127.0.0.0/8 \
  --set requests_per_source=0 --set access_log_rate=0 >"$work/edge.log" 2>&1 &
edge_pid=$!
background+=("$edge_pid")
ip netns exec "$TKMS_LAB-http" haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
background+=($!)

url=https://$host/keymanagement
mikey='Content-Type: application/mikey'
post() { client curl -s -m 10 --cacert "$work/tls.crt" -o "$work/body" -w '%{http_version} %{http_code}' -H "$mikey" --data-binary "@$work/message" "$@"; }
ready() { test "$(post "$url")" = "2 200"; }
eventually 15 "a message over TLS and HTTP/2 is answered" ready
decodes() { "$TKMS_BUILD/control/tkmsctl" decode "$work/body" | grep -q RESOLVE_RESP; }
check "with a RESOLVE_RESP" decodes
check "HTTP/1.1 over TLS too" test "$(post --http1.1 "$url")" = "1.1 200"
check "TLS 1.1 is refused" test "$(post --tls-max 1.1 "$url")" = "0 000"
nghttp_post() { client nghttp -v -H ':method: POST' -H "${mikey,,}" -d "$work/message" "$url" >"$work/nghttp.log" 2>&1 && grep -q ':status: 200' "$work/nghttp.log"; }
check "nghttp's client gets its answer" nghttp_post
many() {
  client h2load -n 3000 -c 8 -m 16 -H "$mikey" -d "$work/message" "$url" >"$work/h2load.log" 2>&1
  grep -q '3000 succeeded, 0 failed, 0 errored' "$work/h2load.log" && grep -q 'status codes: 3000 2xx' "$work/h2load.log"
}
check "3000 requests over 8 connections with 16 streams each: all answered" many
check "a client has 20 connections and no more, where 20 is the limit" \
  test "$(client python3 "$tests/http_clients.py" open "$host" 443 / 40)" = open=20
check "413 for a body that is too long" test "$(client curl -s -m 10 --cacert "$work/tls.crt" -o /dev/null -w '%{http_code}' -H "$mikey" --data-binary @<(head -c 20000 /dev/zero) "$url")" = 413
check "404 comes through" test "$(post "https://$host/other")" = "2 404"

logged() { grep -qE "client=$1 .* status=$2 " "$work/edge.log"; }
check "the log names the client, not the proxy" logged 10.69.2.1 200
check "nobody is logged by the proxy's address but the proxy itself" test "$(grep 'client=127.0.0.1' "$work/edge.log" | grep -vc 'method=GET')" -eq 0
post -H 'X-Forwarded-For: 192.0.2.66' "$url" >"$work/spoofed"
post --interface 10.69.128.9 -H 'X-Forwarded-For: 192.0.2.67' "http://$host/keymanagement" >>"$work/spoofed"
check "a client is not who it says, neither through the proxy nor directly" \
  test "$(grep -c 'client=192.0.2.6' "$work/edge.log")" -eq 0
check "without the proxy it is its own address" logged 10.69.128.9 200
bare() { grep -qx 'CapPrm:	0000000000000000' "/proc/$edge_pid/status" && grep -qx 'CapAmb:	0000000000000000' "/proc/$edge_pid/status"; }
check "the capability for port 80 is given up" bare
