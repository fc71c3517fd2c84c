# What must be on the machine. Part of compose.sh.
. "$root/infra/local/lib/packages.sh"
work=${ENTREPOT_COMPOSE_WORK:-$(mktemp -d -t entrepot-compose.XXXXXX)}
work=$(mkdir -p "$work" && realpath "$work")

install_needs() {
  local missing='' need
  [ "$(id -u)" = 0 ] || { echo "not root"; return 1; }
  command -v dotnet >/dev/null || { echo "no dotnet on PATH: install the .NET 10 SDK"; return 1; }
  for need in dockerd:docker.io docker-compose:docker-compose debootstrap:debootstrap iptables:iptables curl:curl; do
    command -v "${need%%:*}" >/dev/null || missing="$missing ${need#*:}"
  done
  command -v docker >/dev/null || missing="$missing docker.io"
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  install_packages $missing
}
