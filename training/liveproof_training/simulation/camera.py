"""From radiance to the delivered picture: stray light, exposure, sensor, processing, codec. Never sees the class."""

from __future__ import annotations

import torch

from . import codec, colour, optics
from .draws import Draws
from .prints import spot


def exposed(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Linear radiance to linear exposure: veiling glare, automatic exposure and white balance that succeed or fail."""
    side, mean = x.shape[-1], x.mean(dim=(2, 3), keepdim=True)
    x = x + draws.sometimes(0.4, draws.log_uniform(0.004, 0.15)) * mean
    flare = draws.sometimes(0.12, draws.log_uniform(0.1, 1.5)) * spot(draws, side) * colour.balanced(torch.exp(draws.normal(0.15, 3)))
    x = x + flare * colour.luma(mean)
    middle = slice(side // 4, 3 * side // 4)
    # Metered as the eye sees it: a picture of many tones is not darkened for its few bright ones.
    measured = (colour.luma(x[..., middle, middle]).clamp_min(0) ** (1 / 2.2)).mean(dim=(2, 3), keepdim=True).clamp_min(0.05) ** 2.2
    aim = 0.22 * torch.exp(draws.normal(0.5))
    x = x * (aim / measured) ** draws.uniform(0.25, 0.95)
    cast = draws.normal(0.06, 3) + draws.sometimes(0.2, draws.normal(0.2, 1)) * torch.tensor([1.0, 0.0, -1.0], device=x.device).view(1, 3, 1, 1)
    grey = (mean / colour.luma(mean)).clamp(0.3, 3) ** -(draws.uniform(0, 0.7))
    return x * colour.balanced(torch.exp(cast) * grey)


def read(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """The sensor's noise: of light and of reading, in each colour, then what the processor smooths away of it."""
    shot_noise, reading = draws.log_uniform(1e-5, 2e-3), draws.log_uniform(3e-4, 1e-2)
    noise = torch.sqrt(shot_noise * x.clamp_min(0) + reading**2) * draws.white(x.shape[-1], 3)
    smooth = draws.sometimes(0.6, draws.log_uniform(0.3, 1.8))
    return x + optics.blur(noise, smooth) * (1 + smooth)


def developed(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Linear to sRGB: tone, colour, smoothing of skin, sharpening."""
    x = colour.to_srgb(_local_tone(x, draws))
    bend = draws.uniform(-0.1, 0.7)
    x = x + bend * (x * x * (3 - 2 * x) - x)  # an S-curve
    x = colour.saturate(x, draws.uniform(0.75, 1.35))
    smoothed = optics.smooth_edges_kept(x, draws.log_uniform(2e-4, 1e-2))
    x = x + draws.sometimes(0.3, draws.uniform(0.2, 1.0)) * (smoothed - x)
    amount = draws.sometimes(0.6, draws.log_uniform(0.2, 2.5))
    return (x + amount * (x - optics.blur(x, draws.uniform(0.6, 1.6)))).clamp(0, 1)


def _local_tone(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Shadows lifted and lights held back, place by place, as phones do."""
    base = optics.box(optics.box(colour.luma(x), 12), 12).clamp_min(1e-3)
    return x * (0.25 / base) ** draws.sometimes(0.3, draws.uniform(0.1, 0.5))


def delivered(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """sRGB after one or two codecs."""
    first = draws.uniform(70, 97) - draws.sometimes(0.25, draws.uniform(10, 55))
    x = torch.where(draws.chance(0.85) > 0, codec.code(x, first), x)
    soft = draws.sometimes(0.2, draws.log_uniform(0.3, 0.8))  # a deblocking filter
    return optics.blur(x, soft).clamp(0, 1)


def picture(radiance: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Linear radiance behind the lens to the sRGB frame."""
    return delivered(developed(read(exposed(radiance, draws), draws), draws), draws)
