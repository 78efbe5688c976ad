"""Closed forms for two Gaussians: the Kullback-Leibler divergence and the 2-Wasserstein distance."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import real_array

Numbers = ArrayLike | float | int  # the type checker of the tests does not take a bare number as array-like

_EPS = 10 * np.finfo(np.float64).eps  # times d: the rounding of an eigenvalue, relative to the largest


def gaussian_kl(mean_p: Numbers, cov_p: Numbers, mean_q: Numbers, cov_q: Numbers) -> float:
    r"""Kullback-Leibler divergence $\KL(P \Vert Q)$ of two Gaussians $N(\mu, \Sigma)$, in nats.

    $\frac12 \left( \operatorname{tr} \Sigma_Q^{-1} \Sigma_P - d - \log \det \Sigma_Q^{-1} \Sigma_P
    + (\mu_P - \mu_Q)^\top \Sigma_Q^{-1} (\mu_P - \mu_Q) \right)$. Singular covariances are allowed: the value
    is finite if and only if both Gaussians have the same support; the formula is then taken inside it.

    Args:
        mean_p: Mean of P, shape (d,), or a number.
        cov_p: Covariance of P, shape (d, d), or a number: the *variance*, not the standard deviation.
        mean_q: Mean of Q.
        cov_q: Covariance of Q. Eigenvalues below 10 d machine epsilons of the largest count as 0.

    Raises:
        ValueError: If shapes do not fit, or if a covariance is not symmetric and positive semi-definite.

    Example:
        >>> print(gaussian_kl(1, 1, 0, 1), gaussian_kl(1, 1, 0, 0))
        0.5 inf
    """
    mean_p, cov_p = _gaussian("p", mean_p, cov_p)
    mean_q, cov_q = _gaussian("q", mean_q, cov_q)
    _same_dimension(mean_p, mean_q)
    tol, shift = _EPS * len(mean_p), mean_p - mean_q
    values, vectors = np.linalg.eigh(cov_q)
    inside = values > tol * values.max()
    outside = vectors[:, ~inside]
    moment = cov_p + np.outer(shift, shift)
    if np.trace(outside.T @ moment @ outside) > tol * np.trace(moment):
        return math.inf  # P leaves the subspace on which Q lives
    whiten = vectors[:, inside] / np.sqrt(values[inside])
    ratio = np.linalg.eigvalsh(whiten.T @ cov_p @ whiten)
    if (ratio <= tol * ratio.max(initial=0)).any():
        return math.inf  # P lives on a smaller subspace
    return float((ratio - 1 - np.log(ratio)).sum() + ((whiten.T @ shift) ** 2).sum()) / 2


def gaussian_w2(mean_p: Numbers, cov_p: Numbers, mean_q: Numbers, cov_q: Numbers) -> float:
    r"""2-Wasserstein distance $W_2(P, Q)$ (the distance, not its square) of two Gaussians.

    $W_2^2 = \|\mu_P - \mu_Q\|^2 + \operatorname{tr}\left( \Sigma_P + \Sigma_Q -
    2 (\Sigma_Q^{1/2} \Sigma_P \Sigma_Q^{1/2})^{1/2} \right)$. The trace is computed as
    $\min_R \|A - BR\|_F^2$ over orthogonal $R$, where $A A^\top = \Sigma_P$ and $B B^\top = \Sigma_Q$:
    nothing cancels when P and Q are close. Singular covariances are allowed.

    Args:
        mean_p: Mean of P, shape (d,), or a number.
        cov_p: Covariance of P, shape (d, d), or a number: the *variance*, not the standard deviation.
        mean_q: Mean of Q.
        cov_q: Covariance of Q.

    Returns:
        The distance, in the unit of the means.

    Raises:
        ValueError: If shapes do not fit, or if a covariance is not symmetric and positive semi-definite.

    Source:
        Dowson and Landau (1982), equation 4.

    Example:
        >>> print(gaussian_w2(3, 1, 0, 25), gaussian_w2([3, 0], np.zeros((2, 2)), [0, 4], np.zeros((2, 2))))
        5.0 5.0
    """
    mean_p, cov_p = _gaussian("p", mean_p, cov_p)
    mean_q, cov_q = _gaussian("q", mean_q, cov_q)
    _same_dimension(mean_p, mean_q)
    a, b = _factor(cov_p), _factor(cov_q)
    left, _, right = np.linalg.svd(b.T @ a)
    return math.hypot(*(mean_p - mean_q), *(a - b @ left @ right).flat)  # no square of these overflows


def _gaussian(name: str, mean: Numbers, cov: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (d,) and covariance (d, d) as float64, after checking them."""
    m, c = real_array(f"mean_{name}", mean), real_array(f"cov_{name}", cov)
    if m.ndim == c.ndim == 0:
        m, c = m.reshape(1), c.reshape(1, 1)
    if m.ndim != 1 or c.shape != (len(m), len(m)):
        raise ValueError(
            f"mean_{name} and cov_{name} must have shapes (d,) and (d, d), or both be numbers, "
            f"got {m.shape} and {c.shape}"
        )
    if np.abs(c - c.T).max() > _EPS * np.abs(c).max():
        raise ValueError(f"cov_{name} must be symmetric, got entries that differ; use (cov + cov.T) / 2")
    values = np.linalg.eigvalsh(c)
    if values[0] < -_EPS * len(m) * np.abs(values).max():
        raise ValueError(f"cov_{name} must be positive semi-definite, got the eigenvalue {values[0]:.3g}")
    return m, c


def _same_dimension(mean_p: NDArray[np.float64], mean_q: NDArray[np.float64]) -> None:
    if mean_p.shape != mean_q.shape:
        raise ValueError(f"both Gaussians must have one dimension d, got {len(mean_p)} and {len(mean_q)}")


def _factor(cov: NDArray[np.float64]) -> NDArray[np.float64]:
    """A with A A^T = cov; eigenvalues that rounding made negative are 0."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
