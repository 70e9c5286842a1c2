#!/usr/bin/env bash
# Sends requests that Schemathesis derives from the served openapi.yaml to a real server for a minute: bin/liveproof, or $LIVEPROOF_BIN.
# Media is left out: its bodies are SDP, which no schema describes; ingest/rfc9725_test.go tests it. So are events, which do not end.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${INTEGRATIONS_PYTHON:-.cache/integrations/venv/bin/python}
. tools/integrations/server.sh
unlimited=1000000
serve LIVEPROOF_STORE_MAX_SESSIONS=$unlimited LIVEPROOF_INGEST_RATE_PER_TENANT_PER_SECOND=$unlimited \
  LIVEPROOF_INGEST_RATE_PER_TENANT_BURST=$unlimited LIVEPROOF_INGEST_RATE_PER_IP_PER_SECOND=$unlimited \
  LIVEPROOF_INGEST_RATE_PER_IP_BURST=$unlimited

# The names of calibrations are the operator's, and this server has none.
curl -sf "$url/openapi.yaml" | "$python" -c 'import sys, yaml
document = yaml.safe_load(sys.stdin)
del document["components"]["schemas"]["Creation"]["properties"]["calibration"]
del document["paths"]["/v1/sessions"]["post"]["requestBody"]["content"]["application/json"]["examples"]
yaml.safe_dump(document, open(sys.argv[1], "w"))' "$scratch/openapi.yaml"
"$(dirname "$python")/schemathesis" --config-file tools/integrations/schemathesis.toml run "$scratch/openapi.yaml" --url "$url" \
  --max-time "${SCHEMA_SECONDS:-60}" --exclude-tag media --exclude-method OPTIONS --exclude-operation-id website --exclude-operation-id followSession --continue-on-failure
