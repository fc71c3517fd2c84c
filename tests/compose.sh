#!/bin/bash
# tests/compose.sh: builds the images and brings infra/docker-compose.yml up for real: pulls through it, scales it, kills an api and a fetcher, replaces them,
# stops it.
# As root on Debian; installs what is missing. Nobody's Docker is touched: it runs a dockerd of its own, in a folder of its own, without rules in
# the firewall, and takes everything away again. What would be pulled from registries is stood in for by images made of Debian's packages and of
# this machine's .NET (tests/compose/docker-compose.override.yml says by what); the images of Entrepot are the Dockerfile's.
# One line per step, PASS or FAIL; the exit code is 0 when all passed. Takes minutes, and some 10 GB below TMPDIR.
# ENTREPOT_COMPOSE_WORK=DIR: keeps the made images there, for the next run.
case ${1-} in
  -h | --help) sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}"; exit 0 ;;
  ?*) echo "tests/compose.sh: '$1' is no option; try --help" >&2; exit 2 ;;
esac
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/compose
root=$(cd "$here/../.." && pwd)
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
for part in steps machine daemon images cluster pulls; do . "$here/lib/$part.sh"; done

trap 'stop_all' EXIT
trap 'exit 1' INT TERM

needed "what it needs is here" install_needs
needed "a Docker engine of its own runs" start_daemon
needed "stand-ins are made of Debian's packages and of this machine's .NET" make_stand_ins
needed "the images of api, fetcher and janitor are built" build_images
needed "the cluster is up and healthy" bring_up
needed "an upstream has images" fill_origin

step "everything runs without root, on read-only roots" is_restrained
step "a cold pull arrives as it was pushed" pull_is_right sample
step "what was pulled is served without the upstream" pull_without_origin sample
step "the proxy hands on Range and what the api answers" range_is_right
step "the proxy hands on Host: a name of one upstream's own is answered from it" host_is_right
step "bytes come while the upstream still sends" bytes_come_early slow0
step "the proxy does not buffer: a slow client's layer stays where it is" proxy_holds_nothing
step "three fetchers and three apis: all healthy, a spool folder for each fetcher" scale_out
step "an api is gone without a word: every request is answered by the others" requests_survive_lost_api
step "every api reaches every fetcher at its own address" fetchers_are_reached
step "a fetcher is killed in the middle of a pull: the pull arrives" pull_survives_kill slow1
step "the killed fetcher is back" until_true 60 three_of_each
step "Prometheus has found every replica" prometheus_finds_all
step "Prometheus understands every expression of the dashboard" dashboard_is_understood
step "logs and traces arrive where Seq would be" logs_arrive
step "replace.sh gives every fetcher and api a successor, and a running pull arrives" pull_survives_replacement slow3
step "a stop waits for a running pull" stop_waits_for_pull slow2
step "down takes everything with it" take_down
report
