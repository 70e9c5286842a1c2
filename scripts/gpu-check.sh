#!/usr/bin/env bash
# What the service and the trainer do on one NVIDIA GPU: scores beside the CPU's, images a second of the batcher beside those of the bare
# runtime, and training steps. Writes report.md, report.json and logs.txt.
#   scripts/gpu-check.sh prepare DIR [LIBRARIES]  on the build machine: puts into DIR what the other needs, which may have no network and
#                                                 no Go. LIBRARIES: a folder with ONNX Runtime's GPU libraries; else they are downloaded
#   DIR/gpu-check.sh run DIR [OUT]                on the machine with the GPU, in under eight minutes; OUT: DIR/out unless given
#   DIR/gpu-check.sh run --dry-run DIR [OUT]      everything on the CPU and short, to try the script itself
# STEPS="host parity train-bf16" runs these steps only (all: see steps below), SECONDS_IN_ALL=… in that time.
# The machine with the GPU needs Python with PyTorch for CUDA, torchvision, onnx and OpenCV (PYTHON=…, default python3).
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SECONDS_IN_ALL=${SECONDS_IN_ALL:-465}
CUDA_PROVIDER=libonnxruntime_providers_cuda.so

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit "${1:-2}"; }
say() { printf 'gpu-check: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# ── prepare ──

prepare() {
  local dir=${1:-} libraries=${2:-} root
  [ -n "$dir" ] || usage
  root=$(cd "$HERE/.." && pwd)
  mkdir -p "$dir"/{bin,models,onnxruntime-gpu,scorer,training} && dir=$(cd "$dir" && pwd) || fail "cannot write $dir"
  for package in scorer onnx; do
    (cd "$root" && go test -c -trimpath -ldflags '-s -w' -o "$dir/bin/$package.test" "./$package") || fail "./$package does not compile"
  done
  cp -r "$root"/models/*-fp16.onnx "$root"/models/*-int8.onnx "$root/models/golden" "$dir/models/"
  cp -r "$root/scorer/testdata" "$dir/scorer/"
  (cd "$root/training" && find liveproof_base liveproof_render liveproof_training -name '*.py' -exec cp --parents {} "$dir/training/" \;)
  cp -r "$root/scripts/gpu-check.sh" "$root/scripts/gpu_check" "$dir/"
  find "$dir" -name __pycache__ -prune -exec rm -rf {} +
  libraries "$root" "$dir/onnxruntime-gpu" "$libraries" || fail "no GPU libraries of ONNX Runtime"
  du -sh "$dir"/* >&2
  say "prepared. On the machine with the GPU: $dir/gpu-check.sh run $dir. The largest file, onnxruntime-gpu/$CUDA_PROVIDER, may be put there later"
}

libraries() {
  local root=$1 into=$2 from=$3 scratch=
  # shellcheck source=/dev/null
  . "$root/scripts/versions.sh"
  if [ -z "$from" ]; then
    scratch=$(mktemp -d)
    python3 -m pip download -q --no-deps --only-binary=:all: --python-version 312 --implementation cp --abi cp312 \
      --platform manylinux_2_28_x86_64 -d "$scratch" "onnxruntime-gpu==$ONNXRUNTIME_GPU_VERSION" || return 1
    unzip -q -o -j "$scratch"/*.whl 'onnxruntime/capi/libonnxruntime*' -d "$scratch" || return 1
    from=$scratch
  fi
  cp "$from"/libonnxruntime.so."$ONNXRUNTIME_GPU_VERSION" "$from"/libonnxruntime_providers_*.so "$into"/ || return 1
  [ -z "$scratch" ] || rm -rf "$scratch"
  echo "$ONNXRUNTIME_GPU_SHA256" | sed '/^ *$/d' | (cd "$into" && sha256sum -c --quiet -)
}

# ── run ──

run() {
  DRY=
  if [ "${1:-}" = --dry-run ]; then DRY=1; shift; fi
  DIR=${1:-}
  [ -n "$DIR" ] || usage
  DIR=$(cd "$DIR" && pwd) || fail "there is no $DIR"
  [ -x "$DIR/bin/scorer.test" ] || fail "$DIR was not prepared: bin/scorer.test is missing"
  OUT=${2:-$DIR/out}
  mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd) || fail "cannot write $OUT"
  PYTHON=${PYTHON:-python3}
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK"' EXIT
  mkdir "$WORK/logs"
  START=$SECONDS
  choose_provider
  environment
  steps
  report
  cat "$OUT/report.md"
}

choose_provider() {
  PROVIDER=cuda MODE=gpu
  if [ -z "$DRY" ] && ! nvidia-smi -L >/dev/null 2>&1; then DRY=1; fi
  if [ -n "$DRY" ]; then
    PROVIDER=cpu MODE=dry
    say "no GPU: dry run, nothing here is a GPU figure"
  elif [ ! -f "$DIR/onnxruntime-gpu/$CUDA_PROVIDER" ]; then
    say "onnxruntime-gpu/$CUDA_PROVIDER is missing: the steps of CUDA will fail"
  fi
}

# CUDA's libraries are those of Python's packages.
environment() {
  local found
  found=$("$PYTHON" "$HERE/gpu_check/libraries.py" "$WORK/links") || say "no libraries of CUDA beside $PYTHON"
  export LD_LIBRARY_PATH="$DIR/onnxruntime-gpu:$WORK/links:$found${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LIVEPROOF_ONNXRUNTIME="$DIR/onnxruntime-gpu" LIVEPROOF_BENCH_PROVIDER=$PROVIDER
  export PYTHONPATH="$DIR/training${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
  unset LIVEPROOF_BENCH_MODELS LIVEPROOF_BENCH_PRECISION LIVEPROOF_BENCH_BATCHES LIVEPROOF_BENCH_MAX_BATCHES LIVEPROOF_BENCH_WORKERS
}

# The order is that of importance: what does not fit into the time is left out and said so.
steps() {
  step host 20 host
  step half 60 "$PYTHON" "$HERE/gpu_check/half_model.py" "$DIR/models/liveproof-demo-resnet18-fp16.onnx" "$WORK/half"
  models
  step unit 60 unit
  step parity 60 golden "$WORK/models" auto
  step parity-float32 40 golden "$WORK/stored" fp32
  step provider-fp16 60 provider "$WORK/fp16" auto 500ms
  step train-bf16 60 train bf16
  step train-fp16 60 train fp16
  step provider-half 60 provider "$WORK/half" auto 300ms
  step provider-float32 60 provider "$WORK/fp16" fp32 300ms
  step fake 40 fake
  step pytorch 40 "$PYTHON" "$HERE/gpu_check/pytorch.py" ${DRY:+--dry-run}
  step provider-int8 60 provider "$WORK/int8" auto 300ms
  step tensorrt 150 tensorrt
  step provider-workers3 40 provider "$WORK/fp16" auto 300ms 64,256 64,256 3
}

# A folder of links for each group of models that is measured together. The file with half arithmetic
# is as far from float32 as half is, whatever the provider: float32's limit is not for it.
models() {
  mkdir -p "$WORK"/{models,stored,fp16,int8,half}
  ln -sf "$DIR"/models/*.onnx "$WORK/models/"
  ln -sf "$DIR"/models/*.onnx "$WORK/stored/"
  find "$WORK/half" -name "*.onnx" -exec ln -sf -t "$WORK/models/" {} +
  ln -sf "$DIR"/models/*resnet18-fp16.onnx "$WORK/fp16/"
  ln -sf "$DIR"/models/*resnet18-int8.onnx "$WORK/int8/"
}

# step NAME SECONDS COMMAND…: a step that hangs or fails leaves the others alone; what is known is on disk after each.
step() {
  local name=$1 limit=$2 left began=$SECONDS status
  shift 2
  case " ${STEPS:-$name} " in *" $name "*) ;; *) return ;; esac
  left=$((SECONDS_IN_ALL - (SECONDS - START) - 8))
  [ "$limit" -le "$left" ] || limit=$left
  if [ "$limit" -lt 10 ]; then
    printf '%s\t0\tskipped: no time left\n' "$name" >>"$WORK/steps.tsv"
    return
  fi
  say "$name (at $((SECONDS - START)) s, at most $limit s)"
  export -f host unit golden provider fake train tensorrt go_bench
  export DIR HERE WORK PYTHON DRY PROVIDER
  # "$@" may be one of the functions above, which only a shell knows.
  timeout -k 5 "$limit" bash -c '"$@"' step "$@" >"$WORK/logs/$name.log" 2>&1
  status=$?
  case $status in 0) status=ok ;; 124 | 137) status="stopped after $limit s" ;; *) status="failed ($status)" ;; esac
  printf '%s\t%d\t%s\n' "$name" $((SECONDS - began)) "$status" >>"$WORK/steps.tsv"
  { printf '\n════ %s: %s\n' "$name" "$status"; cat "$WORK/logs/$name.log"; } >>"$WORK/logs.txt"
  report
}

host() {
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm,clocks.mem,power.limit,pstate --format=csv 2>&1
  nvidia-smi -q -d CLOCK 2>/dev/null | head -30
  lscpu | grep -E '^(Model name|CPU\(s\)|Thread|Core|L2|L3)'
  echo "cpu flags: $(lscpu | grep -oE '\b(avx2|avx512f|avx512_vnni|avx_vnni|avx512_bf16|avx512_fp16|amx_tile|amx_int8|amx_bf16)\b' | sort -u | tr '\n' ' ')"
  grep -E 'MemTotal|MemAvailable' /proc/meminfo
  uname -sr
  ldd "$DIR/bin/scorer.test"
  ldd --version | head -1
  ldd "$DIR/onnxruntime-gpu/libonnxruntime_providers_cuda.so" 2>&1 | grep -E 'not found|cublas\.|cudart'
  "$PYTHON" -c 'import sys, numpy, torch, onnx; print("python", sys.version.split()[0], "numpy", numpy.__version__, "torch", torch.__version__,
    "onnx", onnx.__version__, "cuda", torch.version.cuda, "cudnn", torch.backends.cudnn.version(), "gpu", torch.cuda.is_available())'
}

# Unit tests that need neither a GPU nor the source code: the binaries work here, and the host's CPU gives the golden scores.
unit() {
  local failed=0
  (cd "$DIR/scorer" && env -u LIVEPROOF_BENCH_PROVIDER ../bin/scorer.test -test.timeout 50s -test.run 'Golden|Parity|Batcher|Queue|Backend|Fair|Policy|OneShape|Networks|Sizes') || failed=1
  mkdir -p "$DIR/onnx" && cd "$DIR/onnx" && ../bin/onnx.test -test.timeout 50s -test.skip 'ProviderFailure|RefusesALibrary|CommentOf|TensorRTSettings' || failed=1
  return $failed
}

golden() {
  cd "$DIR/scorer" && LIVEPROOF_BENCH_MODELS=$1 LIVEPROOF_BENCH_PRECISION=$2 ../bin/scorer.test -test.v -test.timeout 120s -test.run ProviderParity
}

go_bench() {
  cd "$DIR/scorer" && ../bin/scorer.test -test.timeout 300s -test.run '^$' -test.bench "$1" -test.benchtime "$2"
}

provider() {
  export LIVEPROOF_BENCH_MODELS=$1 LIVEPROOF_BENCH_PRECISION=$2
  if [ -n "$DRY" ]; then LIVEPROOF_BENCH_BATCHES=1,4,8 LIVEPROOF_BENCH_MAX_BATCHES=8 LIVEPROOF_BENCH_WORKERS=2 go_bench BenchmarkProvider/ 100ms; return; fi
  export LIVEPROOF_BENCH_BATCHES=${4:-1,16,64,256} LIVEPROOF_BENCH_MAX_BATCHES=${5:-64,256} LIVEPROOF_BENCH_WORKERS=${6:-2}
  go_bench BenchmarkProvider/ "$3"
}

fake() { go_bench BenchmarkBatcherOnFakeGPU 400ms; }

train() {
  "$PYTHON" "$HERE/gpu_check/training_step.py" --precision "$1" --crops "$WORK/crops" --out "$WORK/train-$1" ${DRY:+--dry-run}
}

tensorrt() {
  local name=libnvinfer.so.10
  if [ -n "$DRY" ] || ! "$PYTHON" -c "import ctypes; ctypes.CDLL('$name')" 2>/dev/null; then
    echo "TensorRT: not installed ($name), skipped"
    return
  fi
  LIVEPROOF_BENCH_PROVIDER=tensorrt golden "$WORK/fp16" fp16
  LIVEPROOF_BENCH_PROVIDER=tensorrt provider "$WORK/fp16" fp16 300ms
}

report() {
  "$PYTHON" "$HERE/gpu_check/report.py" --mode "$MODE" --steps "$WORK/steps.tsv" --logs "$WORK/logs" --out "$OUT" ||
    say "the report could not be written; logs.txt has everything"
  cp "$WORK/logs.txt" "$OUT/logs.txt"
}

case "${1:-}" in
  prepare) shift; prepare "$@" ;;
  run) shift; run "$@" ;;
  -h | --help) usage 0 ;;
  *) usage ;;
esac
