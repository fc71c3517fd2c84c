# Images of the upstream, and pulls of them through the cluster. Part of compose.sh.

proxy() { compose port proxy 8080; }

# fill_origin: each image has one layer of 24 MiB, and a small one
fill_origin() {
  local name dir=$work/run/image origin
  origin=$(compose port registry 5000) || return 1
  for name in sample slow0 slow1 slow2 slow3; do
    rm -rf "$dir"; mkdir -p "$dir"
    head -c $((24 << 20)) /dev/urandom >"$dir/large"
    head -c 100000 /dev/urandom >"$dir/small"
    printf 'FROM scratch\nCOPY large /\nCOPY small /\nCMD ["/none"]\n' >"$dir/Dockerfile"
    docker build --quiet --no-cache --tag "$origin/library/$name:1" "$dir" && docker push --quiet "$origin/library/$name:1" || return 1
    docker image inspect --format '{{.Id}}' "$origin/library/$name:1" >"$work/run/$name.id"
    # The first digest of a manifest is its config's, the second its first layer's.
    curl -fsS -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$origin/v2/library/$name/manifests/1" |
      grep -o 'sha256:[0-9a-f]\{64\}' | sed -n 2p >"$work/run/$name.layer"
    [ -s "$work/run/$name.layer" ] && docker image rm "$origin/library/$name:1" || return 1
  done
}

# pull_is_right NAME: what arrives has the id of what was pushed; nothing of it was here before, and nothing was asked for twice
pull_is_right() {
  local image; image=$(proxy)/library/$1:1
  docker pull "$image" | tee "$work/run/pull.log"
  [ "$(docker image inspect --format '{{.Id}}' "$image")" = "$(cat "$work/run/$1.id")" ] || return 1
  docker image rm "$image"
  ! grep -q 'Already exists\|Retrying' "$work/run/pull.log"
}

pull_without_origin() {
  local code
  compose stop --timeout 2 origin || return 1
  pull_is_right "$1"; code=$?
  compose start origin && return $code
}

blob_url() { echo "http://$(proxy)/v2/library/$1/blobs/$(cat "$work/run/$1.layer")"; }

# begin_pull NAME [OPTION...]: a client begins to read the large layer of an image; $pull is its process, run/NAME.got what has come
begin_pull() { local name=$1; shift; : >"$work/run/$name.got"; curl -sS -o "$work/run/$name.got" "$@" "$(blob_url "$name")" & pull=$!; }

# has_come NAME BYTES: at least
has_come() { [ "$(stat -c %s "$work/run/$1.got")" -ge "$2" ]; }

# arrived NAME: in one answer, whole, and as it was pushed
arrived() {
  local got=$work/run/$1.got code
  wait "$pull"; code=$?
  echo "curl ended with $code after $(stat -c %s "$got") bytes"
  [ $code = 0 ] && [ "sha256:$(sha256sum <"$got" | cut -d ' ' -f 1)" = "$(cat "$work/run/$1.layer")" ]
}

range_is_right() {
  local dir=$work/run
  begin_pull sample && arrived sample || return 1
  curl -fsS -D "$dir/head" -o "$dir/part" -H 'Range: bytes=1000-1999' "$(blob_url sample)" || return 1
  cat "$dir/head"
  grep -q '^HTTP/1.1 206' "$dir/head" && grep -qi '^x-cache: HIT' "$dir/head" && cmp "$dir/part" <(tail -c +1001 "$dir/sample.got" | head -c 1000) || return 1
  # One replica's numbers are nobody's.
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$(proxy)/metrics")" = 404 ]
}

# The same path means another upstream by the name that the client has for the cache.
host_is_right() {
  local list by_default by_name
  list=http://$(proxy)/v2/library/sample/tags/list
  by_default=$(curl -fsS "$list") && by_name=$(curl -fsS -H 'Host: named.test' "$list")
  echo "by default: $by_default, as named.test: $by_name"
  [[ $by_default == *'"1"'* && $by_name == *'"of-the-named-one"'* ]]
}

