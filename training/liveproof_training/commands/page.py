"""Command: page."""

from __future__ import annotations

from pathlib import Path

from liveproof_base.commandline import add_detector, command

DETAIL = """Real pictures (all, of equal sharpness, means of series; even and odd series apart), made crops, clips of people and of attacks: as
they are, disturbed by light, lens and compression, and clips through VP8 and H.264 at low rates. Give what you have; each part is left
out where its flag is empty. Crops are cut once and kept in OUT/crops, so that the next model takes a few minutes. Writes page.md,
page.json and page.png."""


def _page(args) -> None:
    from liveproof_base.detector import RetinaFace

    from ..evaluation import onepage, realpictures, scoring
    from ..loading import data

    model, out, detector = scoring.Model(Path(args.model), args.device), Path(args.out), RetinaFace(Path(args.detector))
    threshold = args.threshold or model.threshold
    if threshold is None:
        raise ValueError(f"{args.model}: carries no threshold; give --threshold")
    paths = {"people": _videos(args.people), "attacks": _videos(args.attacks)}
    folders = [Path(word) for word in args.data.split(",") if word]
    page = {"model": model.describe(), "threshold": float(threshold)}
    if args.pictures:
        page["real"] = onepage.of_real(model.rho, realpictures.read(Path(args.pictures), detector), threshold)
    page["made"] = {f"{folder.name}, {args.split}": onepage.of_crops(model.rho, data.load_split(folder, args.split), threshold) for folder in folders}
    found = [c for kind, some in paths.items() for c in onepage.clips(some, kind == "people", detector, kind == "people", out / "crops")]
    page["clips"] = onepage.of_clips(model.rho, found, threshold)
    print(onepage.write(page, out).read_text())


def _videos(words: list[str]) -> list[Path]:
    """Files, and the videos of folders."""
    found = []
    for word in words:
        path = Path(word)
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such clip or folder")
        found += sorted(p for p in path.iterdir() if p.suffix in (".mkv", ".mp4", ".mjpeg", ".webm", ".avi", ".mov")) if path.is_dir() else [path]
    return found


def add(sub) -> None:
    p = command(sub, "page", _page, "All that is known of a model, on one page", DETAIL)
    p.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    p.add_argument("--out", required=True, help="folder; crops that are there are used again")
    p.add_argument("--pictures", default="", help="folder of real pictures with labels.csv")
    p.add_argument("--data", default="", help="folders of made crops, as `simulate` and `liveproof_render crops` write them, with commas between")
    p.add_argument("--split", default="dev", choices=("train", "dev", "test"), help="of those folders")
    p.add_argument("--people", nargs="*", default=[], help="clips of people, or folders of them")
    p.add_argument("--attacks", nargs="*", default=[], help="clips of attacks, or folders of them, such as `liveproof_render media` writes")
    p.add_argument("--threshold", type=float, default=0.0, help="0: the model's own")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="for checkpoints")
    add_detector(p, "an error")
