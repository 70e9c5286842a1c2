"""PyAV publishes a file with the WHIP muxer of FFmpeg 8."""

import os
import time

import av
from av.video.frame import PictureType

BITRATE = int(os.environ.get("BITRATE", "1500")) * 1000  # bit/s


def publish(file: str, whip_url: str, token: str) -> None:
    with av.open(file) as source, av.open(whip_url, "w", format="whip", options={"authorization": token}) as whip:
        video = source.streams.video[0]
        encoder = whip.add_stream("libx264", rate=video.average_rate, options={"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"})
        encoder.width, encoder.height, encoder.pix_fmt = video.width, video.height, "yuv420p"
        encoder.bit_rate, encoder.gop_size = BITRATE, 60
        start = time.monotonic()
        for picture in source.decode(video):
            time.sleep(max(0, start + picture.time - time.monotonic()))
            picture = picture.reformat(format="yuv420p")
            picture.pict_type = PictureType.NONE  # else every picture of a motion JPEG camera is coded as a key frame
            whip.mux(encoder.encode(picture))
        whip.mux(encoder.encode(None))


publish(os.environ["CAMERA"], os.environ["WHIP_URL"], os.environ["TOKEN"])
