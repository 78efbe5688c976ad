"""Divergences between discrete distributions, in nats, with exact conventions for zeros."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import real_array

_TOL = 1e-9  # how far a row's sum may be from 1


def kl(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Kullback-Leibler divergence $\KL(P \Vert Q) = \sum_i p_i \log(p_i / q_i)$, at least 0.

    Outcomes with $p_i = 0$ add nothing; the value is inf if some $q_i = 0 < p_i$. Each outcome's term is
    computed as $p_i \log(p_i / q_i) - p_i + q_i$, which is never negative: the added terms sum to 0.

    Args:
        p: Probabilities, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities with the same k; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,), in nats.

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Kullback and Leibler (1951), section 2.

    Example:
        >>> print(kl([0.5, 0.5], [0.25, 0.75]).round(6), kl([0.5, 0.5], [1, 0]))
        0.143841 inf
    """
    p, q = _distributions(p, q)
    return np.sum(_kl_terms(p, q), axis=-1, dtype=np.float64)


def reverse_kl(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Reverse Kullback-Leibler divergence $\KL(Q \Vert P) = \sum_i q_i \log(q_i / p_i)$: `kl(q, p)`.

    Args:
        p: Probabilities of the data, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities of the model, with the same k; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,), in nats; inf where some $p_i = 0 < q_i$.

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Nowozin, Cseke and Tomioka (2016), table 1.

    Example:
        >>> print(reverse_kl([0.5, 0.5], [1, 0]).round(6), reverse_kl([1, 0], [0.5, 0.5]))
        0.693147 inf
    """
    p, q = _distributions(p, q)
    return np.sum(_kl_terms(q, p), axis=-1, dtype=np.float64)


def js(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Jensen-Shannon divergence $\JS(P, Q) = \frac12 \KL(P \Vert M) + \frac12 \KL(Q \Vert M)$.

    Here $M = \frac12 (P + Q)$. It is symmetric, at least 0, and at most $\log 2$, which it is if and only if
    no outcome has both $p_i > 0$ and $q_i > 0$. (Without the two halves, as some papers write it, the maximum
    is $2 \log 2$.)

    Args:
        p: Probabilities, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities with the same k; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,), in nats.

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Lin (1991), section 4, with equal weights.

    Example:
        >>> print(js([1, 0], [0, 1]).round(6), js([0.5, 0.5], [1, 0]).round(6))
        0.693147 0.215762
    """
    p, q = _distributions(p, q)
    # KL(p, m) = KL(2p, 2m) / 2, and 2m = p + q is exact where m itself would underflow to 0
    terms = _kl_terms(2 * p, p + q) + _kl_terms(2 * q, p + q)
    return np.sum(terms, axis=-1, dtype=np.float64) / 4


def total_variation(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Total variation distance $\TV(P, Q) = \frac12 \sum_i |p_i - q_i|$, with the half, so at most 1.

    It is the largest difference $|P(A) - Q(A)|$ over all events $A$.

    Args:
        p: Probabilities, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities with the same k; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,).

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Levin, Peres and Wilmer (2009), proposition 4.2.

    Example:
        >>> print(total_variation([0.5, 0.5], [0.25, 0.75]))
        0.25
    """
    p, q = _distributions(p, q)
    return np.sum(np.abs(p - q), axis=-1, dtype=np.float64) / 2


def squared_hellinger(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Squared Hellinger distance $H^2(P, Q) = \frac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2$, at most 1.

    Args:
        p: Probabilities, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities with the same k; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,).

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Tsybakov (2009), section 2.4, without the factor one half, which is put here to make the maximum 1.

    Example:
        >>> print(squared_hellinger([1, 0], [0.36, 0.64]).round(6), squared_hellinger([1, 0], [0, 1]))
        0.4 1.0
    """
    p, q = _distributions(p, q)
    return np.sum((np.sqrt(p) - np.sqrt(q)) ** 2, axis=-1, dtype=np.float64) / 2


