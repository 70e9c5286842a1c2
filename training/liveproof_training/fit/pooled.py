"""A run on a pool of simulated pairs that many runs share: the same pictures for all, so many steps, weights left in memory."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from liveproof_base.progress import Progress

from ..config import TrainConfig
from ..loading import data
from ..method import balance, model
from ..simulation import exchange
from ..simulation.pool import Pool
from . import checkpoint, distributed, engine, memory
from .journal import Journal
from .simulated import trainer
from .train import revision


class PoolRun:
    """Trains on ``pool`` for ``config``'s steps, a step on ``batch`` pairs; an epoch is every pair once. Writes log.csv and config.json."""

    def __init__(self, config: TrainConfig, pool: Pool, own_prob: float):
        config.check()
        if not config.optimisation.steps or config.optimisation.budget_minutes:
            raise ValueError("steps: runs on a pool are so many steps long, neither epochs nor minutes")
        if config.optimisation.batch > len(pool):
            raise ValueError(f"batch: {config.optimisation.batch} pairs a step are more than the pool's {len(pool)}")
        self.config, self.pool, self.device = config, pool, distributed.device(config.run.device)
        memory.keep_freed_blocks()
        torch.manual_seed(config.run.seed)
        torch.set_num_threads(config.run.threads or torch.multiprocessing.cpu_count())
        self.generator = torch.Generator(self.device).manual_seed(config.run.seed)
        self.exchange, self.families = exchange.Exchange.of(config, own_prob), pool.shares()
        self.out = Path(config.run.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.trainer, self.initial = self._trainer()
        self.revision, self.step, self.elapsed = revision(), 0, 0.0
        self.order = torch.empty(0, dtype=torch.long)

    @property
    def net(self) -> model.LivenessNet:
        return self.trainer.both.net

    def _trainer(self) -> tuple[engine.Trainer, model.InitialWeights]:
        config = self.config
        net = self._network()
        initial = model.load_initial(net, config.network.init, config.network.shared, lambda text: None)
        if initial.folded:
            live = centre(self.pool.live[: config.network.norm_images], config.crops.size)
            model.reestimate_batch_norm(net, data.normalise(live, torch.device("cpu")))
        net.freeze(config.network.freeze)
        return trainer(net, initial, config, self.device, self.pool.families), initial

    def _network(self) -> model.LivenessNet:
        """For several crops of each picture, one whose features are their mean."""
        net, crops = model.from_settings(self.config.network, self.config.network_k()), self.pool.live.shape[1] // 3
        if crops > 1:
            if net.balances:
                raise ValueError("balance: several crops of a picture are not balanced; use off")
            net.balance = balance.Crops(crops)
        return net

    def train(self) -> None:
        config, began = self.config, time.monotonic()
        config.save(self.out / "config.json")
        journal, bar = Journal(self.out, "off", None, config.records.curve), Progress("train", config.optimisation.steps)
        while self.step < config.optimisation.steps:
            told = self._one()
            if self.step % config.records.log_every == 0:
                journal.write({"step": self.step, "minutes": (time.monotonic() - began) / 60} | told.read())
            bar.step(1)
        self.elapsed = time.monotonic() - began
        journal.close()

    def _one(self) -> engine.Figures:
        chosen = self.config.optimisation
        epoch = self.step // (len(self.pool) // chosen.batch)
        engine.set_rate(self.trainer.opt, engine.rate(self.config, self.step / chosen.steps, self.step, epoch))
        ids = self._next(chosen.batch)
        live, attack = (x[ids].to(self.device) for x in (self.pool.live, self.pool.attack))
        made = exchange.mixed(live, attack, self.exchange, self.generator)
        batch = exchange.training(made, self.families[ids].to(self.device), self.config)
        told = self.trainer.step(batch, engine.reversal(self.config, self.step / chosen.steps))
        self.step += 1
        return told

    def _next(self, count: int) -> torch.Tensor:
        """Ids of the next pairs; the same in all arms of a seed. What an epoch has beyond whole steps is left out."""
        if len(self.order) < count:
            epoch = self.step // (len(self.pool) // count)
            self.order = torch.from_numpy(np.random.default_rng([self.config.run.seed, epoch]).permutation(len(self.pool)))
        ids, self.order = self.order[:count], self.order[count:]
        return ids

    def seconds(self) -> float:
        return self.elapsed

    def rho(self, images: torch.Tensor, batch: int = 64) -> np.ndarray:
        """Scores of uint8 [N, C, side, side], their middle, by the run's own precision."""
        return rho(self.net, images, self.config, self.device, batch)

    def save(self, name: str) -> None:
        checkpoint.save(self.out / name, self.net, self.config, self.step, {"initial": self.initial.description, "revision": self.revision})


def centre(images: torch.Tensor, size: int) -> torch.Tensor:
    """[N, C, side, side] -> the middle [N, C, size, size]."""
    off = (images.shape[-1] - size) // 2
    return images[..., off : off + size, off : off + size]


@torch.no_grad()
@engine.full_float32()
def rho(net, images: torch.Tensor, config: TrainConfig, device: torch.device, batch: int = 64) -> np.ndarray:
    net.eval()
    out = [np.empty(0, np.float32)]
    for part in images.split(batch):
        with engine.autocast(config, device):
            found, _ = net(data.normalise(centre(part, config.crops.size), device))
        out.append(found.float().cpu().numpy())
    return np.concatenate(out)
