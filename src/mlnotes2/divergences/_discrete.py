"""Divergences between discrete distributions, in nats, with exact conventions for zeros."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import real_array

_TOL = 1e-9  # how far a row's sum may be from 1
_BLOCK = (
    2**15
)  # probabilities that are worked on at once: the arrays of a block stay in the processor's cache


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
    return _sum(_kl_terms, p, q)


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
    return _sum(lambda p, q: _kl_terms(q, p), p, q)


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
    # KL(p, m) = KL(2p, 2m) / 2, and 2m = p + q is exact where m itself would underflow to 0
    return _sum(lambda p, q: _kl_terms(2 * p, p + q) + _kl_terms(2 * q, p + q), p, q) / 4


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
    return _sum(lambda p, q: np.abs(p - q), p, q) / 2


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
    return _sum(lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2, p, q) / 2


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
    return _sum(lambda p, q: _without_nan((p - q) / q * (p - q), 0.0), p, q)  # NaN where p = q = 0


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
    return _sum(lambda p, q: _kl_terms(p, q) + _kl_terms(q, p), p, q)


def _sum(
    terms: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    p: ArrayLike,
    q: ArrayLike,
) -> np.float64 | NDArray[np.float64]:
    """The sums of `terms(p, q)` over the last axis, in blocks of rows, after checking p and q."""
    p, q = _distributions("p", p), _distributions("q", q)
    k = p.shape[-1]
    if k != q.shape[-1]:
        raise ValueError(f"p and q must have the same outcomes, got {k} and {q.shape[-1]}; pad with zeros")
    try:
        p, q = np.broadcast_arrays(p, q)
    except ValueError:
        raise ValueError(
            f"p and q must have leading axes that broadcast, got shapes {p.shape} and {q.shape}"
        ) from None
    batch, rows = p.shape[:-1], max(1, _BLOCK // k)
    p, q = p.reshape(-1, k), q.reshape(-1, k)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # the terms say what 0 / 0 is
        sums = [np.einsum("nk->n", terms(p[i : i + rows], q[i : i + rows])) for i in range(0, len(p), rows)]
    return np.concatenate(sums).reshape(batch)[()]


def _distributions(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """An argument as a float64 array, after checking that every row is a distribution."""
    if isinstance(values, np.ndarray) and values.dtype == np.float64 and values.size:
        rows = values  # its sums will show a NaN or an infinity, at less cost
    else:
        rows = real_array(name, values)
    if rows.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, got a single number; list all outcomes")
    with np.errstate(invalid="ignore"):
        low, off = rows.min(), np.abs(np.einsum("...k->...", rows) - 1).max()
    if low >= 0 and off <= _TOL:
        return rows
    real_array(name, rows)
    if low < 0:
        raise ValueError(f"{name} must not be negative, got {low:g}; a log-probability needs exp first")
    raise ValueError(
        f"{name} must sum to 1 along its last axis, got a sum that is off by {off:.3g}; "
        f"divide it by its sum in float64"
    )


def _kl_terms(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """`p log(p/q) - p + q`, never negative: 0 where p = q, q where p = 0, inf where q = 0 < p."""
    ratio = q / p
    terms = ratio - 1  # exact for ratios near 1, so nothing cancels between p and q
    terms -= np.log(ratio)
    terms *= p
    return _without_nan(terms, q)  # NaN where p is 0, or so small that the ratio overflows


def _without_nan(terms: NDArray[np.float64], value: NDArray[np.float64] | float) -> NDArray[np.float64]:
    np.copyto(terms, value, where=np.isnan(terms))
    return terms