# bytes_come_early NAME: its layer takes the upstream 12 s
bytes_come_early() {
  begin_pull "$1" --max-time 8
  until_true 6 has_come "$1" 100000 || return 1
  ! has_come "$1" $((24 << 20)) && kill -0 "$pull" && kill "$pull"
}

# The api has the layer at once and the client takes 1 MiB/s of it: an nginx that buffers would have it in a file. One that it has removed from its folder, as it
# does with all that nobody else shall see; its processes show it still.
proxy_holds_nothing() {
  local main held
  begin_pull sample --limit-rate 1m
  until_true 20 has_come sample $((4 << 20)) || return 1
  main=$(pid_of "$(replicas proxy)")
  held=$(for one in $(cat "/proc/$main/task/$main/children"); do ls -l "/proc/$one/fd"; done)
  kill "$pull" || { echo "the client was done before we looked"; return 1; }
  echo "$held"
  grep -q 'socket:' <<<"$held" && ! grep -q '/tmp/proxy' <<<"$held"
}

# Docker forgets the name of a container that ended, and its address does not answer any more. The proxy goes on asking there until it looks the name up again.
# Who came to the lost one must be told nothing of it; that somebody did, the proxy's log says.
requests_survive_lost_api() {
  local victim front url since i one pids='' all_answered=1
  victim=$(replicas api | head -n 1); front=$(replicas proxy); url=http://$(proxy)/v2/library/sample/manifests/1
  [ -n "$victim" ] && [ -n "$front" ] || return 1
  # Its health check has just looked the name up, and the proxy knows it for 2 s.
  until_true 15 changed "$(checks "$front")" checks "$front" || return 1
  since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  docker kill "$victim" || return 1
  for ((i = 0; i < 30; i++)); do curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "$url" >"$work/run/lost.$i" & pids="$pids $!"; done
  for one in $pids; do wait "$one"; done
  for ((i = 0; i < 30; i++)); do [ "$(cat "$work/run/lost.$i")" = 200 ] || { echo "request $i: $(cat "$work/run/lost.$i")"; all_answered=; }; done
  docker logs --since "$since" "$front" 2>&1 | grep 'while connecting to upstream' || { echo "nobody came to the lost one: this shows nothing"; all_answered=; }
  docker start "$victim" && until_true 60 three_of_each && [ -n "$all_answered" ]
}
checks() { docker inspect --format '{{json .State.Health.Log}}' "$1"; }
# changed BEFORE CMD...: what CMD prints is another than it was
changed() { local before=$1; shift; [ "$("$@")" != "$before" ]; }

pull_survives_kill() {
  local victim
  begin_pull "$1"
  until_true 15 has_come "$1" $((4 << 20)) || return 1
  victim=$(downloading_fetcher) && [ -n "$victim" ] || { echo "no fetcher has it"; return 1; }
  echo "killing fetcher $victim"
  ! has_come "$1" $((20 << 20)) && kill -KILL "$(pid_of "$victim")" || return 1
  arrived "$1"
}

# downloading_fetcher: the one whose spool has something in it
downloading_fetcher() {
  local one
  for one in $(replicas fetcher); do
    [ -n "$(find "$(folder_of "$one")/spool" -type f -size +100k -print -quit 2>/dev/null)" ] && { echo "$one"; return 0; }
  done
  return 1
}

pull_survives_replacement() {
  local before one
  before=$(replicas api; replicas fetcher)
  begin_pull "$1"
  until_true 15 has_come "$1" 1 || return 1
  COMPOSE=$(compose_command) "$root/infra/replace.sh" fetcher api && arrived "$1" && three_of_each || return 1
  for one in $before; do ! docker inspect "$one" >/dev/null 2>&1 || { echo "$one is still there"; return 1; }; done
}

stop_waits_for_pull() {
  begin_pull "$1"
  until_true 15 has_come "$1" 1 || return 1
  compose stop api || return 1
  arrived "$1"
}
