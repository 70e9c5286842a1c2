#!/bin/sh
# The demo models from portraits alone: simulate and train (seven minutes on one NVIDIA GPU), make MobileNetV2 steady (25 minutes on two CPU cores, drawing its pairs included), export, golden scores. Run from anywhere;
# LIVEPROOF_SHARED must be set (portraits, first weights, clips, the detector; devset for the threshold, with `make build`). What exists is kept, so a second
# call goes on where the first was stopped. OUT, MODELS, PYTHON, PARTS (faces train steady export golden), ENCODERS and DEVICE may be set:
# a machine with a GPU may do "train" alone, and another the rest.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python3}
out=${OUT:-out/demo}
models=${MODELS:-../models}
encoders=${ENCODERS:-resnet18 mobilenet_v2}
parts=${PARTS:-faces train steady export golden}
: "${LIVEPROOF_SHARED:?names the folder with faces/, weights/, media/, models/ and devset/; the demo models are made from the first three}"

recipe() { # what differs between the encoders
  case $1 in
    resnet18) echo "--minutes 1.7 --seed 3 --mix-prob 0 --decay 0.998" ;;
    mobilenet_v2) echo "--minutes 4.3 --seed 2 --decay 0.999" ;;
  esac
}
precisions() { [ "$1" = resnet18 ] && echo "int8,fp16" || echo "int8"; }
name() { echo "liveproof-demo-$(echo "$1" | tr -d _)"; }

faces() { # people who agreed to be trained on: Intel's clips, CC BY 4.0
  [ -f "$out/clipfaces/faces.csv" ] ||
    $python -m liveproof_training clip-faces --out "$out/clipfaces" "$LIVEPROOF_SHARED"/media/asl_*.mkv "$LIVEPROOF_SHARED/media/headpose_640x480.mjpeg"
}
train() {
  for encoder in $encoders; do
    [ -f "$out/$encoder/final.pt" ] && continue
    # shellcheck disable=SC2046
    $python -m liveproof_training train-simulated --out "$out/$encoder" --also "$out/clipfaces" --encoder "$encoder" --init shared --adversary off --balance views \
      --precision bf16 --batch 128 --lr 3e-4 --lr-new 1e-3 --schedule cosine --warmup-steps 30 --norm-images 64 $(recipe "$encoder")
    $python -m liveproof_training plot --log "$out/$encoder/log.csv" --out "$out/$encoder/curves.png"
  done
}
steady() { # prints in back light pass less often afterwards; ResNet18 sees no balanced light and is left as it is
  case " $encoders " in *" mobilenet_v2 "*) ;; *) return ;; esac
  [ -f "$out/steady/run/final.pt" ] && return
  [ -f "$out/steady/pairs/manifest.csv" ] ||
    $python -m liveproof_training simulate --out "$out/steady/pairs" --also "$out/clipfaces" --train 2400 --dev 240 --test 0 --seed 201
  [ -f "$out/steady/stills/manifest.csv" ] ||
    $python -m liveproof_render crops --out "$out/steady/stills" --portraits 240 --variants 2 --held-out-variants 0 --seed 5
  $python -m liveproof_training steady --start "$out/mobilenet_v2/final.pt" --data "$out/steady/pairs,$out/steady/stills" --out "$out/steady/run" \
    --precision bf16 --seed 2
}
finished() { # the checkpoint that is exported
  [ "$1" = mobilenet_v2 ] && echo "$out/steady/run/final.pt" || echo "$out/$1/final.pt"
}
crops() {
  [ -f "$out/crops/manifest.csv" ] ||
    $python -m liveproof_training simulate --out "$out/crops" --train 128 --dev 1200 --test 60 --device "${DEVICE:-cpu}"
}
quality() { # which real pictures and which dev crops a session would not score: they do not count for the threshold
  [ -f "$out/dev/labels.csv" ] || $python -m liveproof_training unpack --data "$out/crops" --out "$out/dev"
  judge "$LIVEPROOF_SHARED/devset" "$out/quality"
  judge "$out/dev" "$out/dev-quality"
}
judge() {
  [ -f "$2/scores-eval.csv" ] || "${LIVEPROOF_BIN:-../bin/liveproof}" evaluate --csv "$1/labels.csv" --root "$1" --column subject=series --out "$2"
}
with_rule() { # runs export or threshold with the rule of the threshold
  "$@" --data "$out/crops" --bpcer 0.1 --pictures "$LIVEPROOF_SHARED/devset" --reasons "$out/quality/scores-eval.csv"
}
export_all() {
  crops
  quality
  for encoder in $encoders; do
    with_rule $python -m liveproof_training export --checkpoint "$(finished "$encoder")" --out "$models" \
      --name "$(name "$encoder")" --precisions "$(precisions "$encoder")" --calibration 192 \
      --training-data "pictures simulated from generated portraits (SFHQ, MIT) and from frames of Intel's asl_* and head-pose clips (CC BY 4.0): bona fide, print, cut-out, screen replay; no real attack" \
      --threshold-source "largest threshold that rejects at most 10 % of the simulated dev crops' bona fide and of 159 real selfies that a session would score"
    for precision in $(precisions "$encoder" | tr , ' '); do
      with_rule $python -m liveproof_training threshold --model "$models/$(name "$encoder")-$precision.onnx" --dev-reasons "$out/dev-quality/scores-eval.csv" \
        --threshold-source "largest threshold that rejects at most 10 % of the simulated dev crops' bona fide of usable quality (held-out source grids) and of 159 real selfies that trained nothing and that a session would score"
    done
  done
}
golden() {
  set --
  for encoder in $encoders; do set -- "$@" --checkpoint "$(name "$encoder")=$(finished "$encoder")"; done
  $python -m liveproof_training golden --models "$models" --data "$out/crops" "$@"
  echo "now, in the checkout: go test ./models -run CatalogueEqualsCommittedFiles -update"
}

for part in $parts; do
  case $part in
    faces) faces ;; train) train ;; steady) steady ;; export) export_all ;; golden) golden ;;
    *) echo "demo.sh: $part is no part; there are faces, train, steady, export and golden" >&2; exit 2 ;;
  esac
done
