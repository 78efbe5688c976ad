"""Exercises on Lipschitz continuity."""

import math
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._exercise import Check, Exercise


def slope_bounds(
    x: ArrayLike,
    y: ArrayLike,
    bend: float,
) -> tuple[float, float]:
    """Return a lower and an upper bound of the Lipschitz constant.

    It is that of a function f on [x[0], x[-1]]. `y` holds the values of
    f at the increasing points `x`, both of shape (n,) with n >= 2, and
    f'' is at most `bend` in absolute value. Each bound is the largest
    that one gap between neighbours gives.
    """
    gaps = np.diff(x)
    slopes = np.abs(np.diff(y) / gaps)
    return float(slopes.max()), float((slopes + bend * gaps / 2).max())


def least_value(x: ArrayLike, y: ArrayLike, K: float) -> float:
    """Return how low a K-Lipschitz function through the samples can fall.

    That is the least value on [x[0], x[-1]] of all K-Lipschitz
    functions with the values `y` at the increasing points `x`, both of
    shape (n,) with n >= 2. If there is no such function, it is a
    ValueError.
    """
    heights, falls = np.asarray(y), K * np.diff(x)
    if (np.abs(np.diff(heights)) > falls).any():
        raise ValueError("two of the samples are too far apart for K")
    return float((heights[:-1] + heights[1:] - falls).min() / 2)


def relu_constant(W: ArrayLike, V: ArrayLike) -> float:
    """Return the Lipschitz constant of the network V relu(W x), in the Euclidean norm.

    `W` has shape (h, d) and linearly independent rows, so that each of the h
    numbers can be positive or negative whatever the others are. `V` has shape
    (n, h).
    """
    W, V = np.asarray(W), np.asarray(V)
    patterns = product([0, 1], repeat=len(W))
    return max(float(np.linalg.norm(V * on @ W, 2)) for on in patterns)


Samples = tuple[NDArray[np.float64], NDArray[np.float64], float]


def _draw_points(rng: np.random.Generator) -> NDArray[np.float64]:
    x: NDArray[np.float64] = rng.integers(-3, 4) + np.cumsum(rng.integers(1, 4, rng.integers(2, 5))) / 2
    return x


def _draw_line(rng: np.random.Generator) -> Samples:
    x = _draw_points(rng)
    return x, rng.integers(-3, 4) * x, 0.0


def _draw_parabola(rng: np.random.Generator, x: NDArray[np.float64], vertex: float) -> Samples:
    half = rng.choice([-2, -1, 1, 2])
    return x, half * (x - vertex) ** 2, 2.0 * abs(half)


def _draw_equal_gaps(rng: np.random.Generator) -> Samples:
    x = np.arange(rng.integers(2, 5)) * rng.integers(1, 4) / 2
    return _draw_parabola(rng, x, float(rng.choice([x[0] - 1, x[-1] + 1])))


def _draw_unequal_gaps(rng: np.random.Generator) -> Samples:
    x = _draw_points(rng)
    return _draw_parabola(rng, x, float(rng.choice([x[0] - 1, x[-1] + 1])))


def _draw_turn(rng: np.random.Generator) -> Samples:
    x = _draw_points(rng)
    return _draw_parabola(rng, x, float((x[0] + x[-1]) / 2 + rng.integers(-1, 2) / 4))


def _by_parabola(x: NDArray[np.float64], y: NDArray[np.float64], bend: float) -> tuple[float, float]:
    """The steepest pair of points; and the derivative of the parabola through all, at the steeper end."""
    pairs = combinations(zip(x, y, strict=True), 2)
    steepest = max(abs((d - b) / (c - a)) for (a, b), (c, d) in pairs)
    end_slopes = [(y[-1] - y[0]) / (x[-1] - x[0]) + side * bend * (x[-1] - x[0]) / 2 for side in (-1, 1)]
    return float(steepest), float(max(map(abs, end_slopes)))


def _draw_level(rng: np.random.Generator) -> Samples:
    x = _draw_points(rng)[:2]
    return x, np.full(2, rng.integers(-3, 4) / 2), float(rng.integers(1, 4))


