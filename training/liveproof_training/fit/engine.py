"""The loop's parts: one step, the schedule, scores and evaluation."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch

from .. import metrics
from ..config import TrainConfig
from ..loading import data, pictures
from ..loading.batches import Batch
from ..method import adversary, losses
from . import distributed, memory


def autocast(config: TrainConfig, device: torch.device):
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.run.precision)
    return torch.autocast(device.type, dtype=kind) if kind else contextlib.nullcontext()


def grad_scaler(config: TrainConfig, device: torch.device):
    """Loss scaling for fp16, whose small gradients would vanish; a no-op otherwise."""
    if config.run.precision == "fp16" and device.type != "cuda":
        raise ValueError("precision: fp16 needs a GPU; use bf16")
    kind = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler  # the latter until PyTorch 2.3
    return kind(enabled=config.run.precision == "fp16")


def optimizer(net: torch.nn.Module, new: list[str], config: TrainConfig) -> torch.optim.Optimizer:
    """Adam over the network and its discriminator; layers that start at random may have their own rate."""
    fresh, learning = set(new), [(n, p) for n, p in net.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for n, p in learning if n not in fresh], "lr": config.optimisation.lr},
        {"params": [p for n, p in learning if n in fresh], "lr": config.optimisation.lr_new or config.optimisation.lr},
    ]
    for group in groups:
        group["base_lr"] = group["lr"]
    return torch.optim.Adam([g for g in groups if g["params"]], weight_decay=config.optimisation.weight_decay, **fused(net))


def fused(net: torch.nn.Module) -> dict[str, bool]:
    """On a GPU one kernel updates all weights. It also learns of an overflow there, where a scaler would wait for the GPU to tell it.
    Before PyTorch 2 it cannot be resumed."""
    return {"fused": True} if int(torch.__version__.split(".")[0]) >= 2 and next(net.parameters()).is_cuda else {}


def rate(config: TrainConfig, progress: float, step: int, epoch: int) -> float:
    """Factor on the base learning rate; ``progress`` in [0, 1] is the share of the run that is done."""
    chosen = config.optimisation
    warm = min(1.0, (step + 1) / chosen.warmup_steps) if chosen.warmup_steps else 1.0
    if chosen.schedule == "cosine":
        return warm * max(0.005, 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
    return warm * chosen.gamma**epoch


def process_factor(config: TrainConfig, world: int) -> float:
    """What ``world`` processes, whose step has ``world`` times the originals, multiply the learning rate by."""
    return {"sqrt": math.sqrt(world), "linear": float(world), "none": 1.0}[config.optimisation.lr_scaling]


def set_rate(opt: torch.optim.Optimizer, factor: float) -> None:
    for group in opt.param_groups:
        group["lr"] = group["base_lr"] * factor


def reversal(config: TrainConfig, progress: float) -> float:
    return 1.0 if config.domains.grl == "constant" else adversary.ganin(min(1.0, progress))


class NonFiniteLoss(ValueError):
    """The loss became NaN or infinite; the last checkpoint is from before."""


class Figures(Mapping):
    """What a step tells, on its device. Reading waits for a GPU to have done the step."""

    def __init__(self, told: dict[str, torch.Tensor], rate: float):
        self.names, self.rate = list(told), rate
        self.values = torch.stack([value.detach().float() for value in told.values()])

    def __getitem__(self, name: str) -> float:
        return self.read()[name]

    def __iter__(self):
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def read(self) -> dict[str, float]:
        """The numbers; NonFiniteLoss where one has no value."""
        return self.named(self.values.tolist())

    def named(self, values: list[float]) -> dict[str, float]:
        """``values`` as the numbers of this step. Gradients are averaged over the processes, so all of them find the same."""
        numbers = dict(zip(self.names, values))
        bad = [f"{name} {numbers[name]}" for name in ("loss", "loss_score", "loss_domain", "grad_norm") if not math.isfinite(numbers.get(name, 0.0))]
        if bad:
            raise NonFiniteLoss(f"{', '.join(bad)} at learning rate {self.rate:.3g}: lower --lr, or use --precision fp32 or bf16")
        return numbers


def read_together(steps: list[Figures]) -> Iterator[dict[str, float]]:
    """The numbers of each step in turn, as :meth:`Figures.read` gives them, with one wait for all."""
    values = torch.cat([figures.values for figures in steps]).tolist()
    for figures in steps:
        own, values = values[: len(figures)], values[len(figures) :]
        yield figures.named(own)


class Trainer:
    """The network with its discriminator, optimiser, loss scaling and the families' weights: all that a step changes.

    ``families``: names of the families of attacks, where the pictures' are known.
    """

    def __init__(self, both: adversary.Adversarial, new: list[str], config: TrainConfig, device: torch.device, families: tuple[str, ...] = ()):
        if config.losses.families == "worst" and len(families) < 2:
            raise ValueError(f"families: worst needs two families of attacks, here are {len(families)}; only simulated pairs tell theirs")
        self.families = families
        self.family_weights = torch.full((len(families),), 1 / max(1, len(families)), device=device)
        self.both, self.config, self.device = both, config, device
        self.parallel = distributed.wrap(both, config.optimisation.sync_bn == "on")
        self.opt = optimizer(both, new, config)
        self.scaler = grad_scaler(config, device)
        self.copies = torch.cuda.Stream(device) if device.type == "cuda" else None

    def step(self, batch: Batch, coefficient: float = 0.0, norms: bool = False) -> Figures:
        """One update. Tells loss, error (mean |rho - target|) and, with domains, their losses; ``norms``: gradients too.
        Nothing in it waits for a GPU, which therefore has the next step to do when it ends this one."""
        self.parallel.train()
        targets = self._moved(batch.targets)
        images = data.normalise(self._moved(batch.images).permute(0, 3, 1, 2), self.device)
        with autocast(self.config, self.device):
            evidence, domain_logits = self.parallel(images, coefficient)
        score, weighed = self._score_loss(losses.LOSSES[self.config.losses.loss].of(evidence, targets), batch)
        domain, told = self._domain_loss(domain_logits, batch)
        told |= weighed
        loss = losses.total(score, domain, self.config.losses.alpha)
        if norms and domain is not None:
            told |= self._gradient_norms(score, domain, evidence.features)
        told |= self._update(loss)
        told |= {"loss": loss, "loss_score": score, "error": (evidence.rho - targets).abs().mean()}
        return Figures(told, self.opt.param_groups[0]["lr"])

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        """On the device. A GPU copies while it still computes the step before."""
        if self.copies is None:
            return tensor.to(self.device)
        with torch.cuda.stream(self.copies):
            moved = tensor.to(self.device, non_blocking=True)
        computing = torch.cuda.current_stream(self.device)
        computing.wait_stream(self.copies)
        moved.record_stream(computing)  # its memory is free again only when the step has ended
        return moved

    def _score_loss(self, each: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of ``each`` picture as one, and the families' weights where they count."""
        if self.config.losses.families == "mean":
            return each.mean(), {}
        loss, self.family_weights = losses.worst_family(each, self._moved(batch.families), self.family_weights, self.config.losses.family_rate)
        return loss, {f"weight_{name}": weight for name, weight in zip(self.families, self.family_weights)}

    def _domain_loss(self, logits: torch.Tensor | None, batch: Batch) -> tuple[torch.Tensor | None, dict[str, torch.Tensor]]:
        if logits is None:
            return None, {}
        shares = self._moved(batch.domains)
        loss = losses.domain_cross_entropy(logits, shares)
        right, some = logits.detach().argmax(1) == shares.argmax(1), shares.sum(1) > 0  # a mixed picture may have no domain
        return loss, {"loss_domain": loss, "domain_accuracy": (right & some).sum().float() / some.sum().clamp_min(1)}

    def _gradient_norms(self, score, domain, features) -> dict[str, torch.Tensor]:
        """How hard each term of Eq. 6, weighted and reversed, pulls at the pooled features."""
        alpha, scale = self.config.losses.alpha, self.scaler.scale(torch.ones((), device=self.device))  # get_scale() would wait for a GPU
        terms = {"grad_score": alpha * score, "grad_domain": (1 - alpha) * domain}
        gradients = {name: torch.autograd.grad(scale * loss, features, retain_graph=True)[0] for name, loss in terms.items()}
        return {name: gradient.float().norm() / scale for name, gradient in gradients.items()}

    def _update(self, loss: torch.Tensor) -> dict[str, torch.Tensor]:
        self.opt.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        told = {} if self.scaler.is_enabled() else {"grad_norm": self._gradient_norm()}  # a scaler skips steps that overflow
        self.scaler.step(self.opt)
        self.scaler.update()
        return told

    def _gradient_norm(self) -> torch.Tensor:
        norms = [p.grad.norm() for group in self.opt.param_groups for p in group["params"] if p.grad is not None]
        return torch.stack(norms).norm()

    def close(self) -> None:
        """No more steps. Must come before the processes part: gloo hangs now and then when this outlives its group."""
        self.parallel = None
        gc.collect()

    def state(self) -> dict:
        discriminator = self.both.discriminator
        return {
            "optimizer": self.opt.state_dict(),
            "scaler": self.scaler.state_dict(),
            "discriminator": discriminator.state_dict() if discriminator is not None else None,
            "family_weights": self.family_weights,
        }

    def load(self, state: dict) -> None:
        self.both.net.load_state_dict(state["model"])
        ours = [(group["base_lr"], group["weight_decay"]) for group in self.opt.param_groups]
        for saved, group in zip(state["optimizer"]["param_groups"], self.opt.param_groups):  # by a GPU, or before there was this choice
            saved["fused"] = group.get("fused")
        self.opt.load_state_dict(state["optimizer"])
        for group, (rate, decay) in zip(self.opt.param_groups, ours):  # a resumed run may have been given lower ones
            group["base_lr"], group["weight_decay"] = rate, decay
        self.scaler.load_state_dict(state["scaler"])
        if self.both.discriminator is not None:
            self.both.discriminator.load_state_dict(state["discriminator"])
        if len(self.family_weights):
            self.family_weights = state["family_weights"].to(self.device)


