"""Spectral normalization of linear layers, with a norm that is certified at every step of training."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ._norm import spectral_norm

CONVOLUTION = (
    "a reshaped kernel has another norm than its convolution, so dividing by it leaves the layer too steep;"
    " convolutions are planned"
)


class SpectralNormalization(nn.Module):
    r"""Parametrization that replaces a weight matrix $W$ by $c\,W$ with $\|c\,W\| \le$ `target`.

    $c$ is `target` divided by a proved upper bound of the spectral norm, and by a little more, so that the
    bound still holds when $c\,W$ has been rounded. Training and evaluation do the same: no state can lag
    behind. The result's norm is within 0.2 % of `target`. The gradient is that of $W / \sigma_1(W)$, as
    $\sigma_1 = u^\top W v$.

    Args:
        target: The largest spectral norm allowed.

    Raises:
        ValueError: If `target` is not positive and finite, or if the weight is not a finite matrix.

    Source:
        T. Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, which divides
        by what one step of power iteration estimates instead.

    Example:
        >>> SpectralNormalization(target=2.0)(torch.tensor([[30.0, 0.0], [0.0, 15.0]])).round(decimals=2)
        tensor([[2., 0.], [0., 1.]])
    """

    def __init__(self, *, target: float = 1.0) -> None:
        super().__init__()
        if not 0 < target < float("inf"):
            raise ValueError(f"target must be positive and finite, got {target}")
        self.target = target

    def forward(self, weight: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        norm = spectral_norm(weight)
        if norm.upper == 0:
            return weight
        u, v = cast(tuple[Tensor, Tensor], norm.witness)
        wide = weight.double()
        sigma = u @ wide @ v
        room = 1 + 1e-6 + 2 * torch.finfo(weight.dtype).eps * min(weight.shape) ** 0.5
        # The first factor is 1; it is there for the gradient.
        normalized: Tensor = wide * (sigma.detach() / sigma) / (norm.upper * room / self.target)
        return normalized.to(weight.dtype)


def spectral_normalize(module: nn.Module, *, target: float = 1.0) -> nn.Linear:
    """Make a linear layer Lipschitz with constant `target`, in place: see `SpectralNormalization`.

    Args:
        module: The layer. Its raw weight becomes `module.parametrizations.weight.original`.
        target: The largest spectral norm allowed.

    Returns:
        The same layer.

    Raises:
        TypeError: If `module` is not an `nn.Linear`. A convolution can stretch more than its reshaped kernel.
        ValueError: If it is already parametrized, or if `target` is not positive and finite.

    Example:
        >>> layer = spectral_normalize(nn.Linear(8, 4))
        >>> bool(torch.linalg.matrix_norm(layer.weight, 2) <= 1)
        True
    """
    if not isinstance(module, nn.Linear):
        cure = CONVOLUTION if "Conv" in type(module).__name__ else "apply it to each linear layer"
        raise TypeError(f"module must be nn.Linear, got {type(module).__name__}; {cure}")
    if parametrize.is_parametrized(module, "weight"):
        raise ValueError("module.weight is already parametrized; remove that parametrization first")
    parametrize.register_parametrization(module, "weight", SpectralNormalization(target=target))
    return module
