"""report.md, report.json and scores.svg: what the start and the adapted model say of the files that trained neither."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from .. import metrics, plots
from ..export.threshold import Rule
from ..loading import nuisance
from . import judged
from .own import Own, Skipped

BIG = 0.75  # AUC of the probe from which the report warns
FEW = 20  # series on the measured side below which it warns
LISTED = 20  # files in a list


@dataclasses.dataclass
class Judgement:
    """One model at one threshold, on the measured files."""

    name: str
    threshold: float
    figures: dict[str, judged.Rate]

    def line(self) -> str:
        rates = " | ".join(self.figures[name].points() for name in ("bpcer", "apcer"))
        return f"| {self.name} | {self.threshold:.3f} | {self.figures['auc'].text()} | {rates} |"


@dataclasses.dataclass
class Report:
    """All that is told."""

    title: str
    start: str  # what was adapted, and how it was loaded
    counts: dict[str, dict[str, int]]  # role -> files, series, crops by class
    judgements: list[Judgement]
    attacks: dict[str, tuple[int, float]]  # by the adapted model, at its threshold
    measured: str  # "eval", or "dev" where the threshold was chosen on the same files
    nuisance: float  # AUC of the probe on the measured crops
    kept: dict[str, float]  # what became of simulated pairs; empty: not measured
    skipped: list[Skipped]
    settings: dict
    files: list[str]
    warnings: list[str]


def judgements(before: judged.Scores, after: judged.Scores, old: float | None, rule: float, new: float) -> list[Judgement]:
    """The start at its own threshold and at one chosen as the new one was; the adapted model at its own."""
    rows = [] if old is None else [("start, its own threshold", old, before)]
    rows += [("start, threshold chosen anew by the same rule", rule, before), ("adapted", new, after)]
    return [Judgement(name, threshold, judged.figures(scores, threshold)) for name, threshold, scores in rows]


def threshold(rho: np.ndarray, labels: np.ndarray, bpcer: float) -> float:
    """By the rule that the export uses, on crops."""
    return float(np.clip(Rule(bpcer).threshold(rho[labels == 1]), 1e-6, 1 - 1e-6))


def probe(train: Own, measured: Own) -> float:
    """AUC on the measured crops of a regression on sharpness, light and colour that was fitted on the others."""
    score = nuisance.fit(nuisance.table(train.images), train.labels)(nuisance.table(measured.images))
    return metrics.auc(score[measured.labels == 1], score[measured.labels == 0])


def counts(own: Own) -> dict[str, int]:
    labels, series = own.labels, own.series
    told = {"files": len(own.files()), "crops": len(own)}
    return told | {f"{word} series": len(np.unique(series[labels == y])) for y, word in ((1, "bona fide"), (0, "attack"))}


UNGROUPED = (
    "There is no column series: each file counts as a series of its own. Pictures of one person may be on both sides, and all "
    "figures are then too good."
)
SAME_FILES = (
    "The threshold was chosen on the same files: BPCER is what the rule allows, and APCER is somewhat better than it will be. "
    "Files of the set eval would tell."
)
FORGETFUL = "No simulated pairs were mixed in: what the start knew of other attacks may be forgotten."
SHORTCUT = (
    "Sharpness, light and colour alone tell your classes apart with an AUC of {:.2f}: the model may have learned that and nothing of prints or "
    "screens. Take both classes with the same cameras, at the same places and distances, and adapt again."
)


def warnings(report: Report, grouped: bool) -> list[str]:
    fewest = min(report.counts[report.measured][f"{word} series"] for word in ("bona fide", "attack"))
    found = {
        UNGROUPED: not grouped,
        SAME_FILES: report.measured == "dev",
        f"Only {fewest} series of a class were measured: the intervals say how little that tells.": fewest < FEW,
        SHORTCUT.format(report.nuisance): report.nuisance >= BIG,
        FORGETFUL: not report.kept,
    }
    return [text for text, holds in found.items() if holds]


def write(report: Report, before: judged.Scores, after: judged.Scores, out: Path) -> Path:
    """OUT/report.md last."""
    own = {"start": report.judgements[0].threshold, "adapted": report.judgements[-1].threshold}
    panels = {name: (s.rho, s.labels, own[name]) for name, s in (("start", before), ("adapted", after))}
    plots.before_after(panels, out / "scores.svg")
    (out / "report.json").write_text(json.dumps(_plain(report), indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text(markdown(report), encoding="utf-8")
    return out / "report.md"


def _plain(report: Report) -> dict:
    told = dataclasses.asdict(report)
    return told | {"skipped": [s.line() for s in report.skipped]}


def markdown(report: Report) -> str:
    where = "set eval, which chose nothing" if report.measured == "eval" else "held-out series, which also chose the threshold"
    lines = [f"# {report.title}", "", f"Start: {report.start}.", "", *_counts(report), ""]
    lines += [f"On the {where}; a score a file, in brackets the interval in which 95 % of the resamples of whole series lie:", "", *table(report), ""]
    lines += ["![Scores before and after](scores.svg)", "", *_attacks(report), "", *_kept(report)]
    lines += [f"> {text}\n" for text in report.warnings]
    lines += [f"Sharpness, light and colour alone (a logistic regression fitted on the training files): AUC {report.nuisance:.2f}.", ""]
    lines += _skipped(report) + ["Files: " + ", ".join(f"`{name}`" for name in report.files) + ".", ""]
    lines += ["Settings: " + ", ".join(f"{name} {value}" for name, value in report.settings.items()) + ".", ""]
    return "\n".join(lines)


def table(report: Report) -> list[str]:
    return ["| model | threshold | AUC | BPCER % | APCER % |", "|---|---|---|---|---|", *(j.line() for j in report.judgements)]


def _counts(report: Report) -> list[str]:
    columns = list(next(iter(report.counts.values())))
    rows = [f"| {role} | {' | '.join(str(told[c]) for c in columns)} |" for role, told in report.counts.items()]
    return [f"| set | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|", *rows]


def _attacks(report: Report) -> list[str]:
    rows = [f"| {kind} | {files} | {100 * apcer:.1f} |" for kind, (files, apcer) in report.attacks.items()]
    return ["The adapted model by attack type:", "", "| attack type | files | APCER % |", "|---|---|---|", *rows]


def _kept(report: Report) -> list[str]:
    if not report.kept:
        return []
    return ["AUC on simulated pairs of portraits that trained neither: {before:.3f} before, {after:.3f} after.".format(**report.kept), ""]


def _skipped(report: Report) -> list[str]:
    if not report.skipped:
        return ["Every file gave a crop.", ""]
    some = [f"* {s.line()}" for s in report.skipped[:LISTED]]
    more = [f"* … and {len(report.skipped) - LISTED} more: skipped.txt"] if len(report.skipped) > LISTED else []
    return [f"{len(report.skipped)} files gave no crop and are in no figure:", "", *some, *more, ""]
