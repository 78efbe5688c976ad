"""The spectral norm of a matrix between two bounds that hold in spite of rounding."""

import math

import torch
from torch import Tensor

from .._enclosure import Enclosure


def spectral_norm(weight: Tensor, *, tol: float = 1e-3, max_iter: int = 50) -> Enclosure:
    r"""Enclose the spectral norm $\sigma_1 = \max_{\|v\| = 1} \|W v\|$ of a matrix.

    Gram iteration: $G_0 = W^\top W$, $G_{k+1} = G_k^\top G_k$, and $\sigma_1^2 \le \|G_k\|_F^{1/2^k}$, where the
    exponent doubles with every step. A row v of $G_k$ is what $2^k$ steps of power iteration would give,
    and $\|W v\| / \|v\|$ is a lower bound. What float64 may have rounded away is added to the bounds.

    Args:
        weight: The matrix W, shape (n, d), float32 or float64; computed with in float64, on its device.
        tol: Stop when `upper <= (1 + tol) * lower`.
        max_iter: Stop after so many steps. The bounds still hold; they are only wider.

    Returns:
        An enclosure whose witness is a pair (u, v) of float64 unit vectors with `u @ W @ v` close to `lower`.

    Raises:
        ValueError: If `weight` is not a finite, non-empty matrix, or if an option is out of range.
        TypeError: If `weight` is not a float32 or float64 tensor.

    Source:
        B. Delattre et al., Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration,
        ICML 2023; rounding after N. J. Higham, Accuracy and Stability of Numerical Algorithms, SIAM 2002.

    Example:
        >>> norm = spectral_norm(torch.tensor([[3.0, 0.0], [4.0, 5.0]]))  # the square root of 45
        >>> print(f"{norm.lower:.3f} {norm.upper:.3f}")
        6.708 6.708
    """
    check_matrix(weight)
    if not (tol > 0 and max_iter >= 0):
        raise ValueError(f"tol must be > 0 and max_iter >= 0, got {tol} and {max_iter}")
    W = weight.detach().double()
    tall = W if W.shape[0] >= W.shape[1] else W.mT
    largest = tall.abs().max().item()
    if largest == 0:
        return Enclosure(0.0, 0.0, (torch.eye(len(W))[0].to(W), torch.eye(len(W.mT))[0].to(W)))
    scaled = tall / largest
    length = torch.linalg.vector_norm(scaled).item()
    unit = gram = scaled / length
    slack = 4 * sum(tall.shape) * torch.finfo(torch.float64).eps
    factors: list[float] = []
    while True:
        v = gram[torch.linalg.vector_norm(gram, dim=1).argmax()]
        v = v / torch.linalg.vector_norm(v)
        stretched = unit @ v
        stretch = torch.linalg.vector_norm(stretched).item()
        bound = root_bound(factors, tall.numel(), slack)
        lower = math.nextafter(largest * (length * (stretch - slack)), -math.inf)
        upper = math.nextafter(largest * (length * (bound + slack)), math.inf)
        if upper <= (1 + tol) * lower or len(factors) == max_iter:
            u = stretched / stretch
            return Enclosure(max(0.0, lower), upper, (u, v) if tall is W else (v, u))
        gram = gram.mT @ gram
        factors.append(torch.linalg.vector_norm(gram).item())
        gram = gram / factors[-1]


def root_bound(factors: list[float], numel: int, slack: float) -> float:
    """Undo the squarings, from the last matrix, of norm 1, to the first; `slack` pays for the rounding."""
    bound = 1 + numel * torch.finfo(torch.float64).eps
    for factor in reversed(factors):
        bound = math.sqrt(factor * bound + slack)
    return bound


def check_matrix(weight: Tensor) -> None:
    if not isinstance(weight, Tensor) or weight.dtype not in (torch.float32, torch.float64):
        got = getattr(weight, "dtype", type(weight).__name__)
        raise TypeError(f"weight must be a float32 or float64 tensor, got {got}; convert it")
    if weight.ndim != 2:
        shape = tuple(weight.shape)
        raise ValueError(f"weight must be a matrix, got shape {shape}; a reshaped kernel has another norm")
    if weight.numel() == 0:
        raise ValueError(f"weight must not be empty, got shape {tuple(weight.shape)}")
    if not weight.isfinite().all():
        raise ValueError("weight must be finite, got a NaN or an infinity; look for a diverged training step")
