"""Exercises on transport."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from ..transport import emd, emd_points
from ._exercise import Check, Exercise


def proved_distance(
    positions: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
) -> tuple[float, NDArray[np.float64]]:
    """Return the distance on a line, and the function that proves it.

    `positions` increase; `a` and `b` are the masses there, with one
    total. All three have shape (n,), and so have the values of the
    function. It is 1-Lipschitz, 0 at the first position, and level
    where no earth has to pass.
    """
    gaps = np.diff(positions)
    passing = np.cumsum(np.subtract(a, b))[:-1]  # to the right; below zero, to the left
    function = np.concatenate([[0.0], np.cumsum(-np.sign(passing) * gaps)])
    return float(np.abs(passing) @ gaps), function


def bound_by_prices(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    g: ArrayLike,
) -> float:
    """Return the lower bound of the least cost that g proves.

    The price of a unit from a row of x, shape (n, d), to a row of y,
    shape (m, d), is their Euclidean distance. a, shape (n,), and b,
    shape (m,), are masses with one total; g has shape (m,). No more
    than one row of prices may be in memory at a time.
    """
    x, y, g = np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.asarray(g)
    f = [np.min(np.linalg.norm(point - y, axis=1) - g) for point in x]
    return float(np.dot(a, f) + np.dot(b, g))


def half_step(g: ArrayLike, b: ArrayLike, cost: ArrayLike, eps: float) -> NDArray[np.float64]:
    """Return the potential f of the rows, shape (n,), for that of the columns.

    `g` and the masses `b`, of total 1, have shape (m,), `cost` (n, m). The
    rows of a_i b_j exp((f_i + g_j - cost_ij) / eps) get the sums a_i.
    """
    exponent = np.where(np.greater(b, 0), np.subtract(g, cost) / eps, -np.inf)
    top = exponent.max(axis=1)
    f: NDArray[np.float64] = -eps * (top + np.log(np.exp(exponent - top[:, None]) @ b))
    return f


Case = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
Proved = tuple[float, NDArray[np.float64]]


def _draw_piles(rng: np.random.Generator) -> Case:
    """Whole numbers, so that running totals which are equal stay equal."""
    n = rng.integers(2, 6)
    positions = rng.integers(-3, 4) + np.cumsum(rng.integers(1, 5, n))
    a = rng.multinomial(n, np.full(n, 1 / n))
    b = rng.multinomial(n, np.full(n, 1 / n))
    return positions.astype(float), a.astype(float), b.astype(float)


def _draw_equal(rng: np.random.Generator) -> Case:
    positions, a, _ = _draw_piles(rng)
    return positions, a, a.copy()


def _draw_to_the_right(rng: np.random.Generator) -> Case:
    positions, _, _ = _draw_piles(rng)
    start, end = np.sort(rng.choice(len(positions), 2, replace=False))
    one = np.eye(len(positions))
    return positions, one[start], one[end]


def _draw_to_the_left(rng: np.random.Generator) -> Case:
    positions, a, b = _draw_to_the_right(rng)
    return positions, b, a


def _of_one_unit(positions: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> Proved:
    """How far it goes; the function falls along the way if that is to the right, and rises if to the left."""
    start, end = float(positions @ a), float(positions @ b)
    along = np.clip(positions, min(start, end), max(start, end))
    return abs(end - start), along[0] - along if start < end else along - along[0]


def _by_plan(positions: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> Proved:
    """The least cost; the function falls where the best plan sends earth to the right, and rises where to the left."""
    best = emd(a, b, np.abs(positions[:, None] - positions))
    to_the_right = [best.plan[:i, i:].sum() - best.plan[i:, :i].sum() for i in range(1, len(a))]
    return best.cost, np.append(0.0, np.cumsum(-np.sign(to_the_right) * np.diff(positions)))


HalfStep = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]


def _draw_half_step(rng: np.random.Generator) -> HalfStep:
    n, m = rng.integers(1, 4, 2)
    g, cost = rng.integers(-3, 4, m).astype(float), rng.integers(0, 5, (n, m)).astype(float)
    return g, rng.dirichlet(np.ones(m)).round(2) + 0.0, cost, float(rng.choice([0.5, 1.0, 2.0]))


def _draw_one_column(rng: np.random.Generator) -> HalfStep:
    n = rng.integers(1, 4)
    g, cost = rng.integers(-3, 4, 1).astype(float), rng.integers(0, 5, (n, 1)).astype(float)
    return g, np.ones(1), cost, float(rng.choice([0.5, 1.0, 2.0]))


def _draw_large_costs(rng: np.random.Generator) -> HalfStep:
    g, b, cost, eps = _draw_half_step(rng)
    return g, b, cost + 1000.0, eps


def _draw_no_mass(rng: np.random.Generator) -> HalfStep:
    g, b, cost, eps = _draw_half_step(rng)
    return np.append(g, 9000.0), np.append(b, 0.0), np.column_stack([cost, cost[:, 0]]), eps


def _by_logsumexp(
    g: NDArray[np.float64], b: NDArray[np.float64], cost: NDArray[np.float64], eps: float
) -> NDArray[np.float64]:
    with_mass = b > 0
    f = -eps * logsumexp((g - cost)[:, with_mass] / eps, b=b[with_mass], axis=1)
    return np.asarray(f)


Clouds = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]


def _draw_clouds(rng: np.random.Generator) -> Clouds:
    """Masses of a random total, so that nothing may be normalised."""
    n, m, d = rng.integers(2, 5, 3)
    total = rng.integers(2, 5)
    a, b = (total * rng.dirichlet(np.ones(k)) for k in (n, m))
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)), a, b, rng.normal(size=m)


def _draw_zero_potential(rng: np.random.Generator) -> Clouds:
    x, y, a, b, g = _draw_clouds(rng)
    return x, y, a, b, 0 * g


def _draw_constant_potential(rng: np.random.Generator) -> Clouds:
    x, y, a, b, g = _draw_clouds(rng)
    return x, y, a, b, 0 * g + rng.integers(2, 5)


def _draw_best_potential(rng: np.random.Generator) -> Clouds:
    x, y, a, b, _ = _draw_clouds(rng)
    return x, y, a, b, emd_points(x, y, a, b).potentials[1]


def _to_the_nearest(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    g: NDArray[np.float64],
) -> float:
    """The cost if all earth went to the nearest point; a constant g does not change the bound."""
    return float(a @ KDTree(y).query(x)[0])


def _by_matrix(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    g: NDArray[np.float64],
) -> float:
    return float(a @ (cdist(x, y) - g).min(axis=1) + b @ g)


EXERCISES = {
    "transport.4": Exercise(
        proved_distance,
        Check("equal piles are at distance 0", _draw_equal, lambda positions, a, b: (0.0, 0.0 * a)),
        Check("one unit that goes to the right costs its way", _draw_to_the_right, _of_one_unit),
        Check("one unit that goes to the left costs its way", _draw_to_the_left, _of_one_unit),
        Check("the distance is the cost of a best plan", _draw_piles, _by_plan),
    ),
    "transport.7": Exercise(
        bound_by_prices,
        Check(
            "without potentials all earth goes to the nearest point", _draw_zero_potential, _to_the_nearest
        ),
        Check("a constant that is added to g changes nothing", _draw_constant_potential, _to_the_nearest),
        Check(
            "the potential of a best plan proves its cost",
            _draw_best_potential,
            lambda x, y, a, b, g: emd(a, b, cdist(x, y)).cost,
        ),
        Check("each row leaves room for its own f", _draw_clouds, _by_matrix),
    ),
    "transport.10": Exercise(
        half_step,
        Check(
            "with one column, f is the cost minus g",
            _draw_one_column,
            lambda g, b, cost, eps: (cost - g)[:, 0],
        ),
        Check("the rows get the right sums", _draw_half_step, _by_logsumexp),
        Check("large costs do not overflow", _draw_large_costs, _by_logsumexp),
        Check("columns without mass do not count", _draw_no_mass, _by_logsumexp),
    ),
}
