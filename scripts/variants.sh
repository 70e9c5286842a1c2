#!/usr/bin/env bash
# Makes the variants of several people, judges them and recordings of people as files and over WebRTC, and writes docs/variants.md and its
# plot. What is in $OUT already is not made or judged again, so an interrupted run goes on. About an hour on two idle cores.
# VARIANTS=a,b CHALLENGES=turn ROUTES=webrtc ONLY="WebRTC: passive, motion, turn" judges only those, and replaces only the cells of that column.
# Sessions over WebRTC do not tell their threshold: at least one file must have been judged in $OUT before them.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${LIVEPROOF_SHARED:?names the folder with the recordings of people}"
out=${OUT:-tmp/variants}
names=${VARIANTS:-}
media=$LIVEPROOF_SHARED/media
mkdir -p "$out"
go build -o "$out/variants" ./scripts/variants
go build -o "$out/verdicts" ./scripts/verdicts

# make CLIP OTHER CODEC: all variants of a person; swaps change to the other one.
make_variants() {
  local made
  made=$out/$(basename "${1%.*}").made
  [ -f "$made" ] && return
  "$out/variants" --clip "$media/$1" --other "$media/$2" --out "$out" --rate 15 --length 7s --codec "$3" --bitrate 1000000 --names "$names"
  touch "$made"
}
make_variants person_A_640x480.mjpeg people/person_d19.mp4 VP8
make_variants people/person_d19.mp4 person_A_640x480.mjpeg H264
make_variants person_B_640x480.mjpeg people/person_d9.mp4 VP8
make_variants people/person_d9.mp4 person_B_640x480.mjpeg H264

judge() { "$out/verdicts" --sessions "${SESSIONS:-2}" --routes "${ROUTES:-files,webrtc}" "$@" >/dev/null; }
if [ -z "$names" ]; then
  judge --people "$out" "$media"/person_[ABC]_640x480.mjpeg "$media"/people/*.mp4
fi
for challenge in ${CHALLENGES:-flash turn}; do
  judge --challenge "$challenge" --variants "$names" --page docs/variants.md --only "${ONLY:-}" "$out"
done
if [ -z "$names" ]; then
  .venv/bin/python scripts/plot_variants.py "$out/verdicts.csv" docs/img/variants.png
fi
