"""Fine-tuning on few pictures: the user's own beside simulated pairs, patches exchanged within each, batch norms as they are.

A few hundred pictures are few: the first layers stay, the norms keep their statistics, the rate is low and the steps are few, series
are drawn with equal chances, and disturbances that do not depend on the class hide how sharp or bright each class happened to be.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from liveproof_base.progress import Progress

from ..config import TrainConfig
from ..fit import distributed, engine
from ..loading import augment
from ..loading.batches import Batch
from ..method import adversary, model
from ..method.encoders import STAGES
from ..settings import setting
from ..simulation import exchange, pairs
from ..simulation.bank import Bank
from .own import Own

CHUNK = 8  # pairs that are simulated at a time
WARM_UP = 0.1  # share of the steps


@dataclasses.dataclass
class TuneSettings:
    """How the start is fitted to the pictures."""

    steps: int = setting(40, "updates of the weights; more for several hundred pictures", low=1)
    batch: int = setting(32, "pictures a step, half of each class, simulated ones included", low=4)
    lr: float = setting(1e-4, "highest learning rate of Adam; it rises over a tenth of the steps and falls to 0 as a cosine", low=1e-9, high=1)
    weight_decay: float = setting(2e-4, "of Adam", low=0)
    freeze: str = setting("layer2", "the encoder's first layers that stay as they are, up to this one", STAGES)
    mix_prob: float = setting(0.5, "share of the pictures that get a patch of the other class (PDLE)", low=0, high=1)
    augment: str = setting(
        "nuisance", "class-blind disturbances: none; nuisance: blur, noise, tone, JPEG; all: colour too", ("none", "nuisance", "all")
    )
    simulated: float = setting(0.25, "share of simulated pictures in a step, so that nothing is forgotten; needs portraits", low=0, high=0.9)
    simulated_pairs: int = setting(64, "simulated pairs that are drawn for training, half a second each on a CPU", low=1)
    kept_pairs: int = setting(32, "simulated pairs of other portraits, scored before and after: what was forgotten; 0: none", low=0)
    size: int = setting(224, "side of the training pictures, a multiple of 32", low=64, high=224)
    precision: str = setting("fp32", "bf16: autocast, faster on CPUs with AMX and on GPUs", ("fp32", "bf16"))
    device: str = setting("cpu", "where to compute; auto: a GPU if there is one", ("auto", "cpu", "cuda"))
    seed: int = setting(1, "of the held-out series and of all draws", low=0)


def pool(portraits: Path, split: str, count: int, seed: int) -> pairs.Pairs:
    """``count`` pairs of the portraits of a split, on the CPU."""
    bank = Bank.read([(portraits, split)], torch.device("cpu"))
    generator, bar, parts = torch.Generator().manual_seed(seed), Progress(f"simulate {split}", count), []
    for start in range(0, count, CHUNK):
        ids = bank.draw(min(CHUNK, count - start), generator)
        parts.append(pairs.draw(bank, ids, generator))
        bar.step(len(ids))
    columns = zip(*((p.live, p.attack, p.species) for p in parts))
    return pairs.Pairs(*(torch.cat(column) for column in columns))


class Batches:
    """Batches of the own pictures and of a pool of simulated pairs (None: of the own alone)."""

    def __init__(self, own: Own, simulated: pairs.Pairs | None, k: int, settings: TuneSettings):
        self.images, self.simulated, self.settings = own.images, simulated, settings
        self.rng, self.generator = np.random.default_rng(settings.seed), torch.Generator().manual_seed(settings.seed)
        self.by_class = [_by_series(own, y) for y in (0, 1)]
        share = settings.simulated if simulated is not None else 0.0
        self.made = min(settings.batch // 2 - 1, round(share * settings.batch / 2))
        self.exchange = exchange.Exchange(k, settings.size, settings.mix_prob)

    def draw(self) -> Batch:
        parts = [self._mixed(*self._own(self.settings.batch // 2 - self.made))]
        if self.made:
            ids = torch.randint(len(self.simulated.live), (self.made,), generator=self.generator)
            parts.append(self._mixed(self.simulated.live[ids], self.simulated.attack[ids]))
        images, targets = (torch.cat(column) for column in zip(*parts))
        return Batch(images.permute(0, 2, 3, 1), targets, torch.zeros(len(images), 0))

    def _mixed(self, live: torch.Tensor, attack: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return exchange.batch(live, attack, self.exchange, self.generator)

    def _own(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(live, attack) uint8 [count, 3, 256, 256]."""
        attack, live = (np.stack([self._picture(groups) for _ in range(count)]) for groups in self.by_class)
        return tuple(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))) for x in (live, attack))

    def _picture(self, groups: list[np.ndarray]) -> np.ndarray:
        """Of a random series, so that one with many pictures counts as much as one with few."""
        group = groups[self.rng.integers(len(groups))]
        image = np.ascontiguousarray(self.images[group[self.rng.integers(len(group))]])
        if self.settings.augment == "all":
            image = augment.cast(image, self.rng)
        return image if self.settings.augment == "none" else augment.disturb(image, self.rng)


def _by_series(own: Own, label: int) -> list[np.ndarray]:
    labels, series = own.labels, own.series
    return [np.flatnonzero((series == name) & (labels == label)) for name in np.unique(series[labels == label])]


def config(start: TrainConfig, settings: TuneSettings) -> TrainConfig:
    """The start's own, with the rates and precision of the fine-tuning."""
    shared = {name: getattr(settings, name) for name in ("lr", "weight_decay", "precision", "device", "seed", "freeze", "size", "steps", "batch")}
    warm_up = max(1, round(WARM_UP * settings.steps))
    return start.replace(**shared, schedule="cosine", warmup_steps=warm_up, mix="append", mix_prob=settings.mix_prob, adversary="off")


def tune(net: model.LivenessNet, batches: Batches, config: TrainConfig, what: str = "adapt") -> list[dict[str, float]]:
    """Changes ``net``; returns loss and error of each step."""
    device = distributed.device(config.run.device)
    torch.manual_seed(config.run.seed)
    net.freeze(config.network.freeze)
    net.keep_norms()
    both = adversary.Adversarial(net, 0).to(device, memory_format=torch.channels_last)
    trainer, bar, log = engine.Trainer(both, [], config, device), Progress(what, config.optimisation.steps), []
    for step in range(config.optimisation.steps):
        engine.set_rate(trainer.opt, engine.rate(config, step / config.optimisation.steps, step, 0))
        log.append(trainer.step(batches.draw()).read())
        bar.step(note=f"loss {log[-1]['loss']:.4f}")
    net.cpu().eval()
    return log
