"""Wires a training run: data, model, loop, log, checkpoints."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from liveproof_base.progress import Progress

from .. import contract
from ..config import TrainConfig, differences
from ..loading import batches, data, nuisance
from ..method import adversary, model
from . import checkpoint, distributed, engine, journal, memory


def revision() -> str:
    """Commit of the code, with "+" where files differ from it."""
    here = Path(__file__).parents[1]

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True).stdout.strip()

    if not shutil.which("git"):
        return "unknown"
    return (git("rev-parse", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "--", ".") else "")


def check(config: TrainConfig) -> None:
    """Raises ValueError or FileNotFoundError for settings that cannot be trained with on this machine, whatever the crops are."""
    config.check()
    engine.grad_scaler(config, distributed.device(config.run.device))
    journal.writer(config.records.tensorboard)
    model.check_initial(config.network)


# Steps whose figures are read together. Reading waits for a GPU, which should have the next steps to do; a CPU has done them.
AHEAD = {"cuda": 100, "cpu": 1}


class Run:
    """One training run in ``config.run.out``: log.csv, config.json, last.pt, final.pt."""

    def __init__(self, config: TrainConfig, resume: bool = False):
        config.check()
        distributed.start(config.run.device)
        self.config, self.device = config, distributed.device(config.run.device)
        memory.keep_freed_blocks()
        # The shapes stay the same: the fastest kernels are worth a search. It ends differently from run to run.
        torch.backends.cudnn.benchmark = not torch.backends.cudnn.deterministic
        torch.manual_seed(config.run.seed)
        cv2.setNumThreads(1)  # the loader's many small pictures; PyTorch has the cores
        torch.set_num_threads(config.run.threads or max(1, torch.multiprocessing.cpu_count() // distributed.world()))
        self.out = Path(config.run.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.train_crops, self.dev_crops = data.load(config, "train"), data.load(config, "dev")
        self.dataset = batches.Steps(self.train_crops, config, self._weights(), distributed.rank(), distributed.world())
        self.per_epoch = self.dataset.per_epoch
        self.total = config.optimisation.steps or config.optimisation.epochs * self.per_epoch
        self.revision, self.data_sha256 = revision(), data.sha256(config)
        self.step, self.elapsed, self.best, self.last = 0, 0.0, {"auc": -1.0, "step": 0}, "no checkpoint yet"
        if resume:
            self._resume(checkpoint.load(self.out / "last.pt"))
        else:
            self.trainer, self.initial = self._trainer()
        self.journal = None
        if distributed.first():
            config.save(self.out / "config.json")
            self.journal = journal.Journal(self.out, config.records.tensorboard, self.step if resume else None, config.records.curve)
        self.ahead = AHEAD[self.device.type]
        self.unread: list[tuple[int, engine.Figures]] = []  # steps whose figures were not looked at
        self.rows: dict[int, dict] = {}  # lines of the log that wait for the figures of their steps
        self.told: dict[str, float] = {}  # figures of the last step that was looked at
        self.clock = 0.0  # share of the time budget that is over, as all processes know it
        self.started = self.saved = time.monotonic()

    @property
    def net(self) -> model.LivenessNet:
        return self.trainer.both.net

    def _weights(self) -> np.ndarray | None:
        if self.config.crops.sampling != "matched":
            return None
        folders, images = data.folders(self.config), self.train_crops.images
        whole = len(folders) == 1 and not self.config.crops.protocol
        table = nuisance.cached_table(folders[0], "train", images) if whole else nuisance.table(images)
        return nuisance.matching_weights(table, self.train_crops.labels)

    def _trainer(self, initial: model.InitialWeights | None = None) -> tuple[engine.Trainer, model.InitialWeights]:
        """With first weights; with those of a run that goes on where their origin is given."""
        net = model.from_settings(self.config.network, self.config.network_k())
        if initial is None:
            initial = model.load_initial(net, self.config.network.init, self.config.network.shared, self._say)
            if initial.folded:
                self._reestimate(net)
        net.freeze(self.config.network.freeze)
        both = adversary.Adversarial(net, self._domains()).to(self.device, memory_format=torch.channels_last)
        new = [f"net.{name}" for name in initial.missing] + [n for n, _ in both.named_parameters() if n.startswith("discriminator.")]
        return engine.Trainer(both, new, self.config, self.device), initial

    def _reestimate(self, net: model.LivenessNet) -> None:
        bona_fide = self.train_crops.labels.nonzero()[0]
        count = self.config.network.norm_images
        ids = bona_fide[:: max(1, len(bona_fide) // count)][:count]
        tensor = torch.from_numpy(data.centre(self.train_crops.images.take(ids))).permute(0, 3, 1, 2)
        model.reestimate_batch_norm(net, data.normalise(tensor, torch.device("cpu")))

    def _domains(self) -> int:
        """Domains that the adversary tells apart; 0 where there is none."""
        count = len(self.dataset.names)
        if self.config.domains.adversary == "off":
            return 0
        if count < 2:
            self._say(f"adversary: off, the training set has {count} domain(s) and it needs 2")
            return 0
        return count

    def _say(self, text: str) -> None:
        if distributed.first():
            print(text, flush=True)

    def _resume(self, state: dict) -> None:
        """The first weights' files, or a network to download them, are not needed again."""
        if state["data_sha256"] != self.data_sha256:
            raise ValueError(f"{self.out / 'last.pt'}: its crops or protocol have changed since; train anew, into another --out")
        world = state.get("world", 1)  # earlier versions shared one batch among all processes
        if world != distributed.world():
            raise ValueError(f"{self.out / 'last.pt'}: is of {world} process(es), now {distributed.world()}: a step has another batch; take as many")
        changed = differences(state["config"], self.config.nested())
        if changed:
            self._say(f"resume: {changed}")
        self.trainer, self.initial = self._trainer(model.InitialWeights(state["initial"], state["fresh"], folded=False))
        self._say(f"first weights: {self.initial.told()}, as the run began")
        self.trainer.load(state)
        self.step, self.elapsed, self.best = state["step"], state["elapsed_s"], state["best"]
        self.last = f"last good weights: {self.out / 'last.pt'}, step {self.step}"

    def _loader(self, size: int) -> DataLoader:
        """Batches of the steps that are left; the loader's processes live as long as it does."""
        self.dataset.size = size
        workers = batches.workers(self.config, self.device.type == "cuda", distributed.world())
        ahead = {"prefetch_factor": self.config.crops.prefetch} if workers else {}
        return DataLoader(
            self.dataset,
            batch_size=None,
            sampler=range(self.step, self.total),
            num_workers=workers,
            pin_memory=self.device.type == "cuda",
            **ahead,
        )

    def seconds(self) -> float:
        return self.elapsed + time.monotonic() - self.started

    def done_share(self) -> float:
        """How much of the schedule is over, by steps or by the time budget, whichever is further; the same in all processes."""
        budget = self.config.optimisation.budget_minutes
        if budget and (distributed.world() == 1 or self.step % self.ahead == 0):  # agreeing waits for the other processes' GPUs
            self.clock = distributed.agree(self.seconds() / 60 / budget)
        return max(self.step / self.total, self.clock)

    def _size(self, share: float) -> int:
        """Side of the training crops at this point of the run."""
        late = self.config.crops.full_size_from and share >= self.config.crops.full_size_from
        return contract.INPUT_SIZE if late else self.config.crops.size

    def train(self) -> dict:
        self.bar = Progress("train", self.total)
        self.bar.done, self.share = self.step, self.done_share()
        self.meter = Meter()
        while self.share < 1 and not self._exhausted():
            size = self._size(self.share)
            for batch in self.meter.waits(self._loader(size)):
                self._one(batch)
                self.share = self.done_share()
                if self.share >= 1 or self._size(self.share) != size or self._exhausted():
                    break
        return self._finish()

    def _one(self, batch: batches.Batch) -> None:
        config, epoch = self.config, self.step // self.per_epoch
        torch.manual_seed(config.run.seed * 1_000_003 + self.step * 1009 + distributed.rank())  # the discriminator's dropout
        factor = engine.process_factor(config, distributed.world())
        engine.set_rate(self.trainer.opt, factor * engine.rate(config, self.share, self.step, epoch))
        reversal = engine.reversal(config, self.share)
        told = self.trainer.step(batch, reversal, norms=(self.step + 1) % config.records.log_every == 0)
        self.step += 1
        self.unread.append((self.step, told))
        self.meter.images += len(batch.images) * distributed.world()
        self._log(epoch, reversal)
        if len(self.unread) >= self.ahead:
            self._read()
        if distributed.first():
            self.bar.step(note=f"loss {self.told['loss']:.4f}" if self.told else "")
        self._checkpoint()

    def _read(self) -> None:
        """The figures of the steps so far. Comes before all that is written of them: one that is not finite ends the run here."""
        steps, self.unread = self.unread, []
        numbers = engine.read_together([told for _, told in steps]) if steps else ()
        for step, _ in steps:
            try:
                self.told = next(numbers)
            except engine.NonFiniteLoss as error:
                raise engine.NonFiniteLoss(f"step {step}: {error}; {self.last}") from None
            if step in self.rows:
                self._write(self.rows.pop(step) | self.told)

    def _log(self, epoch: int, reversal: float) -> None:
        records, row = self.config.records, {"step": self.step, "epoch": epoch, "minutes": self.seconds() / 60}
        logged, evaluated = self.step % records.log_every == 0, self.step % records.eval_every == 0
        if logged:
            row |= self.meter.read() | {"lr": self.trainer.opt.param_groups[0]["lr"]}
            row |= {"reversal": reversal} if self.trainer.both.discriminator is not None else {}
        if evaluated:
            row |= self._evaluate()
            self._write(row | (self.told if logged else {}))
        elif logged:
            self.rows[self.step] = row

    def _write(self, row: dict) -> None:
        if self.journal:
            self.journal.write(row)

    def _evaluate(self) -> dict:
        self._read()
        result = engine.evaluate(self.net, self.dev_crops, self.config, self.device, self.config.records.eval_limit)
        self._say(f"step {self.step}: dev AUC {result['auc']:.4f}, EER {result['eer']:.4f}")
        if result["auc"] > self.best["auc"]:
            self.best = {"auc": result["auc"], "step": self.step}
            if self.config.records.keep == "best":
                self._save("best.pt", {})
        self.meter.start()
        return {f"dev_{k}": result[k] for k in ("auc", "eer", "mse")}

    def _exhausted(self) -> bool:
        """Whether ``patience`` evaluations have passed without a better one."""
        patience = self.config.records.patience * self.config.records.eval_every
        return bool(patience) and self.step - self.best["step"] >= patience

    def _checkpoint(self) -> None:
        every = self.config.records.checkpoint_every
        if time.monotonic() - self.saved > 60 * self.config.records.checkpoint_minutes or (every and self.step % every == 0):
            self._save_last()

    def _save_last(self) -> None:
        """All that a resumed run needs; draws need no state, they follow from seed and step."""
        self._read()
        whole = {"elapsed_s": self.seconds(), "best": self.best, "fresh": self.initial.missing, "world": distributed.world()}
        self._save("last.pt", whole | self.trainer.state())
        self.saved, self.last = time.monotonic(), f"last good weights: {self.out / 'last.pt'}, step {self.step}"

    def _save(self, name: str, extra: dict) -> None:
        if distributed.first():
            extra |= {"initial": self.initial.description, "revision": self.revision, "data_sha256": self.data_sha256}
            checkpoint.save(self.out / name, self.net, self.config, self.step, extra)

    def _finish(self) -> dict:
        self._save_last()
        if self.config.records.keep == "best" and self.best["step"]:
            distributed.wait()
            self.net.load_state_dict(checkpoint.load(self.out / "best.pt")["model"])
        fp32 = self.config.replace(precision="fp32")
        result = engine.evaluate(self.net, self.dev_crops, fp32, self.device)
        self._save("final.pt", {"dev": result})
        if self.journal:
            self.journal.close({"step": self.step, "dev_auc": result["auc"]})
        return result


class Meter:
    """Pictures per second, and the share of that time that went into waiting for the loader."""

    def __init__(self):
        self.start()

    def start(self) -> None:
        self.since, self.waited, self.images = time.monotonic(), 0.0, 0

    def waits(self, loader):
        """The loader's batches, the wait for each measured."""
        batches_ = iter(loader)
        while True:
            asked = time.monotonic()
            batch = next(batches_, None)
            self.waited += time.monotonic() - asked
            if batch is None:
                return
            yield batch

    def read(self) -> dict[str, float]:
        """Since the last reading; starts anew."""
        passed = max(1e-9, time.monotonic() - self.since)
        row = {"images_per_s": self.images / passed, "loader_wait": self.waited / passed}
        self.start()
        return row
