"""`Interval`: it never loses a value that it ought to contain."""

from fractions import Fraction
from math import isnan

import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.lipschitz._interval import Interval

numbers = st.floats(-1e6, 1e6).map(
    lambda x: 0.0 if abs(x) < 1e-100 else x
)  # so that products stay exact in arb
spans = st.tuples(numbers, numbers, st.floats(0, 1)).map(lambda t: (min(t[:2]), max(t[:2]), t[2]))


def interval_and_member(span):
    low, high, share = span
    return Interval(arb(low), arb(high)), min(max(low + share * (high - low), low), high)


def holds(interval, value: Fraction):
    exact = arb(value.numerator) / arb(value.denominator)
    return not (exact < interval.lower or exact > interval.upper)


@given(spans, spans)
def test_interval_contains_sums_and_products_of_members(first, second):
    (a, x), (b, y) = interval_and_member(first), interval_and_member(second)
    assert holds(a + b, Fraction(x) + Fraction(y))
    assert holds(a * b, Fraction(x) * Fraction(y))
    assert holds(-a, -Fraction(x))


@given(spans, st.integers(0, 5))
def test_interval_contains_powers_of_members(span, n):
    a, x = interval_and_member(span)
    assert holds(a.power(arb(n)), Fraction(x) ** n)


@given(spans, st.integers(1, 3))
def test_interval_contains_reciprocal_powers_of_members_or_says_that_nothing_is_known(span, n):
    a, x = interval_and_member(span)
    result = a.power(arb(-n))
    if span[0] <= 0 <= span[1]:
        assert isnan(float(result.lower))
    else:
        assert holds(result, 1 / Fraction(x) ** n)


def test_interval_even_power_through_zero_is_tight():
    square = Interval(arb(-2), arb(1)).power(arb(2))
    assert (square.lower, square.upper) == (0, 4)


def test_interval_root_reaches_zero_exactly():
    root = Interval(arb(0), arb(4)).power(arb(0.5))
    assert (root.lower, root.upper) == (0, 2)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (-2, -1)])
def test_interval_root_of_negative_numbers_is_unknown(low, high):
    assert isnan(float(Interval(arb(low), arb(high)).power(arb(0.5)).upper))


def test_interval_hull_keeps_a_nan():
    hull = Interval.hull(arb(1), arb.nan(), arb(2))
    assert isnan(float(hull.lower))
    assert isnan(float(hull.upper))
