#!/bin/bash
# The cluster as plain processes on this machine: PostgreSQL, RabbitMQ, an S3 server (Ceph's gateway), and Entrepot's services. For developing and for tests.
#   cluster.sh up [--api N] [--fetcher M] [--config FILE] [--data DIR]   starts everything and returns when all are ready
#   cluster.sh up --servers-only [--data DIR]                           the same without Entrepot's services
#   cluster.sh ps                                                       one line per process: NAME PID URL
#   cluster.sh start|stop|pause|resume|kill NAME                         stop: SIGTERM; pause: SIGSTOP; kill: SIGKILL
#   cluster.sh logs NAME
#   cluster.sh rabbitmqctl [--data DIR] ARGUMENT...                      RabbitMQ's own tool
#   cluster.sh down                                                     ends all; the data stays in DIR
# NAME is api-1, fetcher-2, janitor-1, postgres, rabbitmq or s3. FILE is an entrepot.json; what the cluster needs besides is added.
# DIR is ./entrepot-cluster by default; the other commands find a running cluster by themselves, or are told by --data. Nothing is written elsewhere.
# DIR/conf/NAME.env: lines of Entrepot__KEY=VALUE that this one process gets besides, at its next start.
# ENTREPOT_PORT_BASE: the first of 300 ports (5300). ENTREPOT_NO_BUILD=1: up takes the services as they were built last; otherwise it builds them.
# Installs what is missing as root, on Debian and Ubuntu. ENTREPOT_NO_INSTALL=1: installs nothing.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
. "$here/lib/packages.sh"
. "$here/lib/process.sh"
. "$here/lib/servers.sh"
. "$here/lib/services.sh"

die() { echo "cluster.sh: $*" >&2; exit 1; }
usage() { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit "${1:-0}"; }

command=${1:-}; [ $# -gt 0 ] && shift
apis=1 fetchers=1 servers_only= config= data= name=
while [ $# -gt 0 ]; do
  # What it is given is not ours to read.
  [ "$command" != rabbitmqctl ] || [ "$1" = --data ] || break
  case $1 in
    --api | --fetcher | --config | --data) [ $# -gt 1 ] || die "$1 needs a value" ;;
  esac
  case $1 in
    --api) apis=$2; shift ;;
    --fetcher) fetchers=$2; shift ;;
    --servers-only) servers_only=1 ;;
    --config) config=$2; shift ;;
    --data) data=$2; shift ;;
    -h | --help) usage ;;
    -*) die "unknown option $1; --help tells what there is" ;;
    *) [ -z "$name" ] || die "one name at a time, not '$name' and '$1'"; name=$1 ;;
  esac
  shift
done
for count in "$apis" "$fetchers"; do [[ $count =~ ^[1-9][0-9]?$ ]] || die "'$count' is not a number of processes: 1 to 99"; done

# Where the cluster lies: as told, or where the one that runs does.
find_data() {
  [ -n "$data" ] && { data=$(realpath -m "$data"); return; }
  local found
  found=$(grep -hazo '^ENTREPOT_CLUSTER=.*' /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | sed -n 's/^ENTREPOT_CLUSTER=//p' | sort -u)
  [ -z "$found" ] || found=$(while read -r data; do [ -z "$(names_running)" ] || echo "$data"; done <<<"$found")
  [ "$(wc -l <<<"$found")" = 1 ] || die "several clusters run; say which with --data: $(tr '\n' ' ' <<<"$found")"
  data=${found:-$PWD/entrepot-cluster}
}

up() {
  data=$(realpath -m "${data:-$PWD/entrepot-cluster}")
  [ -z "$config" ] || { [ -r "$config" ] || die "--config $config can't be read"; config=$(realpath "$config"); }
  # Open to walk through for the servers' users, whatever the umask.
  (umask 022 && mkdir -p "$data"/{run,log,conf,servers}) || die "--data $data can't be written"
  local running; running=$(names_running)
  [ -z "$running" ] || die "a cluster runs in $data already ($(tr '\n' ' ' <<<"$running")): cluster.sh down --data $data"
  export ENTREPOT_CLUSTER=$data
  printf 'apis=%s\nfetchers=%s\nservers_only=%s\nconfig=%q\nport_base=%s\n' "$apis" "$fetchers" "$servers_only" "$config" "${ENTREPOT_PORT_BASE:-5300}" >"$data/conf/cluster.env"
  load
  install_servers
  check_reach
  [ -n "$servers_only" ] || build_services
  local failed= started
  for started in postgres rabbitmq s3; do start_one "$started" & done
  wait
  for started in $(service_names); do start_one "$started"; done
  for started in postgres rabbitmq s3 $(service_names); do wait_ready "$started" || failed="$failed $started"; done
  [ -z "$failed" ] && return
  echo "cluster.sh: not ready:$failed; the end of the first log:" >&2
  tail -n 20 "$data/log/$(set -- $failed; echo "$1").log" >&2
  die "what has started runs on, to be looked at; to end it: cluster.sh down --data $data"
}

load() {
  [ -r "$data/conf/cluster.env" ] || die "there is no cluster in $data: cluster.sh up --data $data"
  . "$data/conf/cluster.env"
  export ENTREPOT_CLUSTER=$data
}

service_names() {
  [ -z "$servers_only" ] || return 0
  local i
  for ((i = 1; i <= apis; i++)); do echo "api-$i"; done
  for ((i = 1; i <= fetchers; i++)); do echo "fetcher-$i"; done
  echo janitor-1
}

known() {
  [ -n "$name" ] || die "$command needs a name: $(all_names | tr '\n' ' ')"
  grep -qx -- "$name" <<<"$(all_names)" || die "there is no '$name' here; there are: $(all_names | tr '\n' ' ')"
}
all_names() { printf '%s\n' postgres rabbitmq s3; service_names; }

start_one() {
  is_running "$1" && return 0
  case $1 in
    postgres | rabbitmq | s3) "start_$1" ;;
    *) start_service "$1" ;;
  esac
}

case $command in
  up) [ -z "$name" ] || die "up takes no name"; up; exec "$0" ps --data "$data" ;;
  ps) find_data; load; for one in $(all_names); do is_running "$one" && echo "$one $(pid_of "$one") $(url_of "$one")"; done; exit 0 ;;
  start) find_data; load; known; start_one "$name"; wait_ready "$name" || die "$name did not get ready; $data/log/$name.log tells why" ;;
  stop) find_data; load; known; stop_one "$name" ;;
  pause) find_data; load; known; signal_tree "$name" STOP ;;
  resume) find_data; load; known; signal_tree "$name" CONT ;;
  kill) find_data; load; known; signal_tree "$name" KILL; wait_gone "$name" 10 ;;
  rabbitmqctl) find_data; load; rabbitmqctl "$@" ;;
  logs) find_data; load; known; cat "$data/log/$name.log" ;;
  down) find_data; load
    for one in $(service_names); do stop_one "$one" & done; wait
    for one in s3 rabbitmq postgres; do stop_one "$one" & done; wait ;;
  -h | --help) usage ;;
  *) usage 1 >&2 ;;
esac
