#!/usr/bin/env bash
# `make test-kserve`: installs MLServer, an inference server of another project, into .cache/kserve, and runs the Go tests that need it.
set -euo pipefail
cd "$(dirname "$0")/.."
CACHE=${KSERVE_CACHE:-$PWD/.cache/kserve}
pinned=scripts/kserve-requirements.txt

if ! cmp -s "$pinned" "$CACHE/requirements.txt"; then
  mkdir -p "$CACHE"
  /usr/bin/python3 -m venv --clear "$CACHE/venv"
  "$CACHE/venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$pinned"
  "$CACHE/venv/bin/python" -m pip check
  cp "$pinned" "$CACHE/requirements.txt"
fi
MLSERVER=$CACHE/venv/bin/mlserver go test -p 1 ./scorer ./cmd/liveproof -run MLServer -count 1 -timeout 15m -v
