"""Video files in and out, by FFmpeg: upright, and in the colours of BT.709, by the rules of docs/model-contract.md."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ENCODERS = {
    ".mkv": ["-c:v", "libx264", "-preset", "fast", "-crf", "20", "-pix_fmt", "yuv420p"],
    ".mp4": ["-c:v", "libx264", "-preset", "fast", "-crf", "20", "-pix_fmt", "yuv420p"],
    ".avi": ["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"],
    ".mov": ["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"],
    ".webm": ["-c:v", "libvpx", "-b:v", "1500k", "-deadline", "realtime", "-cpu-used", "4"],
}


# media/grade.go says why; HLG's OOTF is applied to each colour here, and to the luminance there.
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
TONE_MAP = (
    "zscale=transfer=linear:npl=203,format=gbrpf32le,zscale=primaries=bt709,"
    "tonemap=mobius:desat=0:peak=4.926,zscale=transfer=bt709:matrix=bt709:range=pc,format=gbrp"
)


@dataclasses.dataclass
class Clip:
    path: Path
    width: int  # upright
    height: int
    rate: float  # frames per second
    frames: int
    hdr: bool = False  # PQ or HLG


def probe(path: Path) -> Clip:
    command = [
        "ffprobe",
        "-v",
        "error",
        "-count_packets",
        "-select_streams",
        "v:0",
        "-of",
        "json",
        "-show_entries",
        "stream=width,height,avg_frame_rate,r_frame_rate,nb_read_packets,color_transfer:stream_side_data=rotation",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    streams = json.loads(done.stdout or "{}").get("streams")
    if not streams:
        raise ValueError(f"{path}: not a video that FFmpeg reads: {done.stderr.strip()}")
    s = streams[0]
    top, bottom = s["r_frame_rate"].split("/")
    rate = int(top) / max(1, int(bottom))
    if path.suffix == ".mjpeg":
        rate = 30.0  # bare JPEG pictures carry no time
    width, height = s["width"], s["height"]
    if any(round(side.get("rotation", 0) / 90) % 2 for side in s.get("side_data_list", [])):
        width, height = height, width
    return Clip(path, width, height, rate, int(s["nb_read_packets"]), s.get("color_transfer") in HDR_TRANSFERS)


def read(clip: Clip, limit: int) -> Iterator[np.ndarray]:
    """RGB uint8 [height, width, 3], the first ``limit`` pictures, every one once."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-i",
        str(clip.path),
        "-fps_mode",
        "passthrough",
        "-frames:v",
        str(limit),
        "-vf",
        TONE_MAP if clip.hdr else "null",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    size = clip.width * clip.height * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while len(data := process.stdout.read(size)) == size:
            yield np.frombuffer(data, np.uint8).reshape(clip.height, clip.width, 3)
        process.stdout.close()


class Writer:
    """Encodes RGB frames with FFmpeg; the file appears under its name when whole."""

    def __init__(self, path: Path, width: int, height: int, rate: float):
        if path.suffix not in ENCODERS:
            raise ValueError(f"{path}: write one of {', '.join(ENCODERS)}")
        self.path, self.size, self.partial = path, (height, width), path.with_name(f"{path.stem}.partial{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            f"{width}x{height}",
            "-r",
            f"{rate:.6f}",
            "-i",
            "-",
            *ENCODERS[path.suffix],
            "-threads",
            "1",
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
            str(self.partial),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def write(self, frame: np.ndarray) -> None:
        """RGB uint8 [height, width, 3]."""
        if frame.shape[:2] != self.size:
            raise ValueError(f"{self.path}: a frame of {frame.shape[1]}x{frame.shape[0]} in a video of {self.size[1]}x{self.size[0]}")
        self.process.stdin.write(np.ascontiguousarray(frame).tobytes())

    def close(self) -> None:
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise ValueError(f"{self.path}: FFmpeg could not encode")
        self.partial.replace(self.path)
