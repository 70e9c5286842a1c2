"""One protocol from the datasets' folders to an exported model and its scores; a second call goes on where the first stopped.

OUT/extracted/DATASET/   crops as picture files                   (shared between protocols with --extracted)
OUT/extracted/packed/DATASET/  the same in one array, which is read without decoding
OUT/NAME/settings.json   population and training; the folder refuses others
OUT/NAME/protocol.csv    which video is train, dev, test
OUT/NAME/run/            log.csv, last.pt, final.pt
OUT/NAME/report/         scores.csv, frames.csv, report.json, report.html of the checkpoint
OUT/NAME/models/         ONNX files; report-PRECISION/ has the scores of one of them
OUT/NAME/result.json     last: this protocol (or fold) is done
"""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

from liveproof_base import manifest, whole

from ..config import TrainConfig, differences
from ..evaluation import judge, report, scoring
from ..export import onnxfiles
from ..fit import train as fit
from ..loading import data, pack
from . import goprogram

PACKED = "packed"  # beside the datasets' folders of crops
LAYOUT = "plan.csv"  # in a root that `liveproof layout` made for the renderer
SETTINGS, RESULT = "settings.json", "result.json"
HELD_OUT = 10  # every tenth training video becomes dev where a population leaves none


@dataclasses.dataclass
class Plan:
    name: str
    population: str
    roots: dict[str, Path]  # dataset -> folder of videos; extracted ones need none
    extracted: Path
    out: Path
    settings: dict  # of TrainConfig
    judged_precision: str = "int8"  # exported model that is scored too, "" none
    force_export: bool = False  # write models that score differently from the checkpoint, too
    packed: bool = True  # train and score from one array a dataset instead of picture files

    def config(self, fold: str, folders: list[Path] = ()) -> TrainConfig:
        """Of a fold's run."""
        out = self.out / fold
        where = {"data": ",".join(map(str, folders)), "protocol": str(out / "protocol.csv"), "out": str(out / "run")}
        return TrainConfig.from_dict({**self.settings, **where})


def run(plan: Plan) -> dict:
    """All folds; prints each report and the mean. Returns the summary, also OUT/NAME.json."""
    listing = goprogram.listing()
    protocol = listing.find(plan.name)
    check(plan, protocol, listing)
    folders = extract(plan, protocol.datasets)
    results = []
    for fold in protocol.folds:
        results.append(one(plan, fold, folders))
        print(report.lines(results[-1]), flush=True)
    summary = {"protocol": plan.name, "population": plan.population, "data": results[0]["data"], "folds": len(results), **judge.folds(results)}
    print(fold_line(summary))
    _write(plan.out / f"{plan.name}.json", summary)
    return summary


def check(plan: Plan, protocol: goprogram.Protocol, listing: goprogram.Listing) -> None:
    """Raises ValueError for what would only fail after hours of extraction. Nothing is written, no folder is claimed."""
    if plan.population not in listing.populations:
        raise ValueError(f"--population {plan.population}: is not one of {', '.join(listing.populations)}")
    unknown = sorted(set(plan.roots) - set(listing.datasets))
    if unknown:
        raise ValueError(f"--root {unknown[0]}=…: no such dataset, there are {', '.join(listing.datasets)}")
    for dataset in protocol.datasets:
        if dataset not in plan.roots and not (plan.extracted / dataset / "manifest.csv").is_file():
            raise ValueError(f"{plan.name} needs {dataset}: give --root {dataset}=DIR, or --extracted with {dataset}/manifest.csv in it")
    fit.check(plan.config(protocol.folds[0]))
    for fold in protocol.folds:
        _refuse_others(plan.out / fold / SETTINGS, {"population": plan.population, **plan.config(fold).nested()})


RATES = {"hter_idealised": "HTER idealised", "hter": "HTER", "auc": "AUC", "apcer": "APCER", "bpcer": "BPCER", "acer": "ACER"}


def fold_line(summary: dict) -> str:
    rates = "  ".join(f"{word} {_rate(summary[key])}" for key, word in RATES.items())
    several = ", mean ± std over n (over n - 1)" if summary["folds"] > 1 else ""
    return f"{summary['protocol']}, {summary['folds']} fold{'s' * bool(several)} ({summary['data']}): {rates} %{several}"


def _rate(spread: dict | None) -> str:
    if spread is None:
        return "–"
    several = f" ± {100 * spread['std0']:.2f} ({100 * spread['std1']:.2f})" if spread["n"] > 1 else ""
    return f"{100 * spread['mean']:.2f}{several}"


