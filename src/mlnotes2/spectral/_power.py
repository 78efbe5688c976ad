"""Power iteration, the method that every explanation of spectral normalization begins with."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ._norm import check_matrix


class PowerIteration(NamedTuple):
    """Every step: `estimates[t] = ||W vectors[t]||`, where each row of `vectors` has length 1."""

    estimates: Float[Tensor, " steps"]
    vectors: Float[Tensor, "steps d"]


def power_iteration(weight: Tensor, *, n_steps: int, generator: torch.Generator) -> PowerIteration:
    r"""Turn a random vector to where $W$ stretches most: $v \leftarrow W^\top W v / \|W^\top W v\|$.

    The estimates $\|W v\|$ never fall, and never exceed the spectral norm $\sigma_1$, but for rounding. How
    fast they rise depends on $\sigma_2 / \sigma_1$: a small step is no proof of being close. `spectral_norm`
    gives one.

    Args:
        weight: The matrix W, shape (n, d), float32 or float64.
        n_steps: The number of steps.
        generator: For the first vector, on the device of `weight`.

    Returns:
        The `n_steps + 1` estimates and vectors, the first vector included.

    Raises:
        ValueError: If `weight` is not a finite, non-empty matrix, or if `n_steps` is negative.
        TypeError: If `weight` is not a float32 or float64 tensor.

    Source:
        T. Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, algorithm 1.

    Example:
        >>> W = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
        >>> power_iteration(W, n_steps=20, generator=torch.Generator().manual_seed(0)).estimates[-1]
        tensor(3.)
    """
    check_matrix(weight)
    if n_steps < 0:
        raise ValueError(f"n_steps must be at least 0, got {n_steps}")
    v = torch.randn(weight.shape[1], generator=generator, dtype=weight.dtype, device=weight.device)
    vectors = [v / torch.linalg.vector_norm(v)]
    for _ in range(n_steps):
        v = weight.mT @ (weight @ vectors[-1])
        length = torch.linalg.vector_norm(v)
        vectors.append(torch.where(length > 0, v / length, vectors[-1]))
    stacked = torch.stack(vectors)
    return PowerIteration(torch.linalg.vector_norm(stacked @ weight.mT, dim=1), stacked)
