# PostgreSQL, RabbitMQ and Ceph's S3 gateway, from Debian's packages, with their data below DIR. Part of cluster.sh.

install_servers() {
  local missing=
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing="$missing postgresql"
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing="$missing rabbitmq-server"
  command -v radosgw >/dev/null && command -v ceph-osd >/dev/null && command -v ceph-mon >/dev/null && command -v ceph >/dev/null || missing="$missing radosgw ceph-mon ceph-osd ceph-common"
  command -v curl >/dev/null || missing="$missing curl"
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "not Debian or Ubuntu; missing:$missing"
  [ "$(id -u)" = 0 ] || die "not root; missing:$missing"
  [ "${ENTREPOT_NO_INSTALL:-}" != 1 ] || die "missing:$missing, and ENTREPOT_NO_INSTALL=1 keeps it so"
  echo "cluster.sh: installing$missing" >&2
  # shellcheck disable=SC2086
  install_packages -o Dpkg::Options::=--force-unsafe-io $missing || die "apt-get install failed for:$missing"
}

# as USER CMD...: its server refuses root
as() { local user=$1; shift; if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$user" --init-groups "$@"; else "$@"; fi; }

# Whoever keeps data below a folder that is closed to others, such as /root, has reasons: it is not opened.
check_reach() {
  [ "$(id -u)" != 0 ] || as postgres test -x "$data/servers" || die "the user postgres, as whom the database runs, can't walk to $data: name another folder, as in --data /var/tmp/entrepot-cluster"
}

start_postgres() {
  local folder=$data/servers/postgres bin port
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1); port=$(port_of postgres)
  if [ ! -e "$folder/made" ]; then
    rm -rf "$folder"; mkdir -p "$folder"; [ "$(id -u)" != 0 ] || chown postgres "$folder"
    (cd "$folder" && umask 077 && echo entrepot >pw && { [ "$(id -u)" != 0 ] || chown postgres pw; } &&
      as postgres env LC_ALL=C.UTF-8 "$bin/initdb" -D data -U entrepot --pwfile=pw -A scram-sha-256 --no-sync --no-instructions -E UTF8) >>"$data/log/postgres.log" 2>&1 || die "initdb failed; $data/log/postgres.log tells why"
    printf "listen_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\nsynchronous_commit=off\nfull_page_writes=off\nmax_connections=300\nshared_preload_libraries=pg_stat_statements\nlog_line_prefix='%%m %%a '\n" >>"$folder/data/postgresql.conf"
  fi
  rm -f "$folder/data/postmaster.pid.old"
  cd "$folder" || die "$folder can't be entered"
  if [ "$(id -u)" = 0 ]; then run_in_background postgres setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$folder/data" -p "$port"
  else run_in_background postgres "$bin/postgres" -D "$folder/data" -p "$port"; fi
  cd "$OLDPWD" || true
  if [ ! -e "$folder/made" ]; then
    local tries=200
    until PGPASSWORD=entrepot "$bin/psql" -q -h 127.0.0.1 -p "$port" -U entrepot -d postgres -c 'CREATE DATABASE entrepot' >>"$data/log/postgres.log" 2>&1; do
      ((tries-- > 0)) || die "postgres did not start; $data/log/postgres.log tells why"
      sleep 0.05
    done
    touch "$folder/made"
  fi
}

# What the broker and its tool must agree on, in front of a command.
with_rabbitmq_env() {
  local port; port=$(port_of rabbitmq)
  in_rabbitmq_env=(env "HOME=$data/servers/rabbitmq" "RABBITMQ_NODENAME=entrepot$port@localhost" RABBITMQ_CONF_ENV_FILE=/dev/null ERL_EPMD_ADDRESS=127.0.0.1 "ERL_EPMD_PORT=$((port + 2))")
}

rabbitmqctl() { with_rabbitmq_env; "${in_rabbitmq_env[@]}" /usr/lib/rabbitmq/bin/rabbitmqctl "$@"; }

