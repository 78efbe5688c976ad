"""The distance between weighted points on a line, and a best plan, by sorting."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from torch import Tensor

from ._piles import Lines, piles
from ._plan import staircase
from ._sort import in_order, join, sort, take


def emd_1d(
    x: ArrayLike | Tensor,
    y: ArrayLike | Tensor,
    a: ArrayLike | Tensor | None = None,
    b: ArrayLike | Tensor | None = None,
    *,
    p: int | float = 1,
) -> float | NDArray[np.float64] | Float[Tensor, "*batch"]:
    r"""Return the Wasserstein distance $W_p$ on the line, exactly: sorted points are matched in their order.

    $W_p = \left( \min_\gamma \sum_{ij} \gamma_{ij} |x_i - y_j|^p \right)^{1/p}
    = \left( \int_0^1 |F^{-1}(t) - G^{-1}(t)|^p \, dt \right)^{1/p}$ for mass 1, where F and G are the
    distribution functions of x and y. For p = 1, the Earth Mover's Distance, it is the area between them,
    $\int |F(s) - G(s)| \, ds$. Computed in float64.

    Args:
        x: Points, shape `(n,)`, in any order; or `(..., n)`, where each of the leading axes has its own line.
        y: Points, shape `(m,)` or `(..., m)`, with the same leading axes.
        a: Masses of x, shape `(n,)` or that of x; `1/n` each if left out.
        b: Masses of y, shape `(m,)` or that of y; `1/m` each if left out. On each line both must have the same
            total. Nothing is normalised: double masses double the cost $W_p^p$.
        p: The power of the distance, at least 1; its root is taken at the end.

    Returns:
        The distance in the unit of x: a float, or an array over the leading axes. For tensors it is a tensor of
        their dtype, on their device, with gradients to x, y, a and b; where the distance has a kink, one of its
        slopes.

    Raises:
        ValueError: If an entry is not finite, a mass is negative, all are zero, the totals or the devices
            differ, shapes do not fit, or p < 1.
        TypeError: If arrays and tensors are mixed, or tensors are not all float32 or all float64.

    Source:
        Peyré and Cuturi, Computational Optimal Transport, remarks 2.28 and 2.30.

    Example:
        >>> emd_1d([0, 1, 3], [5, 6, 8])
        5.0
        >>> emd_1d([0, 1], [0, 1], [0.75, 0.25], [0.5, 0.5])
        0.25
    """
    if not 1 <= p < np.inf:
        raise ValueError(
            f"p must be a finite number of at least 1, got {p}; below 1 the order is not the best plan"
        )
    points_x, points_y, masses_a, masses_b = piles(x, y, a, b)
    if a is None and b is None and points_x.shape == points_y.shape:
        apart = abs(in_order(points_x) - in_order(points_y))
        distance = apart.mean(-1) if p == 1 else _power_mean(apart, masses_a, p)
    elif p == 1:
        distance = _area_between(points_x, points_y, masses_a, masses_b)
    else:
        distance = _power_mean(*_matched(points_x, points_y, masses_a, masses_b), p)
    if isinstance(x, Tensor):
        return torch.as_tensor(distance, dtype=x.dtype)
    return np.asarray(distance) if np.ndim(distance) else float(distance)


def plan_1d(x: ArrayLike, y: ArrayLike, a: ArrayLike | None = None, b: ArrayLike | None = None) -> coo_array:
    r"""Return the plan in sorted order: on the line a best one for every cost $|x_i - y_j|^p$ with $p \ge 1$.

    Args:
        x: Points, shape `(n,)`, in any order.
        y: Points, shape `(m,)`.
        a: Masses of x, shape `(n,)`; `1/n` each if left out.
        b: Masses of y, shape `(m,)`; `1/m` each if left out. Both must have the same total.

    Returns:
        A sparse array of shape `(n, m)` with row sums a, column sums b and at most n + m - 1 entries, which
        stand in the order of the line.

    Raises:
        ValueError: As `emd_1d` does, or if x has more than one axis.

    Source:
        Peyré and Cuturi, Computational Optimal Transport, remark 2.28.

    Example:
        >>> plan_1d([3, 0, 1], [5, 8], [0.5, 0.25, 0.25], [0.75, 0.25]).toarray()
        array([[0.25, 0.25],
               [0.25, 0.  ],
               [0.25, 0.  ]])
    """
    points_x, points_y, masses_a, masses_b = piles(x, y, a, b)
    if points_x.ndim > 1:
        raise ValueError(f"x must have shape (n,), got {points_x.shape}; there is one plan for each line")
    first, second = points_x.argsort(), points_y.argsort()
    rows, columns, mass = staircase(masses_a[first], masses_b[second])
    used = mass > 0
    cells = first[rows[used]], second[columns[used]]
    return coo_array((mass[used], cells), shape=(len(first), len(second)))


def _area_between(x: Lines, y: Lines, a: Lines, b: Lines) -> float | Float64[Any, "*batch"]:
    """Return the area between the two distribution functions, without matching anything."""
    points, places = sort(join(x, y))
    difference = take(join(a, -b), places)
    if isinstance(points, Tensor):
        return (difference.cumsum(-1)[..., :-1].abs() * points.diff()).sum(-1)
    np.cumsum(difference, -1, out=difference)  # fresh memory would cost more than the arithmetic
    np.abs(difference, out=difference)
    difference[..., :-1] *= np.diff(points)
    return difference[..., :-1].sum(-1)


def _matched(x: Lines, y: Lines, a: Lines, b: Lines) -> tuple[Lines, Lines]:
    """Return how far, and how much, goes between neighbouring levels of the two running totals."""
    x, from_x = sort(x)
    y, from_y = sort(y)
    levels, places = sort(join(take(a, from_x).cumsum(-1), take(b, from_y).cumsum(-1)))
    from_a = places < x.shape[-1]
    # Of each pile the point that ends at a level or stretches over it; by rounding a level may lie above all.
    rows = (from_a.cumsum(-1) - 1 * from_a).clip(max=x.shape[-1] - 1)
    columns = ((~from_a).cumsum(-1) - 1 * ~from_a).clip(max=y.shape[-1] - 1)
    return abs(take(x, rows) - take(y, columns)), join(levels[..., :1], levels[..., 1:] - levels[..., :-1])


def _power_mean(distance: Lines, mass: Lines, p: int | float) -> Float64[Tensor, "*batch"]:
    """Return (sum mass * distance^p)^(1/p); divided by the largest distance, powers do not overflow."""
    distance, mass = torch.as_tensor(distance), torch.as_tensor(mass)
    largest = distance.detach().amax(-1)
    unit = torch.where(largest > 0, largest, 1.0)
    total = (mass * (distance / unit[..., None]) ** p).sum(-1)
    moved = total.detach() > 0  # the root has no slope at 0
    return torch.where(moved, unit * torch.where(moved, total, 1.0) ** (1 / p), 0.0)
