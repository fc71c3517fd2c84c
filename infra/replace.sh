#!/bin/bash
# infra/replace.sh [SERVICE...]: gives each container of fetcher, api and janitor a successor, of the image and with the settings of now. One after another:
# the successor is healthy before its predecessor is told to stop, and running pulls end first. To upgrade, and after a change of entrepot.json or .env.
# COMPOSE: how Compose is called from infra/ ("docker compose").
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
read -ra compose <<<"${COMPOSE:-docker compose}"
[ $# -gt 0 ] || set -- fetcher api janitor

health() { docker inspect --format '{{.State.Health.Status}}' "$1"; }

for service in "$@"; do
  before=()
  for one in $("${compose[@]}" ps --quiet "$service"); do
    if [ "$(docker inspect --format '{{.State.Running}}' "$one")" = true ]; then before+=("$one"); else docker rm "$one" >/dev/null; fi
  done
  [ ${#before[@]} -gt 0 ] || { echo "replace.sh: no $service runs" >&2; continue; }
  for old in "${before[@]}"; do
    "${compose[@]}" up --detach --no-deps --no-recreate --scale "$service=$((${#before[@]} + 1))" "$service"
    for new in $("${compose[@]}" ps --quiet "$service"); do
      # A predecessor may well be replaced because it is not healthy.
      [[ " ${before[*]} " != *" $new "* ]] || continue
      for ((tries = 120; tries > 0; tries--)); do [ "$(health "$new")" != healthy ] || break; sleep 1; done
      ((tries > 0)) || { echo "replace.sh: $service $new is not healthy after two minutes; the others are left as they are. Its log: docker logs $new" >&2; exit 1; }
    done
    echo "replace.sh: stopping $service ${old:0:12}, when its pulls have ended"
    docker stop -t 660 "$old" >/dev/null
    docker rm "$old" >/dev/null
  done
done
