"""Blur as a product of modulation transfer functions (MTF): lens, defocus, motion and ink are one pass of the Fourier transform.

Frequencies are cycles per pixel; the transform wraps at the border, so pictures carry room around the face.
"""

from __future__ import annotations

import functools
import math

import torch
from torch.nn import functional


@functools.lru_cache(maxsize=8)
def _frequencies(side: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """(fx, fy) of ``rfft2``, [side, side // 2 + 1]."""
    fy, fx = torch.fft.fftfreq(side, device=device), torch.fft.rfftfreq(side, device=device)
    return fx[None, :].expand(side, -1), fy[:, None].expand(-1, side // 2 + 1)


def gaussian(sigma: torch.Tensor, side: int) -> torch.Tensor:
    """MTF of a Gaussian of ``sigma`` [N, 1, 1, 1] pixels."""
    fx, fy = _frequencies(side, sigma.device)
    return torch.exp(-2 * math.pi**2 * sigma**2 * (fx**2 + fy**2))


def defocus(radius: torch.Tensor, side: int) -> torch.Tensor:
    """MTF of a disk of ``radius`` pixels: 2 J1(x) / x with x = 2 pi radius f."""
    fx, fy = _frequencies(side, radius.device)
    x = (2 * math.pi * radius * torch.sqrt(fx**2 + fy**2)).clamp_min(1e-4)
    return 2 * torch.special.bessel_j1(x) / x


def motion(length: torch.Tensor, angle: torch.Tensor, side: int) -> torch.Tensor:
    """MTF of a straight motion of ``length`` pixels."""
    fx, fy = _frequencies(side, length.device)
    return torch.sinc(length * (fx * torch.cos(angle) + fy * torch.sin(angle)))


def apply(x: torch.Tensor, mtf: torch.Tensor) -> torch.Tensor:
    """[N, C, side, side] blurred by ``mtf`` [N, 1, side, side // 2 + 1]."""
    return torch.fft.irfft2(torch.fft.rfft2(x) * mtf, s=x.shape[-2:])


def blur(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    return apply(x, gaussian(sigma, x.shape[-1]))


def box(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over a square window, of the pixels inside the picture; along one axis, then the other."""
    return _running_mean(_running_mean(x, radius).transpose(-1, -2), radius).transpose(-1, -2)


def _running_mean(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Along rows, by differences of running sums, so that the radius costs nothing."""
    sums = functional.pad(functional.pad(x.cumsum(-1), (0, radius, 0, 0), mode="replicate"), (radius + 1, 0))
    wide = 2 * radius + 1
    at = torch.arange(x.shape[-1], device=x.device)
    inside = (at + radius).clamp_max(x.shape[-1] - 1) - (at - radius).clamp_min(0) + 1
    return (sums[..., wide:] - sums[..., :-wide]) / inside


def smooth_edges_kept(x: torch.Tensor, strength: torch.Tensor, radius: int = 4) -> torch.Tensor:
    """The guided filter with the picture's own luma as its guide (He et al. 2010): ``strength``, its epsilon, 0 changes nothing."""
    guide = x.mean(dim=1, keepdim=True)
    mean_guide, mean_x = box(guide, radius), box(x, radius)
    covariance = box(guide * x, radius) - mean_guide * mean_x
    variance = box(guide * guide, radius) - mean_guide**2
    slope = covariance / (variance + strength).clamp_min(1e-8)
    return box(slope, radius) * guide + box(mean_x - slope * mean_guide, radius)
