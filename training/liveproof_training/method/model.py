"""Encoder with K+1 outputs and the expected liveness score (Eq. 3 and 4), and the scalar head it is compared with."""

from __future__ import annotations

import dataclasses

import torch
from torch import nn

from ..settings import setting
from . import balance as light
from . import encoders
from .initial import InitialWeights, file_of, load_initial, reestimate_batch_norm

__all__ = [
    "Evidence",
    "InitialWeights",
    "LivenessNet",
    "NetworkSettings",
    "atoms",
    "check_initial",
    "expected_score",
    "from_settings",
    "load_initial",
    "reestimate_batch_norm",
]


def atoms(k: int, device: torch.device | None = None) -> torch.Tensor:
    """c_i = i / K for i = 0..K (Eq. 3 with the interval 1/K; its ceiling would give values above 1)."""
    return torch.arange(k + 1, dtype=torch.float32, device=device) / k


def expected_score(probabilities: torch.Tensor) -> torch.Tensor:
    """rho = sum_i c_i p_i (Eq. 4). [N, K+1] -> [N]. Not as a matrix product, which autocast would round to bfloat16.
    The atoms are made on the device: a copy to a GPU would wait for everything that it has under way."""
    k = probabilities.shape[-1] - 1
    return (probabilities * atoms(k, probabilities.device).to(probabilities)).sum(dim=-1)


@dataclasses.dataclass
class Evidence:
    """All that a forward pass gives; float32."""

    rho: torch.Tensor  # [N] in [0, 1]
    probabilities: torch.Tensor  # [N, A], rows sum to 1
    logits: torch.Tensor  # [N, A] (expected) or [N, 1] (sigmoid)
    features: torch.Tensor  # [N, feature_size]


HEADS = ("expected", "sigmoid")
BALANCES = ("off", *light.KINDS)
BALANCE_HELP = (
    "face: before the encoder, exposure and colour are balanced by the face's middle, and what surrounds the face becomes grey; "
    "views: such a picture and one without any colour, whose features are averaged (twice the work)"
)


@dataclasses.dataclass
class NetworkSettings:
    """Encoder, head and first weights."""

    encoder: str = setting("resnet18", "; ".join(f"{name}: {e.summary}" for name, e in encoders.ENCODERS.items()), tuple(encoders.ENCODERS))
    head: str = setting("expected", "expected: the score of Eq. 4; sigmoid: one output", HEADS)
    atoms: str = setting("k+1", "outputs of the expected head: c_i = i/K, or K of them with c_i = i/(K-1)", ("k+1", "k"))
    balance: str = setting("off", BALANCE_HELP, BALANCES)
    init: str = setting(
        "auto",
        "first weights: a file or checkpoint, torchvision (its cache or download), shared, random; "
        "auto: the first there is of torchvision, shared, random",
    )
    shared: str = setting("", "folder with weights/, for --init shared; empty: none")
    freeze: str = setting("none", "keep the encoder's first layers as loaded, up to this one", encoders.STAGES)
    norm_images: int = setting(128, "bona fide pictures that folded batch norms are re-estimated on", low=1)


class LivenessNet(nn.Module):
    """Encoder -> pooled features -> head. Input: float [N, 3, 224, 224], ImageNet-normalised RGB.

    Head "expected": K+1 logits, softmax, expectation over the atoms i/K (the paper's). "sigmoid": one logit,
    rho its sigmoid; its probabilities [1 - rho, rho] make it a K = 1 model under the model contract. ``balance``: see :mod:`.balance`.
    """

    def __init__(self, k: int = 10, head: str = "expected", encoder: str = "resnet18", balance: str = "off"):
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head: {head!r} is not one of {', '.join(HEADS)}")
        self.k, self.scalar = (1, True) if head == "sigmoid" else (k, False)
        self.balance = light.KINDS[balance]() if balance in light.KINDS else nn.Identity()
        self.encoder = encoders.build(encoder)
        self.feature_size = self.encoder.size
        self.head = nn.Linear(self.feature_size, 1 if self.scalar else k + 1)
        self.frozen = "none"  # last of the stages that stay as they are
        self.norms_kept = False

    def freeze(self, last: str) -> None:
        """Keeps everything up to the stage ``last`` (encoders.STAGES; "none": nothing) as it is, statistics too."""
        self.frozen = last
        for stage in self._frozen():
            stage.requires_grad_(False)

    def keep_norms(self) -> None:
        """Batch norms use the statistics that were loaded, in training too: those of a few pictures would be worse."""
        self.norms_kept = True

    def _frozen(self) -> list[nn.Module]:
        """Looked up each time: synchronised batch norm replaces modules."""
        return [] if self.frozen == "none" else self.encoder.stages()[self.frozen]

    def train(self, mode: bool = True) -> LivenessNet:
        super().train(mode)
        for stage in self._frozen():
            stage.eval()
        for norm in [m for m in self.modules() if isinstance(m, nn.BatchNorm2d)] if self.norms_kept else []:
            norm.eval()
        return self

    @property
    def balances(self) -> bool:
        return isinstance(self.balance, light.Balance)

    @property
    def views(self) -> int:
        """Pictures that the encoder sees of each that comes in."""
        return getattr(self.balance, "views", 1)

    @property
    def balance_name(self) -> str:
        """The setting ``balance`` that makes such a network."""
        return next((name for name, kind in light.KINDS.items() if type(self.balance) is kind), "off")

    def features(self, x: torch.Tensor, balanced: bool = False) -> torch.Tensor:
        """Pooled features [N, feature_size], the mean over the views: what the domain discriminator sees.
        ``balanced``: ``x`` is one view already, its light balanced."""
        if balanced or self.views == 1:
            return self.encoder(x if balanced else self.balance(x))
        return self.encoder(self.balance(x)).unflatten(0, (self.views, -1)).mean(dim=0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(rho [N], probabilities [N, K+1]), both float32."""
        evidence = self.evidence(x)
        return evidence.rho, evidence.probabilities

    def evidence(self, x: torch.Tensor, balanced: bool = False) -> Evidence:
        features = self.features(x, balanced)
        logits = self.head(features).float()
        if self.scalar:
            rho = torch.sigmoid(logits)
            return Evidence(rho[:, 0], torch.cat([1 - rho, rho], dim=1), logits, features)
        probabilities = torch.softmax(logits, dim=1)
        return Evidence(expected_score(probabilities), probabilities, logits, features)


def from_settings(network: NetworkSettings, k: int) -> LivenessNet:
    """The network of a run, with random weights; ``k``: of its atoms i/K."""
    return LivenessNet(k, network.head, network.encoder, network.balance)


def check_initial(network: NetworkSettings) -> None:
    """Raises FileNotFoundError where first weights are asked for by a file that is not there."""
    if network.init not in ("auto", "torchvision", "random"):
        file_of(encoders.ENCODERS[network.encoder], network.init, network.shared)
