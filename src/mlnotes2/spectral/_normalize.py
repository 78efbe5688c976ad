"""Spectral normalization of linear layers and convolutions, with a norm that is certified at every step of training."""

import math
from collections.abc import Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ._conv import check_kernel, pair
from ._fourier import all_frequencies, find_peak, fourier_matrix, unstride
from ._norm import check_matrix, spectral_norm

CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d
Layer = TypeVar("Layer", bound=nn.Module)


class SpectralNormalization(nn.Module):
    r"""Parametrization that replaces a weight $W$ by $c\,W$, so that the layer's norm is at most `target`.

    $c$ is `target` divided by a proved upper bound of the norm, and by a little more, so that the bound still
    holds when $c\,W$ has been rounded. Training and evaluation do the same: no state can lag behind. The norm of a
    matrix becomes at least 0.997 times `target`. That of a convolution is bounded for images of every
    size, with zeros or circular padding, and becomes at least 0.97 times `target` for large ones. The gradient
    is that of $W / \sigma(W)$.

    Args:
        target: The largest norm allowed.
        stride: That of the convolution. (1 is safe for each, and leaves the layer flatter.)
        dilation: That of the convolution; it matters where the stride is not 1.
        groups: Those of the convolution.

    Raises:
        ValueError: If `target` is not positive and finite, or if the weight is neither a matrix nor a kernel, is
            empty or is not finite.

    Source:
        T. Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, which divides
        by what one step of power iteration estimates for a reshaped kernel instead.

    Example:
        >>> SpectralNormalization(target=2.0)(torch.tensor([[30.0, 0.0], [0.0, 15.0]])).round(decimals=2)
        tensor([[2., 0.], [0., 1.]])
    """

    def __init__(
        self,
        *,
        target: float = 1.0,
        stride: int | Sequence[int] = 1,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        if not 0 < target < float("inf"):
            raise ValueError(f"target must be positive and finite, got {target}")
        self.target, self.stride, self.dilation, self.groups = target, stride, dilation, groups

    @torch.compiler.disable  # type: ignore[untyped-decorator] # its steps depend on the numbers
    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim in (3, 4):
            bound, sigma, terms = kernel_bound(weight, self.stride, self.dilation, self.groups)
        else:
            bound, sigma, terms = matrix_bound(weight)
        if bound == 0:
            return weight
        room = 1 + 1e-6 + 2 * torch.finfo(weight.dtype).eps * terms**0.5
        # The first factor is 1; it is there for the gradient.
        normalized: Tensor = weight.double() * (sigma.detach() / sigma) / (bound * room / self.target)
        return normalized.to(weight.dtype)


def matrix_bound(weight: Tensor) -> tuple[float, Tensor, int]:
    """An upper bound of the norm, the norm as a function of the weight, and the largest possible rank."""
    check_matrix(weight)
    norm = spectral_norm(weight)
    if norm.upper == 0:
        return 0.0, weight.sum(), 1
    u, v = cast(tuple[Tensor, Tensor], norm.witness)
    return float(norm.upper), u @ weight.double() @ v, min(weight.shape)


def kernel_bound(
    weight: Tensor, stride: int | Sequence[int], dilation: int | Sequence[int], groups: int
) -> tuple[float, Tensor, int]:
    """The same for a convolution of images of any size; the Frobenius norm is at most `terms**0.5` times the norm."""
    check_kernel(weight, groups)
    largest = weight.detach().abs().max().item()
    if largest == 0:
        return 0.0, weight.sum(), 1
    kernel = weight.double().reshape(*weight.shape[:2], -1, weight.shape[-1]) / largest
    step, spread = pair("stride", stride, weight.ndim - 2), pair("dilation", dilation, weight.ndim - 2)
    taps, spacing = unstride(kernel, step, spread, groups)
    rows, columns = (all_frequencies(*axis, 0.014) for axis in zip(taps.shape[3:], spacing, strict=True))
    peak = find_peak(taps.detach(), spacing, (rows, columns), tol=1e-3, at_once=2**15)
    image = fourier_matrix(taps[peak.group], spacing, peak.turns) @ peak.v
    sigma = largest * torch.linalg.vector_norm(image)
    return largest * peak.upper, sigma, math.prod(taps.shape[3:]) * min(taps.shape[1:3])


def spectral_normalize(module: Layer, *, target: float = 1.0) -> Layer:
    """Make a linear layer or a convolution Lipschitz with constant `target`, in place: see `SpectralNormalization`.

    Args:
        module: `nn.Linear`, `nn.Conv1d`, `nn.Conv2d`, or a transposed convolution. Its raw weight becomes
            `module.parametrizations.weight.original`.
        target: The largest norm allowed, for inputs of every size.

    Returns:
        The same layer.

    Raises:
        TypeError: If `module` is of another type.
        ValueError: If it is already parametrized, if its padding repeats pixels, or if `target` is not positive
            and finite.

    Example:
        >>> layer = spectral_normalize(nn.Conv2d(1, 1, 3, bias=False))
        >>> _ = nn.init.ones_(layer.parametrizations.weight.original)
        >>> print(f"{layer.weight.sum():.2f}")  # for a kernel of ones this is the norm of the convolution
        0.97
    """
    if not isinstance(module, nn.Linear | CONVOLUTIONS):
        raise TypeError(
            f"module must be a linear layer or a convolution, got {type(module).__name__}; apply it to each of them"
        )
    if parametrize.is_parametrized(module, "weight"):
        raise ValueError("module.weight is already parametrized; remove that parametrization first")
    if isinstance(module, nn.Linear):
        normalization = SpectralNormalization(target=target)
    else:
        check_padding(module)
        # Around a circle that the stride does not divide, some outputs are closer to each other than the stride.
        stride = 1 if module.padding_mode == "circular" else module.stride
        normalization = SpectralNormalization(
            target=target, stride=stride, dilation=module.dilation, groups=module.groups
        )
    parametrize.register_parametrization(module, "weight", normalization)
    return module


def check_padding(module: nn.modules.conv._ConvNd) -> None:
    """Reflected or replicated pixels are counted several times, and so are those that go around twice."""
    if module.padding_mode == "zeros":
        return
    if module.padding_mode != "circular":
        raise ValueError(
            f'padding_mode must be "zeros" or "circular", got {module.padding_mode!r}, which repeats pixels and so'
            " stretches the image; pad it before a layer without padding, and count that in"
        )
    reach = [e * (k - 1) for e, k in zip(module.dilation, module.kernel_size, strict=True)]
    if not isinstance(module.padding, str) and any(
        2 * p > r for p, r in zip(module.padding, reach, strict=True)
    ):
        raise ValueError(
            f"circular padding must be at most half of dilation * (kernel_size - 1), got {module.padding}; more"
            " computes some outputs twice"
        )
