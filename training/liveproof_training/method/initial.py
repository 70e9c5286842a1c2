"""First weights: where they come from, and batch norms that were folded into the convolutions."""

from __future__ import annotations

import dataclasses
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision
from torch import nn

DOWNLOAD_TIMEOUT_S = 20.0
# Numbers and tensors only: a file from elsewhere must not run code. PyTorch 1.13's safe reader knows no floats.
SAFE = {"weights_only": True} if int(torch.__version__.partition(".")[0]) >= 2 else {}


@dataclasses.dataclass
class InitialWeights:
    description: str
    missing: list[str]  # parameters that start at random
    folded: bool  # batch norms are identities and must be re-estimated

    def told(self) -> str:
        """In a line: where from, and which parts start at random."""
        parts = sorted({".".join(name.split(".")[: 2 if name.startswith("encoder.") else 1]) for name in self.missing})
        return self.description + (f"; at random: {', '.join(parts)}" if parts and self.description != "random" else "")


def read(path: Path) -> dict:
    """Weights or a checkpoint, on the CPU."""
    return torch.load(path, map_location="cpu", **SAFE)


def load_initial(net: nn.Module, source: str, shared: str, say: Callable[[str], None] = print) -> InitialWeights:
    """Fills the encoder from ``source``: a file, a checkpoint, "torchvision", "shared" (the folder
    ``shared``, "" where there is none), "random", or "auto": the first there is. ``say`` is told which was taken."""
    initial = _first(net, shared, say) if source == "auto" else _of_source(net, source, shared)
    say(f"first weights: {initial.told()}")
    return initial


def _of_source(net: nn.Module, source: str, shared: str) -> InitialWeights:
    if source == "random":
        return InitialWeights("random", [n for n, _ in net.named_parameters()], folded=False)
    if source == "torchvision":
        return _from_torchvision(net)
    return _from_file(net, file_of(net.encoder, source, shared), tensorflow=source == "shared" and net.encoder.tensorflow_files)


def file_of(encoder, source: str, shared: str) -> Path:
    """The file that ``source``, a path or "shared", means for an encoder or its class; FileNotFoundError where it is not there."""
    if source == "shared" and not shared:
        raise FileNotFoundError("init: no shared weights, LIVEPROOF_SHARED is not set and no --shared FOLDER is given")
    path = Path(shared) / "weights" / encoder.shared if source == "shared" else Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"init: {path} is no file; give one, or torchvision, shared (with --shared FOLDER) or random")
    return path


def _first(net: nn.Module, shared: str, say: Callable[[str], None]) -> InitialWeights:
    for source in ("torchvision", "shared"):
        try:
            return _of_source(net, source, shared)
        except FileNotFoundError as error:
            say(f"init: {error}")
    say("init: WARNING: starting from random weights")
    return _of_source(net, "random", shared)


def _from_torchvision(net: nn.Module) -> InitialWeights:
    weights = getattr(torchvision.models, net.encoder.weights).IMAGENET1K_V1
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        state = weights.get_state_dict(progress=False)
    except (OSError, RuntimeError) as error:
        cache = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        raise FileNotFoundError(
            f"torchvision's weights are neither at {cache} nor to be downloaded ({error}): "
            f"put {weights.url} there, or use --init FILE, shared or random"
        ) from None
    finally:
        socket.setdefaulttimeout(before)
    return _fill(net, state, f"torchvision {weights}")


def _from_file(net: nn.Module, path: Path, tensorflow: bool) -> InitialWeights:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    state = read(path)
    if "model" in state:  # a checkpoint of this trainer: go on from all of it, head included
        net.load_state_dict(state["model"])
        return InitialWeights(f"{path.name} sha256 {digest[:16]} ({state['initial']})", [], folded=False)
    if tensorflow or (net.encoder.tensorflow_files and _is_tensorflow(state)):
        net.encoder.as_tensorflow()
    return _fill(net, state, f"{path.name} sha256 {digest[:16]}")


def _is_tensorflow(state: dict[str, torch.Tensor]) -> bool:
    """TensorFlow's ImageNet has a 1001st class, the background."""
    return len(state.get("classifier.1.bias", ())) == 1001


def _is_folded(state: dict[str, torch.Tensor]) -> bool:
    """Batch norm folded into the convolutions leaves running_mean 0 and weight 1."""
    norm = next(k for k in state if k.endswith("running_mean")).rpartition(".")[0]
    return bool((state[f"{norm}.running_mean"] == 0).all() and (state[f"{norm}.weight"] == 1).all())


def _fill(net: nn.Module, state: dict, description: str) -> InitialWeights:
    encoder = net.encoder
    state = {k: v for k, v in state.items() if not k.startswith(encoder.classes)}
    result = encoder.load_state_dict(state, strict=False)
    if result.unexpected_keys:
        raise ValueError(f"init: {description}: unknown parameters {result.unexpected_keys[:3]}; is it a {type(encoder).__name__}?")
    parameters = {n for n, _ in encoder.named_parameters()}
    missing = [f"encoder.{n}" for n in result.missing_keys if n in parameters]
    return InitialWeights(description, missing + ["head.weight", "head.bias"], _is_folded(state))


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
