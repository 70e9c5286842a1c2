#!/usr/bin/env bash
# Runs every suite, even after one failed, and closes with what was skipped and why.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=() skipped=$(mktemp)
trap 'rm -f "$skipped"' EXIT

suite() {
  local name=$1 start=$SECONDS
  shift
  printf '\n── %s\n' "$name"
  if ! "$@" 2>&1 | tee >(grep -E '^(=== SKIP|\s+\S+_test\.go:[0-9]+: .*(skip|not |missing|absent)|SKIPPED|\s*↓|\s*﹣|.*# SKIP)' >>"$skipped"); then
    failed+=("$name")
  fi
  printf '── %s: %d s\n' "$name" $((SECONDS - start))
}

suite build make --no-print-directory build
suite lint make --no-print-directory --keep-going lint
suite web make --no-print-directory test-web
suite go make --no-print-directory test-go
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
