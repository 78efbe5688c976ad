"""Which modes of a known mixture a set of samples has found."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class ModeCoverage:
    """What `mode_coverage` found.

    Args:
        captured: The number of modes with at least one sample within `k` standard deviations.
        high_quality: The fraction of samples within `k` standard deviations of their nearest mode.
        reverse_kl: KL(the samples' shares of the modes || equal shares), in nats.
        counts: For each mode, how many samples have it as their nearest.
    """

    captured: int
    high_quality: float
    reverse_kl: float
    counts: tuple[int, ...]


def mode_coverage(
    samples: Float[Tensor, "n d"], modes: Float[Tensor, "k d"], *, sigma: float, k: float = 3.0
) -> ModeCoverage:
    r"""Count the modes that samples have found, and how many of the samples lie near one.

    Each sample belongs to its nearest mode. With $q_i$ the share of the samples that belong to mode $i$ of
    $K$, the reverse KL is $\sum_i q_i \log(K q_i)$, where $0 \log 0 = 0$: 0 if all shares are equal, $\log K$
    if one mode has all samples. It compares shares, not densities: how far a sample is from its mode does not
    count.

    Args:
        samples: Generated samples.
        modes: The centres of the true mixture, whose weights are equal.
        sigma: The standard deviation of each component along each axis.
        k: How many standard deviations count as near.

    Returns:
        A `ModeCoverage`.

    Raises:
        ValueError: If a shape does not fit, a number is not finite, or `sigma` or `k` is not positive.
        TypeError: If samples and modes are not floating-point tensors of one dtype.

    Source:
        Lin, Khetan, Fanti and Oh (2018), experiments on synthetic data.

    Example:
        >>> samples, modes = torch.tensor([[0.0], [0.1], [5.0]]), torch.tensor([[0.0], [4.0]])
        >>> found = mode_coverage(samples, modes, sigma=0.1)
        >>> found.captured, found.counts, round(found.high_quality, 3), round(found.reverse_kl, 3)
        (1, (2, 1), 0.667, 0.057)
    """
    _check_points(samples, modes)
    if not (0 < sigma < math.inf and 0 < k < math.inf):
        raise ValueError(f"sigma and k must be positive and finite, got {sigma} and {k}")
    # the default computes |x|^2 - 2xy + |y|^2 for many modes, too inexact in float32 for a small sigma
    distance = torch.cdist(samples, modes, compute_mode="donot_use_mm_for_euclid_dist")
    gap, nearest = distance.min(dim=1)
    near = gap <= k * sigma
    counts = torch.bincount(nearest, minlength=len(modes))
    share = counts.double() / len(samples)
    return ModeCoverage(
        captured=len(nearest[near].unique()),
        high_quality=near.double().mean().item(),
        reverse_kl=torch.xlogy(share, share * len(modes)).sum().item(),
        counts=tuple(counts.tolist()),
    )


def _check_points(samples: Any, modes: Any) -> None:
    for name, points in (("samples", samples), ("modes", modes)):
        if not isinstance(points, Tensor) or not points.is_floating_point():
            raise TypeError(f"{name} must be a floating-point tensor; pass torch.as_tensor({name}, ...)")
        if points.ndim != 2 or points.numel() == 0:
            raise ValueError(f"{name} must have shape (points, axes), got {tuple(points.shape)}")
        if not bool(torch.isfinite(points).all()):
            raise ValueError(f"{name} must be finite, got a NaN or an infinity; remove those rows")
    if samples.dtype != modes.dtype:
        raise TypeError(f"samples and modes must share a dtype, got {samples.dtype} and {modes.dtype}")
    if samples.shape[1] != modes.shape[1] or samples.device != modes.device:
        ours, theirs = (f"{tuple(p.shape)} on {p.device}" for p in (samples, modes))
        raise ValueError(f"samples and modes must share axes and device, got {ours} and {theirs}")
