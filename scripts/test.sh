#!/usr/bin/env bash
# Runs every suite, even after one failed, and closes with what was skipped and why.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=() skipped=$(mktemp) chaos_log=$(mktemp) chaos=
trap 'rm -f "$skipped" "$chaos_log"; [ -z "$chaos" ] || kill "$chaos" 2>/dev/null' EXIT

suite() {
  local name=$1 start=$SECONDS
  shift
  printf '\n── %s\n' "$name"
  if ! "$@" 2>&1 | tee >(grep -E '^(=== SKIP|\s+\S+_test\.go:[0-9]+: .*(skip|not |missing|absent)|SKIPPED|\s*↓|\s*﹣|.*# SKIP)' >>"$skipped"); then
    failed+=("$name")
  fi
  printf '── %s: %d s\n' "$name" $((SECONDS - start))
}

# The sessions of the chaos suite wait most of the time, and so do the Go tests. It runs beside them, with less of the processor where both want it: none of
# its assertions depends on time.
start_chaos() {
  nice -n 10 make --no-print-directory test-chaos >"$chaos_log" 2>&1 &
  chaos=$!
}

# end_chaos shows what the chaos suite came to, and what its servers logged if it failed.
end_chaos() {
  if [ "$1" = 0 ]; then grep -v ' level=' "$chaos_log"; else cat "$chaos_log"; fi
  return "$1"
}

suite build make --no-print-directory build
suite lint make --no-print-directory --keep-going lint
suite web make --no-print-directory test-web
start_chaos
suite go make --no-print-directory test-go
wait "$chaos"
suite chaos end_chaos $?
chaos=
suite trainer make --no-print-directory test-training
suite browser make --no-print-directory test-browser
suite clients make --no-print-directory test-clients-quick

printf '\n── skipped, and why\n'
if [ -s "$skipped" ]; then cat "$skipped"; else echo 'nothing'; fi
if [ ${#failed[@]} -gt 0 ]; then
  printf '\nFAILED: %s\n' "${failed[*]}"
  exit 1
fi
printf '\nall suites passed in %d s\n' "$SECONDS"
