# Installing Debian's packages without starting their services. Sourced by those who need some: cluster.sh, test.sh, bench/cluster.sh, tests/compose.sh.

# as_root CMD...: through sudo, which never asks (there may be no terminal), when we are somebody else
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

# install_packages PACKAGE...: options of apt-get install may be among them
install_packages() {
  local apt=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  [ -n "${package_lists_are_new:-}" ] || "${apt[@]}" update >&2 || echo "apt-get update failed; trying with the lists there are" >&2
  package_lists_are_new=1
  without_services "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null
}

# without_services CMD...: services that packages would start stay down, for ours have data and ports of their own. Debian asks this file; one that somebody
# else has put there is left alone, and ours goes however this ends. (It ends with a kill -9: then the next run takes it away.)
without_services() (
  guard=/usr/sbin/policy-rc.d
  text=$'#!/bin/sh\n# Entrepot is installing packages.\nexit 101'
  unguard() { [ "$(cat $guard 2>/dev/null)" != "$text" ] || as_root rm -f $guard; }
  trap unguard EXIT
  for signal in HUP INT TERM; do trap "unguard; trap - EXIT $signal; kill -s $signal \$BASHPID" $signal; done
  [ -e $guard ] || { as_root tee $guard <<<"$text" >/dev/null && as_root chmod 755 $guard; }
  "$@"
)
