#!/usr/bin/env bash
# Runs every fuzz target for $FUZZTIME (20s), one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do
  grep -oE '^func Fuzz\w+' "$file" | cut -d' ' -f2 | while read -r target; do
    echo "── $target ($(dirname "$file"))"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" -fuzzminimizetime 3x "$(dirname "$file")"
  done
done
