"""Common mistakes about Lipschitz constants."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistakes.page import right, wrong
from oracles import steepest_slope_of_polynomial

COEFFICIENTS = st.lists(st.integers(-5, 5), min_size=2, max_size=5)


def polynomial(coefficients):
    return np.polynomial.Polynomial(coefficients)


@pytest.mark.claim("mistakes.largest-derivative")
@given(st.lists(st.integers(0, 5), min_size=2, max_size=5), st.integers(1, 3))
def test_the_largest_derivative_of_a_falling_function_is_no_bound(coefficients, high):
    falling, x = -polynomial([0, 1, *coefficients]), np.linspace(0, high, 101)
    constant = steepest_slope_of_polynomial(falling.coef, 0, high)
    assert wrong("mistakes.largest-derivative").lipschitz_constant(falling, x) < 0 < constant


@pytest.mark.claim("mistakes.largest-derivative")
@given(COEFFICIENTS, st.integers(-3, 2), st.integers(1, 3))
def test_the_steepest_slope_between_neighbours_is_below_the_constant_and_near_it(coefficients, low, length):
    f, x = polynomial(coefficients), np.linspace(low, low + length, 201)
    constant = steepest_slope_of_polynomial(coefficients, low, low + length)
    bend = steepest_slope_of_polynomial([*f.deriv().coef, 0], low, low + length)  # the largest |f''|
    found = right("mistakes.largest-derivative").lipschitz_constant(f, x)
    slack = 1e-9 * (1 + constant)  # rounding
    assert constant - bend * length / 200 - slack <= found <= constant + slack


def exact_slope(x, y):
    """Between the doubles x and y, for the function of the page, to 30 digits."""
    with mpmath.workdps(30):
        x, y = mpmath.mpf(x), mpmath.mpf(y)
        return abs(x**1.5 * mpmath.sin(1 / x) - y**1.5 * mpmath.sin(1 / y)) / abs(y - x)


@pytest.mark.claim("mistakes.differentiable")
@given(st.integers(2, 500))
def test_two_points_are_steeper_than_all_neighbours_of_a_grid(n):
    shown = wrong("mistakes.differentiable")
    K = shown.lipschitz_constant(n)
    x, y = right("mistakes.differentiable").steeper_pair(K)
    assert abs(shown.f(x) - shown.f(y)) / (y - x) > K


@pytest.mark.claim("mistakes.differentiable")
@given(st.floats(0.01, 1e4))
def test_every_constant_is_exceeded_by_a_pair_in_the_unit_interval(K):
    x, y = right("mistakes.differentiable").steeper_pair(K)
    assert 0 < x < y <= 1
    assert exact_slope(x, y) > K
