"""ResNet18 with K+1 outputs and the expected liveness score (Eq. 3 and 4), and the heads it is compared with."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import torch
import torchvision
from torch import nn


def atoms(k: int) -> torch.Tensor:
    """c_i = i / K for i = 0..K (Eq. 3 with the interval 1/K; its ceiling would give values above 1)."""
    return torch.arange(k + 1, dtype=torch.float32) / k


def expected_score(probabilities: torch.Tensor) -> torch.Tensor:
    """rho = sum_i c_i p_i (Eq. 4). [N, K+1] -> [N]."""
    k = probabilities.shape[-1] - 1
    return probabilities @ atoms(k).to(probabilities)


@dataclasses.dataclass
class Evidence:
    """All that a forward pass gives; float32."""

    rho: torch.Tensor  # [N] in [0, 1]
    probabilities: torch.Tensor  # [N, A], rows sum to 1
    logits: torch.Tensor  # [N, A] (expected) or [N, 1] (sigmoid)
    features: torch.Tensor  # [N, feature_size]


HEADS = ("expected", "sigmoid")


class LivenessNet(nn.Module):
    """Encoder -> 512 features -> head. Input: float [N, 3, 224, 224], ImageNet-normalised RGB.

    Head "expected": K+1 logits, softmax, expectation over the atoms i/K (the paper's). "sigmoid": one logit,
    rho its sigmoid; its probabilities [1 - rho, rho] make it a K = 1 model under the model contract.
    """

    feature_size = 512

    def __init__(self, k: int = 10, head: str = "expected"):
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head: {head!r} is not one of {', '.join(HEADS)}")
        self.k, self.scalar = (1, True) if head == "sigmoid" else (k, False)
        self.encoder = torchvision.models.resnet18(weights=None)
        self.encoder.fc = nn.Identity()
        self.head = nn.Linear(self.feature_size, 1 if self.scalar else k + 1)
        self.frozen: list[nn.Module] = []

    def freeze(self, last: str) -> None:
        """Keeps everything up to ``last`` (conv1, layer1, layer2; "none": nothing) as it is, statistics too."""
        stages = {"none": (), "conv1": ("conv1", "bn1"), "layer1": ("conv1", "bn1", "layer1")}
        stages["layer2"] = stages["layer1"] + ("layer2",)
        self.frozen = [getattr(self.encoder, name) for name in stages[last]]
        for stage in self.frozen:
            stage.requires_grad_(False)

    def train(self, mode: bool = True) -> "LivenessNet":
        super().train(mode)
        for stage in self.frozen:
            stage.eval()
        return self

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Pooled features [N, 512]: what the domain discriminator sees."""
        return self.encoder(x)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(rho [N], probabilities [N, K+1]), both float32."""
        evidence = self.evidence(x)
        return evidence.rho, evidence.probabilities

    def evidence(self, x: torch.Tensor) -> Evidence:
        features = self.features(x)
        logits = self.head(features).float()
        if self.scalar:
            rho = torch.sigmoid(logits)
            return Evidence(rho[:, 0], torch.cat([1 - rho, rho], dim=1), logits, features)
        probabilities = torch.softmax(logits, dim=1)
        return Evidence(expected_score(probabilities), probabilities, logits, features)


@dataclasses.dataclass
class InitialWeights:
    description: str
    missing: list[str]  # parameters that start at random
    folded: bool  # batch norms are identities and must be re-estimated


def load_initial(net: LivenessNet, source: str, shared: Path) -> InitialWeights:
    """Fills the encoder from ``source``: a file, "torchvision", "shared" or "random"."""
    if source == "random":
        return InitialWeights("random", [n for n, _ in net.named_parameters()], folded=False)
    if source == "torchvision":
        weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
        return _fill(net, weights.get_state_dict(progress=False), f"torchvision {weights}", folded=False)
    path = shared / "weights" / "resnet18_trunk_l3.pth" if source == "shared" else Path(source)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    state = torch.load(path, map_location="cpu")
    if "model" in state:  # a checkpoint of this trainer: go on from all of it, head included
        net.load_state_dict(state["model"])
        return InitialWeights(f"{path.name} sha256 {digest[:16]} ({state['initial']})", [], folded=False)
    return _fill(net, state, f"{path.name} sha256 {digest[:16]}", folded=_is_folded(state))


def _is_folded(state: dict[str, torch.Tensor]) -> bool:
    """Batch norm folded into the convolutions leaves running_mean 0 and weight 1."""
    return bool((state["bn1.running_mean"] == 0).all() and (state["bn1.weight"] == 1).all())


def _fill(net: LivenessNet, state: dict, description: str, folded: bool) -> InitialWeights:
    state = {k: v for k, v in state.items() if not k.startswith("fc.")}
    result = net.encoder.load_state_dict(state, strict=False)
    if result.unexpected_keys:
        raise ValueError(f"{description}: unknown parameters {result.unexpected_keys[:3]}")
    parameters = {n for n, _ in net.encoder.named_parameters()}
    missing = [f"encoder.{n}" for n in result.missing_keys if n in parameters]
    return InitialWeights(description, missing + ["head.weight", "head.bias"], folded)


@torch.no_grad()
def reestimate_batch_norm(net: nn.Module, images: torch.Tensor) -> None:
    """Sets each batch norm's running statistics to those of its input on ``images``.

    weight and bias change along, so that the eval-mode function stays the same. Needed for
    weights with folded batch norms, whose statistics (0 and 1) are not those of their inputs:
    training mode would otherwise start far from the function.
    """
    net.eval()
    hooks = [m.register_forward_pre_hook(_restate) for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    try:
        net(images)
    finally:
        for hook in hooks:
            hook.remove()


def _restate(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
    x = inputs[0].float()
    mean = x.mean(dim=(0, 2, 3))
    var = x.var(dim=(0, 2, 3), unbiased=False).clamp_min(1e-6)
    slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    norm.bias.add_((mean - norm.running_mean) * slope)
    norm.weight.copy_(slope * torch.sqrt(var + norm.eps))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var)
