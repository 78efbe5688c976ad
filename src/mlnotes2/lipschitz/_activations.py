"""The slopes of activation functions."""

from collections.abc import Callable
from typing import Any

from torch import nn


def slope_range(activation: nn.Module) -> tuple[float, float] | None:
    """The least and the largest slope of an activation that works on each number alone; None for other modules."""
    rule = SLOPES.get(type(activation))
    return rule and rule(activation)


SLOPES: dict[type[nn.Module], Callable[[Any], tuple[float, float]]] = {
    **dict.fromkeys(
        (nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Tanh, nn.Softplus, nn.Softsign, nn.LogSigmoid),
        lambda _: (0.0, 1.0),
    ),
    nn.Sigmoid: lambda _: (0.0, 0.25),
    nn.LeakyReLU: lambda f: (min(1.0, f.negative_slope), max(1.0, f.negative_slope)),
    nn.PReLU: lambda f: (min(1.0, f.weight.min().item()), max(1.0, f.weight.max().item())),
    nn.ELU: lambda f: (min(0.0, f.alpha), max(1.0, f.alpha)),
    nn.SELU: lambda _: (0.0, 1.7581),  # rounded outwards, as are the next two
    nn.SiLU: lambda _: (-0.09984, 1.09984),
    nn.GELU: lambda _: (-0.129, 1.129),
}
