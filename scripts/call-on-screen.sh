#!/usr/bin/env bash
# A call of ten minutes as its agent sees it: <liveness-status> in Chromium, while `liveproof replay` publishes a recording in which
# another person takes the caller's place. Writes webclient/test-results/call.jsonl and a picture of each change beside it.
# Needs `make build`, redis-server, FFmpeg and the recordings in LIVEPROOF_SHARED.
set -euo pipefail
cd "$(dirname "$0")/.."
people=${LIVEPROOF_SHARED:?names the folder with recordings of people}/media/people
cache=.cache/calls
mkdir -p "$cache"
first=$cache/first.mkv second=$cache/second.mkv recording=$cache/call.mkv

# A person's clip, forward and then backward, so that it joins itself when it is repeated.
to_and_fro() {
  local half="[0:v]crop='min(iw,ih)':'min(iw,ih)',scale=480:480,fps=30,format=yuv420p,split[a][b]"
  ffmpeg -v error -y -i "$1" -filter_complex "$half;[b]reverse[r];[a][r]concat[o]" -map '[o]' -c:v libx264 -preset veryfast -crf 14 -g 60 "$2"
}

# first, five times; second until the tenth minute is over
if [ ! -s "$recording" ]; then
  to_and_fro "$people/person_d6.mp4" "$first"
  to_and_fro "$people/person_s18.mp4" "$second"
  list=$cache/call.txt
  { for _ in {1..5}; do echo "file first.mkv"; done; for _ in {1..14}; do echo "file second.mkv"; done; } >"$list"
  ffmpeg -v error -y -f concat -i "$list" -c copy -t 599 "$recording"
fi
seconds() { ffprobe -v error -show_entries format=duration -of csv=p=0 "$1"; }
swap=$(awk -v s="$(seconds "$first")" 'BEGIN { print 5 * s }')
printf '── the other person comes after %s s of %s\n' "$swap" "$(seconds "$recording")"
CALL=$PWD/$recording CALL_SWAP=$swap CALL_LENGTH=$(seconds "$recording") \
  webclient/node_modules/.bin/vitest run --root webclient --config vitest.calls.config.ts
