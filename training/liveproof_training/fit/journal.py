"""What a run tells about itself: log.csv, its curve, and, where a writer is installed, TensorBoard event files."""

from __future__ import annotations

import csv
from pathlib import Path

from .. import plots

FIELDS = (
    "step",
    "epoch",
    "minutes",
    "lr",
    "loss",
    "error",
    "images_per_s",
    "loader_wait",
    "dev_auc",
    "dev_eer",
    "dev_mse",
    "loss_score",
    "loss_domain",
    "domain_accuracy",
    "reversal",
    "grad_score",
    "grad_domain",
    "grad_norm",
    "weight_print",
    "weight_cut",
    "weight_replay",
)


class Journal:
    """OUT/log.csv, and OUT/curve.png when it is closed. ``loader_wait``: share of the time since the last line that the step waited
    for pictures."""

    def __init__(self, out: Path, tensorboard: str, resume_from: int | None = None, curve: str = "auto"):
        self.out, self.curve = out, curve
        path = out / "log.csv"
        kept = _until(path, resume_from) if resume_from is not None and path.is_file() else []
        self.file = path.open("w", newline="", buffering=1)
        self.csv = csv.DictWriter(self.file, FIELDS, restval="", extrasaction="ignore")
        self.csv.writeheader()
        self.csv.writerows(kept)
        self.events = _writer(out / "events", tensorboard, resume_from)

    def write(self, row: dict[str, float]) -> None:
        """A row of numbers; those that are missing stay empty."""
        self.csv.writerow({name: value if isinstance(value, int) else f"{value:.6g}" for name, value in row.items()})
        for name, value in row.items() if self.events else ():
            if name != "step":
                self.events.add_scalar(name.replace("dev_", "dev/"), value, row["step"])

    def close(self, end: dict | None = None) -> None:
        """``end``: ``step`` and ``dev_auc`` of the evaluation that ended the run, which the curve shows, too."""
        self.file.close()
        if self.events:
            self.events.close()
        if self.curve == "auto":
            self._draw(end)

    def _draw(self, end: dict | None) -> None:
        try:
            plots.curves(self.out / "log.csv", self.out / "curve.png", end)
        except plots.NoPlots as error:
            print(f"no curve.png: {error}", flush=True)


def _until(path: Path, step: int) -> list[dict[str, str]]:
    """Lines up to the checkpoint's step: what came after it will be done again."""
    with path.open(newline="") as f:
        return [row for row in csv.DictReader(f) if (row["step"] or "x").isdigit() and int(row["step"]) <= step]


def _writer(folder: Path, wanted: str, resume_from: int | None):
    """Events after a resumed run's checkpoint are purged from view: their steps come again."""
    make = writer(wanted)
    return make and make(str(folder), purge_step=None if resume_from is None else resume_from + 1)


def writer(wanted: str):
    """The class that writes TensorBoard's event files; None for ``wanted`` off, and for auto where none is installed."""
    if wanted == "off":
        return None
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            if wanted == "on":
                raise ValueError("tensorboard: no writer is installed; pip install tensorboardX, or --tensorboard off") from None
            return None
    return SummaryWriter