def extract(plan: Plan, datasets: tuple[str, ...]) -> list[Path]:
    """Folders of crops; extraction itself skips what is there."""
    folders = []
    for dataset in datasets:
        folder = plan.extracted / dataset
        if dataset in plan.roots:
            goprogram.extract(dataset, plan.roots[dataset], folder)
            if any((plan.roots[dataset] / name).exists() for name in (manifest.RENDERED, LAYOUT)):
                (folder / manifest.RENDERED).touch()
        folders.append(pack.of_files(folder, plan.extracted / PACKED / dataset) if plan.packed else folder)
    return folders


def one(plan: Plan, fold: str, folders: list[Path]) -> dict:
    """One fold, skipped where its result.json is there and was made from the same settings."""
    out = plan.out / fold
    done, config = out / RESULT, plan.config(fold, folders)
    _claim(out / SETTINGS, {"population": plan.population, **config.nested()})
    if done.is_file():
        return json.loads(done.read_text())
    _protocol(plan, fold, folders, Path(config.crops.protocol))
    checkpoint = train(config)
    header = {"population": plan.population, "settings": config.nested()}
    result = judged(fold, header, checkpoint, config, out / "report")
    files = models(fold, checkpoint, config, out / "models", result["demo"], plan.force_export)
    if plan.judged_precision:
        judged(fold, header, files[plan.judged_precision], config, out / f"report-{plan.judged_precision}")
    result |= {"models": {p: str(f.relative_to(out)) for p, f in files.items()}, "settings": header["settings"]}
    _write(done, result)
    return result


def _claim(path: Path, settings: dict) -> None:
    """Makes the folder one of these settings, before anything is in it, or refuses one of others."""
    _refuse_others(path, settings)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, settings)


def _refuse_others(path: Path, settings: dict) -> None:
    changed = path.is_file() and differences(json.loads(path.read_text()), settings)
    if changed:
        raise ValueError(f"{path.parent} was made with other settings ({changed}): take another --out, or delete the folder")


def _protocol(plan: Plan, fold: str, folders: list[Path], path: Path) -> None:
    if not path.is_file():
        goprogram.write_protocol(fold, plan.population, folders, path)
    hold_out(path)


def hold_out(path: Path) -> int:
    """Where no video is dev (population everything), every tenth training video of a dataset and class becomes it. Returns how many."""
    with path.open(newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    if any(r["role"] == "dev" for r in rows):
        return 0
    seen: dict[tuple[str, str], int] = {}
    for row in (r for r in rows if r["role"] == "train"):
        key = row["dataset"], row["label"]
        seen[key] = seen.get(key, 0) + 1
        if seen[key] % HELD_OUT == 0:
            row["role"] = "dev"
    with whole.file(path) as partial, partial.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    held = sum(r["role"] == "dev" for r in rows)
    print(f"{path}: no dev videos; {held} of the training videos are held out to choose the threshold on", flush=True)
    return held


def train(config: TrainConfig) -> Path:
    """final.pt, trained, resumed or already there."""
    out = Path(config.run.out)
    final = out / "final.pt"
    if not final.is_file():
        fit.Run(config, resume=(out / "last.pt").is_file()).train()
    return final


def judged(name: str, header: dict, path: Path, config: TrainConfig, out: Path) -> dict:
    """Scores dev and test, unless OUT/report.json is there already."""
    if (out / "report.json").is_file():
        return json.loads((out / "report.json").read_text())
    model = scoring.Model(path, config.run.device)
    folders = data.folders(config)
    parts = scoring.on_protocol(model, folders, Path(config.crops.protocol))
    words = report.about(name, header["population"], scoring.is_rendered(folders, parts["test"].videos), model.describe())
    return report.write(out, words, scoring.judged(model, parts), parts)


def models(name: str, checkpoint: Path, config: TrainConfig, out: Path, demo: bool, force: bool) -> dict[str, Path]:
    """precision -> file; not exported again where OUT/exported.json says that they are whole."""
    done = out / "exported.json"
    if done.is_file():
        return {precision: out / file for precision, file in json.loads(done.read_text()).items()}
    sources = onnxfiles.Sources(
        name=f"liveproof-{name.lower()}-{config.network.encoder}".replace("_", "-").replace(".", "-"),
        training_data=f"{'rendered videos' if demo else 'videos'} of protocol {name}: {', '.join(folder.name for folder in data.folders(config))}",
        threshold_source=f"equal error rate on the dev crops of {name}",
        demo=demo,
    )
    files = onnxfiles.export_all(checkpoint, None, out, sources, onnxfiles.Options(force=force))  # crops: those it was trained with
    _write(done, {precision: file.name for precision, file in files.items()})
    return files


def _write(path: Path, content: dict) -> None:
    whole.text(path, json.dumps(content, indent=2) + "\n")
