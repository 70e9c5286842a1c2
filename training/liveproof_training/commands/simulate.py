"""Commands: train-simulated, simulate, clip-faces, gap, real."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path

from liveproof_base.commandline import add_detector, command, shared_folder

from ..config import TrainConfig
from ..fit.simulated import SimulationSettings
from ..simulation.bank import TONES, TONES_TEXT
from . import flags

TRAIN = """Pairs of a live picture and an attack on the same face are simulated on the device (print, cut-out, display; one camera and codec
for both), exchanged by PDLE and seen once. The schedule follows the clock. Writes log.csv, config.json and final.pt, which holds the running
mean of the weights. Settings that only crops on disk have are without effect. The adversary is off unless asked for; its domains are the
families of attacks: print, cut-out, replay."""


def _train(args) -> None:
    from ..fit.simulated import SimulatedRun

    config = TrainConfig.from_dict({"adversary": "off"} | flags.defaults() | flags.said(args))
    simulation = flags.read_own(args, SimulationSettings)
    train, dev = _banks(config, simulation)
    print(json.dumps(SimulatedRun(config, simulation, train, dev, _digest(simulation)).train(), indent=2))


def _banks(config: TrainConfig, simulation: SimulationSettings):
    from ..fit import distributed
    from ..simulation.bank import Bank

    device, faces = distributed.device(config.run.device), _portraits(simulation.portraits)
    also = [(Path(simulation.also), "")] if simulation.also else []
    return Bank.read([(faces, "train"), *also], device, simulation.tones), Bank.read([(faces, "dev")], device, "alike")


def _portraits(folder: str) -> Path:
    if folder:
        return Path(folder)
    if not shared_folder():
        raise ValueError("--portraits: give a folder with faces.csv, or set LIVEPROOF_SHARED, whose faces/ has one")
    return Path(shared_folder()) / "faces"


def _digest(simulation: SimulationSettings) -> str:
    """Of the tables that list the faces, and of all settings: the data are drawn from both."""
    tables = [_portraits(simulation.portraits) / "faces.csv"] + ([Path(simulation.also) / "faces.csv"] if simulation.also else [])
    words = json.dumps(dataclasses.asdict(simulation) | {"portraits": "", "also": ""}, sort_keys=True).encode()
    return hashlib.sha256(b"".join(path.read_bytes() for path in tables) + words).hexdigest()


def _simulate(args) -> None:
    import torch

    from ..simulation import pairs, store
    from ..simulation.bank import SIDE, Bank

    faces, out, device = _portraits(args.portraits), Path(args.out), torch.device(args.device)
    side, wide = (pairs.side_for(pairs.WIDE), Path(args.wide)) if args.wide else (SIDE, None)
    counts = {"train": args.train, "dev": args.dev, "test": args.test}
    folders = {split: [(faces, split)] for split in counts}
    folders["train"] += [(Path(args.also), "")] if args.also else []
    banks = {split: Bank.read(folders[split], device, args.tones, side) for split, count in counts.items() if count}
    print(store.write(out, banks, counts, args.seed, wide))


def _tones(args) -> None:
    from ..simulation import skin
    from ..simulation.bank import tones

    faces, also = _portraits(args.portraits), [Path(args.also)] if args.also else []
    folders = {split: [(faces, split)] for split in ("train", "dev", "test")}
    print(skin.markdown({split: tones(these) for split, these in folders.items()} | {path.name: tones([(path, "")]) for path in also}))


def _clip_faces(args) -> None:
    from liveproof_base.detector import RetinaFace

    from ..simulation import clipfaces

    print(clipfaces.write(Path(args.out), [Path(clip) for clip in args.clips], RetinaFace(Path(args.detector)), args.per_clip))


def _gap(args) -> None:
    from liveproof_base.detector import RetinaFace

    from ..evaluation import gap, realpictures, spectra
    from ..loading import data

    detector = RetinaFace(Path(args.detector))
    pictures = realpictures.read(Path(args.pictures), detector)
    crops = data.load_split(Path(args.data), args.split)
    for place, labels in ((args.pictures, pictures.labels), (f"{args.data}, {args.split}", crops.labels)):
        if len(set(labels.tolist())) < 2:
            raise ValueError(f"{place}: gap compares bona fide pictures with attacks, and here is one class only")
    real, made = (gap.Sample(gap.table(images), labels) for images, labels in ((pictures.images, pictures.labels), (crops.images, crops.labels)))
    print(gap.markdown(real, made))
    alike = pictures.only(spectra.same_size(pictures.sides))
    sets = {}
    for kind, images, labels in (("real", alike.images, alike.labels), ("made", crops.images, crops.labels)):
        found = spectra.of(images, detector.largest)
        sets |= {f"{kind} bona fide": found.only(labels == 1), f"{kind} attack": found.only(labels == 0)}
    least, most = alike.sides.min(), alike.sides.max()
    print(f"\nPower of contrast, medians; of the real pictures the {len(alike)} of {len(pictures)} with faces of {least:.0f} to {most:.0f} pixels:\n")
    print(spectra.markdown(sets))
    if args.out:
        gap.plot(real, made, Path(args.out) / "factors.png")
        spectra.plot(sets, Path(args.out) / "spectra.png")


def _real(args) -> None:
    from liveproof_base.detector import RetinaFace

    from ..evaluation import clips, realpictures, scoring

    detector, model = RetinaFace(Path(args.detector)), scoring.Model(Path(args.model), args.device)
    threshold = args.threshold or model.threshold
    pictures = realpictures.read(Path(args.pictures), detector)
    print(f"threshold {threshold:.6f}; {pictures.no_face} pictures without a face\n\n{realpictures.HEADER}")
    print(*realpictures.lines(realpictures.told(model.rho, pictures, threshold)), sep="\n")
    if args.clips:
        print(f"\n{clips.HEADER}")
    for path in args.clips:
        print(clips.score(Path(path), Path(args.model), detector, args.per_second).line(), flush=True)


def add(sub) -> None:
    p = command(sub, "train-simulated", _train, "Train on pictures simulated on the device from portraits", TRAIN)
    flags.add_own(p, "simulation", SimulationSettings)
    flags.add(p)
    _add_simulate(sub)
    _add_measures(sub)


def _add_simulate(sub) -> None:
    p = command(sub, "simulate", _simulate, "Write simulated crops as a folder that train, evaluate and export read")
    p.add_argument("--out", required=True, help="folder; must not hold a manifest yet")
    p.add_argument("--also", default="", help="a second folder of faces, as `clip-faces` writes it, for the train pairs; empty: none")
    p.add_argument(
        "--wide",
        default="",
        help="folder for the same pairs cropped at margin 1.6; empty: none. With it scenes are larger, and the pairs in OUT are others than without",
    )
    p.add_argument("--portraits", default="", help="folder with faces.csv; empty: $LIVEPROOF_SHARED/faces")
    for split, count in (("train", 256), ("dev", 512), ("test", 512)):
        p.add_argument(f"--{split}", type=int, default=count, help=f"pairs of the {split} portraits")
    p.add_argument("--tones", default=TONES[0], choices=TONES, help=TONES_TEXT)
    p.add_argument("--seed", type=int, default=1, help="of all draws")
    p.add_argument("--device", default="cpu", help="cpu or cuda")

    t = command(
        sub,
        "tones",
        _tones,
        "Count classes of skin tone among portraits",
        "By the individual typology angle of cheeks and forehead, which cannot tell dark skin from skin in the dark.",
    )
    t.add_argument("--portraits", default="", help="folder with faces.csv; empty: $LIVEPROOF_SHARED/faces")
    t.add_argument("--also", default="", help="a second folder of faces, counted whole")

    c = command(
        sub,
        "clip-faces",
        _clip_faces,
        "Write faces of clips as a folder for train-simulated --also",
        "Take only clips of people who agreed to it: the run trains on their faces.",
    )
    c.add_argument("clips", nargs="+", help="video files")
    c.add_argument("--out", required=True, help="folder; must not hold faces yet")
    c.add_argument("--per-clip", type=int, default=13, help="frames of each")
    add_detector(c, "an error")


def _add_measures(sub) -> None:
    g = command(
        sub,
        "gap",
        _gap,
        "Factors of light, colour and detail of real pictures beside those of simulated or rendered crops",
        "P: probability that an attack has the larger value than a bona fide picture. Signs that differ are faults of the renderer. Then the power "
        "spectra of whole crops and of the cheeks' skin.",
    )
    g.add_argument("--data", default="data/demo", help="folder with manifest.csv")
    g.add_argument("--split", default="dev", choices=("train", "dev", "test"), help="whose crops")
    g.add_argument("--out", default="", help="folder for factors.png and spectra.png; empty: none")
    r = command(
        sub,
        "real",
        _real,
        "Score real pictures and clips that nothing is trained on",
        "AUC over all pictures, over those of equal sharpness and over means of series; of the half of the series to choose by and of the other; "
        "and under blur, scaling and JPEG. Then mean rho of clips.",
    )
    r.add_argument("clips", nargs="*", help="video files")
    r.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    r.add_argument("--threshold", type=float, default=0.0, help="0: the model's own")
    r.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="for checkpoints")
    r.add_argument("--per-second", type=float, default=5.0, help="frames of the clips looked at")
    for parser in (g, r):
        _add_pictures(parser)


def _add_pictures(p: argparse.ArgumentParser) -> None:
    shared = shared_folder()
    p.add_argument("--pictures", default=str(Path(shared) / "devset") if shared else "", required=not shared, help="folder with labels.csv")
    add_detector(p, "an error")
