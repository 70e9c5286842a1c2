"""Commands: render-video, render-media, render-dataset."""

from __future__ import annotations

import os
from pathlib import Path

from .common import command, shared_folder


def _locator(model: str):
    """Finds the face to present, where the detector's file is; without it the middle of the picture must do."""
    from ..evaluation import clips

    return clips.RetinaFace(Path(model)).largest if Path(model).is_file() else None


def _render_video(args) -> None:
    from ..render import film

    locate = _locator(args.detector)
    film.film(Path(args.source), Path(args.out), args.attack, args.seed, film.find(Path(args.source), locate), args.seconds, args.rate)


def _render_media(args) -> None:
    from ..render import film

    for path in film.film_all(Path(args.shared), Path(args.out), args.seed, args.seconds, args.rate, _locator(args.detector)):
        print(path)


def _render_dataset(args) -> None:
    from ..render import dataset

    production = dataset.Production(Path(args.root), Path(args.shared) / "faces", args.frames, args.seed)
    print(f"{dataset.shoot_all(production, args.workers)} videos below {args.root}")


def add(sub) -> None:
    _add_clips(sub)
    p = command(sub, "render-dataset", _render_dataset, "Film every video that ROOT/plan.csv wants",
                "`liveproof layout` writes the plan, lists and sidecar files; each dataset has cameras, printers and displays of "
                "its own. Goes on where it stopped. Rendered data are for tests and studies of method, not for claims about real attacks.")  # fmt: skip
    p.add_argument("--root", required=True, help="folder with plan.csv")
    p.add_argument("--shared", default=shared_folder(), help="folder with faces/faces.csv")
    p.add_argument("--frames", type=int, default=20, help="pictures a video")
    p.add_argument("--seed", type=int, default=1, help="same seed, same videos")
    p.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")


def _add_clips(sub) -> None:
    for name, run, summary in (
        ("render-video", _render_video, "Film a print, a cut-out or a replay of a clip (or the clip itself) with a virtual camera"),
        ("render-media", _render_media, "Film a print, a cut-out and a replay of every clip of SHARED/media"),
    ):
        p = command(sub, name, run, summary, "Medium and camera are drawn once per clip from the seed; a hand moves slightly.")
        if run is _render_video:
            p.add_argument("--attack", required=True, choices=("none", "print", "replay", "cut"), help="the medium")
            p.add_argument("--in", dest="source", required=True, help="clip")
            p.add_argument("--out", required=True, help=".mkv or .mp4 (H.264), .avi or .mov (Motion JPEG), .webm (VP8)")
        else:
            p.add_argument("--shared", default=shared_folder(), help="folder with media/")
            p.add_argument("--out", required=True, help="folder for CLIP_print.mkv, CLIP_replay.mkv, CLIP_cut.mkv")
        p.add_argument("--detector", default=f"{shared_folder()}/models/retinaface_mobilenet025.onnx", help="RetinaFace ONNX file")
        p.add_argument("--seed", type=int, default=1, help="same seed, same pictures")
        p.add_argument("--seconds", type=float, default=0.0, help="length, 0: all")
        p.add_argument("--rate", type=float, default=0.0, help="frames per second of the result, 0: the clip's")
