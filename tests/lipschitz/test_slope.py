"""`max_slope`: the steepest pair of points, and what it says about the Lipschitz constant."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.lipschitz import max_slope

points = st.lists(st.integers(-1000, 1000), min_size=2, max_size=12, unique=True)


@given(points)
@pytest.mark.claim("lipschitz.neighbours")
def test_max_slope_no_pair_of_points_is_steeper(x):
    slopes = [abs(np.sin(b) - np.sin(a)) / abs(b - a) for a, b in itertools.combinations(x, 2)]
    assert max_slope(np.sin, x).value == pytest.approx(max(slopes), rel=1e-12)  # rounding of one division


def test_max_slope_the_pair_has_that_slope():
    value, (x, y) = max_slope(np.exp, [2, 0, 1, 1])
    assert (x, y) == (1.0, 2.0)
    assert value == (np.exp(2) - np.exp(1)) / (2 - 1)


@given(st.floats(1e-12, 1))
@pytest.mark.claim("lipschitz.sqrt")
def test_max_slope_of_the_square_root_next_to_zero_is_one_over_root_h(h):
    assert max_slope(np.sqrt, [0, h]).value == pytest.approx(
        h**-0.5, rel=1e-12
    )  # a square root and a division


@pytest.mark.claim("lipschitz.differentiable")
def test_max_slope_of_a_differentiable_function_grows_without_bound():
    def f(x):
        return np.where(x > 0, x**1.5, 0) * np.sin(1 / np.where(x > 0, x, 1))

    h = 10.0 ** -np.arange(1, 9)
    assert np.all(np.abs(f(h) / h) <= 2 * h**0.5)  # so f has the derivative 0 at 0
    n = 10.0 ** np.arange(2, 10)  # f goes through 0 at 1 / (pi n), from a peak near 1 / (pi (n + 1/2))
    slopes = [max_slope(f, [1 / (np.pi * k), 1 / (np.pi * (k + 0.5))]).value for k in n]
    assert np.all(np.diff(slopes) > 0)
    assert slopes[-1] > 10_000


@given(st.lists(st.floats(0, 1)), st.lists(st.floats(2, 3)))
@pytest.mark.claim("lipschitz.gap")
def test_max_slope_across_a_gap_exceeds_every_derivative(left, right):
    def f(x):
        return np.where(x < 1.5, 0.0, 1.0)

    assert max_slope(f, [*left, 1, 2, *right]) == (1.0, (1.0, 2.0))
    for piece in ([*left, 0, 1], [*right, 2, 3]):
        assert max_slope(f, piece).value == 0


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0], "two different numbers"),
        ([1, 1], "two different"),
        ([], "empty"),
        ([0, np.nan], "finite"),
        ([[0, 1]], "1 dim"),
    ],
)
def test_max_slope_rejects_points_without_a_slope(x, message):
    with pytest.raises(ValueError, match=message):
        max_slope(np.sin, x)


def test_max_slope_rejects_a_function_that_does_not_follow_its_points():
    with pytest.raises(ValueError, match="one value for each point"):
        max_slope(lambda x: x[:1], [0, 1, 2])


def test_max_slope_rejects_values_that_are_not_finite():
    with pytest.raises(ValueError, match=r"f\(points\) must be finite"):
        max_slope(lambda x: x * np.inf, [1, 2])
