#!/usr/bin/env bash
# Measures this server and a Python one ($LIVEPROOF_SHARED/peer: aiortc, OpenCV) in turn, with the same clip and load generator.
# Prints the scored samples per core-second of each server, and the ratio of their medians.
#   scripts/bench.sh peer            all servers
#   scripts/bench.sh peer "A B"      some of them: ours (default configuration), ours-fp32 (fp32, plain CPU provider),
#                                    peer-ort (fp32, plain CPU provider), peer-openvino (the same networks, OpenVINO in bf16)
# Variables: ROUNDS=3, WINDOW=8 (seconds), EQUAL=8 (sessions that every server can run; empty: no such runs), FULL="50 14 24 14" (sessions that saturate
# ours, ours-fp32, peer-openvino, peer-ort; empty: none), NETWORK=resnet18|mobilenet_v2 of the peer, MODEL and
# SERVER_ENV of this server. The first run prepares what it needs in .cache/bench/peer.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/bench_server.sh
[ "${1:-}" != --help ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit; }
PEER=${LIVEPROOF_SHARED:?must name the folder that holds peer/}/peer
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

free_port() { "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Each server writes its samples to a Redis of its own, whose CPU time does not count.
ours() {
  local label=$1 sessions=$2 load=$3 port redis
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no >/dev/null &
  redis=$!
  STARTED+=("$redis")
  until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
  start_server --redis "redis://127.0.0.1:$port"
  measure "$label/$load" "$sessions" --sessions "$URL/v1/sessions" --api-key "$KEY" --server-pid "$SERVER"
  stop_server
  stop "$redis"
}

# run SERVER EQUAL-OR-FULL SESSIONS
run() {
  local server=$1 load=$2 sessions=$3 ort=(--detector-engine ort --scorer-engine ort)
  case $server in
    ours) ours "$server" "$sessions" "$load" ;;
    ours-fp32)
      SERVER_ENV="${SERVER_ENV:-} LIVEPROOF_ONNX_PROVIDER=cpu" MODEL=liveproof-demo-resnet18-fp16 ours "$server" "$sessions" "$load" ;;
    peer-ort) measure "$server/$load" "$sessions" -- "${ort[@]}" ;;
    peer-openvino) measure "$server/$load" "$sessions" --python "$WORK/openvino-python" -- "${ort[@]}" ;;
  esac
}

# full_sessions SERVER: prints how many sessions saturate it.
full_sessions() {
  local ours fp32 openvino ort
  read -r ours fp32 openvino ort <<<"${FULL-50 14 24 14}"
  case $1 in
    ours) echo "$ours" ;;
    ours-fp32) echo "$fp32" ;;
    peer-openvino) echo "$openvino" ;;
    peer-ort) echo "$ort" ;;
    *) echo "unknown server $1" >&2; return 2 ;;
  esac
}

prepare
for _ in $(seq "${ROUNDS:-3}"); do
  for server in ${1:-ours peer-ort ours-fp32 peer-openvino}; do
    full=$(full_sessions "$server")
    [ -z "${EQUAL-8}" ] || run "$server" equal "${EQUAL-8}"
    [ -z "$full" ] || run "$server" full "$full"
  done
done
"$PYTHON" scripts/peer_ratios.py "$RESULTS"
echo "$RESULTS"
