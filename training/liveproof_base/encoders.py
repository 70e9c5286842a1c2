"""Arguments of FFmpeg for encoders as calls set them; ``{k}`` stands for kbit/s."""

# x264; a key frame comes only at the start, as with WebRTC.
X264 = "-c:v libx264 -tune zerolatency -profile:v baseline -g 9999 -threads 1 -maxrate {k}k -bufsize {k}k -b:v {k}k"
# One thread: with more, libvpx waits in busy loops on a machine that has other work.
CONSTANT = "-threads 1 -minrate {k}k -maxrate {k}k -b:v {k}k -bufsize {k}k -g 3000 -lag-in-frames 0"
VP8 = "-cpu-used -6 -noise-sensitivity 1 -static-thresh 1 -max-intra-rate 300 -error-resilient 1 -undershoot-pct 100 -overshoot-pct 15"
CALLS = {
    # libwebrtc's settings: realtime, constant bitrate, quantiser index 2 to 56 of 63.
    "vp8": f"-c:v libvpx -deadline realtime -qmin 2 -qmax 56 {VP8} {CONSTANT}",
    "vp9": f"-c:v libvpx-vp9 -deadline realtime -cpu-used 7 -qmin 2 -qmax 56 -aq-mode 3 -row-mt 1 {CONSTANT}",
    "av1": f"-c:v libaom-av1 -usage realtime -cpu-used 8 -qmin 10 -qmax 56 -aq-mode 3 -row-mt 1 {CONSTANT}",
    "x264-ultrafast": f"{X264} -preset ultrafast",
    "x264-veryfast": f"{X264} -preset veryfast",
    # Every picture is a key frame, as some hardware encoders and careless publishers send it.
    "x264-intra": f"{X264} -preset ultrafast -g 1",
}