@contextlib.contextmanager
def full_float32():
    """cuDNN's float32 convolutions round their inputs to TF32's 10 bits of mantissa unless told not to. Training bears that and is three
    times faster; scores moved by up to 0.0015 from the CPU's (H200), and a threshold chosen on them would be another."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@torch.no_grad()
@full_float32()
def scores(net, images, config: TrainConfig, device: torch.device, batch: int = 32) -> np.ndarray:
    """rho of 256 x 256 crops (a sequence of pictures or uint8 [N, 256, 256, 3]), centre 224, in evaluation mode."""
    net.eval()
    memory.keep_freed_blocks()
    out = [np.empty(0, np.float32)]
    for start in range(0, len(images), batch):
        chunk = torch.from_numpy(data.centre(images[start : start + batch])).permute(0, 3, 1, 2)
        with autocast(config, device):
            rho, _ = net(data.normalise(chunk, device))
        out.append(rho.float().cpu().numpy())
    return np.concatenate(out)


def evaluate(net, crops: data.Crops, config: TrainConfig, device, limit: int = 0) -> dict:
    """Area under the curve and equal error rate on a split, thinned to about ``limit`` crops; each process scores a part."""
    ids = thinned(crops.labels, limit)
    rank, world = distributed.rank(), distributed.world()
    distributed.same_buffers(net)
    parts = distributed.gather(scores(net, pictures.Chosen(crops.images, ids[rank::world]), config, device))
    rho = np.empty(len(ids), np.float32)
    for r, part in enumerate(parts):
        rho[r::world] = part
    labels = crops.labels[ids]
    threshold, eer = metrics.equal_error(rho[labels == 1], rho[labels == 0])
    return {
        "auc": metrics.auc(rho[labels == 1], rho[labels == 0]),
        "eer": eer,
        "threshold": threshold,
        "mse": float(((rho - labels) ** 2).mean()),
        "crops": len(ids),
    }


def thinned(labels: np.ndarray, limit: int) -> np.ndarray:
    """Ids evenly spaced within each class, about ``limit`` in their classes' proportion; 0: all."""
    share = min(1.0, limit / len(labels)) if limit else 1.0
    chosen = []
    for y in (0, 1):
        ids = np.flatnonzero(labels == y)
        if not len(ids):
            raise ValueError(f"dev: no {'bona fide' if y else 'attack'} crops, so neither AUC nor threshold")
        chosen.append(ids[np.linspace(0, len(ids) - 1, max(1, round(share * len(ids)))).astype(int)])
    return np.sort(np.concatenate(chosen))
