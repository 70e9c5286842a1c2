#!/usr/bin/env bash
# `make test-integrations-api`: what tools of other projects make of the API. Installs them, pinned, into .cache/integrations.
#
#   tools/integrations/run.sh setup   only installs (for schema.sh too)
#   tools/integrations/run.sh         lints openapi.yaml, generates and compiles a Go client, verifies signed results
set -euo pipefail
cd "$(dirname "$0")/../.."
REDOCLY_VERSION=2.77.0
CACHE=${INTEGRATIONS_CACHE:-$PWD/.cache/integrations}

setup() {
  local pinned=tools/integrations/requirements.txt
  mkdir -p "$CACHE"
  if ! cmp -s "$pinned" "$CACHE/requirements.txt"; then
    python3 -m venv --clear "$CACHE/venv"
    "$CACHE/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$pinned"
    cp "$pinned" "$CACHE/requirements.txt"
  fi
  if [ "$(cat "$CACHE/redocly" 2>/dev/null)" != $REDOCLY_VERSION ]; then
    npm install --prefix "$CACHE" --no-audit --no-fund --loglevel=error "@redocly/cli@$REDOCLY_VERSION"
    echo $REDOCLY_VERSION >"$CACHE/redocly"
  fi
}

# The generated file stays beside its test, and git ignores it.
go_client() {
  cd tools/oapi-codegen
  go tool oapi-codegen -generate types,client,skip-prune -package client -o client.go ../../ingest/openapi.yaml
  OPENAPI=../../ingest/openapi.yaml go test -count 1 .
}

setup
[ "${1:-}" = setup ] && exit
"$CACHE/node_modules/.bin/redocly" lint --config tools/integrations/redocly.yaml ingest/openapi.yaml
(go_client)
INTEGRATIONS_PYTHON=$CACHE/venv/bin/python go test -count 1 ./results -run TestForeignVerifiers -v
