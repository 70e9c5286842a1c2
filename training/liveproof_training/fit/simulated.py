"""A run whose pictures are simulated on the device, each seen once: portraits in, checkpoint out. Made for one GPU and a few minutes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from liveproof_base.progress import Progress

from .. import metrics
from ..config import TrainConfig
from ..loading import data
from ..method import adversary, model
from ..settings import setting
from ..simulation import exchange, pairs
from ..simulation.bank import TONES, TONES_TEXT, Bank
from . import checkpoint, engine
from .average import Average
from .journal import Journal
from .train import revision

FAMILIES = pairs.SPECIES[1:]
STREAM_SEED = 7_000_003  # of the dev pairs, the same for every run


@dataclasses.dataclass
class SimulationSettings:
    """How pictures are drawn and how the run ends, beside a run's own settings."""

    portraits: str = setting("", "folder with faces.csv; empty: $LIVEPROOF_SHARED/faces")
    also: str = setting("", "a second folder of faces, filmed ones say, that is trained on whole; empty: none")
    tones: str = setting(TONES[0], TONES_TEXT, TONES)
    minutes: float = setting(5.0, "length of the run; the schedule follows the clock", low=0.01)
    own_prob: float = setting(0.5, "share of mixed pictures whose partner shows the same face", low=0, high=1)
    decay: float = setting(0.998, "of the running mean of the weights, which is what is kept", low=0, high=1)
    reuse: int = setting(2, "steps that train on the same pairs, each with other views and exchanges: drawing costs more than a step", low=1)
    dev_pairs: int = setting(512, "pairs of held-out portraits that are scored at the end", low=8)


class SimulatedRun:
    """Trains on ``train``, scores on ``dev``; writes log.csv, config.json and final.pt to ``config.run.out``."""

    def __init__(self, config: TrainConfig, simulation: SimulationSettings, train: Bank, dev: Bank, data_sha256: str):
        config.check()
        self.config, self.simulation, self.banks, self.data_sha256 = config, simulation, (train, dev), data_sha256
        self.device, self.out = train.squares.device, Path(config.run.out)
        self.out.mkdir(parents=True, exist_ok=True)
        torch.backends.cudnn.benchmark = True
        torch.manual_seed(config.run.seed)
        self.generator = torch.Generator(self.device).manual_seed(config.run.seed)
        self.exchange = exchange.Exchange.of(config, simulation.own_prob)
        self.trainer, self.initial = self._trainer()
        self.average = Average(self.trainer.both.net, simulation.decay)
        self.step, self.drawn = 0, None

    def _trainer(self) -> tuple[engine.Trainer, model.InitialWeights]:
        net = model.from_settings(self.config.network, self.config.network_k())
        initial = model.load_initial(net, self.config.network.init, self.config.network.shared)
        if initial.folded:
            live = self._pairs(self.config.network.norm_images).live[..., 16:240, 16:240]
            net = net.to(self.device)
            model.reestimate_batch_norm(net, data.normalise(live, self.device))
        net.freeze(self.config.network.freeze)
        return trainer(net, initial, self.config, self.device, FAMILIES), initial

    def _pairs(self, n: int) -> pairs.Pairs:
        bank = self.banks[0]
        return pairs.draw(bank, bank.draw(n, self.generator), self.generator)

    def train(self) -> dict:
        self.config.save(self.out / "config.json")
        journal, bar, began = Journal(self.out, "off", None, self.config.records.curve), Progress("train", 1000), time.monotonic()
        share, every = 0.0, self.config.records.log_every
        while share < 1:
            told = self._one(share)
            share = (time.monotonic() - began) / 60 / self.simulation.minutes
            if self.step % every == 0:
                row = told.read()
                images = 2 * self.step * self.config.optimisation.batch / (time.monotonic() - began)
                journal.write({"step": self.step, "minutes": (time.monotonic() - began) / 60, "images_per_s": images} | row)
                bar.step(max(0, round(1000 * min(1, share)) - bar.done), note=f"loss {row['loss']:.4f}, {images:.0f} images/s")
        result = self._finish()
        journal.close({"step": self.step, "dev_auc": result["auc"]})
        return result

    def _one(self, share: float) -> engine.Figures:
        engine.set_rate(self.trainer.opt, engine.rate(self.config, share, self.step, 0))
        if self.step % self.simulation.reuse == 0:
            self.drawn = self._pairs(self.config.optimisation.batch)
        made = exchange.mixed(self.drawn.live, self.drawn.attack, self.exchange, self.generator)
        families = functional.one_hot(self.drawn.species - 1, len(FAMILIES)).float()
        told = self.trainer.step(exchange.training(made, families, self.config), engine.reversal(self.config, share))
        self.average.update(self.trainer.both.net)
        self.step += 1
        return told

    def _finish(self) -> dict:
        result = dev_figures(self.average.net, self.banks[1], self.simulation.dev_pairs, self.config)
        extra = {"dev": result, "initial": self.initial.description, "revision": revision(), "data_sha256": self.data_sha256}
        extra["simulation"] = dataclasses.asdict(self.simulation)
        checkpoint.save(self.out / "final.pt", self.average.net, self.config, self.step, extra)
        return result


def trainer(net, initial: model.InitialWeights, config: TrainConfig, device: torch.device, families: tuple[str, ...]) -> engine.Trainer:
    """Of a run on pairs: the adversary's domains, where there is one, are the families of attacks."""
    both = adversary.Adversarial(net, len(families) if config.domains.adversary == "on" else 0)
    new = [f"net.{name}" for name in initial.missing] + [name for name, _ in both.named_parameters() if name.startswith("discriminator.")]
    return engine.Trainer(both.to(device, memory_format=torch.channels_last), new, config, device, families)


def dev_figures(net, bank: Bank, count: int, config: TrainConfig) -> dict:
    """On pairs that every run draws alike on the same device; AUC of each species of attack, too."""
    live, attack, species = scored(lambda x: engine.scores(net, x, config.replace(precision="fp32"), bank.squares.device), bank, count)
    threshold, eer = metrics.equal_error(live, attack)
    told = {"auc": metrics.auc(live, attack), "eer": eer, "threshold": threshold, "crops": len(live) + len(attack)}
    for n, name in enumerate(pairs.SPECIES):
        if (species == n).any():
            told[f"auc_{name}"] = metrics.auc(live, attack[species == n])
    return told


def scored(score: Callable, bank: Bank, count: int, chunk: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rho of live [count], rho of attack [count], species [count]) by ``score``, which takes uint8 [n, 256, 256, 3]."""
    generator = torch.Generator(bank.squares.device).manual_seed(STREAM_SEED)
    parts = []
    for start in range(0, count, chunk):
        drawn = pairs.draw(bank, bank.draw(min(chunk, count - start), generator), generator)
        parts.append([score(x.permute(0, 2, 3, 1).cpu().numpy()) for x in (drawn.live, drawn.attack)] + [drawn.species.cpu().numpy()])
    return tuple(np.concatenate(part) for part in zip(*parts))
