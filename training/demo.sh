#!/bin/sh
# The demo model from portraits alone: render, train, evaluate, export. About 40 minutes on two idle cores
# with AMX; MINUTES bounds the training. Run from anywhere; ../shared (or LIVEPROOF_SHARED) must be there.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python3}
data=${DATA:-data/demo}
out=${OUT:-out/demo}
models=${MODELS:-../models}

[ -f "$data/manifest.csv" ] || $python -m liveproof_training render --out "$data" --seed 1
$python -m liveproof_training train --data "$data" --out "$out" --precision bf16 \
  --augment nuisance --sampling matched --mix replace --mix-prob 0.5 --size 128 --full-size-from 0.75 --freeze layer1 \
  --schedule cosine --steps "${STEPS:-4000}" --budget-minutes "${MINUTES:-23}" --warmup-steps 40 --lr 2e-4 --lr-new 6e-4 \
  --batch 48 --eval-every 250 --eval-limit 300 --log-every 10 --seed 1 --init "${INIT:-shared}"
$python -m liveproof_training export --checkpoint "$out/final.pt" --data "$data" --out "$out/models" --golden
mkdir -p "$models/golden"
cp "$out/models/"*-fp16.onnx "$out/models/"*-int8.onnx "$out/models/manifest.json" "$models/" # fp32 is not committed
cp "$out/models/golden/"* "$models/golden/"
for precision in fp16 int8; do
  $python -m liveproof_training evaluate --model "$models/liveproof-demo-resnet18-$precision.onnx" --data "$data" --split test \
    --out "$out/eval-$precision" --plot "$out/scores-$precision.png"
done
echo "now: go test ./models -run CatalogueEqualsCommittedFiles -update"
$python -m liveproof_training plot --log "$out/log.csv" --out "$out/curves.png"
