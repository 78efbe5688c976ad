"""The steepest slope between sampled points of a function."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import real_array


class Slope(NamedTuple):
    """The size of a slope, and the two points between which it was measured."""

    value: float
    pair: tuple[float, float]


def max_slope(f: Callable[[NDArray[np.float64]], ArrayLike], points: ArrayLike) -> Slope:
    r"""Return the largest slope $|f(y) - f(x)| / |y - x|$ between any two of the points.

    Only neighbours are compared: a slope across several gaps is a weighted mean of the slopes of the gaps, so
    it cannot exceed the largest of them. The result never exceeds the Lipschitz constant, but for rounding.

    Args:
        f: A function that takes an array of points and returns one value for each.
        points: At least two different points, shape (n,), in any order.

    Returns:
        The slope and the pair of neighbours that has it.

    Raises:
        ValueError: If there are fewer than two different points, or if `f` does not give each a finite value.

    Example:
        >>> max_slope(np.square, [-1, 0, 3])
        Slope(value=3.0, pair=(0.0, 3.0))
    """
    x = np.unique(real_array("points", points, ndim=1))
    if x.size < 2:
        raise ValueError(f"points must hold two different numbers, got only {x[0]}; a slope needs two")
    y = real_array("f(points)", f(x))
    if y.shape != x.shape:
        raise ValueError(f"f must return one value for each point, got shape {y.shape} for {x.size} points")
    slopes = np.abs(np.diff(y) / np.diff(x))
    steepest = int(slopes.argmax())
    return Slope(float(slopes[steepest]), (float(x[steepest]), float(x[steepest + 1])))
