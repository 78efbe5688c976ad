"""Exercises on transport."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..transport import emd
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


EXERCISES = {
    "transport.4": Exercise(
        proved_distance,
        Check("equal piles are at distance 0", _draw_equal, lambda positions, a, b: (0.0, 0.0 * a)),
        Check("one unit that goes to the right costs its way", _draw_to_the_right, _of_one_unit),
        Check("one unit that goes to the left costs its way", _draw_to_the_left, _of_one_unit),
        Check("the distance is the cost of a best plan", _draw_piles, _by_plan),
    ),
}
