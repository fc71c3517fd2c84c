#!/bin/bash
# ./test.sh [unit|integration|cluster] [FILTER]
# Installs what the tests need (Debian or Ubuntu, as root or through sudo; only what is missing), builds Release, runs the tests: unit, integration, and
# of the latter the most telling ones again with the cluster's processes in the place of the standalone service. 'cluster' runs all of them that way.
# The last line is 'N passed, N failed' (', N skipped' when any were). FILTER is a part of a test's full name.
# CI=true or ENTREPOT_REQUIRE_CLIENTS=1: what cannot be tested here is a failure, not a skip.
# ENTREPOT_NO_INSTALL=1: installs nothing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
exec </dev/null
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
# docker-compose may be there as a plug-in only, which runs by itself as well.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec/docker/cli-plugins:/usr/lib/docker/cli-plugins:/usr/local/lib/docker/cli-plugins

steps= filter=
case ${1:-} in
  unit | integration | cluster) steps=$1; shift ;;
  -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
esac
filter=${1:-}
# What is run again in the cluster's shape beside the others: what tells most in a minute or two, and nothing of the standalone service alone.
telling=".Conformance.BlobFacts .Conformance.ManifestFacts .Conformance.RangeFacts .Conformance.ReferenceFacts .ListTests. An_object_that_vanished A_late_joiner Skopeo_pulls"
case $steps:$filter in
  :) steps="unit integration cluster" cluster_filter=$(printf '|FullyQualifiedName~%s' $telling) ;;
  :*) steps="unit integration" ;;
  # The cluster's own tests are the same in either shape.
  cluster:) cluster_filter='|FullyQualifiedName!~IntegrationTests.Cluster.' ;;
esac
results=$PWD/artifacts/test-results

stop() { echo "$*" >&2; echo "0 passed, 1 failed"; exit 1; }

. infra/local/lib/packages.sh

# What the tests run, as command:package. A command that is there is left alone, whoever brought it (docker-ce, for example).
needs="docker-registry:docker-registry skopeo:skopeo podman:podman buildah:buildah containerd:containerd ctr:containerd dockerd:docker.io
  rabbitmq-server:rabbitmq-server radosgw:radosgw ceph-osd:ceph-osd ceph-mon:ceph-mon ceph:ceph-common
  docker:docker.io docker-compose:docker-compose runc:runc crun:crun iptables:iptables mount:mount ps:procps curl:curl git:git"
missing() {
  local need
  for need in $needs; do command -v "${need%%:*}" >/dev/null || echo "${need#*:}"; done
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
  ldconfig -p 2>/dev/null | grep -q 'libsqlite3\.so\.0' || echo libsqlite3-0
}

# install_if_there PACKAGE: for what only some releases have; a part of install_missing
install_if_there() {
  apt-cache show "$1" >/dev/null 2>&1 || return 0
  install_packages "$1" || echo "test.sh: apt-get install failed for: $1" >&2
}

install_missing() {
  local packages
  packages=$(missing | sort -u | tr '\n' ' ')
  [ -n "${packages// /}" ] && [ "${ENTREPOT_NO_INSTALL:-}" != 1 ] || return 0
  if ! command -v apt-get >/dev/null; then echo "test.sh: not Debian or Ubuntu; missing: $packages" >&2; return 0; fi
  if ! can_be_root; then echo "test.sh: neither root nor sudo; missing: $packages" >&2; return 0; fi
  echo "test.sh: installing $packages"
  # shellcheck disable=SC2086
  install_packages $packages || echo "test.sh: apt-get install failed for: $packages" >&2
  # From Debian 13 on the client of docker.io is a package of its own, and so is what it needs to build with BuildKit.
  command -v docker >/dev/null || install_if_there docker-cli
  docker buildx version >/dev/null 2>&1 || install_if_there docker-buildx
}

# count FILE: 'passed failed skipped' of one trx file
count() {
  grep -o '<Counters [^>]*>' "$1" 2>/dev/null | head -n 1 | awk '{
    for (i = 1; i <= NF; i++) if (split($i, kv, "=") == 2) { gsub(/[^0-9]/, "", kv[2]); n[kv[1]] = kv[2] }
    print n["passed"] + 0, n["failed"] + n["error"] + n["timeout"] + n["aborted"] + 0, n["total"] - n["executed"] + 0 }'
}

# reasons FILE: a line for each test that was skipped, and why; dotnet test itself prints the names alone
reasons() {
  awk '/<UnitTestResult /{ name = ""; if (/outcome="NotExecuted"/ && match($0, /testName="[^"]*"/)) name = substr($0, RSTART + 10, RLENGTH - 11) }
    name != "" && match($0, /<Message>[^<]*/) { print "skipped: " name ": " substr($0, RSTART + 9, RLENGTH - 9); name = "" }' "$1" 2>/dev/null |
    sed "s/&apos;/'/g; s/&quot;/\"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g"
}

command -v dotnet >/dev/null || stop "test.sh: there is no dotnet on PATH: install the .NET 10 SDK (https://dotnet.microsoft.com/download)"
install_missing
dotnet build Platform.sln -c Release --nologo -v quiet || stop "test.sh: the build failed"

# Daemons and mounts need root. Where tests may not be skipped and we are not root, the tests run through sudo; the build does not.
as=()
if [ "$(id -u)" != 0 ] && { [ "${CI:-}" = true ] || [ "${ENTREPOT_REQUIRE_CLIENTS:-}" = 1 ]; } && can_be_root; then
  as=(sudo -n --preserve-env env "PATH=$PATH" "HOME=$HOME")
fi

"${as[@]}" rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0
for step in $steps; do
  project=$step shape=standalone which=${filter:+FullyQualifiedName~$filter}
  if [ $step = cluster ]; then project=integration shape=cluster which=${which:-${cluster_filter:-}}; fi
  "${as[@]}" env ENTREPOT_SHAPE=$shape dotnet test "tests/$project" -c Release --no-build --nologo --results-directory "$results" --logger "trx;LogFileName=$step.trx" \
    --blame-hang-timeout 15m --blame-hang-dump-type none ${which:+--filter "${which#|}"}
  code=$?
  read -r p f s < <(count "$results/$step.trx") || { p=0 f=0 s=0; }
  [ "$s" = 0 ] || reasons "$results/$step.trx"
  # A test host that crashed has tests that never reported.
  [ $code = 0 ] || [ "$f" != 0 ] || { echo "test.sh: the $step step ended with code $code" >&2; f=1; }
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
[ ${#as[@]} = 0 ] || "${as[@]}" chown -R "$(id -u):$(id -g)" "$results" tests/*/bin tests/*/obj

if [ "$((passed + failed))" = 0 ]; then echo "test.sh: no test ran" >&2; failed=1; fi
line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" = 0 ]
