"""The Fourier matrices of a convolution, and a proved bound that none of their norms exceeds."""

import math
from collections.abc import Callable, Sequence
from itertools import islice, product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ._cholesky import keeps_digits

Pair = tuple[int, int]
ROUNDING = 8 * torch.finfo(torch.float64).eps  # for each term of a sum; complex numbers need half as much


class Frequencies(NamedTuple):
    """Waves along one axis, in turns from pixel to pixel: no other wave is stretched `factor` times as much."""

    turns: Tensor
    factor: float


class Peak(NamedTuple):
    """No Fourier matrix has a norm above `upper`; that of `group` at `turns` stretches `v` nearly as much."""

    upper: float
    group: int
    turns: tuple[float, float]
    v: Tensor  # complex, of length 1


def all_frequencies(n_taps: int, spacing: int, tol: float) -> Frequencies:
    """Equally spaced waves, so many that none of all waves is stretched 1 + tol times as much as the best."""
    count = count_frequencies(n_taps, tol)
    angle = math.pi * (n_taps - 1) / 2 / count
    return Frequencies(torch.arange(count, dtype=torch.float64) / (count * spacing), 1 / (1 - angle**2 / 2))


def count_frequencies(n_taps: int, tol: float) -> int:
    return max(1, math.ceil(math.pi * (n_taps - 1) / 2 / math.sqrt(2 * tol / (1 + tol))))


def covered(kernel: Tensor, dilation: Pair) -> Pair:
    """How many pixels the kernel covers along each axis."""
    return dilation[0] * (kernel.shape[2] - 1) + 1, dilation[1] * (kernel.shape[3] - 1) + 1


def unstride(kernel: Tensor, stride: Pair, dilation: Pair, groups: int) -> tuple[Tensor, Pair]:
    """Cut the image into blocks of stride x stride pixels, the new channels: what is left has stride 1.

    Returns the taps, of shape (groups, n, d, rows, columns), and their spacing, which is 1 if there was a stride.
    """
    if max(stride) > 1:
        grown = kernel.new_zeros(*kernel.shape[:2], *covered(kernel, dilation))
        grown[:, :, :: dilation[0], :: dilation[1]] = kernel
        kernel = pad(grown, (0, -grown.shape[3] % stride[1], 0, -grown.shape[2] % stride[0]))
        dilation = (1, 1)
    cut = kernel.unflatten(3, (-1, stride[1])).unflatten(2, (-1, stride[0])).unflatten(0, (groups, -1))
    return cut.permute(0, 1, 2, 4, 6, 3, 5).flatten(2, 4), dilation


def waves(turns: Tensor, shifts: Sequence[range]) -> Tensor:
    """exp(2 pi i turn x) for m pairs of turns (m, 2) and all pairs of shifts x, shape (m, pairs)."""
    rows, columns = (
        torch.exp(2j * math.pi * turn[:, None] * torch.tensor(shift, dtype=turn.dtype, device=turn.device))
        for turn, shift in zip(turns.T, shifts, strict=True)
    )
    return (rows[:, :, None] * columns[:, None, :]).flatten(1)


