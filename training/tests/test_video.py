"""Videos are read upright and in the colours that the service shows the models."""

import subprocess

import numpy as np

from liveproof_base import video


def _make(path, *options, source="testsrc2=size=64x48:rate=5"):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", "2", *options, str(path)], check=True)
    return path


def test_turned_video_is_read_upright(tmp_path):
    plain = _make(tmp_path / "plain.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    turned = tmp_path / "turned.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(plain), "-c", "copy", "-metadata:s:v:0", "rotate=90", str(turned)], check=True)
    clip = video.probe(turned)
    assert (clip.width, clip.height) == (48, 64)
    pictures = list(video.read(clip, 9))
    assert len(pictures) == 2
    stored = next(video.read(video.probe(plain), 1)).astype(float)
    clockwise = np.rot90(stored, -1)
    difference = min(np.abs(clockwise - pictures[0]).mean(), np.abs(np.rot90(clockwise, 2) - pictures[0]).mean())
    assert difference < 1


def test_high_dynamic_range_is_tone_mapped(tmp_path):
    tags = ("-color_trc", "smpte2084", "-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv")
    # 148 of 255 is PQ for 203 cd/m2 (ITU-R BT.2408): white, a little bent by the tone curve
    source = "color=0x949494:size=64x48:rate=5,format=gbrp,scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le"
    clip = video.probe(_make(tmp_path / "pq.mkv", "-c:v", "ffv1", *tags, source=source))
    assert clip.hdr
    assert 205 < next(video.read(clip, 1)).mean() < 240
    plain = video.probe(_make(tmp_path / "plain.mkv", "-c:v", "ffv1", source=source))
    assert not plain.hdr
    assert abs(next(video.read(plain, 1)).mean() - 148) < 3
