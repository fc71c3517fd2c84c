# What is common to all processes: pid files, signals to a process and its children, waiting. Part of cluster.sh.

pid_of() { cat "$data/run/$1.pid" 2>/dev/null; }

# A pid file outlives its process, and pids come again: the process must carry our mark.
is_running() {
  local pid; pid=$(pid_of "$1") && [ -n "$pid" ] || return 1
  { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qx "ENTREPOT_CLUSTER=$data"
}

names_running() { local file; for file in "$data"/run/*.pid; do [ -e "$file" ] && file=$(basename "$file" .pid) && is_running "$file" && echo "$file"; done; }

# tree PID: it and all below it
tree() { local child; echo "$1"; for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$child"; done; }

signal_tree() { is_running "$1" || die "$1 does not run"; kill -s "$2" $(tree "$(pid_of "$1")") 2>/dev/null; return 0; }

# wait_gone NAME SECONDS
wait_gone() {
  local tries=$(($2 * 20))
  while is_running "$1"; do ((tries-- > 0)) || return 1; sleep 0.05; done
}

# run_in_background NAME CMD...: in a session of its own, with its log and pid
run_in_background() {
  local name=$1; shift
  setsid "$@" </dev/null >>"$data/log/$name.log" 2>&1 &
  echo $! >"$data/run/$name.pid"
  # Until it has become the command it does not carry our mark.
  local tries=100
  until is_running "$name" || ((tries-- <= 0)); do sleep 0.01; done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_ready NAME: a minute at most
wait_ready() {
  local tries=600
  until is_ready "$1"; do
    # Between two programs of one process its environment cannot be read for an instant.
    is_running "$1" || { sleep 0.3; is_running "$1" || return 1; }
    ((tries-- > 0)) || return 1
    sleep 0.1
  done
}

is_ready() {
  case $1 in
    postgres) port_open "$(port_of postgres)" && [ -e "$data/servers/postgres/made" ] ;;
    rabbitmq) port_open "$(port_of rabbitmq)" ;;
    s3) curl -fs -o /dev/null "$(url_of s3)" ;;
    *) curl -fs -o /dev/null "$(url_of "$1")/readyz" ;;
  esac
}

stop_one() {
  is_running "$1" || return 0
  local all tries=1200
  all=$(tree "$(pid_of "$1")")
  # What is paused hears nothing else.
  kill -s CONT $all 2>/dev/null
  case $1 in
    postgres) kill -s INT "$(pid_of postgres)" ;; # fast shutdown
    s3) kill -s TERM "$(pid_of s3)" ;; # it ends its three in order
    *) kill -s TERM $all 2>/dev/null ;;
  esac
  while any_runs $all; do
    ((tries-- > 0)) || { echo "cluster.sh: $1 did not stop within 60 s and is killed" >&2; kill -s KILL $all 2>/dev/null; return; }
    sleep 0.05
  done
}

# any_runs PID...: but for those that only wait for their parent to notice
any_runs() { local pid; for pid in "$@"; do { grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status"; } 2>/dev/null && return 0; done; return 1; }

# The ports, from the base on: 1.. api, 101.. fetcher, 201.. janitor, 251 postgres, 252 rabbitmq (and 253, 254 of Erlang's), 255 s3 (and 256, 257 of Ceph's).
port_of() {
  case $1 in
    api-*) echo $((port_base + ${1#api-})) ;;
    fetcher-*) echo $((port_base + 100 + ${1#fetcher-})) ;;
    janitor-*) echo $((port_base + 200 + ${1#janitor-})) ;;
    postgres) echo $((port_base + 251)) ;;
    rabbitmq) echo $((port_base + 252)) ;;
    s3) echo $((port_base + 255)) ;;
  esac
}

url_of() {
  case $1 in
    postgres) echo "postgresql://127.0.0.1:$(port_of postgres)/entrepot" ;;
    rabbitmq) echo "amqp://127.0.0.1:$(port_of rabbitmq)/" ;;
    *) echo "http://127.0.0.1:$(port_of "$1")" ;;
  esac
}
