"""Moving plans: what one costs, a first one, and how to make one cheaper."""

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike

from .._checks import real_array


def plan_cost(plan: ArrayLike, cost: ArrayLike) -> float:
    r"""Return what a plan costs, $B(\gamma) = \sum_{ij} \gamma_{ij} c_{ij}$.

    Args:
        plan: Shape `(n, m)`; `plan[i, j]` is the mass that goes from point i to point j.
        cost: Shape `(n, m)`; `cost[i, j]` is the price of moving one unit of mass from i to j.

    Returns:
        The cost. Where the plan has mass 1 and `cost` holds distances, it is the average distance moved.

    Raises:
        ValueError: If the shapes differ, a mass is negative, or an entry is not finite.

    Source:
        Peyré and Cuturi, Computational Optimal Transport, equation 2.11.

    Example:
        >>> plan_cost([[0.5, 0.0], [0.25, 0.25]], [[0, 1], [1, 0]])
        0.25
    """
    return float(np.vdot(*_plan_and_cost(plan, cost)))


def naive_plan(a: ArrayLike, b: ArrayLike) -> Float64[np.ndarray, "n m"]:
    r"""Serve the first pile first: the plan of the north-west corner rule, which never looks at the cost.

    Lay the masses of `a` end to end, and those of `b` beside them. Where stretch i of the one lies beside
    stretch j of the other, mass goes from i to j:
    $\gamma_{ij} = \left|[A_{i-1}, A_i] \cap [B_{j-1}, B_j]\right|$ with the running totals
    $A_i = a_1 + \dots + a_i$ and $B_j = b_1 + \dots + b_j$.

    Args:
        a: Masses to take away, shape `(n,)`.
        b: Masses to put down, shape `(m,)`, with the same total.

    Returns:
        A plan of shape `(n, m)` with row sums `a`, column sums `b` and at most n + m - 1 cells in use.

    Raises:
        ValueError: If a mass is negative or not finite, all are zero, or the totals differ.

    Source:
        Peyré and Cuturi, Computational Optimal Transport, section 3.4.2.

    Example:
        >>> naive_plan([2, 3], [1, 1, 3])
        array([[1., 1., 0.],
               [0., 0., 3.]])
    """
    a, b = balanced_masses(a, b)
    plan = np.zeros((len(a), len(b)))
    rows, columns, mass = staircase(a, b)
    plan[rows, columns] = mass
    return plan


def improve_plan(plan: ArrayLike, cost: ArrayLike) -> Float64[np.ndarray, "n m"]:
    r"""Make a plan cheaper by one exchange among rows, or return an equal plan: then it is a best one.

    Row i may take over mass that row k sends to j; each unit changes the cost by $c_{ij} - c_{kj}$. When rows
    do so around a cycle, no row sum and no column sum changes. Where the prices around a cycle add up to less
    than zero, as much mass as the smallest cell of the cycle allows is passed around.

    Args:
        plan: Shape `(n, m)`. Masses below 1e-12 of the total count as zero.
        cost: Shape `(n, m)`. Savings below 1e-12 of the largest cost count as none.

    Returns:
        A plan with the same row and column sums, and a lower cost unless no cycle is negative.

    Raises:
        ValueError: If the shapes differ, a mass is negative, or an entry is not finite.

    Source:
        M. Klein, A primal method for minimal cost flows, Management Science 14 (1967), 205-220; the cycle is
        found by the Bellman-Ford algorithm.

    Example:
        >>> improve_plan([[1, 0], [0, 1]], [[5, 1], [1, 5]])
        array([[0., 1.],
               [1., 0.]])
    """
    plan, cost = _plan_and_cost(plan, cost)
    price, column = _takeover_prices(plan, cost)
    givers = _negative_cycle(price, 1e-12 * np.abs(cost).max())
    plan = plan.copy()
    if givers:
        takers = np.roll(givers, -1)
        columns = column[takers, givers]
        amount = plan[givers, columns].min()
        plan[givers, columns] -= amount
        plan[takers, columns] += amount
    return plan


