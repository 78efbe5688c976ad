"""The Lipschitz constants of the layers of a network, one after the other."""

import math
from typing import Any

from torch import Tensor, nn

from ..spectral import conv_spectral_norm
from ._activations import slope_range
from ._eclipse import Reach, norm_of, round_up, through_activation, through_linear
from ._residual import Residual


def follow(module: nn.Module, reach: Reach, x: Tensor, method: str) -> Reach:
    """From what holds the differences of inputs of the shape of x to what holds those of outputs."""
    if isinstance(module, nn.Sequential):
        for child in module:
            reach, x = follow(child, reach, x, method), child(x)
    elif isinstance(module, nn.Linear) and method == "eclipse":
        reach = through_linear(reach, module.weight)
    elif isinstance(module, nn.Linear):
        reach = grow(reach, norm_of(module.weight))
    elif slopes := slope_range(module):
        reach = through_activation(reach, *slopes)
    elif isinstance(module, Residual):
        reach = grow(reach, round_up(1 + follow(module.block, Reach(1.0), x, method).length))
    elif isinstance(module, nn.Flatten):
        reach = reach if x.ndim == 2 else Reach(reach.length)
    elif isinstance(module, nn.Conv1d | nn.Conv2d):
        reach = grow(reach, conv_constant(module, x))
    elif type(module) in POOLS:
        reach = grow(reach, pool_constant(module))
    return reach


def conv_constant(conv: nn.Conv1d | nn.Conv2d, x: Tensor) -> float:
    """The bound for zeros holds however many there are; fewer circular ones than usual leave out rows only."""
    norm = conv_spectral_norm(
        conv.weight,
        x.shape[2:],
        padding=conv.padding_mode,
        stride=conv.stride,
        dilation=conv.dilation,
        groups=conv.groups,
    )
    return norm.upper


def pool_constant(pool: Any) -> float:
    """Each number is in at most so many windows; a mean divides by the size of the window besides."""
    n = POOLS[type(pool)]
    sizes, steps = (
        (value,) * n if isinstance(value, int) else value for value in (pool.kernel_size, pool.stride)
    )
    windows = 1.0 * math.prod(-(-size // step) for size, step in zip(sizes, steps, strict=True))
    mean = isinstance(pool, nn.AvgPool1d | nn.AvgPool2d)
    return round_up(math.sqrt(round_up(windows / math.prod(sizes) if mean else windows)))


def grow(reach: Reach, constant: float) -> Reach:
    return Reach(round_up(reach.length * constant))


POOLS = {nn.AvgPool1d: 1, nn.AvgPool2d: 2, nn.MaxPool1d: 1, nn.MaxPool2d: 2}  # and their numbers of axes
