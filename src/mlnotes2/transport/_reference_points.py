"""Exact transport between clouds of points by pricing, for reading."""

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.sparse import coo_array

from .._checks import real_array
from ._plan import balanced_masses, staircase


def emd_points_reference(
    x: ArrayLike, y: ArrayLike, a: ArrayLike | None = None, b: ArrayLike | None = None
) -> tuple[float, float, int]:
    r"""Return the least cost $\sum_{ij} \gamma_{ij} \lVert x_i - y_j \rVert$ by pricing, with its proof.

    In each round a linear program finds the best plan on the pairs in use, and potentials f and g. One row of
    pairs after the other is priced at $\lVert x_i - y_j \rVert - g_j$. The least of a row is the highest
    $f_i$ that is feasible; a pair that lies below the $f_i$ of the program joins. `emd_points` does this
    with a faster solver, better first pairs and many joining at once.

    Args:
        x: Points to take mass from, shape `(n, d)`.
        y: Points to bring it to, shape `(m, d)`.
        a: Masses of x, shape `(n,)`; 1/n each if `None`.
        b: Masses of y, shape `(m,)`, with the same total; 1/m each if `None`.

    Returns:
        The cost of a best plan, the lower bound that potentials prove, and the number of pairs in use.

    Raises:
        ValueError: If an entry is not finite, a mass is negative, the totals differ, or shapes do not fit.

    Source:
        Gilmore and Gomory, A linear programming approach to the cutting-stock problem, Operations Research 9
        (1961), for letting columns join; Peyré and Cuturi, Computational Optimal Transport, section 2.5.

    Example:
        >>> emd_points_reference([[0, 0], [3, 4]], [[0, 0], [3, 4]], [0.5, 0.5], [0.25, 0.75])
        (1.25, 1.25, 3)
    """
    x, y = real_array("x", x, 2), real_array("y", y, 2)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must have as many coordinates, got {x.shape[1]} and {y.shape[1]}")
    n, m = len(x), len(y)
    a, b = balanced_masses(np.full(n, 1 / n) if a is None else a, np.full(m, 1 / m) if b is None else b)
    if (len(a), len(b)) != (n, m):
        raise ValueError(f"{n} and {m} points need as many masses, got {len(a)} and {len(b)}")
    first, second = np.argsort(x[:, 0]), np.argsort(y[:, 0])
    rows, cols, _ = staircase(a[first], b[second])
    pairs = np.unique(first[rows] * m + second[cols])  # the pair of i and j has the number i m + j
    while True:
        rows, cols = np.divmod(pairs, m)
        cost, f, g = _best_among(a, b, rows, cols, np.linalg.norm(x[rows] - y[cols], axis=1))
        feasible, joining = np.empty(n), []
        for i in range(n):
            price = np.linalg.norm(x[i] - y, axis=1) - g
            feasible[i] = price.min()
            if feasible[i] < f[i]:
                joining.append(i * m + int(price.argmin()))
        more = np.union1d(pairs, np.array(joining, dtype=int))
        if len(more) == len(pairs):
            return cost, float(a @ feasible + b @ g), len(pairs)
        pairs = more


def _best_among(
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    rows: Int[np.ndarray, " pairs"],
    cols: Int[np.ndarray, " pairs"],
    price: Float64[np.ndarray, " pairs"],
) -> tuple[float, Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]:
    """Return the least cost when only these pairs may be used, and potentials that are feasible on them."""
    unknown = np.arange(len(price))
    ends = np.concatenate([rows, len(a) + cols]), np.concatenate([unknown, unknown])
    sums = coo_array((np.ones(2 * len(price)), ends), shape=(len(a) + len(b), len(price)))
    best = linprog(price, A_eq=sums, b_eq=np.concatenate([a, b * (a.sum() / b.sum())]))
    return best.fun, best.eqlin.marginals[: len(a)], best.eqlin.marginals[len(a) :]
