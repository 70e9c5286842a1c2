#!/usr/bin/env bash
# Our server and a Python one ($LIVEPROOF_SHARED/peer: aiortc, OpenCV) in turn, with the same clip and load generator:
# scored samples per core-second of the server, and the ratio of the medians.
#   scripts/bench.sh peer            all servers
#   scripts/bench.sh peer "A B"      some: ours (default configuration), ours-fp32 (fp32, plain CPU provider),
#                                    peer-ort (fp32, ONNX Runtime), peer-openvino (the same networks in bf16)
# ROUNDS=3, WINDOW=8 (seconds), EQUAL=8 (sessions that every server can hold), FULL_OURS=50 and FULL_PEER=14 (sessions that
# saturate it; 0: no such run), NETWORK=resnet18|mobilenet_v2 of the peer, MODEL and SERVER_ENV of ours. Everything that
# this needs is made in .cache/bench/peer once.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/bench_server.sh
[ "${1:-}" != --help ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit; }
PEER=${LIVEPROOF_SHARED:?names the folder that has peer/}/peer
WORK=$PWD/$CACHE/peer
NETWORK=${NETWORK:-resnet18}
PYTHON=$WORK/venv/bin/python
RESULTS=$WORK/results-$NETWORK-$(date +%Y%m%dT%H%M%S).jsonl
export PYTHONDONTWRITEBYTECODE=1 PEERS_BENCH=$WORK/$NETWORK PEERS_WHIPLOAD=$WORK/whipload
export PEERS_ORT_LIBRARY=${LIVEPROOF_ONNXRUNTIME:-$PWD/.cache/onnxruntime/libonnxruntime.so}
DEBIAN_PACKAGES=(python3-venv python3-aiortc python3-opencv python3-torch python3-torchvision python3-aiohttp python3-redis
  python3-uvloop redis-server ffmpeg)
PYTHON_PACKAGES=(onnx==1.18.0 ml_dtypes==0.5.1 numpy==1.24.4 onnxruntime-openvino==1.24.1)

packages() {
  local missing
  missing=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${DEBIAN_PACKAGES[@]}" 2>/dev/null |
    awk '$2 == "installed" {print $1}' | sort | comm -13 - <(printf '%s\n' "${DEBIAN_PACKAGES[@]}" | sort))
  [ -z "$missing" ] || { echo "apt-get install" $missing >&2; exit 1; }
  printf '%s\n' "${PYTHON_PACKAGES[@]}" | cmp -s - "$WORK/venv/.packages" && return
  /usr/bin/python3 -m venv --clear --system-site-packages "$WORK/venv"
  "$PYTHON" -m pip install -q --disable-pip-version-check "${PYTHON_PACKAGES[@]}"
  printf '%s\n' "${PYTHON_PACKAGES[@]}" >"$WORK/venv/.packages"
}

prepare() {
  mkdir -p "$WORK"
  packages
  (cd "$PEER/whipload" && go build -o "$WORK/whipload" .)
  printf '#!/bin/sh\nexec %q %q "$@"\n' "$PYTHON" "$PWD/scripts/peer_openvino.py" >"$WORK/openvino-python"
  chmod +x "$WORK/openvino-python"
  [ -f "$PEERS_BENCH/r18_224.onnx" ] && return
  people -c:v mjpeg -q:v 3 -f mjpeg "$WORK/people.mjpeg"
  "$PYTHON" scripts/peer_prepare.py --peer "$PEER" --clip "$WORK/people.mjpeg" --network "$NETWORK" \
    --detector "$LIVEPROOF_SHARED/models/retinaface_mobilenet025.onnx" --out "$PEERS_BENCH"
}

# measure LABEL SESSIONS [ARGUMENT …]
measure() {
  local label=$1 sessions=$2
  shift 2
  echo "── $label, $sessions sessions" >&2
  "$PYTHON" "$PEER/measure.py" --label "$label" --out "$RESULTS" -n "$sessions" --window "${WINDOW:-8}" "$@" >/dev/null
}

# Both servers write each sample's result to a Redis of their own; its CPU time is not theirs.
ours() {
  local label=$1 sessions=$2 load=$3 socket=$WORK/redis.sock redis
  rm -f "$socket"
  redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no >/dev/null &
  redis=$!
  STARTED+=("$redis")
  until [ -S "$socket" ]; do sleep 0.1; done
  start_server --redis "unix://$socket"
  measure "$label/$load" "$sessions" --sessions "$URL/v1/sessions" --api-key "$KEY" --server-pid "$SERVER"
  stop_server
  stop "$redis"
}

# run SERVER EQUAL-OR-FULL SESSIONS-OF-OURS SESSIONS-OF-THE-PEER
run() {
  local server=$1 load=$2 ort=(--detector-engine ort --scorer-engine ort)
  case $server in
    ours) ours "$server" "$3" "$load" ;;
    ours-fp32)
      SERVER_ENV="${SERVER_ENV:-} LIVEPROOF_ONNX_PROVIDER=cpu" MODEL=liveproof-demo-resnet18-fp16 ours "$server" "$3" "$load" ;;
    peer-ort) measure "$server/$load" "$4" -- "${ort[@]}" ;;
    peer-openvino) measure "$server/$load" "$4" --python "$WORK/openvino-python" -- "${ort[@]}" ;;
    *) echo "no server $server" >&2; exit 2 ;;
  esac
}

prepare
for _ in $(seq "${ROUNDS:-3}"); do
  for server in ${1:-ours peer-ort ours-fp32 peer-openvino}; do
    run "$server" equal "${EQUAL:-8}" "${EQUAL:-8}"
    [ "${FULL_OURS:-50}" = 0 ] || run "$server" full "${FULL_OURS:-50}" "${FULL_PEER:-14}"
  done
done
"$PYTHON" scripts/peer_ratios.py "$RESULTS"
echo "$RESULTS"
