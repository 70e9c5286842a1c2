"""Command: page."""

from __future__ import annotations

from pathlib import Path

from liveproof_base import video
from liveproof_base.commandline import add_detector, command

KINDS = (*video.ENCODERS, ".mjpeg")  # of clips, in a folder of them

DETAIL = """Real pictures (all, of equal sharpness, means of series; even and odd series apart) and clips of people: as they are and disturbed
by light, lens and compression; the clips through VP8 and H.264 at low rates, too. Made crops and clips of attacks: as they are. Give at least
one of --pictures, --data, --people and --attacks; the page leaves the others out. The crops of clips are cut once and kept, so that the next
model takes a few minutes: give all models the same --crops. Writes OUT/page.md, page.json and page.png."""


def _page(args) -> None:
    from liveproof_base.detector import RetinaFace

    from ..evaluation import onepage, realpictures, scoring
    from ..loading import data

    if not (args.pictures or args.data or args.people or args.attacks):
        raise ValueError("nothing to score: give --pictures, --data, --people or --attacks")
    model, out = scoring.Model(Path(args.model), args.device), Path(args.out)
    threshold = args.threshold or model.threshold
    if threshold is None:
        raise ValueError(f"{args.model}: a checkpoint without a threshold; give --threshold, or `export` it, which chooses one")
    paths = {"people": _videos(args.people), "attacks": _videos(args.attacks)}
    folders = [Path(word) for word in args.data.split(",") if word]
    detector = RetinaFace(Path(args.detector)) if args.pictures or any(paths.values()) else None
    crops = Path(args.crops) if args.crops else out / "crops"
    page = {"model": model.describe(), "threshold": float(threshold)}
    if args.pictures:
        page["real"] = onepage.of_real(model.rho, realpictures.read(Path(args.pictures), detector), threshold)
    page["made"] = {f"{folder}, {args.split}": onepage.of_crops(model.rho, data.load_split(folder, args.split), threshold) for folder in folders}
    found = [c for kind, some in paths.items() for c in onepage.clips(some, kind == "people", detector, kind == "people", crops)]
    page["clips"] = onepage.of_clips(model.rho, found, threshold)
    print(onepage.write(page, out).read_text())


def _videos(words: list[str]) -> list[Path]:
    """Files, and the videos of folders."""
    found = []
    for path in map(Path, words):
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such clip or folder")
        clips = sorted(p for p in path.iterdir() if p.suffix.lower() in KINDS) if path.is_dir() else [path]
        if not clips:
            raise ValueError(f"{path}: no clip in this folder; clips end in {', '.join(KINDS)}")
        found += clips
    return found


def add(sub) -> None:
    p = command(sub, "page", _page, "All that is known of a model, on one page", DETAIL)
    p.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    p.add_argument("--out", required=True, help="folder for the page")
    p.add_argument("--crops", default="", help="folder of the clips' crops, which several models can share; empty: OUT/crops")
    p.add_argument("--pictures", default="", help="folder of real pictures with labels.csv")
    p.add_argument("--data", default="", help="folders of made crops, as `simulate` and `liveproof_render crops` write them, with commas between")
    p.add_argument("--split", default="dev", choices=("train", "dev", "test"), help="of those folders")
    p.add_argument("--people", nargs="*", default=[], help="clips of people, or folders of them")
    p.add_argument("--attacks", nargs="*", default=[], help="clips of attacks, or folders of them, such as `liveproof_render media` writes")
    p.add_argument("--threshold", type=float, default=0.0, help="0: the one that the model carries")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="for checkpoints")
    add_detector(p, "an error")
