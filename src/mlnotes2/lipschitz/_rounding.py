"""A slope of a network that is proved in spite of rounding."""

import math

import torch
from torch import Tensor, nn

from ._activations import slope_range
from ._eclipse import EPS, Reach
from ._layers import follow
from ._residual import Residual


def slope_below(network: nn.Module, x: Tensor, v: Tensor) -> float:
    """At most the largest slope between x and points x + h v, near and far; 0 if it may be due to rounding."""
    steps = (x.norm().item() or 1.0) * 4.0 ** -torch.arange(1, 13).to(x)
    points = torch.stack([x, *(x + h * v for h in (*steps, *-steps))])
    with torch.backends.cudnn.flags(enabled=False):  # its convolutions may round in other ways
        values, errors = evaluate(network, points, torch.zeros(len(points)).to(x))
    rises = row_norms(values[1:] - values[0]) - 1.01 * (errors[1:] + errors[0])
    slopes = rises / row_norms(points[1:] - points[0])
    room = 1 - 2 * (values[0].numel() + x.numel() + 4) * EPS
    return max(0.0, room * slopes.nan_to_num(nan=0, posinf=0).max().item())


def evaluate(module: nn.Module, x: Tensor, errors: Tensor) -> tuple[Tensor, Tensor]:
    """What comes out for each x, and how far that is at most from what is exact, if each x is off by its error.

    A sum of n products differs from the exact one by at most n EPS times the sum of their sizes.
    """
    if isinstance(module, nn.Sequential):
        for child in module:
            x, errors = evaluate(child, x, errors)
        return x, errors
    if isinstance(module, Residual):
        inner, missed = evaluate(module.block, x, errors)
        return x + inner, 1.01 * (errors + missed + EPS * row_norms(x + inner))
    y = module(x)
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        W, windows = module.weight.flatten(1), module.weight[0, 0].numel()  # each number is in so many
        growth = windows**0.5 * rough_norm(W)
        sizes, n = windows**0.5 * row_norms(W[None]), W.shape[1] + 2
    else:
        growth = sizes = follow(module, Reach(1.0), x, "product").length
        n = 16 if slope_range(module) else x[0].numel()  # activations are good to 16 units in the last place
    missed = growth * errors + n * EPS * (sizes * row_norms(x) + row_norms(y)) + TINY
    if isinstance(module, nn.Softplus):  # it leaves out what is small
        missed += y[0].numel() * math.exp(-module.threshold) / module.beta
    return y, 1.01 * missed


def rough_norm(W: Tensor) -> float:
    """At least the spectral norm of W, where 1.01 pays for rounding, and at most 1.5 times it if W is not huge."""
    largest = W.abs().max().item() or 1.0
    unit = W / largest
    gram = unit @ unit.mT if len(W) < len(W.mT) else unit.mT @ unit
    for _ in range(2):
        gram = gram @ gram
    bound: float = 1.01 * largest * gram.norm().item() ** (1 / 8)
    return bound


def row_norms(vectors: Tensor) -> Tensor:
    """The length of each, where a square may underflow."""
    flat = vectors.flatten(1)
    largest = flat.abs().amax(dim=1).clamp(min=TINY)
    found: Tensor = largest * torch.linalg.vector_norm(flat / largest[:, None], dim=1)
    return found


TINY = 1e-300  # more than all products lose by underflow