def balanced_masses(
    a: ArrayLike, b: ArrayLike
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]:
    """Return `a` and `b` as float64 arrays, or say why they are not two piles of the same mass."""
    a, b = real_array("a", a, 1), real_array("b", b, 1)
    for name, masses in (("a", a), ("b", b)):
        if masses.min() < 0:
            raise ValueError(f"{name} must not be negative, got {masses.min()}; take away what is no mass")
        if masses.max() == 0:
            raise ValueError(f"{name} must hold some mass, got only zeros; there is nothing to move")
    total_a, total_b = float(a.sum()), float(b.sum())
    if not abs(total_a - total_b) <= 1e-9 * total_a:
        raise ValueError(
            f"a and b must have the same total mass, got {total_a} and {total_b}, which differ by "
            f"{abs(total_a - total_b)}; normalise both, for example a / np.sum(a) and b / np.sum(b)"
        )
    return a, b


def staircase(
    a: Float64[np.ndarray, " n"], b: Float64[np.ndarray, " m"]
) -> tuple[Int[np.ndarray, " s"], Int[np.ndarray, " s"], Float64[np.ndarray, " s"]]:
    """Return rows, columns and masses of the n + m - 1 cells of the north-west corner rule, in order."""
    ends_a, ends_b = np.cumsum(a), np.cumsum(b)
    inner = np.concatenate([ends_a[:-1], ends_b[:-1]])
    order = np.argsort(inner, kind="stable")  # merges two sorted runs, in linear time
    rows = np.concatenate([[0], np.cumsum(order < len(a) - 1)])
    total = max(ends_a[-1], ends_b[-1])  # the two differ by rounding; the larger keeps every mass >= 0
    return rows, np.arange(len(rows)) - rows, np.diff(inner[order], prepend=0.0, append=total)


def _plan_and_cost(
    plan: ArrayLike, cost: ArrayLike
) -> tuple[Float64[np.ndarray, "n m"], Float64[np.ndarray, "n m"]]:
    plan, cost = real_array("plan", plan, 2), real_array("cost", cost, 2)
    if plan.shape != cost.shape:
        raise ValueError(
            f"plan and cost must have one shape, got {plan.shape} and {cost.shape}; transpose one?"
        )
    if plan.min() < 0:
        raise ValueError(f"plan must not be negative, got {plan.min()}; earth is moved or it stays")
    return plan, cost


def _takeover_prices(
    plan: Float64[np.ndarray, "n m"], cost: Float64[np.ndarray, "n m"]
) -> tuple[Float64[np.ndarray, "n n"], Int[np.ndarray, "n n"]]:
    """Return at [i, k] the least price at which row i takes a unit over from row k, and in which column."""
    n = len(plan)
    price, column = np.full((n, n), np.inf), np.zeros((n, n), dtype=int)
    for k in range(n):
        filled = np.flatnonzero(plan[k] > 1e-12 * plan.sum())
        if filled.size:
            change = cost[:, filled] - cost[k, filled]
            price[:, k], column[:, k] = change.min(axis=1), filled[change.argmin(axis=1)]
    return price, column


def _negative_cycle(price: Float64[np.ndarray, "n n"], tol: float) -> list[int]:
    """Return rows, each giving to the next and the last to the first, whose prices sum below zero, or []."""
    n = len(price)
    distance, previous = np.zeros(n), np.arange(n)
    for _ in range(n):
        through = distance[:, None] + price
        shorter = through.min(axis=0) < distance - tol
        if not shorter.any():
            return []
        previous = np.where(shorter, through.argmin(axis=0), previous)
        distance = np.where(shorter, through.min(axis=0), distance)
    row = int(shorter.argmax())
    for _ in range(n):  # a path that is still getting shorter after n rounds hangs on a cycle
        row = int(previous[row])
    cycle = [row]
    while (row := int(previous[row])) != cycle[0]:
        cycle.append(row)
    return cycle
