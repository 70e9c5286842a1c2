#!/usr/bin/env bash
# FFmpeg 8 publishes a file with its WHIP muxer, which sends H.264 only.
exec "${FFMPEG:-ffmpeg}" -v warning -re -i "$CAMERA" -an -pix_fmt yuv420p \
  -c:v libx264 -profile:v baseline -preset veryfast -tune zerolatency -b:v "${BITRATE:-1500}k" -g 60 \
  -f whip -authorization "$TOKEN" "$WHIP_URL"
