"""Wires a training run: data, model, loop, log, checkpoints."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import time
from pathlib import Path

import cv2
import torch
from torch.utils.data import DataLoader

from . import checkpoint, contract, data, engine, model, nuisance
from .config import TrainConfig
from .progress import Progress

LOG_FIELDS = ("step", "minutes", "lr", "loss", "error", "images_per_s", "dev_auc", "dev_eer", "dev_mse")


def revision() -> str:
    """Commit of the code, with "+" where files differ from it."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True).stdout.strip()

    return (git("rev-parse", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "--", ".") else "")


def pick_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


class Run:
    """One training run in ``config.out``: log.csv, config.json, last.pt, final.pt."""

    def __init__(self, config: TrainConfig, resume: bool = False):
        config.check()
        self.config, self.device = config, pick_device(config.device)
        torch.manual_seed(config.seed)
        cv2.setNumThreads(1)  # the loader's many small pictures; PyTorch has the cores
        torch.set_num_threads(config.threads or torch.multiprocessing.cpu_count())
        self.out = Path(config.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.train_crops = data.load_split(Path(config.data), "train")
        self.dev_crops = data.load_split(Path(config.data), "dev")
        self.weights = self._weights()
        self.net, self.initial = self._model()
        self.opt = engine.optimizer(self.net, self.initial.missing, config)
        self.step = 0
        if resume:
            self._resume()
        config.save(self.out / "config.json")
        self._open_log(append=resume)
        self.started = self.saved = time.monotonic()

    def _weights(self):
        if self.config.sampling == "balanced":
            return None
        table = nuisance.cached_table(Path(self.config.data), "train", self.train_crops.images)
        return nuisance.matching_weights(table, self.train_crops.labels)

    def _model(self):
        net = model.LivenessNet(self.config.k)
        initial = model.load_initial(net, self.config.init, Path(self.config.shared))
        if initial.folded:
            bona_fide = self.train_crops.labels.nonzero()[0][:: max(1, len(self.train_crops) // 2 // self.config.norm_images)]
            pictures = data.centre(self.train_crops.images[bona_fide[: self.config.norm_images]])
            tensor = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
            model.reestimate_batch_norm(net, data.normalise(tensor, torch.device("cpu")))
        net.freeze(self.config.freeze)
        return net.to(self.device, memory_format=torch.channels_last), initial

    def _resume(self) -> None:
        state = checkpoint.load(self.out / "last.pt")
        self.net.load_state_dict(state["model"])
        self.opt.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def _open_log(self, append: bool) -> None:
        self.log_file = (self.out / "log.csv").open("a" if append else "w", newline="", buffering=1)
        self.log = csv.DictWriter(self.log_file, LOG_FIELDS, restval="")
        if not append:
            self.log.writeheader()

    def total_steps(self) -> int:
        per_epoch = len(data.BalancedSampler(self.train_crops.labels, 0)) // self.config.batch
        if per_epoch == 0:
            raise ValueError(f"batch: {self.config.batch} originals are more than the training set holds")
        self.per_epoch = per_epoch
        return self.config.steps or self.config.epochs * per_epoch

    def _loader(self, epoch: int, skip: int, size: int) -> DataLoader:
        dataset = data.PdleDataset(self.train_crops, self.config)
        dataset.size = size
        sampler = data.BalancedSampler(self.train_crops.labels, self.config.seed, self.weights)
        dataset.epoch = sampler.epoch = epoch
        sampler.skip = skip * self.config.batch
        return DataLoader(
            dataset, self.config.batch, sampler=sampler, num_workers=self.config.workers, drop_last=True,
            pin_memory=self.device.type == "cuda",
        )  # fmt: skip

    def done_share(self, total: int) -> float:
        """How much of the schedule is over, by steps or by the time budget, whichever is further."""
        share = self.step / total
        if self.config.budget_minutes:
            share = max(share, (time.monotonic() - self.started) / 60 / self.config.budget_minutes)
        return share

    def size(self, total: int) -> int:
        """Side of the training crops at this point of the run."""
        late = self.config.full_size_from and self.done_share(total) >= self.config.full_size_from
        return contract.INPUT_SIZE if late else self.config.size

    def train(self) -> dict:
        total = self.total_steps()
        bar = Progress("train", total)
        bar.done = self.step
        while self.done_share(total) < 1:
            epoch, skip = divmod(self.step, self.per_epoch)
            size = self.size(total)
            for batch in self._loader(epoch, skip, size):
                self._one(batch, epoch, total, bar)
                if self.done_share(total) >= 1 or self.size(total) != size:
                    break
        return self._finish()

    def _one(self, batch, epoch: int, total: int, bar: Progress) -> None:
        config, start = self.config, time.monotonic()
        factor = engine.rate(config, self.done_share(total), self.step, epoch)
        engine.set_rate(self.opt, factor)
        images, targets = (part.flatten(0, 1) for part in batch)
        loss, error = engine.train_step(self.net, self.opt, images, targets, config, self.device)
        self.step += 1
        bar.step(note=f"loss {loss:.4f}")
        row = {"step": self.step, "minutes": f"{(time.monotonic() - self.started) / 60:.2f}"}
        if self.step % config.log_every == 0:
            speed = len(images) / (time.monotonic() - start)
            lr = self.opt.param_groups[0]["lr"]
            row |= {"lr": f"{lr:.3g}", "loss": f"{loss:.5f}", "error": f"{error:.4f}", "images_per_s": f"{speed:.1f}"}
        if self.step % config.eval_every == 0:
            row |= self._evaluate(config.eval_limit)
        if len(row) > 2:
            self.log.writerow(row)
        if time.monotonic() - self.saved > 60 * config.checkpoint_minutes:
            self._save("last.pt")

    def _evaluate(self, limit: int) -> dict:
        result = engine.evaluate(self.net, self.dev_crops, self.config, self.device, limit)
        print(f"step {self.step}: dev AUC {result['auc']:.4f}, EER {result['eer']:.4f}", flush=True)
        return {f"dev_{k}": f"{result[k]:.5f}" for k in ("auc", "eer", "mse")}

    def _save(self, name: str, **extra) -> None:
        extra |= {"initial": self.initial.description, "revision": self.revision(), "data_sha256": self.data_sha256()}
        checkpoint.save(self.out / name, self.net, self.opt, self.config, self.step, extra)
        self.saved = time.monotonic()

    def revision(self) -> str:
        if not hasattr(self, "_revision"):
            self._revision = revision()
        return self._revision

    def data_sha256(self) -> str:
        """Hash of the manifest, which holds the hash of every crop."""
        return hashlib.sha256((Path(self.config.data) / "manifest.csv").read_bytes()).hexdigest()

    def _finish(self) -> dict:
        fp32 = TrainConfig(**{**self.config.__dict__, "precision": "fp32"})
        result = engine.evaluate(self.net, self.dev_crops, fp32, self.device)
        self._save("last.pt")
        self._save("final.pt", dev=result)
        self.log_file.close()
        return result
