"""The best Gaussian under KL, reverse KL, or a mixture of the two."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from .._checks import real_array


class GaussianFit(NamedTuple):
    """A fitted Gaussian q, with both divergences between it and the density p."""

    mean: float
    std: float
    reverse_kl: float
    forward_kl: float


def fit_gaussian(x: ArrayLike, p: ArrayLike, *, weight: float = 0.0) -> GaussianFit:
    r"""The Gaussian $q$ that minimises $(1 - w) \KL(q \Vert p) + w \KL(p \Vert q)$, for a density $p$.

    The integrals are sums over the grid. A scan of means and standard deviations finds the lowest valley, and
    Nelder-Mead goes down into it.

    Args:
        x: An evenly spaced grid that covers where p and the best q live, shape (n,).
        p: The density at the grid points, positive, shape (n,).
        weight: $w$ in [0, 1]: 0 is reverse KL, 1 is KL.

    Returns:
        The mean and the standard deviation of q, and both divergences in nats.

    Raises:
        ValueError: If the grid is uneven, p is not a positive density on it, or the weight is outside [0, 1].

    Example:
        >>> x = np.linspace(-15, 15, 401)
        >>> p = np.exp(-(x - 1)**2 / 8) / np.sqrt(8 * np.pi)
        >>> fit = fit_gaussian(x, p, weight=0.5)
        >>> print(f"{fit.mean:.4f} {fit.std:.4f}")
        1.0000 2.0000
    """
    x, p = _density(x, p)
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must be in [0, 1], got {weight}; 0 is reverse KL and 1 is KL")
    step = x[1] - x[0]

    def both(mean: NDArray[np.float64], log_std: NDArray[np.float64]) -> NDArray[np.float64]:
        z = (x - mean[..., None]) / np.exp(log_std[..., None])
        log_q = -(z**2) / 2 - log_std[..., None] - math.log(2 * math.pi) / 2
        gap = log_q - np.log(p)
        return np.asarray(np.stack([(np.exp(log_q) * gap).sum(-1), -(p * gap).sum(-1)], -1) * step)

    mix = np.array([1 - weight, weight])
    stride = max(1, len(x) // 50)
    log_stds = np.linspace(math.log(2 * step), math.log((x[-1] - x[0]) / 6), 40)
    means, log_stds = np.meshgrid(x[::stride], log_stds)
    best = (both(means, log_stds) @ mix).argmin()
    start = np.array([means.flat[best], log_stds.flat[best]])
    result = minimize(
        lambda v: float(both(v[:1], v[1:])[0] @ mix),
        start,
        method="Nelder-Mead",  # its own first simplex would be tiny where the mean is 0
        options={
            "initial_simplex": start + np.array([[0, 0], [stride * step, 0], [0, 0.1]]),
            "xatol": 1e-9,
            "fatol": 1e-13,
        },
    )
    assert result.success, result.message
    reverse, forward = both(result.x[:1], result.x[1:])[0]
    return GaussianFit(float(result.x[0]), math.exp(result.x[1]), float(reverse), float(forward))


def _density(x: ArrayLike, p: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Grid and density as float64, after checking them."""
    x, p = real_array("x", x, 1), real_array("p", p, 1)
    if len(x) != len(p) or len(x) < 50:
        raise ValueError(
            f"x and p must have one length of at least 50, got {len(x)} and {len(p)}; refine the grid"
        )
    steps = np.diff(x)
    if steps.min() <= 0 or np.ptp(steps) > 1e-9 * np.abs(x).max():
        raise ValueError("x must be an increasing, evenly spaced grid, got other steps; use np.linspace")
    if p.min() <= 0:
        raise ValueError(
            f"p must be positive on the whole grid, got {p.min():g}; KL(q, p) is inf for every Gaussian q"
        )
    mass = p.sum() * steps[0]
    if abs(mass - 1) > 1e-6:
        raise ValueError(
            f"p must integrate to 1 over the grid, got {mass:.9g}; widen the grid or normalise p"
        )
    return x, p
