"""The spectral norm of a convolution between two bounds, without the matrix of the convolution."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from .._enclosure import Enclosure
from ._fourier import (
    ROUNDING,
    Frequencies,
    Pair,
    all_frequencies,
    count_frequencies,
    covered,
    find_peak,
    unstride,
)
from ._norm import check_numbers


def conv_spectral_norm(
    kernel: Tensor,
    input_size: int | Sequence[int],
    *,
    padding: str = "zeros",
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    tol: float = 1e-2,
) -> Enclosure:
    r"""Enclose the spectral norm of a convolution: the most by which it stretches an image.

    Circular padding: the Fourier transform takes the convolution apart into one matrix $M(f)$ per
    frequency f, and the norm is the largest $\|M(f)\|$. It is at most s if $s^2 I - M(f)^* M(f)$ has a Cholesky
    factorisation. Zero padding: the same, on a grid so large that nothing meets around the edge, is an upper
    bound, and an image stretched by the lower bound is sought by power iteration, from a wave that fades
    towards the edges. What was rounded away is added to the bounds.

    Args:
        kernel: Shape (n, d / groups, k) or (n, d / groups, k, k), float32 or float64, for n output and
            d input channels; computed with on its device.
        input_size: Pixels of the image, without padding: one number, or one for each axis.
        padding: `"zeros"` or `"circular"`, with `dilation * (k - 1)` pixels in all, of which half, rounded down, come
            first: as in `padding="same"` of PyTorch. The upper bound for zeros holds for any number of them.
        stride: Pixels from one output to the next: one number, or one for each axis.
        dilation: Pixels from one tap of the kernel to the next: one number, or one for each axis.
        groups: As in `torch.nn.Conv2d`.
        tol: With circular padding `upper <= (1 + tol) * lower`, but for rounding, if the stride divides the input
            size. With zeros, small images leave a wider gap.

    Returns:
        An enclosure whose witness is a pair (u, v) of float64 images of length 1, where the convolution of v
        is close to `lower * u`. For a kernel of zeros there is none.

    Raises:
        ValueError: If the kernel is empty or not finite, if a number is out of range, or if the image is smaller
            than the kernel.
        TypeError: If `kernel` is not a float32 or float64 tensor.

    Source:
        H. Sedghi, V. Gupta and P. M. Long, The Singular Values of Convolutional Layers, ICLR 2019, for circular
        padding; S. M. Rump, Verification of Positive Definiteness, BIT 2006, for Cholesky with rounding.

    Example:
        >>> kernel = torch.ones(1, 1, 3, 3)
        >>> norm = conv_spectral_norm(kernel, 8, padding="circular", tol=1e-6)
        >>> print(f"{norm.lower:.4f} {norm.upper:.4f}")  # its norm as a reshaped matrix is 3
        9.0000 9.0000
        >>> norm = conv_spectral_norm(kernel, 8)  # (1 + 2 cos(pi / 9))^2
        >>> print(f"{norm.lower:.4f} {norm.upper:.4f}")
        8.2909 9.0225
    """
    check_kernel(kernel, groups)
    n_axes = kernel.ndim - 2
    size = pair("input_size", input_size, n_axes)
    steps = pair("stride", stride, n_axes), pair("dilation", dilation, n_axes)
    if padding not in ("zeros", "circular"):
        raise ValueError(f'padding must be "zeros" or "circular", got {padding!r}')
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    largest = kernel.detach().abs().max().item()
    K = kernel.detach().double().reshape(*kernel.shape[:2], -1, kernel.shape[-1]) / (largest or 1.0)
    layer = Convolution(K, size, *steps, padding == "circular")
    if any(n < k for n, k in zip(size, covered(K, layer.dilation), strict=True)):
        wanted = covered(K, layer.dilation)[-n_axes:]
        raise ValueError(f"input_size must be at least {wanted}, what the kernel covers, got {input_size}")
    if not largest:
        return Enclosure(0.0, 0.0)
    bound, group, wave = crest(
        layer, groups, min(tol, 0.1)
    )  # so small that four quarters of it make no more than it
    own = layer._replace(kernel=K.unflatten(0, (groups, -1))[group])
    stretch, u, v = climb(own, wave, bound, tol)
    slack = ROUNDING * (own.kernel[0].numel() + 8) * math.sqrt(K[0, 0].numel()) * own.kernel.norm().item()
    lower = max(0.0, math.nextafter(largest * (stretch - slack), -math.inf))
    witness = tuple(among(image, group, groups).reshape(-1, *image.shape[-n_axes:]) for image in (u, v))
    return Enclosure(lower, math.nextafter(largest * bound, math.inf), witness)


class Convolution(NamedTuple):
    """A linear map of images, of shape (d, *size)."""

    kernel: Tensor
    size: Pair
    stride: Pair
    dilation: Pair
    circular: bool

    def __call__(self, x: Tensor) -> Tensor:
        """One product of matrices for each tap: fast convolutions, such as Winograd's, round more."""
        sides = [
            side for k in reversed(covered(self.kernel, self.dilation)) for side in ((k - 1) // 2, k // 2)
        ]
        padded = pad(x[None], sides, mode="circular" if self.circular else "constant")[0]
        y = padded.new_zeros(())
        for row, column in product(*map(range, self.kernel.shape[2:])):
            shifted = padded[:, row * self.dilation[0] :, column * self.dilation[1] :]
            seen = shifted[:, : self.size[0] : self.stride[0], : self.size[1] : self.stride[1]]
            y = y + torch.tensordot(self.kernel[:, :, row, column], seen, dims=1)
        return y


def crest(layer: Convolution, groups: int, tol: float) -> tuple[float, int, Tensor]:
    """An upper bound, and in the group that it is for, the wave that is stretched most."""
    K, size, stride, dilation, circular = layer
    if circular and any(n % s for n, s in zip(size, stride, strict=True)):
        stride = (1, 1)  # outputs of a stride are some of those of stride 1
    taps, spacing = unstride(K, stride, dilation, groups)
    reach = [0 if circular else k - 1 for k in covered(K, dilation)]
    grid = [-(-(n + r) // s) for n, r, s in zip(size, reach, stride, strict=True)]
    axes = [choose(*axis, tol / 4) for axis in zip(grid, taps.shape[3:], spacing, strict=True)]
    at_once = math.prod(size) * (len(K) + groups * K.shape[1]) // 4  # a quarter of the numbers in both images
    peak = find_peak(taps, spacing, (axes[0], axes[1]), tol=tol / 4, at_once=at_once)
    v = peak.v * peak.v[peak.v.abs().argmax()].conj()
    x = v.reshape(-1, *stride)
    for axis, n in enumerate(size, start=1):
        s, N, turn = stride[axis - 1], grid[axis - 1], peak.turns[axis - 1]
        place = torch.arange(n, device=v.device) + (covered(K, dilation)[axis - 1] - 1) // 2
        height = torch.exp(2j * math.pi * round(turn * N) / N * (place // s).double())
        if not circular:  # fade towards the edges, beyond which there are zeros
            height = height * torch.sin(
                math.pi / (n + 1) * torch.arange(1.0, n + 1, dtype=K.dtype, device=v.device)
            )
        x = x.index_select(axis, place % s) * (height[:, None] if axis == 1 else height)
    return peak.upper, peak.group, x.real


def choose(size: int, n_taps: int, spacing: int, tol: float) -> Frequencies:
    """The waves that fit on a circle of `size` pixels, or so many that they speak for all, if these are fewer."""
    if count_frequencies(n_taps, tol) < size:
        return all_frequencies(n_taps, spacing, tol)
    return Frequencies(torch.arange(size, dtype=torch.float64) / size, 1.0)


def climb(layer: Convolution, x: Tensor, bound: float, tol: float) -> tuple[float, Tensor, Tensor]:
    """Power iteration from x on, as long as it gains: the stretch, and the two images of length 1."""
    stretch = 0.0
    while True:
        x = x / torch.linalg.vector_norm(x)
        y, transpose = torch.func.vjp(layer.__call__, x)[:2]
        before, stretch = stretch, torch.linalg.vector_norm(y).item()
        if not (stretch > (1 + tol / 100) * before and bound > (1 + tol) * stretch):
            return stretch, y / (stretch or 1.0), x
        x = transpose(y)[0]


def among(image: Tensor, group: int, groups: int) -> Tensor:
    """The image of one group, with zeros for the others."""
    return torch.cat([image if k == group else torch.zeros_like(image) for k in range(groups)])


def check_kernel(kernel: Any, groups: Any) -> None:
    check_numbers("kernel", kernel)
    if kernel.ndim not in (3, 4):
        shape = tuple(kernel.shape)
        raise ValueError(
            f"kernel must have 3 or 4 axes, (out, in / groups, k) or (..., k, k), got shape {shape}"
        )
    if not isinstance(groups, int) or groups < 1 or kernel.shape[0] % groups:
        raise ValueError(f"groups must divide the {kernel.shape[0]} output channels, got {groups}")


def pair(name: str, value: Any, n_axes: int) -> Pair:
    """One number for each axis; a kernel with one axis is taken as one with a single row."""
    numbers = tuple(value) if isinstance(value, Sequence) else (value,) * n_axes
    if len(numbers) != n_axes or not all(isinstance(k, int | np.integer) and k > 0 for k in numbers):
        raise ValueError(f"{name} must be {n_axes} whole number(s), at least 1, got {value}")
    return 1 if n_axes == 1 else int(numbers[0]), int(numbers[-1])
