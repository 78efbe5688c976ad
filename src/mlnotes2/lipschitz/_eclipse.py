"""ECLipsE-Fast: how far two outputs of a network can be apart, layer by layer, as an ellipsoid."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Reach(NamedTuple):
    r"""Holds the difference of two outputs: it is `length` times $M^{1/2} u$ for some $\|u\| \le 1$.

    The eigenvalues of M are at most 1. Without M nothing is known of the direction, as if M were the identity.
    """

    length: float
    M: Tensor | None = None


def through_linear(reach: Reach, W: Tensor) -> Reach:
    """Multiply by W, in float64: M becomes W M W', divided by its norm."""
    largest = W.abs().max().item()
    if largest == 0:
        return Reach(0.0)
    scale = 2.0 ** math.frexp(largest)[1]
    W = W / scale
    half = W if reach.M is None else W @ reach.M
    M = inflate(half @ W.mT, max(W.shape) * (W.square().sum() + half.norm() * W.norm()))
    top = norm_above(M)
    return Reach(round_up(reach.length * scale * round_up(math.sqrt(top))), M / top)


def through_activation(reach: Reach, low: float, high: float) -> Reach:
    """Apply a function to each number, whose slopes are from `low` to `high`."""
    if abs(low) > abs(high):
        low, high = -high, -low  # the function times -1
    half, middle = (high - low) / 2, (high + low) / 2
    length = round_up(reach.length * high)
    if reach.M is None or half == 0:
        return Reach(length, reach.M)
    if middle < 1e-3 * high:
        return Reach(length)  # the ellipsoid is nearly a ball, and A nearly singular
    identity = torch.eye(len(reach.M)).to(reach.M)
    A = identity - half / high * reach.M
    factor, failed = torch.linalg.cholesky_ex(A)
    B = torch.cholesky_inverse(factor)
    # A times the true inverse is the identity; B misses it by at most this, relative to its norm.
    rest = ((identity - A @ B).norm() + 8 * len(A) * EPS * A.norm() * B.norm()).item()
    if failed or not rest < 0.5:
        return Reach(length)
    B = B + 2 * rest * B.norm() * identity
    P = (middle**2 * B - low * high * identity) / (half * high)
    return Reach(length, inflate(P, len(A) * (P.norm() + B.norm() * high / half)))


def norm_of(W: Tensor) -> float:
    """The spectral norm of a matrix, from above."""
    return through_linear(Reach(1.0), W if len(W) < len(W.mT) else W.mT).length


def norm_above(M: Tensor) -> float:
    """The largest eigenvalue, and a little more: Cholesky's method shows that none exceeds it."""
    n = len(M)
    bound: float = (1 + 8 * n**2 * EPS) * torch.linalg.eigvalsh(M)[-1].item()
    failed = torch.linalg.cholesky_ex(bound * torch.eye(n).to(M) - M).info
    return (1 + 4 * n**2 * EPS) * (M.norm().item() if failed else bound)


def inflate(M: Tensor, size: Tensor) -> Tensor:
    """Add to the diagonal what rounding may have taken away."""
    return (M + M.mT) / 2 + 8 * EPS * size * torch.eye(len(M)).to(M)


def round_up(bound: float) -> float:
    return math.nextafter(bound, math.inf)


EPS = torch.finfo(torch.float64).eps
