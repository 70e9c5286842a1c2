"""The paper's tables with what ``protocol`` measured beside the published rows, as Markdown and CSV."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ..config import flat
from ..evaluation import judge, report, videos
from . import papertables as paper
from .comparison import WORDS, departures
from .goprogram import Listing

NONE = "–"
HERE = "This repository"
TAKEN = "HTER idealised: threshold chosen on the test videos; realistic: on dev."


@dataclasses.dataclass
class Runs:
    """What ``protocol`` left in one folder: the folds of each protocol that are done."""

    folder: Path
    folds: dict[str, list[dict]]  # protocol -> result.json of each fold that is done
    listing: Listing

    @staticmethod
    def read(folder: Path, listing: Listing) -> Runs:
        """Raises FileNotFoundError where the folder has no result of any of the tables' protocols."""
        names = (*paper.INTRA, *paper.CROSS)
        paths = {name: [folder / fold / "result.json" for fold in listing.find(name).folds] for name in names}
        found = {name: [json.loads(p.read_text()) for p in some if p.is_file()] for name, some in paths.items()}
        if not any(found.values()):
            raise FileNotFoundError(f"{folder}: no result.json of {', '.join(names)} in it; `protocol --name NAME --out {folder}` writes them")
        return Runs(folder, found, listing)

    def whole(self, name: str) -> bool:
        return len(self.folds[name]) == len(self.listing.find(name).folds)

    def rates(self, name: str) -> dict | None:
        """Means over all folds (:func:`judge.folds`); None where one is not done."""
        return judge.folds(self.folds[name]) if self.whole(name) else None

    def settings(self) -> dict:
        return flat(next(r for some in self.folds.values() for r in some)["settings"])

    def label(self, several: bool) -> str:
        """Row's name: the arm of the ablation, and the folder where ``several`` are shown."""
        arm = self.settings().get("arm", "")
        words = [HERE, *([WORDS[arm]] if arm not in ("", "full") else []), *([f"({self.folder})"] if several else [])]
        return " ".join(words)

    def missing(self) -> list[str]:
        """A line for each protocol that is not done, with the command that makes or ends it."""
        return [f"{name}: {self._done(name)}\n`{self.command(name)}`" for name in self.folds if not self.whole(name)]

    def _done(self, name: str) -> str:
        done, of = len(self.folds[name]), len(self.listing.find(name).folds)
        return f"{done} of {of} folds are done, the rest comes by" if done else "missing, it is made by"

    def command(self, name: str) -> str:
        roots = "".join(f" --root {dataset}=DIR" for dataset in self.listing.find(name).datasets)
        arm = self.settings().get("arm", "")
        return f"python3 -m liveproof_training protocol --name {name}{roots}{f' --arm {arm}' * bool(arm)} --out {self.folder}"

    def told(self) -> str:
        """How these runs differ from the paper's, and whether their data were rendered."""
        some = [r for fold in self.folds.values() for r in fold]
        other, words = departures(some), [f"{self.folder}: population {some[0]['population']}"]
        words += [f"settings other than the defaults: {', '.join(other)} (the defaults in brackets)"] if other else []
        words += [f"{report.DEMO}, no real attack was seen"] if any(r["demo"] for r in some) else []
        return "; ".join(words) + "."


@dataclasses.dataclass
class Table:
    name: str  # of its CSV file
    title: str
    header: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        lines = [f"**{self.title}**", "", *(f"| {' | '.join(cells)} |" for cells in (self.header, ["---"] * len(self.header), *self.rows))]
        return "\n".join(lines)


def cell(spread: dict | None) -> str:
    """In %, with the standard deviation over the folds (n) where there are several."""
    if spread is None:
        return NONE
    return f"{100 * spread['mean']:.2f}" + (f"±{100 * spread['std0']:.2f}" if spread["n"] > 1 else "")


def _cells(runs: Runs, names, keys: tuple[str, ...]) -> list[str]:
    """Each protocol's rates in turn."""
    found = [runs.rates(name) for name in names]
    return [cell(rates and rates[key]) for rates in found for key in keys]


def intra(all_runs: list[Runs]) -> Table:
    rows = [[method, *values] for method, values in paper.TABLE_1.items()]
    rows += [[r.label(len(all_runs) > 1), *_cells(r, paper.INTRA, ("acer",))] for r in all_runs]
    return Table("table-1", "Table 1. ACER (%) on OULU-NPU, threshold from dev", ["Method", *paper.INTRA.values()], rows)


def intra_parts(all_runs: list[Runs]) -> Table:
    """The two rates that ACER is the mean of, which the paper does not print."""
    keys = {"apcer": "APCER", "bpcer": "BPCER", "acer": "ACER", "hter": "HTER", "auc": "AUC"}
    rows = [[r.label(len(all_runs) > 1), title, *_cells(r, [name], tuple(keys))] for r in all_runs for name, title in paper.INTRA.items()]
    title = "Table 1, ours in parts (%): mean±standard deviation over the folds (n); APCER of the worst attack species"
    return Table("table-1-parts", title, ["Method", "", *keys.values()], rows)


def cross(all_runs: list[Runs]) -> Table:
    header = ["Method", "Network", *(f"{title} {rate}" for title in paper.CROSS.values() for rate in ("HTER", "AUC"))]
    rows = [[*method, *values] for method, values in paper.TABLE_2.items()]
    for r in all_runs:
        for rule, key in (("idealised", "hter_idealised"), ("realistic", "hter")):
            rows.append([f"{r.label(len(all_runs) > 1)}, {rule}", r.settings()["encoder"], *_cells(r, paper.CROSS, (key, "auc"))])
    return Table("table-2", f"Table 2. HTER and AUC (%) across datasets. {TAKEN}", header, rows)


def quality(all_runs: list[Runs]) -> Table:
    rows = []
    for words, (published, camera, size) in paper.QUALITY.items():
        rows.append([f"{words}: {camera}, {size}", published, *(_auc_of(r, camera) for r in all_runs)])
    header = ["Images", "Paper", *(r.label(len(all_runs) > 1) for r in all_runs)]
    return Table("section-3.4", f"Section 3.4. AUC (%) of {paper.CROSS[paper.QUALITY_OF]} by capture device", header, rows)


def _auc_of(runs: Runs, camera: str) -> str:
    found = runs.folds[paper.QUALITY_OF]
    return report.percent(found[0]["camera"].get(camera, {}).get("auc")) if found else NONE


def markdown(all_runs: list[Runs]) -> str:
    parts = [table.markdown() for table in of(all_runs)]
    parts += ["\n".join(f"* {r.told()}" for r in all_runs)]
    parts += [f"* {line}" for r in all_runs for line in r.missing()]
    return "\n\n".join(parts) + "\n"


def of(all_runs: list[Runs]) -> list[Table]:
    return [make(all_runs) for make in (intra, intra_parts, cross, quality)]


def write(all_runs: list[Runs], out: Path) -> str:
    """OUT/tables.md and a CSV file a table; returns the Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    for table in of(all_runs):
        videos.table(out / f"{table.name}.csv", tuple(table.header), table.rows)
    text = markdown(all_runs)
    (out / "tables.md").write_text(text, encoding="utf-8")
    return text