def pearson_chi2(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Pearson's chi-squared divergence $\chi^2(P \Vert Q) = \sum_i (p_i - q_i)^2 / q_i$.

    The second argument is the denominator. Outcomes with $p_i = q_i = 0$ add nothing; the value is
    inf if some $q_i = 0 < p_i$.

    Args:
        p: Probabilities, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities with the same k, in the denominator; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,).

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Tsybakov (2009), section 2.4.

    Example:
        >>> print(pearson_chi2([1, 0], [0.5, 0.5]), pearson_chi2([0.5, 0.5], [1, 0]))
        1.0 inf
    """
    p, q = _distributions(p, q)
    ratio = np.where(p > 0, np.inf, 0.0)  # right where q = 0
    with np.errstate(over="ignore"):  # beyond the largest float64, inf is the nearest value
        np.divide(p - q, q, where=q > 0, out=ratio)
    return np.sum((p - q) * ratio, axis=-1, dtype=np.float64)


def jeffreys(p: ArrayLike, q: ArrayLike) -> np.float64 | NDArray[np.float64]:
    r"""Jeffreys divergence $\KL(P \Vert Q) + \KL(Q \Vert P) = \sum_i (p_i - q_i) \log(p_i / q_i)$.

    It is symmetric, and has no half.

    Args:
        p: Probabilities, shape (*batch, k); each row sums to 1 within 1e-9.
        q: Probabilities with the same k; the leading axes broadcast.

    Returns:
        One value for each pair of rows, shape (*batch,), in nats; inf where only one of $p_i, q_i$ is 0.

    Raises:
        ValueError: If a row is empty, not finite, negative or does not sum to 1, or if shapes do not fit.

    Source:
        Jeffreys (1946), where it is called J.

    Example:
        >>> print(jeffreys([0.5, 0.5], [0.25, 0.75]).round(6), jeffreys([0.5, 0.5], [1, 0]))
        0.274653 inf
    """
    p, q = _distributions(p, q)
    return np.sum(_kl_terms(p, q) + _kl_terms(q, p), axis=-1, dtype=np.float64)


def _distributions(p: ArrayLike, q: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both arguments as float64 arrays of one shape, after checking that every row is a distribution."""
    p, q = real_array("p", p), real_array("q", q)
    for name, rows in (("p", p), ("q", q)):
        if rows.ndim == 0:
            raise ValueError(f"{name} must have at least one axis, got a single number; list all outcomes")
        if rows.min() < 0:
            raise ValueError(
                f"{name} must not be negative, got {rows.min():g}; a log-probability needs exp first"
            )
        off = np.abs(rows.sum(-1) - 1).max()
        if off > _TOL:
            raise ValueError(
                f"{name} must sum to 1 along its last axis, got a sum that is off by {off:.3g}; "
                f"divide it by its sum in float64"
            )
    if p.shape[-1] != q.shape[-1]:
        raise ValueError(
            f"p and q must have the same outcomes, got {p.shape[-1]} and {q.shape[-1]}; pad with zeros"
        )
    try:
        p, q = np.broadcast_arrays(p, q)
    except ValueError:
        raise ValueError(
            f"p and q must have leading axes that broadcast, got shapes {p.shape} and {q.shape}"
        ) from None
    return p, q


def _kl_terms(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """`p log(p/q) - p + q`, never negative: 0 where p = q, q where p = 0, inf where q = 0 < p."""
    terms = np.where(p > 0, np.inf, q)
    both = (p > 0) & (q > 0)
    p, q = p[both], q[both]
    near = np.abs(q - p) <= p / 2
    u = np.where(near, q - p, 0) / p
    close = p * (u - np.log1p(u))  # no cancellation between p and q, and u >= log1p(u) in floating point too
    terms[both] = np.where(near, close, q - p - p * (np.log(q) - np.log(p)))
    return terms
