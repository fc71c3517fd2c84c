# Images of the upstream, and pulls of them through the cluster. Part of compose.sh.

proxy() { compose port proxy 8080; }

# fill_origin: each image has one layer of 24 MiB, and a small one
fill_origin() {
  local name dir=$work/run/image origin
  origin=$(compose port registry 5000) || return 1
  for name in sample slow0 slow1 slow2; do
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

range_is_right() {
  local dir=$work/run
  curl -fsS -o "$dir/whole" "$(blob_url sample)" && [ "sha256:$(sha256sum <"$dir/whole" | cut -d ' ' -f 1)" = "$(cat "$dir/sample.layer")" ] || return 1
  curl -fsS -D "$dir/head" -o "$dir/part" -H 'Range: bytes=1000-1999' "$(blob_url sample)" || return 1
  cat "$dir/head"
  grep -q '^HTTP/1.1 206' "$dir/head" && grep -qi '^x-cache: HIT' "$dir/head" && cmp "$dir/part" <(tail -c +1001 "$dir/whole" | head -c 1000) || return 1
  # The Host is the client's own: containerd's way of naming an upstream is answered, /metrics is not.
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$(proxy)/metrics")" = 404 ]
}

# The layer takes its upstream 12 s.
bytes_come_early() {
  local got
  got=$(curl -s --max-time 6 -o /dev/null -w '%{size_download}' "$(blob_url slow0)")
  echo "$got bytes in 6 s"
  [ "$got" -gt 0 ] && [ "$got" -lt $((24 << 20)) ]
}

pull_survives_kill() {
  local pull victim
  pull_is_right "$1" >"$work/run/survives.log" 2>&1 & pull=$!
  until_true 10 downloading_fetcher || return 1
  sleep 2
  victim=$(downloading_fetcher)
  echo "killing fetcher $victim"
  kill -KILL "$(pid_of "$victim")"
  wait "$pull"; local code=$?
  cat "$work/run/survives.log"
  return $code
}

# downloading_fetcher: the one whose spool has something in it
downloading_fetcher() {
  local one
  for one in $(replicas fetcher); do
    [ -n "$(find "$(folder_of "$one")/spool" -type f -size +100k -print -quit 2>/dev/null)" ] && { echo "$one"; return 0; }
  done
  return 1
}

stop_waits_for_pull() {
  local got=$work/run/stopped pull size code
  : >"$got"
  curl -sS -o "$got" "$(blob_url "$1")" & pull=$!
  until_true 15 [ -s "$got" ] || return 1
  compose stop api || return 1
  wait "$pull"; code=$?
  echo "curl ended with $code after $(stat -c %s "$got") bytes"
  [ $code = 0 ] && [ "sha256:$(sha256sum <"$got" | cut -d ' ' -f 1)" = "$(cat "$work/run/$1.layer")" ]
}
