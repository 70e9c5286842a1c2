"""Patch exchange (Eq. 1 and 2) on batches of pairs that are on the device already: a picture with its own attack, or with another's."""

from __future__ import annotations

import dataclasses

import torch

from ..config import TrainConfig
from ..loading.batches import Batch
from ..method import pdle


@dataclasses.dataclass
class Exchange:
    """How pairs become a batch to train on."""

    k: int = 10
    size: int = 224
    mix_prob: float = 0.5  # share of pictures that are mixed
    own_prob: float = 0.5  # share of those whose partner shows the same face
    labels: str = "discrete"  # lambda = u / K; "continuous": lambda ~ U(0, 1)

    @staticmethod
    def of(config: TrainConfig, own_prob: float) -> Exchange:
        """As a run's settings and its arm say. Mixed pictures replace originals, whose number thus stays the same: none with ``mix`` none."""
        chosen = config.exchange
        mix_prob = 0.0 if chosen.mix == "none" else chosen.mix_prob
        return Exchange(chosen.k, config.crops.size, mix_prob, own_prob, chosen.label_encoding)

    def sides(self, device: torch.device) -> torch.Tensor:
        """[K, 2] height and width of the box of each level u = 1 .. K."""
        return torch.tensor([pdle.sides(self.size, self.size, u / self.k, 1.0) for u in range(1, self.k + 1)], device=device)


@dataclasses.dataclass
class Mixed:
    """2 N pictures, the live ones first. ``images`` uint8 [2 N, C, size, size], ``labels`` PDLE's [2 N]; ``partner`` [2 N]: of which
    picture the box is, ``share`` [2 N]: the box's share of the pixels, 0 without one."""

    images: torch.Tensor
    labels: torch.Tensor
    partner: torch.Tensor
    share: torch.Tensor

    def shares(self, of: torch.Tensor) -> torch.Tensor:
        """What the mixed pictures have, by their pixels, of what the pictures had before: [2 N, F] in and out."""
        share = self.share[:, None]
        return (1 - share) * of + share * of[self.partner]


def batch(
    live: torch.Tensor, attack: torch.Tensor, settings: Exchange, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 pairs [N, 3, 256, 256] -> (pictures uint8 [2 N, 3, size, size], PDLE labels [2 N]): views of both, some of them mixed."""
    made = mixed(live, attack, settings, generator)
    return made.images, made.labels


def mixed(live: torch.Tensor, attack: torch.Tensor, settings: Exchange, generator: torch.Generator | None = None) -> Mixed:
    """As :func:`batch`, with what went into each picture. Channels beyond three are further crops of the same pictures: their boxes
    have the same place in each."""
    n, device = len(live), live.device
    live, attack = (view(x, settings.size, generator) for x in (live, attack))
    images, labels = torch.cat([live, attack]), torch.cat([torch.ones(n, device=device), torch.zeros(n, device=device)])
    own = torch.arange(2 * n, device=device).roll(n)
    shuffled = own.view(2, n)[:, torch.randperm(n, device=device, generator=generator)].reshape(-1)
    partner = torch.where(_chance(2 * n, settings.own_prob, device, generator), own, shuffled)
    sides, share = levels(2 * n, settings, device, generator)
    chosen = _chance(2 * n, settings.mix_prob, device, generator)
    inside = boxes(sides, settings.size, generator) & chosen.view(-1, 1, 1, 1)
    share = torch.where(chosen, share, torch.zeros(2 * n, device=device))
    return Mixed(torch.where(inside, images[partner], images), torch.where(labels == 1, 1 - share, share), partner, share)


def training(made: Mixed, families: torch.Tensor, config: TrainConfig) -> Batch:
    """What a step takes. ``families`` [N, F]: 1 for the family of each pair's attack; its live picture goes with it where the worst
    family counts, and has no domain."""
    domains = _domains(made, families, config.domains.mixed_domain)
    return Batch(made.images.permute(0, 2, 3, 1), made.labels, domains, made.shares(torch.cat([families, families])))


def _domains(made: Mixed, families: torch.Tensor, mixed_domain: str) -> torch.Tensor:
    """[2 N, F] shares of the attacks' families; a live picture has none."""
    own = torch.cat([torch.zeros_like(families), families])
    if mixed_domain == "anchor":
        return own
    if mixed_domain == "exclude":
        return torch.where(made.share[:, None] > 0, torch.zeros_like(own), own)
    return made.shares(own)


def levels(n: int, settings: Exchange, device: torch.device, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """(sides of the boxes [n, 2], lambda [n] that the label is made of). Continuous boxes are as square as the picture, and lambda is
    their exact share of it."""
    if settings.labels == "discrete":
        level = torch.randint(1, settings.k + 1, (n,), device=device, generator=generator)
        return settings.sides(device)[level - 1], level / settings.k
    side = (settings.size * (1 - torch.rand(n, device=device, generator=generator)).sqrt()).round().clamp_min(1)
    return side.long().view(n, 1).expand(n, 2), (side / settings.size) ** 2


def boxes(sides: torch.Tensor, size: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """True inside boxes of ``sides`` [N, 2], each uniform over all places fully inside; [N, 1, size, size]."""
    room = size + 1 - sides
    start = (torch.rand(sides.shape, device=sides.device, generator=generator) * room).long().clamp_max(room - 1)
    at = torch.arange(size, device=sides.device)
    rows, columns = ((at >= start[:, i : i + 1]) & (at < (start + sides)[:, i : i + 1]) for i in (0, 1))
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def view(images: torch.Tensor, size: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """A random part of ``size`` pixels, half of them mirrored; the same part of all, as the batch before and after has others."""
    off = torch.randint(images.shape[-1] - size + 1, (2,), generator=generator, device=images.device).tolist()
    part = images[..., off[0] : off[0] + size, off[1] : off[1] + size]
    return torch.where(_chance(len(images), 0.5, images.device, generator).view(-1, 1, 1, 1), part.flip(-1), part)


def _chance(n: int, probability: float, device: torch.device, generator: torch.Generator | None) -> torch.Tensor:
    return torch.rand(n, device=device, generator=generator) < probability
