#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   deploy/redis/configure.sh --address IP --primary IP --dir DIR --passwords DIR [options]
#
# Writes redis.conf, users.acl and sentinel.conf of one of the three Redis servers into --dir, from the
# templates beside this script. Then: redis-server DIR/redis.conf; redis-sentinel DIR/sentinel.conf
#
#   --address IP         this server, on the management network
#   --primary IP         the server that is the primary at first; the others become its replicas
#   --dir DIR            for the files and the data; made if missing, only its owner can look into it
#   --passwords DIR      a file each for the users tkms, replica, sentinel and admin. What is missing is made:
#                        run it once, copy the folder to the other servers, and the file "tkms" to the nodes
#   --maxmemory SIZE     default 2gb
#   --prefix NAME        sync.prefix of tkms.yaml (default tkms)
#   --down-after MS      silence after which a primary is replaced (default 2000)
#   --failover-timeout MS  (default 20000)
#   --help               this text
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() { sed -n '4,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }
die() {
  printf 'configure.sh: %s\n' "$*" >&2
  exit 1
}

maxmemory=2gb prefix=tkms down_after=2000 failover_timeout=20000 address='' primary='' dir='' passwords=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --address | --primary | --dir | --passwords | --maxmemory | --prefix | --down-after | --failover-timeout)
      [[ $# -ge 2 ]] || die "$1 needs a value"
      name=${1#--}
      printf -v "${name//-/_}" '%s' "$2"
      shift
      ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
for name in address primary dir passwords; do [[ -n ${!name} ]] || die "--$name is missing (see --help)"; done
[[ $address =~ ^[0-9A-Fa-f.:]+$ && $primary =~ ^[0-9A-Fa-f.:]+$ ]] || die "--address and --primary are IP addresses"
[[ $prefix =~ ^[A-Za-z0-9_-]+$ ]] || die "--prefix: letters, digits, '-' and '_'"
[[ $maxmemory =~ ^[0-9]+[a-z]*$ && $down_after =~ ^[0-9]+$ && $failover_timeout =~ ^[0-9]+$ ]] ||
  die "--maxmemory, --down-after and --failover-timeout are numbers"
# They go into sed and into configuration files.
[[ $dir =~ ^/[A-Za-z0-9._/-]+$ && $passwords =~ ^/[A-Za-z0-9._/-]+$ ]] ||
  die "--dir and --passwords are absolute paths of letters, digits and . _ - /"

umask 077
mkdir -p "$dir" "$passwords"
for user in tkms replica sentinel admin; do
  [[ -s $passwords/$user ]] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$passwords/$user"
done

# secret USER: its password; hash USER: as an ACL has it.
secret() {
  local text
  text=$(<"$passwords/$1")
  [[ $text =~ ^[A-Za-z0-9._-]+$ ]] || die "$passwords/$1: letters, digits and . _ - only"
  printf '%s' "$text"
}
for user in tkms replica sentinel admin; do secret "$user" >/dev/null || exit 1; done
hash() { secret "$1" | sha256sum | cut -d' ' -f1; }

# Passwords go through a pipe, not through the command line, which others can see.
fill() {
  cat <<END
s|@ADDRESS@|$address|g
s|@PRIMARY@|$primary|g
s|@DIR@|$dir|g
s|@MAXMEMORY@|$maxmemory|g
s|@PREFIX@|$prefix|g
s|@DOWN_AFTER@|$down_after|g
s|@FAILOVER_TIMEOUT@|$failover_timeout|g
s|@REPLICA_PASSWORD@|$(secret replica)|g
s|@SENTINEL_PASSWORD@|$(secret sentinel)|g
s|@TKMS_SHA256@|$(hash tkms)|g
s|@REPLICA_SHA256@|$(hash replica)|g
s|@SENTINEL_SHA256@|$(hash sentinel)|g
s|@ADMIN_SHA256@|$(hash admin)|g
END
}
for file in redis.conf sentinel.conf users.acl; do
  fill | sed -f /dev/stdin "$here/$file" >"$dir/$file"
done
sed -i '/^#/d; /^$/d' "$dir/users.acl"
[[ $address == "$primary" ]] || printf 'replicaof %s 6379\n' "$primary" >>"$dir/redis.conf"
