#!/bin/bash
# bench/cluster.sh [--only NAME,...] [--rounds N] [--mebibytes N] [--images N] [--results DIR]
# Measures the cluster on this machine, with infra/local/cluster.sh; ends with 0 only when every bound holds. --help tells more.
# Installs what it needs (Debian or Ubuntu: docker-registry as root or through sudo; PostgreSQL, RabbitMQ and the S3 server as root only).
# Needs about 8 GB of memory and 15 GB of disk (TMPDIR says where). Measure on a machine that does nothing else.
set -uo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
exec </dev/null
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
name=bench/cluster.sh
[ "${1-}" != chaos ] || name=bench/chaos.sh
stop() { echo "$name: $*" >&2; exit 2; }

measures=1 arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) measures= ;;
    --results) # relative to where the command was typed
      [ $# -gt 1 ] || stop "--results needs a folder"
      case $2 in /*) ;; *) set -- "$1" "$called_from/$2" "${@:3}" ;; esac
      arguments+=("$1"); shift ;;
  esac
  arguments+=("$1"); shift
done

command -v dotnet >/dev/null || stop "there is no dotnet on PATH: install the .NET 10 SDK (https://dotnet.microsoft.com/download)"
# The services are built with it.
dotnet build bench/cluster -c Release --nologo -v quiet || stop "the build failed"
if [ -n "$measures" ] && ! command -v docker-registry >/dev/null; then
  [ "${ENTREPOT_NO_INSTALL:-}" != 1 ] && command -v apt-get >/dev/null || stop "missing: docker-registry"
  echo "$name: installing docker-registry"
  . infra/local/lib/packages.sh
  install_packages docker-registry
  command -v docker-registry >/dev/null || stop "docker-registry could not be installed"
fi
exec bench/cluster/bin/Release/net10.0/Entrepot.ClusterBench ${arguments[@]+"${arguments[@]}"}
