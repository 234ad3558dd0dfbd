# SPDX-License-Identifier: BSD-3-Clause
# Redis of a lab: three hosts, each with a server and a Sentinel, as deploy/redis/configure.sh sets them up;
# sourced by lab.sh.
# shellcheck shell=bash disable=SC2154

# redis_cli NAME PORT ARGS...: as the operator.
redis_cli() {
  local name=$1 port=$2
  shift 2
  REDISCLI_AUTH=$(<"$dir/passwords/admin") timeout 5 ip netns exec "$lab-$name" \
    redis-cli --user admin --no-auth-warning -h "$(management_address "$name")" -p "$port" "$@"
}

redis_configure() {
  "$root/deploy/redis/configure.sh" --address "$(management_address "$1")" --primary "$(management_address redis1)" \
    --dir "$dir/$1" --passwords "$dir/passwords" --maxmemory 3gb --down-after 500 --failover-timeout 3000
}

# The address of the primary as the first Sentinel that answers knows it; empty: none answers.
redis_primary() {
  local name
  for name in "${redis_names[@]}"; do
    process_pid "$name" sentinel >/dev/null || continue
    redis_cli "$name" 26379 sentinel get-master-addr-by-name tkms 2>/dev/null | head -1 | grep . && return 0
  done
  return 0
}

# A server that comes back joins the primary of today. (Left alone it would find out from the Sentinels, about
# ten seconds later.)
start_server() {
  local primary own
  primary=$(redis_primary)
  own=$(management_address "$1")
  if [[ -n $primary ]]; then
    sed -i '/^replicaof /d' "$dir/$1/redis.conf"
    [[ $primary == "$own" ]] || printf 'replicaof %s 6379\n' "$primary" >>"$dir/$1/redis.conf"
  fi
  spawn "$1" server redis-server "$dir/$1/redis.conf"
}

start_sentinel() { spawn "$1" sentinel redis-sentinel "$dir/$1/sentinel.conf"; }

# The server is the primary, or a replica with a link to it.
redis_joined() {
  local role
  role=$(redis_cli "$1" 6379 role 2>/dev/null | tr '\n' ' ') || return 1
  [[ $role == master* || $role == "slave "*" connected "* ]]
}

# The Sentinel of NAME knows a live primary, both replicas in order, and both other Sentinels.
sentinel_knows() {
  redis_cli "$1" 26379 --json sentinel master tkms 2>/dev/null |
    jq -e '.flags == "master" and ."num-slaves" == "2" and ."num-other-sentinels" == "2"' >/dev/null &&
    redis_cli "$1" 26379 --json sentinel replicas tkms 2>/dev/null |
    jq -e 'length == 2 and all(.flags == "slave" and ."master-link-status" == "ok")' >/dev/null &&
    [[ $(redis_cli "$1" 26379 sentinel ckquorum tkms 2>/dev/null) == OK* ]]
}

# redis_await SENTENCE COMMAND NAME: the command succeeds within a minute.
redis_await() {
  local deadline=$((SECONDS + 60))
  until "$2" "$3"; do
    host_alive "$3"
    [[ $SECONDS -lt $deadline ]] || {
      host_logs "$3" 30 >&2
      die "$3: $1"
    }
    sleep 0.1
  done
}

# Servers first: a Sentinel asks for the replicas when it starts and then every ten seconds only, and a primary
# that dies before they are known is never replaced.
redis_up() {
  local name
  for name in "${redis_names[@]}"; do
    redis_configure "$name"
    start_server "$name"
  done
  for name in "${redis_names[@]}"; do
    local deadline=$((SECONDS + 60))
    until redis_joined "$name"; do
      if ! process_pid "$name" server >/dev/null || [[ $SECONDS -ge $deadline ]]; then
        host_logs "$name" 30 >&2
        die "the Redis server of $name does not join the others"
      fi
      sleep 0.05
    done
  done
  for name in "${redis_names[@]}"; do start_sentinel "$name"; done
}

redis_wait_all() {
  local name
  for name in "${redis_names[@]}"; do redis_await "its Sentinel does not know the others" sentinel_knows "$name"; done
}

# redis_wait NAME: it is part of the set again. With no other running there is no set, it has to answer only.
redis_wait() {
  local name running=0
  for name in "${redis_names[@]}"; do
    ! { process_pid "$name" server && process_pid "$name" sentinel; } >/dev/null || running=$((running + 1))
  done
  if [[ $running -eq ${#redis_names[@]} ]]; then
    redis_wait_all
  else
    redis_await "it does not answer" redis_answers "$1"
  fi
}
redis_answers() { [[ $(redis_cli "$1" 6379 ping 2>/dev/null) == PONG && $(redis_cli "$1" 26379 ping 2>/dev/null) == PONG ]]; }
