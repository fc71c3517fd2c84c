# The cluster as Compose runs it. Part of compose.sh.

compose() { settings >"$work/run/env"; (cd "$root/infra" && $(compose_command) "$@"); }

# compose_command: how Compose is called from infra/
compose_command() {
  local command=docker-compose; command -v docker-compose >/dev/null || command="docker compose"
  echo "$command --project-name entrepot-test --env-file $work/run/env --file docker-compose.yml --file ../tests/compose/docker-compose.override.yml"
}

# What an infra/.env would say. A port of the system's choice on loopback is 'ADDRESS:' and nothing.
settings() {
  cat <<S
ENTREPOT_CONFIG=../tests/compose/entrepot.json
ENTREPOT_SECRETS=$work/run/secrets
ENTREPOT_LISTEN=127.0.0.1:
RABBITMQ_UI=127.0.0.1:
MINIO_UI=127.0.0.1:
SEQ_UI=127.0.0.1:
PROMETHEUS_UI=127.0.0.1:
MINIO_MEMORY=2g
OPEN_FILES=$(open_files)
S
}

# As many as the default, or as this machine allows.
open_files() { local most; most=$(ulimit -Hn); { [ "$most" = unlimited ] || [ "$most" -gt 65536 ]; } && most=65536; echo "$most"; }

bring_up() {
  mkdir -p "$work/run/secrets" && echo -n entrepot-secret >"$work/run/secrets/s3_secret_key" && "$root/infra/secrets.sh" "$work/run/secrets" || return 1
  compose up --detach && until_true 120 all_healthy || { compose logs --tail 10; compose ps; return 1; }
}

take_down() {
  compose --profile monitoring down --volumes --remove-orphans
  [ -z "$(docker ps --all --quiet)" ] && [ -z "$(docker volume ls --quiet)" ] && [ -z "$(docker network ls --quiet --filter driver=bridge)" ]
}

# replicas SERVICE: its containers
replicas() { docker ps --quiet --filter label=com.docker.compose.project=entrepot-test --filter "label=com.docker.compose.service=$1"; }

all_healthy() {
  local service one
  for service in proxy api fetcher janitor postgres rabbitmq minio; do
    [ -n "$(replicas "$service")" ] || return 1
    for one in $(replicas "$service"); do [ "$(docker inspect --format '{{.State.Health.Status}}' "$one")" = healthy ] || return 1; done
  done
}

is_restrained() {
  local service one user wrote
  for service in proxy api fetcher janitor postgres rabbitmq minio; do
    one=$(replicas "$service")
    user=$(docker exec "$one" id -u) && wrote=$(docker exec --user 0 "$one" sh -c 'touch /etc/written 2>/dev/null && echo yes || echo no') || { echo "no look into $service"; return 1; }
    [ "$user" != 0 ] || { echo "$service runs as root"; return 1; }
    [ "$wrote" = no ] || { echo "the root of $service can be written"; return 1; }
  done
}

scale_out() {
  compose up --detach --scale api=3 --scale fetcher=3 && until_true 120 three_of_each || { compose ps; return 1; }
  [ "$(for one in $(replicas fetcher); do folder_of "$one"; done | sort -u | wc -l)" = 3 ]
}

three_of_each() { [ "$(replicas api | wc -l)" = 3 ] && [ "$(replicas fetcher | wc -l)" = 3 ] && all_healthy; }

pid_of() { docker inspect --format '{{.State.Pid}}' "$1"; }

# folder_of FETCHER: its spool's folder, on this machine
folder_of() {
  local dir volume
  dir=$(tr '\0' '\n' <"/proc/$(pid_of "$1")/environ" | sed -n 's/^Entrepot__DataDirectory=//p' | tail -n 1)
  volume=$(docker volume inspect --format '{{.Mountpoint}}' entrepot-test_spool)
  echo "$volume/${dir#/data/}"
}

# The default address is http://MACHINE:5000, and a container's machine name is its short id.
fetchers_are_reached() {
  local api fetcher name
  for api in $(replicas api); do
    for fetcher in $(replicas fetcher); do
      name=$(docker exec "$fetcher" cat /etc/hostname)
      docker exec "$api" bash -c "exec 3<>/dev/tcp/$name/5000 && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 && grep -q '200 OK' <&3" || { echo "$api does not reach $name"; return 1; }
    done
  done
}

prometheus_finds_all() {
  compose up --detach prometheus && until_true 60 counts_replicas || { prometheus 'count by (job) (up == 1)'; return 1; }
  prometheus 'sum(entrepot_pulls_total)' | grep -q '"value"'
}

counts_replicas() {
  local answer; answer=$(prometheus 'count by (job) (up == 1)')
  grep -q '"api"},"value":\[[0-9.]*,"3"' <<<"$answer" && grep -q '"fetcher"},"value":\[[0-9.]*,"3"' <<<"$answer" && grep -q '"janitor"},"value":\[[0-9.]*,"1"' <<<"$answer"
}

prometheus() { curl -fsS --get --data-urlencode "query=$1" "http://$(compose port prometheus 9090)/api/v1/query"; }

# Every expression of Grafana's dashboard.
dashboard_is_understood() {
  local expression
  sed -n 's/^ *"expr": "\(.*\)",$/\1/p' "$root/infra/monitoring/grafana/dashboards/entrepot.json" | sed 's/\\"/"/g; s/\$__rate_interval/1m/g' >"$work/run/expressions"
  [ -s "$work/run/expressions" ] || return 1
  while IFS= read -r expression; do
    prometheus "$expression" | grep -q '"status":"success"' || { echo "not understood: $expression"; return 1; }
  done <"$work/run/expressions"
}

logs_arrive() {
  until_true 30 seq_was_sent logs && until_true 30 seq_was_sent traces
}
seq_was_sent() { docker logs "$(replicas seq)" 2>&1 | grep -q "POST /ingest/otlp/v1/$1 HTTP/1.1\" 200"; }
