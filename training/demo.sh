#!/bin/sh
# The demo models from portraits alone: render, train, export. About an hour on two idle cores with AMX, most of it training; do not
# run anything beside it. Run from anywhere; LIVEPROOF_SHARED must be set (portraits, first weights). What exists is kept, so a second call
# goes on where the first was stopped. ENCODERS (resnet18, mobilenet_v2 or both), DATA, OUT, MODELS and PYTHON may be set.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python3}
data=${DATA:-data/demo}
out=${OUT:-out/demo}
models=${MODELS:-../models}
encoders=${ENCODERS:-resnet18}
: "${LIVEPROOF_SHARED:?names the folder with faces/ and weights/; the demo models are made from both}"

recipe() { # what differs between the encoders
  case $1 in
    resnet18) echo "--steps 2400 --batch 48 --lr 2e-4 --lr-new 6e-4 --freeze layer1 --eval-every 400" ;;
    mobilenet_v2) echo "--steps 600 --batch 96 --lr 4e-4 --lr-new 1e-3 --size 128 --eval-every 200" ;;
  esac
}
second() { # and then, so that a colour cast is no hint, and for MobileNetV2 whole crops
  case $1 in
    resnet18) echo "--steps 250 --batch 48 --lr 1.5e-4 --freeze layer1 --augment colour" ;;
    mobilenet_v2) echo "--steps 360 --batch 96 --lr 3e-4 --augment all --eval-every 120" ;;
  esac
}
third() { # where two stages are not enough
  case $1 in
    mobilenet_v2) echo "--steps 210 --batch 96 --lr 3e-4 --augment colour --warmup-steps 20 --eval-every 105" ;;
  esac
}
precisions() { [ "$1" = resnet18 ] && echo "int8,fp16" || echo "int8"; }
name() { echo "liveproof-demo-$(echo "$1" | tr -d _)"; }

train() { # RUN ENCODER FLAGS…
  run=$out/$1 encoder=$2
  shift 2
  [ -f "$run/final.pt" ] && return
  # shellcheck disable=SC2046
  $python -m liveproof_training train --data "$data" --out "$run" --encoder "$encoder" --adversary off --precision bf16 --sampling matched \
    --mix replace --mix-prob 0.5 --schedule cosine --warmup-steps 40 --eval-limit 400 "$@" $([ -f "$run/last.pt" ] && echo --resume)
  $python -m liveproof_training plot --log "$run/log.csv" --out "$run/curves.png"
}

[ -f "$data/manifest.csv" ] || $python -m liveproof_render crops --out "$data" --variants 8 --seed 1
checkpoints=
for encoder in $encoders; do
  # shellcheck disable=SC2046
  train "$encoder" "$encoder" --init shared --seed 1 $(recipe "$encoder")
  # shellcheck disable=SC2046
  train "$encoder-second" "$encoder" --init "$out/$encoder/final.pt" --seed 2 $(second "$encoder")
  last=$encoder-second
  if [ -n "$(third "$encoder")" ]; then
    # shellcheck disable=SC2046
    train "$encoder-third" "$encoder" --init "$out/$last/final.pt" --seed 3 $(third "$encoder")
    last=$encoder-third
  fi
  $python -m liveproof_training export --checkpoint "$out/$last/final.pt" --data "$data" --out "$models" \
    --name "$(name "$encoder")" --precisions "$(precisions "$encoder")" \
    --training-data "crops rendered from generated portraits (SFHQ, MIT): bona fide, print, cut-out, screen replay" \
    --threshold-source "equal error rate on rendered dev crops (held-out source grids)"
  checkpoints="$checkpoints --checkpoint $(name "$encoder")=$out/$last/final.pt"
done
# shellcheck disable=SC2086
$python -m liveproof_training golden --models "$models" --data "$data" $checkpoints
echo "now, in the checkout: go test ./models -run CatalogueEqualsCommittedFiles -update"
