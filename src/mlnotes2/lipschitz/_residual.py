"""Residual blocks as a module."""

from torch import Tensor, nn


class Residual(nn.Module):
    r"""The residual block $x + f(x)$, as a module that `network_lipschitz` knows.

    Args:
        block: The module f, whose output has the shape of its input.

    Example:
        >>> Residual(nn.ReLU())(Tensor([-1, 1]))
        tensor([-1.,  2.])
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(x)
        if y.shape != x.shape:
            raise ValueError(f"block must keep the shape {tuple(x.shape)}, got {tuple(y.shape)}; make it so")
        return x + y
