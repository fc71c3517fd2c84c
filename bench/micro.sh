#!/bin/bash
# bench/micro.sh [FILTER]
# Measures the inner loops (time and allocation) in a minute or two: builds Release, runs bench/micro, prints the table.
# Without FILTER, everything is measured and the table becomes bench/results/micro.md. FILTER is a part of a name, such as Range or IndexBenchmarks.BlobHit.
# Measure on a machine that does nothing else.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1

stop() { echo "bench/micro.sh: $*" >&2; exit 2; }

case ${1-} in
  -h | --help) sed -n '2,5s/^# //p' bench/micro.sh; exit 0 ;;
  -*) stop "'$1' is no option; try --help" ;;
esac
[ $# -le 1 ] || stop "one FILTER at most, not $#"
[ $# = 0 ] || [ -n "$1" ] || stop "FILTER is empty; leave it out to measure everything"
command -v dotnet >/dev/null || stop "there is no dotnet on PATH: install the .NET 10 SDK (https://dotnet.microsoft.com/download)"

out=artifacts/micro
dotnet build bench/micro -c Release --nologo -v quiet || stop "the build failed"
rm -rf "$out"
mkdir -p "$out" || stop "can't write $out"
dotnet bench/micro/bin/Release/net10.0/Entrepot.Bench.Micro.dll "$out" "$@" || exit
echo
cat "$out/table.md" || exit 1
[ $# = 1 ] || cp "$out/table.md" bench/results/micro.md
