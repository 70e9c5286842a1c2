#!/usr/bin/env bash
# `make test-integrations-api`: what tools of other projects make of the API. Installs them, pinned, into .cache/integrations.
#
#   tools/integrations/run.sh setup   only installs (for schema.sh too)
#   tools/integrations/run.sh         lints openapi.yaml; generates clients in Go, TypeScript and Python, and runs them against a real
#                                     server; verifies signed results
set -euo pipefail
cd "$(dirname "$0")/../.."
NPM_PACKAGES="@redocly/cli@2.77.0 jose@5.10.0 openapi-fetch@0.17.0 openapi-typescript@7.13.0 typescript@5.9.3"
CACHE=${INTEGRATIONS_CACHE:-$PWD/.cache/integrations}

setup() {
  local pinned=tools/integrations/requirements.txt
  mkdir -p "$CACHE"
  if ! cmp -s "$pinned" "$CACHE/requirements.txt"; then
    python3 -m venv --clear "$CACHE/venv"
    "$CACHE/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$pinned"
    cp "$pinned" "$CACHE/requirements.txt"
  fi
  if [ "$(cat "$CACHE/npm" 2>/dev/null)" != "$NPM_PACKAGES" ]; then
    # shellcheck disable=SC2086  # a list
    npm install --prefix "$CACHE" --no-audit --no-fund --loglevel=error $NPM_PACKAGES
    echo "$NPM_PACKAGES" >"$CACHE/npm"
  fi
}

# The generated file stays beside its test, and git ignores it.
go_client() {
  cd tools/oapi-codegen
  go tool oapi-codegen -generate types,client,skip-prune -package client -o client.go ../../ingest/openapi.yaml
  OPENAPI=../../ingest/openapi.yaml go test -count 1 .
}

# Types by openapi-typescript, for openapi-fetch; compiled strictly.
typescript_client() {
  rm -rf "$CACHE/typescript" && mkdir "$CACHE/typescript"
  cp tools/integrations/client.ts "$CACHE/typescript"
  echo '{"type": "module"}' >"$CACHE/typescript/package.json"
  "$CACHE/node_modules/.bin/openapi-typescript" ingest/openapi.yaml --enum-values --output "$CACHE/typescript/api.ts"
  "$CACHE/node_modules/.bin/tsc" --strict --module nodenext --target es2022 --noUncheckedIndexedAccess --exactOptionalPropertyTypes \
    "$CACHE/typescript/client.ts"
}

python_client() {
  rm -rf "$CACHE/python"
  "$CACHE/venv/bin/openapi-python-client" generate --path ingest/openapi.yaml --meta none --fail-on-warning \
    --config tools/integrations/openapi-python-client.yaml --output-path "$CACHE/python/liveproof_client"
}

# Sessions end after two seconds without a connection, so that the clients can read a result.
rounds() {
  . tools/integrations/server.sh
  serve LIVEPROOF_SESSION_TOKEN_TTL=2s
  (cd tools/oapi-codegen && LIVEPROOF_URL=$url go test -count 1 -run TestRound -v .)
  node "$CACHE/typescript/client.js" "$url" $LIVEPROOF_API_KEY
  PYTHONPATH=$CACHE/python "$CACHE/venv/bin/python" tools/integrations/client.py "$url" $LIVEPROOF_API_KEY
}

setup
[ "${1:-}" = setup ] && exit
"$CACHE/node_modules/.bin/redocly" lint --config tools/integrations/redocly.yaml ingest/openapi.yaml
(go_client)
typescript_client
python_client
PYTHONPATH=$CACHE/python "$CACHE/venv/bin/python" tools/integrations/enums.py "$CACHE/typescript/api.ts"
(rounds)
INTEGRATIONS_CACHE=$CACHE go test -count 1 ./results -run TestForeignVerifiers -v
