# The Docker engine of the test. Part of compose.sh.
export DOCKER_HOST=unix://$work/run/docker.sock DOCKER_CONFIG=$work/run/client DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
unset DOCKER_CONTEXT
dockerd_pid=

# Without a bridge of its own and without iptables: the host's network stays as it is. User networks, Docker's DNS and published ports
# (by docker-proxy) work all the same; only the way out of a container does not, which builds get by the host's network.
start_daemon() {
  mkdir -p "$work/run/client" "$work/docker"
  echo '{}' >"$work/run/daemon.json"
  dockerd --config-file "$work/run/daemon.json" --bridge none --iptables=false --ip6tables=false --ip-forward=false \
    --data-root "$work/docker" --exec-root "$work/run/exec" --pidfile "$work/run/docker.pid" --host "$DOCKER_HOST" \
    --log-level warn </dev/null >"$work/run/dockerd.log" 2>&1 &
  dockerd_pid=$!
  until_true 30 docker info >/dev/null 2>&1 || { tail -n 20 "$work/run/dockerd.log"; return 1; }
}

stop_all() {
  trap - EXIT
  [ -z "$dockerd_pid" ] || {
    take_down >/dev/null 2>&1 || compose kill >/dev/null 2>&1
    kill "$dockerd_pid" 2>/dev/null
    wait "$dockerd_pid" 2>/dev/null
    umount "$work/run/exec/netns/default" 2>/dev/null # dockerd leaves it mounted
  }
  [ -n "${ENTREPOT_COMPOSE_WORK:-}" ] || rm -rf "$work"
}
