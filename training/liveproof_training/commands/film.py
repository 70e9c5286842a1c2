"""Commands: render-video, render-media."""

from __future__ import annotations

from pathlib import Path

from .common import command, shared_folder


def _render_video(args) -> None:
    from ..render import video

    video.film(Path(args.source), Path(args.out), args.attack, args.seed, args.seconds, args.rate)


def _render_media(args) -> None:
    from ..render import video

    for path in video.film_all(Path(args.shared), Path(args.out), args.seed, args.seconds, args.rate):
        print(path)


def add(sub) -> None:
    for name, run, summary in (
        ("render-video", _render_video, "Film a print or a replay of a clip (or the clip itself) with a virtual camera"),
        ("render-media", _render_media, "Film a print and a replay of every clip of SHARED/media"),
    ):
        p = command(sub, name, run, summary, "Medium and camera are drawn once per clip from the seed; a hand moves slightly.")
        if run is _render_video:
            p.add_argument("--attack", required=True, choices=("none", "print", "replay"), help="the medium")
            p.add_argument("--in", dest="source", required=True, help="clip")
            p.add_argument("--out", required=True, help=".mkv or .mp4 (H.264) or .webm (VP8)")
        else:
            p.add_argument("--shared", default=shared_folder(), help="folder with media/")
            p.add_argument("--out", required=True, help="folder for CLIP_print.mkv and CLIP_replay.mkv")
        p.add_argument("--seed", type=int, default=1, help="same seed, same pictures")
        p.add_argument("--seconds", type=float, default=0.0, help="length, 0: all")
        p.add_argument("--rate", type=float, default=0.0, help="frames per second of the result, 0: the clip's")