def correlations(taps: Tensor) -> tuple[Tensor, Tensor]:
    """What cosines and sines are multiplied by in M* M: for each tap of it from the middle one on, its sum with its
    transpose, and its difference, both of shape (rest, groups * d * d)."""
    rows, columns = taps.shape[3:]
    shifts = product(range(1 - rows, rows), range(1 - columns, columns))
    found = []
    for a, b in islice(shifts, (2 * rows - 1) * (2 * columns - 1) // 2, None):
        low = taps[..., : rows - a, max(0, -b) : columns - max(0, b)]
        high = taps[..., a:, max(0, b) : columns - max(0, -b)]
        found.append(torch.einsum("gniab,gnjab->gij", high, low))
    found[0] /= 2
    half = torch.stack(found)
    return (half + half.mT).flatten(1), (half - half.mT).flatten(1)


def rounding(taps: Tensor, even: Tensor, odd: Tensor) -> Callable[[torch.dtype, float], float]:
    """How much is rounded away from square * I - M* M and its Cholesky factorisation, in the spectral norm."""
    groups, n, d, *counts = taps.shape
    taps_added = ROUNDING * 2 * (n * math.prod(counts) + sum(counts) + 8)
    # By the Cauchy-Schwarz inequality no M has a Frobenius norm above the root of `length2`.
    length2 = math.prod(counts) * taps.flatten(1).square().sum(1).max().item()
    sizes = (torch.linalg.vector_norm(part.view(-1, groups, d * d), dim=2).sum(0) for part in (even, odd))
    waves_added = (len(even) + 8) * sum(sizes).max().item()
    # The factor's Frobenius norm, squared, is a trace, at most d times the square; half of an `eps` is rounded.
    return lambda dtype, square: (
        taps_added * length2 + torch.finfo(dtype).eps * (waves_added + 1.5 * d * (d + 8) * square)
    )


def find_peak(
    taps: Tensor, spacing: Pair, axes: tuple[Frequencies, Frequencies], *, tol: float, at_once: int
) -> Peak:
    """Bound the norms of the Fourier matrices M at all pairs of frequencies, `at_once` numbers at a time.

    A norm is at most s if the Cholesky factorisation of s^2 I - M* M succeeds. Where it fails, the norm is
    computed, and lifts s. In random order this is rare.
    """
    tall = taps if taps.shape[1] >= taps.shape[2] else taps.transpose(1, 2)
    groups, _, d, *counts = tall.shape
    last = axes[1].turns[: len(axes[1].turns) // 2 + 1]  # M(-f) is the conjugate of M(f)
    turns = torch.cartesian_prod(axes[0].turns, last)
    turns = turns[torch.randperm(len(turns), generator=torch.Generator().manual_seed(0))].to(taps.device)
    even, odd = correlations(tall)
    shifts = [range(-s * (c - 1), s * c, s) for s, c in zip(spacing, counts, strict=True)]
    rounded = rounding(tall, even, odd)
    floor = (
        even[0].view(groups, d, d).diagonal(dim1=1, dim2=2).mean(1).max().item()
    )  # the mean of some norm^2
    single = rounded(torch.float32, floor) <= 1.5 * tol * floor and keeps_digits(taps.device)
    real = torch.float32 if single else torch.float64  # the tolerance pays for float32, or not
    even, odd = even.to(real), odd.to(real)
    lift = (1 + max(tol, 1e-12)) ** 2
    square, best = ROUNDING, 0
    step = max(1, at_once * (2 if single else 1) // (groups * d * d))
    for start in range(0, len(turns), step):
        wave = waves(turns[start : start + step], shifts)[:, -len(even) :]
        minus = torch.complex(-wave.real.to(real) @ even, wave.imag.to(real) @ odd).view(-1, d, d)
        diagonal = minus.diagonal(dim1=1, dim2=2).real.clone()
        while True:
            minus.diagonal(dim1=1, dim2=2).copy_(square + diagonal)
            failed = torch.linalg.cholesky_ex(minus).info.nonzero()[:, 0]
            if not len(failed):
                break
            norm2 = square - torch.linalg.eigvalsh(minus[failed[0]])[0].item()
            if norm2 > square:
                best = start * groups + int(failed[0])
            square = max(square, norm2) * lift
    upper = math.sqrt(square + rounded(real, square)) * axes[0].factor * axes[1].factor
    row, column = turns[best // groups].tolist()
    M = fourier_matrix(taps[best % groups], spacing, (row, column))
    return Peak(upper, best % groups, (row, column), right_vector(M))


def fourier_matrix(taps: Tensor, spacing: Pair, turns: tuple[float, float]) -> Tensor:
    """What the channels of a wave are multiplied by, for taps (n, d, rows, columns)."""
    shifts = [range(0, s * c, s) for s, c in zip(spacing, taps.shape[2:], strict=True)]
    wave = waves(torch.tensor([turns], dtype=taps.dtype, device=taps.device), shifts)[0]
    return taps.flatten(2).to(wave.dtype) @ wave


def right_vector(M: Tensor) -> Tensor:
    """The unit vector v that M stretches most."""
    wide = M.shape[0] < M.shape[1]
    top = torch.linalg.eigh(M @ M.mH if wide else M.mH @ M)[1][:, -1]
    v: Tensor = M.mH @ top if wide else top
    unit: Tensor = v / torch.linalg.vector_norm(v)
    return unit
