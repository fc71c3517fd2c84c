# What is common to all processes: pid files, signals to a process and its children, waiting. Part of cluster.sh.
# A process is written PID:BORN, its number and when it began: numbers come again, and what has this one now may be somebody else's.

noted() { cat "$data/run/$1.pid" 2>/dev/null; }
pid_of() { local one; one=$(noted "$1") && echo "${one%:*}"; }

# look PID: its $state and when it was $born, in the kernel's ticks; proc(5) numbers these fields 3 and 22
look() {
  local line fields
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # Behind its name, which may have anything in it.
  read -ra fields <<<"${line##*) }"
  state=${fields[0]} born=${fields[19]:-}
}

# runs PID:BORN: and does not only wait for its parent to notice its end
runs() { local state born; look "${1%:*}" && [ "$born" = "${1#*:}" ] && [[ $state != [ZX] ]]; }

any_runs() { local one; for one in "$@"; do runs "$one" && return 0; done; return 1; }

is_running() { local one; one=$(noted "$1") && [ -n "$one" ] && runs "$one"; }

names_running() { local file; for file in "$data"/run/*.pid; do [ -e "$file" ] && file=$(basename "$file" .pid) && is_running "$file" && echo "$file"; done; }

# tree PID: it and all below it, as PID:BORN
tree() { local state born child; look "$1" || return 0; echo "$1:$born"; for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$child"; done; }

# send SIGNAL PID:BORN...
send() { local signal=$1 one; shift; for one in "$@"; do runs "$one" && kill -s "$signal" "${one%:*}" 2>/dev/null; done; return 0; }

signal_tree() { is_running "$1" || die "$1 does not run"; send "$2" $(tree "$(pid_of "$1")"); }

# wait_gone NAME SECONDS
wait_gone() {
  local end=$((SECONDS + $2))
  while is_running "$1"; do ((SECONDS < end)) || return 1; sleep 0.05; done
}

# run_in_background NAME CMD...: in a session of its own, with its log and pid
run_in_background() {
  local name=$1 state born=; shift
  setsid "$@" </dev/null >>"$data/log/$name.log" 2>&1 &
  look $!
  echo "$!:$born" >"$data/run/$name.pid"
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_ready NAME: a minute at most
wait_ready() {
  local end=$((SECONDS + 60))
  until is_ready "$1"; do
    is_running "$1" && ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# Who is paused takes connections and does not answer.
answers() { curl -fs --max-time 2 -o /dev/null "$1"; }

is_ready() {
  case $1 in
    postgres) port_open "$(port_of postgres)" && [ -e "$data/servers/postgres/made" ] ;;
    rabbitmq) port_open "$(port_of rabbitmq)" ;;
    s3) answers "$(url_of s3)" ;;
    *) answers "$(url_of "$1")/readyz" ;;
  esac
}

stop_one() {
  is_running "$1" || return 0
  local all start=$SECONDS patience=60 told=
  all=$(tree "$(pid_of "$1")")
  # What is paused hears nothing else.
  send CONT $all
  case $1 in
    postgres) send INT "$(noted postgres)" ;; # fast shutdown
    s3) send TERM "$(noted s3)" ;; # it ends its three in order
    rabbitmq) send TERM $all ;;
    # It lets running answers end within its ShutdownGrace: an hour at most.
    *) send TERM $all; patience=3660 ;;
  esac
  while any_runs $all; do
    if ((SECONDS - start >= patience)); then
      echo "cluster.sh: $1 did not stop within $patience s and is killed" >&2
      send KILL $all
      return
    fi
    [ -n "$told" ] || ((SECONDS - start < 60)) || { echo "cluster.sh: $1 waits for running answers, up to its ShutdownGrace; to end it now: cluster.sh kill $1 --data $data" >&2; told=1; }
    sleep 0.05
  done
}

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
