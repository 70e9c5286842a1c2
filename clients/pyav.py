"""PyAV publishes a file with the WHIP muxer of FFmpeg 8."""

import os
import time

import av


def publish(file: str, whip_url: str, token: str) -> None:
    with av.open(file) as source, av.open(whip_url, "w", format="whip", options={"authorization": token}) as whip:
        video = source.streams.video[0]
        encoder = whip.add_stream("libx264", rate=video.average_rate, options={"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"})
        encoder.width, encoder.height, encoder.pix_fmt = video.width, video.height, "yuv420p"
        encoder.bit_rate, encoder.gop_size = 1_500_000, 60
        start = time.monotonic()
        for picture in source.decode(video):
            time.sleep(max(0, start + picture.time - time.monotonic()))
            whip.mux(encoder.encode(picture.reformat(format="yuv420p")))
        whip.mux(encoder.encode(None))


publish(os.environ["CAMERA"], os.environ["WHIP_URL"], os.environ["TOKEN"])
