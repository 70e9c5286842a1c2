#!/bin/sh
# The demo models from portraits alone: render, train, export, judge. About an hour and a half on two idle cores with AMX,
# most of it training. Run from anywhere; ../shared (or LIVEPROOF_SHARED) must be there. What exists is kept, so a second call
# goes on where the first was stopped. ENCODERS, DATA, OUT, MODELS and PYTHON may be set.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python3}
data=${DATA:-data/demo}
out=${OUT:-out/demo}
models=${MODELS:-../models}
encoders=${ENCODERS:-resnet18 mobilenet_v2}

recipe() { # steps and what else differs
  case $1 in
    resnet18) echo "--steps 2600 --lr 3e-4 --lr-new 8e-4" ;;
    mobilenet_v2) echo "--steps 2600 --lr 4e-4 --lr-new 1e-3" ;;
  esac
}
precisions() { [ "$1" = resnet18 ] && echo "int8,fp16" || echo "int8"; }
name() { echo "liveproof-demo-$(echo "$1" | tr -d _)"; }

[ -f "$data/manifest.csv" ] || $python -m liveproof_training render --out "$data" --variants 8 --seed 1
for encoder in $encoders; do
  run=$out/$encoder
  if [ ! -f "$run/final.pt" ]; then
    resume=$([ -f "$run/last.pt" ] && echo --resume || true)
    # shellcheck disable=SC2046,SC2086
    $python -m liveproof_training train --data "$data" --out "$run" --encoder "$encoder" --init shared --adversary off --precision bf16 \
      --augment nuisance --sampling matched --mix replace --mix-prob 0.5 --size 128 --full-size-from 0.9 --batch 48 \
      --schedule cosine --warmup-steps 40 --eval-every 400 --eval-limit 400 --seed 1 $(recipe "$encoder") $resume
  fi
  $python -m liveproof_training plot --log "$run/log.csv" --out "$run/curves.png"
done
