#!/usr/bin/env bash
# Runs every suite, even after one failed, and closes with what was skipped and why.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=$(mktemp -d) beside=
failed=$logs/failed skipped=$logs/skipped
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null; rm -rf "$logs"' EXIT

suite() {
  local name=$1 start=$SECONDS
  shift
  printf '\n── %s\n' "$name"
  if ! "$@" 2>&1 | tee >(grep -E '^(=== SKIP|\s+\S+_test\.go:[0-9]+: .*(skip|not |missing|absent)|SKIPPED|\s*↓|\s*﹣|.*# SKIP)' >>"$skipped"); then
    echo "$name" >>"$failed"
  fi
  printf '── %s: %d s\n' "$name" $((SECONDS - start))
}

# chaos shows what its servers logged only if it failed.
chaos() {
  nice -n 10 make --no-print-directory test-chaos >"$logs/chaos" 2>&1
  local status=$?
  if [ $status = 0 ]; then grep -v ' level=' "$logs/chaos"; else cat "$logs/chaos"; fi
  return $status
}

# These run beside the Go tests, which wait for films most of the time, and get less of the processor where both want it: the sessions of the chaos suite wait
# too, and none of its assertions depends on time; the trainer's tests only compute.
start_beside() {
  { suite chaos chaos; suite trainer nice -n 19 make --no-print-directory test-training; } >"$logs/beside" 2>&1 &
  beside=$!
}

end_beside() {
  wait "$beside"
  beside=
  cat "$logs/beside"
}

suite build make --no-print-directory build
suite lint make --no-print-directory --keep-going lint
suite web make --no-print-directory test-web
start_beside
suite go make --no-print-directory test-go
end_beside
suite browser make --no-print-directory test-browser
suite clients make --no-print-directory test-clients-quick

printf '\n── skipped, and why\n'
if [ -s "$skipped" ]; then cat "$skipped"; else echo 'nothing'; fi
if [ -s "$failed" ]; then
  printf '\nFAILED: %s\n' "$(paste -sd ' ' "$failed")"
  exit 1
fi
printf '\nall suites passed in %d s\n' "$SECONDS"
