#!/usr/bin/env bash
# The measurements of docs/performance.md. Run them on an otherwise idle machine.
#   scripts/bench.sh stages     every stage alone (BENCHTIME=1s)
#   scripts/bench.sh sessions   live 640×480@30 sessions: scored samples, latency, CPU, memory (SESSIONS="10 20 30 40 45 50")
#   scripts/bench.sh verdict    the time to a verdict of CHECKS=20 sessions, one every 2 s, while CALLS=40 calls run
#   scripts/bench.sh owners     which code the CPU time is spent in, with CALLS=40 calls
#   scripts/bench.sh plot       a plot of the results of sessions so far
#   scripts/bench.sh peer       this server and another one in turn, with the same load generator; see `peer --help`
#   scripts/bench.sh            stages, sessions, verdict, owners
# Variables of all of them: MODEL (another model), WINDOW=20s, SERVER_ENV="NAME=value …" (more settings of the server), and SAMPLING_ENV
# (default LIVEPROOF_PIPELINE_RELAXED_RATE=60, which keeps the sampling rate fixed). Results are appended to .cache/bench/*.jsonl.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/bench_server.sh
WINDOW=${WINDOW:-20s}
NAME=${NAME:-${MODEL:-default}}
PYTHON=.venv/bin/python

stages() {
  go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" \
    ./media ./detector ./scorer ./motion ./verdict ./pipeline ./store ./ingest/rtc . | grep -E '^(pkg|cpu|Benchmark)'
}

load() { bin/liveproof load --server "$URL" --metrics "$METRICS" --api-key "$KEY" --stagger 107ms "$@" "$CLIP"; }

# Keeps the summary, which follows the sessions' lines of JSON.
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

# Starts CALLS calls and waits until the last one runs. end_calls waits for their end and prints their summary.
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

# The calls send the whole clip, so their samples show whether the server kept up.
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
