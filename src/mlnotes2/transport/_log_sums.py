"""Logarithms of sums over all pairs of two clouds, tile by tile: no matrix of pairs is stored."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float64
from torch import Tensor

from ._pricing import pair_costs


def log_sums(
    x: Float64[Tensor, "n d"],
    y: Float64[Tensor, "m d"],
    f: Float64[Tensor, " n"],
    g: Float64[Tensor, " m"],
    log_b: Float64[Tensor, " m"],
    eps: float,
    metric: str,
) -> Float64[Tensor, " n"]:
    r"""Return $\log \sum_j b_j e^{(f_i + g_j - c(x_i, y_j)) / \varepsilon}$ of each row, in one pass over the pairs.

    Each row keeps the largest exponent so far, and the sum of the terms as a multiple of its power. Exponents
    are those of 2, whose powers a processor finds fastest.
    """
    unit = eps * math.log(2)
    left, right = f / unit, g / unit + log_b / math.log(2)
    if metric == "sqeuclidean":
        # A product of matrices gives -|x|^2 + 2 x.y - |y|^2, and the potentials with it.
        rows = torch.stack([left - x.square().sum(1) / unit, torch.ones_like(left)], 1)
        columns = torch.stack([torch.ones_like(right), right - y.square().sum(1) / unit], 1)
        x, y = torch.cat([x * (2 / unit), rows], 1), torch.cat([y, columns], 1)
    found = torch.empty_like(f)
    for i in tiles(x):
        top, total = torch.full_like(f[i], torch.finfo(f.dtype).min), torch.zeros_like(f[i])
        for j in tiles(y):
            if metric == "sqeuclidean":
                z = x[i] @ y[j].T
            else:
                z = pair_costs(metric, x[i], y[j]).mul_(-1 / unit).add_(left[i, None]).add_(right[j])
            higher = torch.maximum(top, z.amax(1))
            total = total * (top - higher).exp2() + z.sub_(higher[:, None]).exp2_().sum(1)
            top = higher
        found[i] = (top + total.log2()) * math.log(2)
    return found


def tiles(points: Float64[Tensor, "n d"]) -> Iterator[slice]:
    """Cut the points into pieces; a tile of pairs of two of them stays in the cache, or fills a GPU."""
    step = 512 if points.device.type == "cpu" else 4096
    return (slice(start, start + step) for start in range(0, len(points), step))
