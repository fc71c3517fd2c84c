# How steps are run and told. Part of compose.sh.
passed=0 failed=0

say() { printf '%s  %s\n' "$1" "$2"; }

# step NAME CMD...: its output is shown only when it fails
step() {
  local name=$1 start=$SECONDS log=$work/step.log; shift
  mkdir -p "$work"
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1)); say PASS "$name ($((SECONDS - start)) s)"
    return 0
  fi
  failed=$((failed + 1)); say FAIL "$name ($((SECONDS - start)) s)"
  tail -n 40 "$log" | sed 's/^/      /'
  return 1
}

# needed NAME CMD...: without it nothing else makes sense
needed() { step "$@" || { report; exit 1; }; }

report() { echo "$passed passed, $failed failed"; [ "$failed" = 0 ]; }

# until_true SECONDS CMD...
until_true() {
  local end=$((SECONDS + $1)); shift
  until "$@"; do ((SECONDS < end)) || { echo "not within the time: $*"; return 1; }; sleep 0.5; done
}
