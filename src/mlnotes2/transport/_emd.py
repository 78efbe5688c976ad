"""Exact optimal transport between weighted points, with the dual potentials that prove it."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import ot
from jaxtyping import Float64
from numpy.typing import ArrayLike

from .._checks import real_array
from ._plan import balanced_masses


@dataclass(frozen=True, eq=False)
class EMDResult:
    r"""A best plan with its certificate.

    Args:
        plan: Shape `(n, m)`, row sums `a`, column sums `b`.
        cost: What the plan costs, $\sum_{ij} \gamma_{ij} c_{ij}$: an upper bound of the least cost.
        potentials: `f`, shape `(n,)`, and `g`, shape `(m,)`, with $f_i + g_j \le c_{ij}$ for all i and j.
        dual_cost: $\sum_i a_i f_i + \sum_j b_j g_j$: a lower bound of the least cost.
        gap: $\sum_{ij} \gamma_{ij} (c_{ij} - f_i - g_j)$, which is `cost - dual_cost` without its rounding.
            Every term is at least zero, and the plan is a best one where all are zero.
    """

    plan: Float64[np.ndarray, "n m"]
    cost: float
    potentials: tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]
    dual_cost: float
    gap: float


def emd(a: ArrayLike, b: ArrayLike, cost: ArrayLike, *, max_iter: int = 10_000_000) -> EMDResult:
    r"""Find a cheapest plan, $\min_\gamma \sum_{ij} \gamma_{ij} c_{ij}$, and prove it by potentials.

    The plans are $\gamma \ge 0$ with row sums a and column sums b. POT's network simplex finds one. Its
    potentials are then made feasible at every point, also where there is no mass, by
    $g_j = \min_i (c_{ij} - f_i)$ and $f_i = \min_j (c_{ij} - g_j)$, and both are checked. Where `cost` is a
    metric between the points of one set, f is 1-Lipschitz and $g = -f$.

    Args:
        a: Masses to take away, shape `(n,)`.
        b: Masses to put down, shape `(m,)`, with the same total; nothing is normalised.
        cost: Price per unit of mass, shape `(n, m)`; may be negative.
        max_iter: The most pivots of the network simplex.

    Returns:
        The plan with its cost, potentials, dual cost and gap. Best plans need not be unique; the cost is.

    Raises:
        ValueError: If a mass is negative, all are zero, the totals differ by more than 1e-9 of the mass,
            `cost` is not `(n, m)`, or an entry is not finite.
        RuntimeError: If the solver stopped early, or if the gap exceeds 1e-9 of mass times largest cost.

    Source:
        Bonneel et al., Displacement interpolation using Lagrangian mass transport (2011), for the solver;
        Peyré and Cuturi, Computational Optimal Transport, section 2.5, for the duality.

    Example:
        >>> result = emd([0.5, 0.5], [0.25, 0.75], [[0, 1], [1, 0]])
        >>> result.cost, result.dual_cost, result.gap
        (0.25, 0.25, 0.0)
        >>> result.plan
        array([[0.25, 0.25],
               [0.  , 0.5 ]])
    """
    a, b = balanced_masses(a, b)
    cost = real_array("cost", cost, 2)
    if cost.shape != (len(a), len(b)):
        raise ValueError(
            f"cost must have shape {(len(a), len(b))}, got {cost.shape}; rows belong to a, columns to b"
        )
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    scratch = np.empty_like(cost)  # fresh memory costs more than the arithmetic
    plan, f = _network_simplex(a, b, cost, max_iter, scratch)
    g = np.subtract(cost, f[:, None], out=scratch).min(axis=0)
    f = np.subtract(cost, g, out=scratch).min(axis=1)
    return _certified(a, b, cost, plan, f, g, scratch)


def _network_simplex(
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    cost: Float64[np.ndarray, "n m"],
    max_iter: int,
    scratch: Float64[np.ndarray, "n m"],
) -> tuple[Float64[np.ndarray, "n m"], Float64[np.ndarray, " n"]]:
    """Return a best plan, and the potentials of the rows, minus infinity where there is no mass."""
    # POT compares with absolute tolerances, so that tiny costs give a wrong plan; powers of 2 scale exactly.
    unit, mass = _power_of_two(max(cost.max(), -cost.min())), _power_of_two(a.sum())
    rows, columns = a > 0, b > 0
    is_full = rows.all() and columns.all()
    prices = np.divide(cost, unit, out=scratch)
    if not is_full:
        prices = prices[np.ix_(rows, columns)]
    # Where costs are far below zero it may call the problem infeasible; a shift keeps the order of all plans.
    if (least := prices.min()) < 0:
        prices -= least
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what POT warns of is raised below
        flow, log = ot.emd(
            a[rows] / mass,
            b[columns] / mass,
            prices,
            numItermax=max_iter,
            log=True,
            center_dual=False,
        )
    if log["warning"] is not None:
        raise RuntimeError(f"no best plan after {max_iter} pivots ({log['warning']}); raise max_iter")
    flow *= mass
    f = np.full(len(a), -np.inf)
    f[rows] = (log["u"] - log["u"][0]) * unit
    if is_full:
        return flow, f
    plan = np.zeros_like(cost)
    plan[np.ix_(rows, columns)] = flow
    return plan, f


def _power_of_two(value: float) -> float:
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


def _certified(
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    cost: Float64[np.ndarray, "n m"],
    plan: Float64[np.ndarray, "n m"],
    f: Float64[np.ndarray, " n"],
    g: Float64[np.ndarray, " m"],
    scratch: Float64[np.ndarray, "n m"],
) -> EMDResult:
    """Return the result if the plan moves a to b, the potentials are feasible, and they leave no gap."""
    tol = 1e-9 * a.sum()
    slack = np.subtract(cost, g, out=scratch)
    slack -= f[:, None]  # rounds to no less than zero, because f is the least of cost - g
    rows, columns = np.divmod(np.flatnonzero(plan.ravel() != 0), len(b))
    moved, price = plan[rows, columns], cost[rows, columns]
    missed_a = np.abs(np.bincount(rows, moved, len(a)) - a).max()
    missed_b = np.abs(np.bincount(columns, moved, len(b)) - b).max()
    least_slack, gap = slack.min(), float(moved @ slack[rows, columns])
    is_plan = moved.min() >= 0 and max(missed_a, missed_b) <= 2 * tol
    if not is_plan or least_slack < 0 or not 0 <= gap <= tol * max(cost.max(), -cost.min()):
        raise RuntimeError(
            f"the plan is not proved to be a best one: least mass {moved.min()}, sums wrong by {missed_a} and "
            f"{missed_b}, least slack {least_slack}, gap {gap}; do the costs span more than nine orders of magnitude?"
        )
    return EMDResult(plan, float(moved @ price), (f, g), float(f @ a + g @ b), gap)
