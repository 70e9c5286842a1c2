# For `source`: serve KEY=VALUE… runs a real server, bin/liveproof or $LIVEPROOF_BIN, with these settings until the script ends, and sets url
# and LIVEPROOF_API_KEY.
serve() {
  scratch=$(mktemp -d)
  export LIVEPROOF_API_KEY=schema-key-0123456789
  env LIVEPROOF_INGEST_API_KEYS=$LIVEPROOF_API_KEY LIVEPROOF_ONNX_PROVIDER=cpu LIVEPROOF_SESSION_MAX_SESSIONS=100000 "$@" \
    "${LIVEPROOF_BIN:-bin/liveproof}" serve --listen 127.0.0.1:0 --udp-port 0 >"$scratch/out" 2>"$scratch/log" &
  server=$!
  trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
  for _ in $(seq 120); do
    url=$(sed -n 's/^listening on //p' "$scratch/out")
    [ -n "$url" ] && return
    kill -0 $server 2>/dev/null || break
    sleep 0.5
  done
  cat "$scratch/log" >&2
  return 1
}