def _draw_pair(rng: np.random.Generator) -> Samples:
    x, y, K = _draw_samples(rng)
    return x[:2], y[:2], K


def _draw_samples(rng: np.random.Generator) -> Samples:
    """Slopes are quarters of K, up to three of them: no rounding decides whether a function exists."""
    x, K = _draw_points(rng), float(rng.integers(1, 4))
    slopes = rng.integers(-3, 4, len(x) - 1) * K / 4
    return x, np.append(0.0, np.cumsum(slopes * np.diff(x))), K


def _draw_too_steep(rng: np.random.Generator) -> Samples:
    x, y, K = _draw_samples(rng)
    y[rng.integers(1, len(x)) :] += rng.choice([-1, 1]) * 4 * K
    return x, y, K


def _by_cones(x: NDArray[np.float64], y: NDArray[np.float64], K: float) -> float:
    """No value may lie below the cone of a sample; their upper edge is lowest at a sample or where two cones meet."""
    meet = (x[:, None] + x) / 2 + (y[:, None] - y) / (2 * K)
    places = np.clip(meet.ravel(), x[0], x[-1])
    return float((y - K * np.abs(places[:, None] - x)).max(axis=1).min())


Layers = tuple[NDArray[np.float64], NDArray[np.float64]]


def _draw_one_unit(rng: np.random.Generator) -> Layers:
    return _draw_first(rng, 1), rng.integers(-3, 4, (rng.integers(1, 3), 1)).astype(float)


def _draw_one_output(rng: np.random.Generator) -> Layers:
    W = _draw_first(rng, int(rng.integers(2, 4)))
    return W, rng.choice([-2.0, -1.0, 1.0, 2.0], (1, len(W)))


def _draw_layers(rng: np.random.Generator) -> Layers:
    W = _draw_first(rng, int(rng.integers(2, 5)))
    return W, rng.integers(-3, 4, (rng.integers(2, 4), len(W))).astype(float)


def _draw_first(rng: np.random.Generator, h: int) -> NDArray[np.float64]:
    """Whole numbers with independent rows."""
    while True:
        W = rng.integers(-2, 3, (h, h + rng.integers(0, 2))).astype(float)
        if np.linalg.matrix_rank(W) == h:
            return W


def _by_eigenvalues(W: NDArray[np.float64], V: NDArray[np.float64]) -> float:
    """Of J' J, with the Jacobian J at inputs that were solved for, one for each set of positive numbers."""
    largest = 0.0
    for number in range(2 ** len(W)):
        signs = np.array([1.0 if number >> i & 1 else -1.0 for i in range(len(W))])
        at = W @ (np.linalg.pinv(W) @ signs)
        J = sum(np.outer(V[:, i], W[i]) for i in range(len(W)) if at[i] > 0) + np.zeros((len(V), W.shape[1]))
        largest = max(largest, float(np.linalg.eigvalsh(J.T @ J)[-1]))
    return math.sqrt(max(largest, 0.0))


EXERCISES = {
    "lipschitz.5": Exercise(
        slope_bounds,
        Check("for a straight line both bounds are its slope, without the sign", _draw_line, _by_parabola),
        Check("a parabola at equal distances: the upper bound is attained", _draw_equal_gaps, _by_parabola),
        Check(
            "a parabola at unequal distances: the upper bound is attained", _draw_unequal_gaps, _by_parabola
        ),
        Check("a parabola that turns on the interval: the upper bound is attained", _draw_turn, _by_parabola),
    ),
    "lipschitz.6": Exercise(
        least_value,
        Check("between equal values two cones meet half way", _draw_level, _by_cones),
        Check("between different values they meet elsewhere", _draw_pair, _by_cones),
        Check("all the cones together leave this value", _draw_samples, _by_cones),
        Check("samples that are too steep are a ValueError", _draw_too_steep, lambda x, y, K: ValueError),
    ),
    "lipschitz.9": Exercise(
        relu_constant,
        Check("with one hidden number it is the product of the norms", _draw_one_unit, _by_eigenvalues),
        Check("with one output it is the largest over all patterns", _draw_one_output, _by_eigenvalues),
        Check("with several outputs it is a spectral norm", _draw_layers, _by_eigenvalues),
    ),
}
