#!/usr/bin/env bash
# Per-stage benchmarks, then how many live 640×480@30 sessions this machine holds.
# The figures of docs/performance.md come from here. Quiet machine, please.
#   scripts/bench.sh stages     the stages only
#   scripts/bench.sh sessions   the capacity only; MODEL=… for another model, SESSIONS="8 10 12"
set -euo pipefail
cd "$(dirname "$0")/.."
CLIP=.cache/bench/people.ivf

stages() {
  go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" \
    ./media ./detector ./scorer ./verdict ./pipeline ./store ./ingest/rtc . | grep -E '^(pkg|cpu|Benchmark)'
}

# Three people one after the other: a clip that is played again would count as frozen, as it should.
clip() {
  [ -f "$CLIP" ] && return
  mkdir -p "$(dirname "$CLIP")"
  local people=("${LIVEPROOF_SHARED:-}"/media/person_{A,B,C}_640x480.mjpeg) input filter='[0:v]null[out]'
  if [ -f "${people[0]}" ]; then
    input=(-r 30 -f mjpeg -i "${people[0]}" -r 30 -f mjpeg -i "${people[1]}" -r 30 -f mjpeg -i "${people[2]}")
    filter='[0:v][1:v][2:v]concat=n=3:v=1[out]'
  else
    echo "no recordings of people (LIVEPROOF_SHARED): nobody is in front of the camera, nothing gets scored" >&2
    input=(-f lavfi -i "testsrc2=size=640x480:rate=30,noise=alls=8:allf=t")
  fi
  ffmpeg -v error -y "${input[@]}" -filter_complex "$filter" -map '[out]' -t 30 -c:v libvpx -b:v 1M -g 300 \
    -deadline realtime -cpu-used 8 "$CLIP"
}

# One run: the server's own CPU seconds tell what a session costs, whatever the load generator takes. The rate is fixed:
# capacity is what the server holds when every call is sampled at the full rate.
one() {
  local sessions=$1 log server url key before after hz
  log=$(mktemp)
  LIVEPROOF_SESSION_MAX_SESSIONS=1000 LIVEPROOF_INGEST_RATE_PER_IP_BURST=100000 LIVEPROOF_LOG_LEVEL=warn \
  LIVEPROOF_PIPELINE_RELAXED_RATE=60 \
    ${MODEL:+env LIVEPROOF_SCORER_MODEL="$MODEL"} bin/liveproof serve --listen 127.0.0.1:0 --udp-port 0 >"$log" 2>&1 &
  server=$!
  until grep -q '^listening' "$log"; do sleep 0.1; done
  url=$(sed -n 's/^listening on //p' "$log"); key=$(sed -n 's/^development API key: //p' "$log")
  hz=$(getconf CLK_TCK)
  cpu() { awk '{print $14 + $15}' "/proc/$server/stat"; }
  echo "base memory $(awk '/VmRSS/{print int($2/1024)}' "/proc/$server/status") MB"
  before=$(cpu)
  bin/liveproof load --server "$url" --api-key "$key" --sessions "$sessions" --stagger 100ms "$CLIP" >"$log.load" &
  local load=$!
  sleep 20
  echo "memory with $sessions sessions $(awk '/VmRSS/{print int($2/1024)}' "/proc/$server/status") MB"
  wait $load
  after=$(cpu)
  tail -1 "$log.load"
  awk -v c=$((after - before)) -v hz="$hz" -v n="$sessions" 'BEGIN {
    printf "server CPU %.1f s, %.3f cores a session\n", c/hz, c/hz/n/30 }'
  kill $server; wait $server || true
  rm -f "$log" "$log.load"
}

sessions() {
  clip
  for n in ${SESSIONS:-1 6 10 14}; do
    echo "── $n sessions${MODEL:+, $MODEL}"
    one "$n"
  done
}

case "${1:-all}" in
  stages) stages ;;
  sessions) sessions ;;
  all) stages; sessions; MODEL=liveproof-demo-resnet18-fp16 sessions ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
