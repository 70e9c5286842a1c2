#!/usr/bin/env bash
# Sends requests that Schemathesis derives from the served openapi.yaml to a real server for a minute: bin/liveproof, or $LIVEPROOF_BIN.
# Media is left out: its bodies are SDP, which no schema describes; ingest/rfc9725_test.go tests it. So are events, which do not end.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${INTEGRATIONS_PYTHON:-.cache/integrations/venv/bin/python}
scratch=$(mktemp -d)
export LIVEPROOF_API_KEY=schema-key-0123456789
unlimited=1000000

LIVEPROOF_INGEST_API_KEYS=$LIVEPROOF_API_KEY LIVEPROOF_ONNX_PROVIDER=cpu LIVEPROOF_SESSION_MAX_SESSIONS=100000 \
  LIVEPROOF_STORE_MAX_SESSIONS=$unlimited LIVEPROOF_INGEST_RATE_PER_TENANT_PER_SECOND=$unlimited \
  LIVEPROOF_INGEST_RATE_PER_TENANT_BURST=$unlimited LIVEPROOF_INGEST_RATE_PER_IP_PER_SECOND=$unlimited \
  LIVEPROOF_INGEST_RATE_PER_IP_BURST=$unlimited \
  "${LIVEPROOF_BIN:-bin/liveproof}" serve --listen 127.0.0.1:0 --udp-port 0 >"$scratch/out" 2>"$scratch/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 120); do
  url=$(sed -n 's/^listening on //p' "$scratch/out")
  [ -n "$url" ] && break
  kill -0 $server 2>/dev/null || break
  sleep 0.5
done
[ -n "$url" ] || { cat "$scratch/log" >&2; exit 1; }

# The names of calibrations are the operator's, and this server has none.
curl -sf "$url/openapi.yaml" | "$python" -c 'import sys, yaml
document = yaml.safe_load(sys.stdin)
del document["components"]["schemas"]["Creation"]["properties"]["calibration"]
del document["paths"]["/v1/sessions"]["post"]["requestBody"]["content"]["application/json"]["examples"]
yaml.safe_dump(document, open(sys.argv[1], "w"))' "$scratch/openapi.yaml"
"$(dirname "$python")/schemathesis" --config-file tools/integrations/schemathesis.toml run "$scratch/openapi.yaml" --url "$url" \
  --max-time "${SCHEMA_SECONDS:-60}" --exclude-tag media --exclude-method OPTIONS --exclude-operation-id website --exclude-operation-id followSession --continue-on-failure
