# Starts a Liveproof server to measure, and makes the clip that is sent to it. Sourced by bench.sh and bench_peer.sh.
CACHE=.cache/bench
CLIP=$CACHE/people-60s.ivf

# people OPTION … FILE: a clip of three people one after the other, then their mirror images, because a clip that repeats
# itself would count as frozen. The options are ffmpeg's for the output.
people() {
  local files=("${LIVEPROOF_SHARED:-}"/media/person_{A,B,C}_640x480.mjpeg) input=() file filter='[0:v]null[out]'
  if [ -f "${files[0]}" ]; then
    for file in "${files[@]}" "${files[@]}"; do input+=(-r 30 -f mjpeg -i "$file"); done
    filter='[3:v]hflip[a];[4:v]hflip[b];[5:v]hflip[c];[0:v][1:v][2:v][a][b][c]concat=n=6:v=1[out]'
  else
    echo "no recordings of people in \$LIVEPROOF_SHARED: the clip shows nobody, and nothing is scored" >&2
    input=(-f lavfi -i "testsrc2=size=640x480:rate=30,noise=alls=8:allf=t")
  fi
  ffmpeg -v error -y "${input[@]}" -filter_complex "$filter" -map '[out]' -t 60 "$@"
}

clip() {
  [ -f "$CLIP" ] && return
  mkdir -p "$CACHE"
  people -c:v libvpx -b:v 1M -g 300 -deadline realtime -cpu-used 8 "$CLIP.part.ivf"
  mv "$CLIP.part.ivf" "$CLIP"
}

# Processes that the script started and has not stopped are ended when it exits.
STARTED=()
trap 'kill "${STARTED[@]}" 2>/dev/null || true' EXIT

# stop PID: ends one process that was started by this script.
stop() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Starts a server on a free port that refuses no session; sets SERVER (its process), URL, KEY, METRICS and PPROF. SERVER_ENV
# holds more settings (NAME=value …), MODEL another model, SERVER_BIN another program. For a version before 0.2, which serves its
# metrics with everything else, set OPS_ENV=LIVEPROOF_OPS_PPROF=127.0.0.1:0.
start_server() {
  SERVER_LOG=$(mktemp)
  env LIVEPROOF_SESSION_MAX_SESSIONS=1000 LIVEPROOF_INGEST_RATE_PER_IP_BURST=100000 \
    LIVEPROOF_INGEST_RATE_PER_TENANT_BURST=100000 LIVEPROOF_SCORER_ADMIT_WAIT=60s \
    ${OPS_ENV:-LIVEPROOF_OPS_LISTEN=127.0.0.1:0 LIVEPROOF_OPS_PROFILES=true} \
    ${SAMPLING_ENV:-LIVEPROOF_PIPELINE_RELAXED_RATE=60} ${MODEL:+LIVEPROOF_SCORER_MODEL="$MODEL"} ${SERVER_ENV:-} \
    "${SERVER_BIN:-bin/liveproof}" serve --listen 127.0.0.1:0 --udp-port 0 "$@" >"$SERVER_LOG" 2>&1 &
  SERVER=$!
  STARTED+=("$SERVER")
  until grep -q '^listening' "$SERVER_LOG" && grep -q 'profiles at' "$SERVER_LOG"; do
    kill -0 $SERVER 2>/dev/null || { cat "$SERVER_LOG" >&2; exit 1; }
    sleep 0.1
  done
  URL=$(sed -n 's/^listening on //p' "$SERVER_LOG")
  KEY=$(sed -n 's/^development API key: //p' "$SERVER_LOG")
  METRICS=$(sed -n 's/^metrics at //p' "$SERVER_LOG")
  METRICS=${METRICS:-$URL/metrics}
  PPROF=$(sed -n 's/.*profiles at \(http[^ "]*\).*/\1/p' "$SERVER_LOG")
}

stop_server() {
  stop "$SERVER"
  rm -f "$SERVER_LOG"
}
