#!/bin/bash
# bench/run.sh [--rounds N] [--only SCENARIO,...] [--soak] [--quick] [--list] [--results DIR]
# Compares Entrepot, as users run it, with its peers; ends with 0 only when every bound holds. --help tells more.
# Installs what it needs (Debian or Ubuntu, as root or through sudo; only what is missing). ENTREPOT_NO_INSTALL=1: installs nothing.
# Needs about 8 GB of memory and 12 GB of disk. Measure on a machine that does nothing else.
set -uo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
exec </dev/null
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
program=bench/compare/bin/Release/net10.0/Entrepot.Compare
published=bench/.work/entrepot

stop() { echo "bench/run.sh: $*" >&2; exit 2; }
# root CMD...: as root; through sudo, which never asks (there may be no terminal), when we are somebody else
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

# What is run, as command:package.
missing() {
  local need
  for need in nginx:nginx-light docker-registry:docker-registry skopeo:skopeo wrk:wrk git:git; do
    command -v "${need%%:*}" >/dev/null || echo "${need#*:}"
  done
  [ -e /usr/lib/nginx/modules/ngx_http_echo_module.so ] || echo libnginx-mod-http-echo
}

# Installs without starting services: we start our own, on ports of our own.
install_missing() {
  local packages guard=/usr/sbin/policy-rc.d guarded=
  packages=$(missing | tr '\n' ' ')
  [ -n "${packages// /}" ] && [ "${ENTREPOT_NO_INSTALL:-}" != 1 ] || return 0
  command -v apt-get >/dev/null || stop "not Debian or Ubuntu; missing: $packages"
  can_be_root || stop "neither root nor sudo; missing: $packages"
  echo "bench/run.sh: installing $packages"
  if [ ! -e $guard ]; then printf '#!/bin/sh\nexit 101\n' | root tee $guard >/dev/null && root chmod 755 $guard && guarded=1; fi
  local apt="root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
  $apt update || echo "bench/run.sh: apt-get update failed; trying with the lists there are" >&2
  # shellcheck disable=SC2086
  $apt install -y --no-install-recommends $packages >/dev/null || echo "bench/run.sh: apt-get install failed" >&2
  [ -z "$guarded" ] || root rm -f $guard
  packages=$(missing | tr '\n' ' ')
  [ -z "${packages// /}" ] || stop "missing: $packages"
}

measures=1 arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help | --list) measures= ;;
    --results) # relative to where the command was typed
      [ $# -gt 1 ] || stop "--results needs a folder"
      case $2 in /*) ;; *) set -- "$1" "$called_from/$2" "${@:3}" ;; esac
      arguments+=("$1"); shift ;;
  esac
  arguments+=("$1"); shift
done

command -v dotnet >/dev/null || stop "there is no dotnet on PATH: install the .NET 10 SDK (https://dotnet.microsoft.com/download)"
dotnet build bench/compare -c Release --nologo -v quiet || stop "the build failed"
if [ -n "$measures" ]; then
  install_missing
  rm -rf "$published"
  dotnet publish services/standalone -c Release -o "$published" --nologo -v quiet || stop "dotnet publish failed"
fi
exec "$program" ${arguments[@]+"${arguments[@]}"}