start_rabbitmq() {
  local folder=$data/servers/rabbitmq port
  port=$(port_of rabbitmq); mkdir -p "$folder"/{mnesia,log}
  cat >"$folder/rabbitmq.conf" <<C
listeners.tcp.1 = 127.0.0.1:$port
loopback_users = none
log.console = true
log.console.level = warning
log.file = false
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 100MB
C
  echo '[].' >"$folder/enabled_plugins"
  with_rabbitmq_env
  run_in_background rabbitmq "${in_rabbitmq_env[@]}" "RABBITMQ_MNESIA_BASE=$folder/mnesia" "RABBITMQ_LOG_BASE=$folder/log" \
    "RABBITMQ_PID_FILE=$folder/pid" "RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf" "RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins" "RABBITMQ_DIST_PORT=$((port + 1))" \
    'RABBITMQ_SERVER_START_ARGS=-kernel inet_dist_use_interface {127,0,0,1}' 'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none' \
    bash "$here/lib/rabbitmq-run.sh"
}

start_s3() {
  local folder=$data/servers/s3 port
  port=$(port_of s3)
  [ -e "$folder/made" ] || make_s3 "$folder" "$port" >>"$data/log/s3.log" 2>&1 || die "the S3 server could not be set up; $data/log/s3.log tells why"
  run_in_background s3 bash "$here/lib/s3-run.sh" "$folder"
}

# make_s3 FOLDER PORT: one monitor, one object server over one sparse file, one gateway; no authentication among them, all on loopback
make_s3() {
  local folder=$1 port=$2 conf=$1/ceph.conf fsid
  fsid=$(cat /proc/sys/kernel/random/uuid)
  rm -rf "$folder"; mkdir -p "$folder"/{mon,osd,rgw,run,log}
  cat >"$conf" <<C
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv4 = true
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
# Without authentication these must be said, or the gateway waits for a key for ever.
ms mon client mode = crc secure
ms mon cluster mode = crc secure
ms mon service mode = crc secure
run dir = $folder/run
admin socket =
pid file = $folder/run/\$name.pid
log file = $folder/log/\$name.log
log to stderr = false
err to stderr = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon max pg per osd = 10000
mon allow pool size one = true
osd crush chooseleaf type = 0
mon data avail crit = 1
mon data avail warn = 2
paxos propose interval = 0.05
paxos min wait = 0.01
osd heartbeat grace = 60
[mon]
mon data = $folder/mon
mon cluster log file = $folder/log/cluster.log
[osd]
osd data = $folder/osd
osd objectstore = bluestore
bluestore block size = 21474836480
bluestore block create = true
bluestore fsck on mount = false
osd memory target = 939524096
osd op num shards = 2
osd op num threads per shard = 1
[client.rgw.a]
rgw data = $folder/rgw
# Without tcp_nodelay every small GET takes 45 ms.
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 64
rgw enable usage log = false
rgw enable ops log = false
# A line in the log for every request.
debug rgw = 1/5
debug ms = 0/0
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw gc processor max time = 5
C
  export CEPH_CONF=$conf
  monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$folder/monmap" &&
    ceph-mon -c "$conf" --mkfs -i a --monmap "$folder/monmap" &&
    cat /proc/sys/kernel/random/uuid >"$folder/osd.uuid" || return 1
  ceph-mon -c "$conf" -f -i a & local mon=$!
  ceph -c "$conf" --connect-timeout 30 osd new "$(cat "$folder/osd.uuid")" &&
    ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$(cat "$folder/osd.uuid")"
  local made=$?
  if [ $made = 0 ]; then
    ceph-osd -c "$conf" -f -i 0 & local osd=$!
    local tries=100
    until ceph -c "$conf" osd stat 2>/dev/null | grep -q '1 up' || ((tries-- <= 0)); do sleep 0.1; done
    radosgw-admin -c "$conf" user create --uid=entrepot --display-name=entrepot --access-key=entrepot --secret=entrepot-secret; made=$?
    kill "$osd"; wait "$osd"
  fi
  kill "$mon"; wait "$mon"
  [ $made = 0 ] && touch "$folder/made"
}
