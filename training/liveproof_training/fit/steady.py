"""A network that is made steady: what light and encoders do to a picture shall not move its score.

Self-distillation (Hinton et al. 2015): a copy of the network learns to say of a disturbed picture what the network itself says of the
undisturbed one, by score (Eq. 5 with the network's own score as label) and by pooled features. No label of a class is used.
"""

from __future__ import annotations

import copy
import dataclasses
import time
from pathlib import Path

import torch

from liveproof_base.progress import Progress

from ..config import TrainConfig
from ..loading import data
from ..method import losses
from ..method.encoders import STAGES
from ..method.model import Evidence, LivenessNet
from ..settings import setting
from ..simulation import conditions, exchange
from . import checkpoint, distributed, engine, memory
from .average import Average
from .journal import Journal
from .train import revision

SPREAD_IMAGES = 256  # pictures that the features' deviations are measured on
FLAT = 0.1  # of the mean deviation; a feature that hardly varies counts as if it varied so much
DECAY = 0.99  # of the running mean of the weights, which is what is kept


@dataclasses.dataclass
class SteadySettings:
    """How the copy learns."""

    steps: int = setting(500, "updates of the weights", low=1)
    batch: int = setting(32, "pictures a step", low=2)
    lr: float = setting(1e-4, "highest learning rate of Adam; it falls to 0 as a cosine", low=1e-9, high=1)
    freeze: str = setting("layer2", "the encoder's first layers that stay as they are, up to this one", STAGES)
    clean: float = setting(0.4, "share of the pictures that are not disturbed, on which the copy must stay as it is", low=0, high=1)
    features: float = setting(1.0, "weight of the squared distance of features, in deviations, beside the scores' squared distance", low=0)
    precision: str = setting("fp32", "bf16: autocast, faster on CPUs with AVX-512 BF16 or AMX and on GPUs", ("fp32", "bf16"))
    device: str = setting("auto", "where to compute; auto: a GPU if there is one", ("auto", "cpu", "cuda"))
    seed: int = setting(1, "of all draws", low=0)


class SteadyRun:
    """Changes a copy of ``start`` by uint8 ``images`` [N, 3, 256, 256] of both classes; ``train`` returns it in evaluation mode.

    Batch norms keep their statistics, and the grain that the balance of light adds in training is left out: it hides fine texture
    that tells a print from a face, and the copy would learn to do without.
    """

    def __init__(self, start: LivenessNet, config: TrainConfig, images: torch.Tensor, settings: SteadySettings, chances: conditions.Chances):
        if len(images) < settings.batch:
            raise ValueError(f"batch: {settings.batch} pictures a step, and --data has {len(images)}: take a smaller --batch or more crops")
        memory.keep_freed_blocks()
        torch.manual_seed(settings.seed)
        shared = {name: getattr(settings, name) for name in ("lr", "freeze", "precision", "steps", "batch", "device", "seed")}
        self.config = config.replace(**shared, weight_decay=0.0, schedule="cosine", warmup_steps=max(1, settings.steps // 50), adversary="off")
        self.settings, self.chances, self.images = settings, chances, images
        self.device = distributed.device(settings.device)
        self.generator = torch.Generator().manual_seed(settings.seed)
        place = {"device": self.device, "memory_format": torch.channels_last}
        self.start = copy.deepcopy(start).to(**place).eval().requires_grad_(False)
        self.net = copy.deepcopy(start).to(**place)
        self.net.keep_norms()
        self.net.freeze(settings.freeze)
        self.optimizer = engine.optimizer(self.net, [], self.config)
        self.average = Average(self.net, DECAY)
        self.spread = self._spread()

    def train(self, out: Path) -> LivenessNet:
        out.mkdir(parents=True, exist_ok=True)
        journal, bar, began = Journal(out, "off"), Progress("steady", self.settings.steps), time.monotonic()
        self.net.train()
        self.net.balance.eval()
        for step in range(self.settings.steps):
            engine.set_rate(self.optimizer, engine.rate(self.config, step / self.settings.steps, step, 0))
            score, features = self._step()
            if (step + 1) % self.config.records.log_every == 0 or step + 1 == self.settings.steps:
                loss, minutes = score.item() + self.settings.features * features.item(), (time.monotonic() - began) / 60
                journal.write({"step": step + 1, "minutes": minutes, "loss": loss, "loss_score": score.item()})
                bar.step(step + 1 - bar.done, note=f"scores {score.item() ** 0.5:.3f} apart, features {features.item() ** 0.5:.2f}")
        journal.close()
        return self.average.net

    def save(self, path: Path, extra: dict) -> None:
        said = {"steady": dataclasses.asdict(self.settings), "conditions": dataclasses.asdict(self.chances), "revision": revision()}
        checkpoint.save(path, self.average.net, self.config, self.settings.steps, said | extra)

    def _step(self) -> tuple[torch.Tensor, torch.Tensor]:
        """One update; mean squared distances of scores and of features."""
        images = self._views(self.settings.batch)
        with torch.no_grad():
            aim = self._evidence(self.start, images)
        kept = round(self.settings.clean * len(images))
        seen = torch.cat([images[:kept], conditions.disturbed(images[kept:], self.chances, self.generator)]) if kept < len(images) else images
        found = self._evidence(self.net, seen)
        score = losses.score_mse(found.rho, aim.rho).mean()
        features = (((found.features.float() - aim.features.float()) / self.spread) ** 2).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (score + self.settings.features * features).backward()
        self.optimizer.step()
        self.average.update(self.net)
        return score.detach(), features.detach()

    def _views(self, count: int) -> torch.Tensor:
        """Random parts of random pictures, half of them mirrored."""
        ids = torch.randint(len(self.images), (count,), generator=self.generator)
        return exchange.view(self.images[ids], self.config.crops.size, self.generator)

    def _evidence(self, net: LivenessNet, images: torch.Tensor) -> Evidence:
        with engine.autocast(self.config, self.device):
            return net.evidence(data.normalise(images.to(self.device), self.device))

    @torch.no_grad()
    def _spread(self) -> torch.Tensor:
        """Deviation of each pooled feature over pictures of both classes, [feature_size]."""
        parts = self._views(min(SPREAD_IMAGES, len(self.images))).split(self.settings.batch)
        deviation = torch.cat([self._evidence(self.start, part).features.float() for part in parts]).std(dim=0)
        return deviation.clamp_min(FLAT * deviation.mean())
