#!/bin/bash
# bench/profile.sh
# Says where the time of a manifest hit goes (perf, by part and by function) and what a hit allocates: prints it and writes bench/results/hit-profile.md.
# Needs Linux, perf that may see the kernel (root, or kernel.perf_event_paranoid below 2), nginx, wrk, curl. Takes a minute.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
exec </dev/null
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1 PATH=$PATH:/usr/sbin
stop() { echo "bench/profile.sh: $*" >&2; exit 2; }
case ${1-} in
  -h | --help) sed -n '2,4s/^# //p' bench/profile.sh; exit 0 ;;
  ?*) stop "'$1' is no option; try --help" ;;
esac
for need in dotnet perf nginx wrk curl; do command -v $need >/dev/null || stop "$need is missing"; done

published=bench/.work/entrepot work=$(mktemp -d) pids=()
# The map of .NET's functions is where perf looks for it; it is the process's, named by its pid.
trap 'for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -f "/tmp/perf-$pid.map" "/tmp/perfinfo-$pid.map"; done; rm -rf "$work"' EXIT
dotnet publish services/standalone -c Release -o $published --nologo -v quiet || stop "dotnet publish failed"

# An upstream that has one manifest.
free_port() { local port; while port=$((20000 + RANDOM % 12000)); (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do :; done; echo $port; }
upstream=$(free_port) entrepot=$(free_port)
mkdir -p "$work/www"
layers=$(for i in $(seq 12); do printf '%s{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%064d","size":1000}' "${comma-}" "$i"; comma=,; done)
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%064d","size":2},"layers":[%s]}' 0 "$layers" > "$work/www/manifest"
digest=sha256:$(sha256sum "$work/www/manifest" | cut -d' ' -f1)
cat > "$work/nginx.conf" <<N
$([ "$(id -u)" = 0 ] && echo "user root;") daemon off; pid $work/nginx.pid; error_log $work/nginx.log;
events {}
http {
  access_log off; client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  server {
    listen 127.0.0.1:$upstream;
    location = /v2/ { return 200; }
    location ~ /manifests/ {
      root $work/www; try_files /manifest =404; types {} default_type application/vnd.oci.image.manifest.v1+json;
      add_header Docker-Content-Digest $digest;
    }
    location / { return 404; }
  }
}
N
nginx -e "$work/nginx.log" -c "$work/nginx.conf" & pids+=($!)
echo "{\"Urls\":\"http://127.0.0.1:$entrepot\",\"DataDirectory\":\"$work/data\",\"Upstreams\":{\"bench.test\":{\"Url\":\"http://127.0.0.1:$upstream\"}},\"DefaultUpstream\":\"bench.test\"}" > "$work/entrepot.json"
# perf finds the names of compiled code only where that lies in anonymous memory; that costs nothing once it is compiled.
DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0 $published/Entrepot.Standalone --config "$work/entrepot.json" > "$work/entrepot.log" 2>&1 & pids+=($!)
pid=$!
url=http://127.0.0.1:$entrepot
hit=$url/v2/library/image/manifests/$digest
for _ in $(seq 100); do [ "$(curl -s -o /dev/null -w '%{http_code}' "$hit")" = 200 ] && break; kill -0 $pid 2>/dev/null || break; sleep 0.2; done
[ "$(curl -s -o /dev/null -w '%{http_code}' "$hit")" = 200 ] || { tail -5 "$work/entrepot.log" >&2; stop "Entrepot does not answer $hit"; }

allocated() { curl -s $url/metrics | awk '/^dotnet_gc_heap_total_allocated/ { sum += $NF } END { printf "%.0f", sum }'; }
requests() { awk '/requests in/ { print $1 }'; }
wrk -t1 -c32 -d10s "$hit" > /dev/null
before=$(allocated)
count=$(wrk -t1 -c32 -d5s "$hit" | requests)
after=$(allocated)
wrk -t1 -c32 -d7s "$hit" > "$work/wrk" & wrk=$!
sleep 1
perf record -q -F 1999 -g -p $pid -o "$work/perf.data" sleep 5 || stop "perf can't record"
wait $wrk
grep -q 'Non-2xx' "$work/wrk" && stop "not every answer was a hit"

perf report -q -i "$work/perf.data" --no-children -g none --sort dso,symbol -F sample,dso,symbol -t '|' 2>/dev/null | sed 's/ *| */|/g; s/^ *//' | sort -rn > "$work/report"
total=$(awk -F'|' '{ sum += $1 } END { print sum }' "$work/report")
mkdir -p bench/results
{
  echo "# Where the time of a manifest hit goes"
  echo
  echo "Written by \`bench/profile.sh\`: \`wrk -t1 -c32\` on $(nproc) CPUs, $(awk '/Requests\/sec/ { printf "%d", $2 }' "$work/wrk") requests/s under perf. A hit allocates $(((after - before) / count)) bytes of managed memory."
  echo
  echo "| part | time |"
  echo "|---|---|"
  awk -F'|' -v total="$total" '{
    part = "the runtime (garbage collector, thread pool, native glue)"
    if ($2 ~ /kernel/) part = "the kernel"
    else if ($3 ~ /Entrepot/) part = "Entrepot"
    else if ($3 ~ /Kestrel/) part = "Kestrel"
    else if ($3 ~ /System\.Net\.Sockets/) part = "System.Net.Sockets"
    else if ($2 ~ /JIT|\.dll/) part = "other .NET code"
    sum[part] += 100 * $1 / total
  } END { for (part in sum) printf "%05.1f| %s | %.1f %% |\n", sum[part], part, sum[part] }' "$work/report" | sort -rn | sed 's/^[^|]*//'
  echo
  echo "| function | in | time |"
  echo "|---|---|---|"
  awk -F'|' -v total="$total" '{
    where = $2; sub(/.*\//, "", where); sub(/.*JIT.*/, ".NET", where); sub(/.*kernel.*/, "kernel", where)
    name = $3; sub(/^\[.\] /, "", name); sub(/^0x[0-9a-f]+ *$/, "(no name)", name)
    if (match(name, /[A-Za-z0-9_.`]+::[A-Za-z0-9_.]+/)) name = substr(name, RSTART, RLENGTH)
    gsub(/`/, "", name); sum["`" name "` | " where] += 100 * $1 / total
  } END { for (name in sum) printf "%05.1f| %s | %.1f %% |\n", sum[name], name, sum[name] }' "$work/report" | sort -rn | head -30 | sed 's/^[^|]*//'
} | tee bench/results/hit-profile.md
