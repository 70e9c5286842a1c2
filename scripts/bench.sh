#!/usr/bin/env bash
# The measurements of docs/performance.md. Quiet machine, please.
#   scripts/bench.sh stages     every stage alone (BENCHTIME=1s)
#   scripts/bench.sh sessions   live 640×480@30 sessions: scored samples, latency, CPU, memory (SESSIONS="10 20 30 40 45 50")
#   scripts/bench.sh verdict    the time to a verdict (CHECKS=20, one every 2 s) next to CALLS=40 calls
#   scripts/bench.sh owners     whose code the CPU time is spent in, with CALLS=40 calls
#   scripts/bench.sh plot       the sessions as a picture, from all results so far
#   scripts/bench.sh peer       our server and another one in turn, by the same load generator; `peer --help` has its settings
#   scripts/bench.sh            stages, sessions, verdict, owners
# For all of them: MODEL=… another model, WINDOW=20s, SERVER_ENV="NAME=value …" more settings of the server,
# SAMPLING_ENV the setting that keeps the sampling rate fixed (LIVEPROOF_PIPELINE_RELAXED_RATE=60). Results are added to .cache/bench/*.jsonl.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/bench_server.sh
WINDOW=${WINDOW:-20s}
NAME=${NAME:-${MODEL:-default}}
PYTHON=.venv/bin/python

stages() {
  go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" \
    ./media ./detector ./scorer ./verdict ./pipeline ./store ./ingest/rtc . | grep -E '^(pkg|cpu|Benchmark)'
}

load() { bin/liveproof load --server "$URL" --api-key "$KEY" --stagger 107ms "$@" "$CLIP"; }

# What follows the sessions' own lines of JSON.
summary() { grep -v '^{'; }

sessions() {
  clip
  local n
  for n in ${SESSIONS:-10 20 30 40 45 50}; do
    echo "── $n sessions, $NAME"
    start_server
    load --sessions "$n" --window "$WINDOW" --append "$CACHE/sessions-$NAME.jsonl" | summary
    stop_server
  done
}

# Starts CALLS calls and waits until the last one is under way. end_calls prints what they got.
start_calls() {
  CALLS=${CALLS:-40}
  CALLS_LOG=$(mktemp)
  load --sessions "$CALLS" "$@" >"$CALLS_LOG" &
  CALLS_PID=$!
  STARTED+=("$CALLS_PID")
  sleep $((CALLS / 9 + 5))
}

end_calls() {
  wait "$CALLS_PID"
  echo "$CALLS calls: $(summary <"$CALLS_LOG")"
  rm "$CALLS_LOG"
}

# The calls last for the whole clip, so their samples show whether the server kept up.
verdict() {
  clip
  echo "── time to verdict, $NAME"
  start_server
  start_calls
  load --mode onboarding --stagger 2s --sessions "${CHECKS:-20}" --append "$CACHE/verdict-$NAME.jsonl" | summary
  end_calls
  stop_server
}

owners() {
  clip
  local profile=$CACHE/cpu-$NAME.pprof
  echo "── owners of the CPU time, $NAME"
  start_server
  start_calls --window 22s
  curl -sf "${PPROF}profile?seconds=20" -o "$profile"
  end_calls
  stop_server
  $PYTHON scripts/profile_owners.py "$profile" --sessions "$CALLS"
}

plot() { $PYTHON scripts/plot_sessions.py "$CACHE"/sessions-*.jsonl --out "${PLOT:-$CACHE/sessions.png}"; }

case "${1:-all}" in
  stages | sessions | verdict | owners | plot) "$1" ;;
  peer) exec scripts/bench_peer.sh "${@:2}" ;;
  all) stages; sessions; verdict; owners ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
