"""The spectral norm of a matrix between two bounds that hold in spite of rounding."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .._enclosure import Enclosure
from ._cholesky import CHUNK, by_cholesky


@dataclass(frozen=True)
class Enclosures:
    """One `Enclosure` for each matrix of a batch: `enclosures[i]` is that of the i-th.

    Args:
        lower: Proved lower bounds.
        upper: Proved upper bounds.
        witness: What attains the lower bounds: the unit vectors u and v of each matrix.

    Example:
        >>> found = Enclosures(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]), (torch.eye(2), torch.eye(2)))
        >>> [norm.upper for norm in found]
        [1.0, 3.0]
    """

    lower: Float[Tensor, "*batch"]
    upper: Float[Tensor, "*batch"]
    witness: tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch d"]]

    def __getitem__(self, index: int | tuple[int, ...]) -> "Enclosure | Enclosures":
        lower, upper, witness = self.lower[index], self.upper[index], tuple(x[index] for x in self.witness)
        if lower.ndim == 0:
            return Enclosure(lower.item(), upper.item(), witness)
        return Enclosures(lower, upper, (witness[0], witness[1]))


def spectral_norm(weight: Tensor, *, tol: float = 1e-3, max_iter: int = 50) -> Enclosure | Enclosures:
    r"""Enclose the spectral norm $\sigma_1 = \max_{\|v\| = 1} \|W v\|$ of a matrix, or of each matrix of a batch.

    Gram iteration: $G_0 = W^\top W$, $G_{k+1} = G_k^\top G_k$, and $\sigma_1^2 \le \|G_k\|_F^{1/2^k}$, where the
    exponent doubles with every step. A row v of $G_k$ is what $2^k$ steps of power iteration would give,
    and $\|W v\| / \|v\|$ is a lower bound. For a large matrix v comes from Lanczos iteration, and the upper bound
    s from a Cholesky factorisation: if $s^2 I - W^\top W$ has one, $\sigma_1 \le s$. What was rounded away is added
    to the bounds.

    Args:
        weight: The matrix W, shape (n, d), or a batch of them, shape (*batch, n, d); float32 or float64. It is
            computed with on its device. (The kernel of a convolution is no batch: see `conv_spectral_norm`.)
        tol: Stop when `upper <= (1 + tol) * lower`.
        max_iter: Stop after so many steps. The bounds still hold; they are only wider.

    Returns:
        An enclosure whose witness is a pair (u, v) of float64 unit vectors with `u @ W @ v` close to `lower`. For a
        batch of matrices, `Enclosures`, whose bounds are tensors of the batch's shape.

    Raises:
        ValueError: If `weight` is not a finite, non-empty matrix or batch, or if an option is out of range.
        TypeError: If `weight` is not a float32 or float64 tensor.

    Source:
        B. Delattre et al., Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration,
        ICML 2023; rounding after N. J. Higham, Accuracy and Stability of Numerical Algorithms, SIAM 2002.

    Example:
        >>> norm = spectral_norm(torch.tensor([[3.0, 0.0], [4.0, 5.0]]))  # the square root of 45
        >>> print(f"{norm.lower:.3f} {norm.upper:.3f}")
        6.708 6.708
    """
    check_matrix(weight, batched=True)
    if not (tol > 0 and max_iter >= 0):
        raise ValueError(f"tol must be > 0 and max_iter >= 0, got {tol} and {max_iter}")
    *batch, n, d = weight.shape
    W = weight.detach().reshape(-1, n, d)
    tall = W if n >= d else W.mT
    largest = torch.maximum(tall.amax((1, 2)), -tall.amin((1, 2))).double()
    unit = tall / torch.where(largest > 0, largest, 1)[:, None, None]
    unit[largest == 0] = 1  # any other matrix: it is multiplied by 0 in the end
    length = torch.linalg.vector_norm(unit, dim=(1, 2))
    unit /= length[:, None, None]
    slack = 4 * (n + d) * torch.finfo(torch.float64).eps
    infinity = length.new_tensor(math.inf)
    for v, bound in bounds(unit, tol, max_iter, slack):
        v = v / torch.linalg.vector_norm(v, dim=1, keepdim=True)
        stretched = (unit @ v[:, :, None])[:, :, 0]
        stretch = torch.linalg.vector_norm(stretched, dim=1)
        lower = torch.nextafter(largest * (length * (stretch - slack)), -infinity).clamp(min=0)
        upper = torch.nextafter(largest * (length * (bound + slack)), infinity) * (largest > 0)
        if (upper <= (1 + tol) * lower).all():
            break
    u = stretched / stretch[:, None]
    u, v = (u, v) if n >= d else (v, u)
    found = Enclosures(lower.view(batch), upper.view(batch), (u.view(*batch, n), v.view(*batch, d)))
    return found if batch else found[()]


def bounds(unit: Tensor, tol: float, max_iter: int, slack: float) -> Iterator[tuple[Tensor, Tensor | float]]:
    """Closer and closer: for each matrix a vector that is stretched much, and a bound that none exceeds."""
    if (
        max_iter and unit.shape[2] >= CHUNK and tol >= 1e-6
    ):  # one factorisation is cheaper than many squarings
        vectors, proved = zip(*(by_cholesky(W, tol) for W in unit), strict=True)
        yield torch.stack(vectors), unit.new_tensor(proved)
    gram, factors = unit, list[Tensor]()
    for _ in range(max_iter + 1):
        longest = torch.linalg.vector_norm(gram, dim=2).argmax(1)
        yield gram[torch.arange(len(gram)), longest], root_bound(factors, unit[0].numel(), slack)
        gram = gram.mT @ gram
        factors.append(torch.linalg.vector_norm(gram, dim=(1, 2)))
        gram = gram / factors[-1][:, None, None]


def root_bound(factors: list[Tensor], numel: int, slack: float) -> Tensor | float:
    """Undo the squarings, from the last matrix, of norm 1, to the first; `slack` pays for the rounding."""
    bound: Tensor | float = 1 + numel * torch.finfo(torch.float64).eps
    for factor in reversed(factors):
        bound = torch.sqrt(factor * bound + slack)
    return bound


def check_matrix(weight: Tensor, batched: bool = False) -> None:
    check_numbers("weight", weight)
    shape = tuple(weight.shape)
    if weight.ndim < 2 or (weight.ndim > 2 and not batched):
        raise ValueError(f"weight must be a matrix, got shape {shape}; a reshaped kernel has another norm")


def check_numbers(name: str, value: Any) -> None:
    got = f"{value.dtype} on {value.device}" if isinstance(value, Tensor) else type(value).__name__
    real = isinstance(value, Tensor) and value.dtype in (torch.float32, torch.float64)
    if not real or value.layout != torch.strided or value.is_meta:
        raise TypeError(f"{name} must be a dense float32 or float64 tensor, got {got}; convert it")
    if value.numel() == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(value.shape)}")
    if not all(extreme.isfinite() for extreme in value.detach().aminmax()):
        raise ValueError(
            f"{name} must be finite, got a NaN or an infinity; look for a diverged training step"
        )
