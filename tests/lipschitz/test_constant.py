"""`lipschitz_constant`: known constants, random polynomials, kinks, poles and refusals."""

import inspect
import math
from functools import reduce

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import example, given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.lipschitz import _constant, lipschitz_constant, max_slope
from mlnotes2.lipschitz._constant import extend
from mlnotes2.lipschitz._taylor import UNKNOWN, Taylor

LOOSE = 1e-9 * (1 + 1e-6)  # the default tol, and room for the subtraction that measures it


def value(f, x):
    at_x = extend(f, x, x).value
    return at_x.lower.union(at_x.upper)


def step_by_step(x):
    y = x
    y += 1  # x stays as it is
    y *= 3
    y -= x
    y /= 2
    y **= 2
    return y  # (x + 3/2)^2


KNOWN = [
    ("sin", np.sin, (0, np.pi), 1),
    ("square", lambda x: x**2, (-1, 3), 6),
    ("exp", np.exp, (0, 1), math.e),
    ("abs", np.abs, (-1, 2), 1),
    ("relu", lambda x: np.maximum(x, 0), (-1, 1), 1),
    ("leaky relu", lambda x: np.maximum(x, 0.25 * x), (-3, 1), 1),
    ("reciprocal", lambda x: 1 / x, (1, 2), 1),
    ("tanh", np.tanh, (-9, 8), 1),
    ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), (-20, 21), 0.25),
    ("softplus", lambda x: np.logaddexp(0, x), (-2, 0), 0.5),
    ("arctan", np.arctan, (-5, 4), 1),
    ("chirp", lambda x: np.sin(x**2) * np.exp(x), (0, 3), math.exp(3) * abs(math.sin(9) + 6 * math.cos(9))),
    ("root on [1/4, 1]", np.sqrt, (0.25, 1), 1),
    ("three halves", lambda x: x**1.5, (0, 1), 1.5),
    ("zigzag", lambda x: abs(abs(abs(x) - 1) - 0.5), (-3, 3), 1),
    ("line", lambda x: np.float32(0.5) * x - 3, (0, 1), 0.5),
    ("constant", lambda _: 3, (0, 1), 0),
    ("elu, of two kinks", lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), (-3, 4), 1),
    ("a line, of two kinks", lambda x: np.maximum(x, 0.5) + np.minimum(x, 0.5), (-1, 2.3), 1),
    ("a parabola, of two kinks", lambda x: np.abs(np.abs(x) * x), (-1, 2), 4),
    ("steepest at a kink, from the left", lambda x: np.maximum(0, -x * (x + 5)), (-1, 0), 5),
    ("steepest at a kink, between", lambda x: np.maximum(0, -x * (x + 5)), (-1, 1), 5),
    ("step by step", step_by_step, (0, 1), 5),
]


@pytest.mark.parametrize(
    ("f", "interval", "constant"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN]
)
def test_lipschitz_constant_of_known_functions(f, interval, constant):
    found = lipschitz_constant(f, interval)
    assert found.width <= LOOSE * max(1, constant)
    assert found.lower * (1 - 1e-15) <= constant <= found.upper * (1 + 1e-15)  # `constant` itself is rounded


reals = st.integers(-64, 64).map(lambda n: n / 16)  # sums and products of two are exact
positive = st.integers(1, 64).map(lambda n: n / 16)


@st.composite
def problems(draw):
    """A function, an interval, and the constant, found by hand."""
    a, length, k, c = draw(reals), draw(positive), draw(positive), draw(reals)
    b = a + length

    def farthest(low, high):  # from c
        return max(abs(low - c), abs(high - c))

    def nearest(low, high):
        return max(low - c, c - high, 0.0)

    return draw(
        st.sampled_from(
            [
                (lambda x: k * (x - c) ** 2, (a, b), 2 * k * farthest(a, b)),
                (lambda x: (x - c) ** 3 / k, (a, b), 3 * farthest(a, b) ** 2 / k),
                (lambda x: k * np.abs(x - c) ** 1.5, (a, b), 1.5 * k * math.sqrt(farthest(a, b))),
                (lambda x: np.exp(-k * x), (a, b), k * math.exp(-k * a)),
                (lambda x: np.tanh(k * (x - c)), (a, b), k / math.cosh(k * nearest(a, b)) ** 2),
                (lambda x: np.arctan(k * (x - c)), (a, b), k / (1 + (k * nearest(a, b)) ** 2)),
                (lambda x: np.logaddexp(c, k * x), (a, b), k / (1 + math.exp(c - k * b))),
                (lambda x: np.log(x - a + k), (a, b), 1 / k),
                (lambda x: np.sqrt(x - a + k), (a, b), 0.5 / math.sqrt(k)),
                (lambda x: np.sqrt(b - x), (a, b), math.inf),
                (lambda x: 1 / (x - a + k), (a, b), 1 / k**2),
                (lambda x: np.maximum(k * x, c), (c / k - 1, c / k + length), k),
                (lambda x: np.minimum(np.abs(x - c), k), (c - length, c + 1), 1),
                (lambda x: k * np.abs(x - c) - k * x / 4, (c - length, c + k), 1.25 * k),
                (lambda x: np.sin(k * (x - c)) / k, (c - length, c + k), 1),
                (lambda x: c * x + k, (a, b), abs(c)),
            ]
        )
    )


@settings(max_examples=500, deadline=None)
@given(problems())
def test_lipschitz_constant_of_a_random_problem_with_a_known_answer(problem):
    f, interval, constant = problem
    found = lipschitz_constant(f, interval, tol=1e-2, max_splits=60)
    assert found.lower * (1 - 1e-14) <= constant <= found.upper * (1 + 1e-14)  # `constant` is rounded
    if constant < math.inf:
        assert found.width <= 1e-2 * max(1, constant) * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(reals, positive, positive)
def test_lipschitz_constant_next_to_a_pole(a, length, distance):
    inside = lipschitz_constant(lambda x: 1 / (x - a), (a - distance, a + length), max_splits=3)
    assert inside.upper == math.inf
    beside = lipschitz_constant(lambda x: 1 / (x - a) ** 2, (a + distance, a + distance + length), tol=1e-1)
    assert beside.lower * (1 - 1e-14) <= 2 / distance**3 <= beside.upper * (1 + 1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(2, 50))
def test_lipschitz_constant_under_essential_oscillation(n, parts):
    def f(x):
        return x**n * np.sin(1 / x)

    whole = lipschitz_constant(f, (1 / parts, 1), tol=1e-2)
    assert whole.width <= 1e-2 * max(1, whole.lower) * (1 + 1e-9)
    x = np.geomspace(1 / parts, 1, 500)
    slopes = np.abs(n * x ** (n - 1) * np.sin(1 / x) - x ** (n - 2) * np.cos(1 / x))
    assert slopes.max() <= whole.upper * (1 + 1e-14)


def test_lipschitz_constant_with_essential_oscillation_up_to_the_end_is_not_missed():
    found = lipschitz_constant(lambda x: x**1.5 * np.sin(1 / x), (1e-6, 1), max_splits=300)
    n = round(1e6 / (2 * math.pi) - 1)  # the slope at 1 / (2 pi n) is -(2 pi n)^(1/2)
    assert found.lower <= 1.5 + 1e3
    assert found.upper >= math.sqrt(2 * math.pi * n)


def test_lipschitz_constant_needs_a_hundredth_of_the_splits_of_plain_bisection(monkeypatch):
    def f(x):
        return np.sin(x**2) * np.exp(x)

    def slope_only(f, low, high):
        at = extend(f, low, high)
        return Taylor(at.value, at.slope, UNKNOWN)

    exact = lipschitz_constant(f, (0, 2), tol=1e-9, max_splits=25)
    assert exact.width <= 1e-9 * exact.lower  # plain bisection: see the bench
    splits = 18
    ours = lipschitz_constant(f, (0, 2), max_splits=splits)
    assert ours.width <= 1e-6 * ours.lower
    monkeypatch.setattr(_constant, "extend", slope_only)  # |f'| on each piece, and nothing of f''
    plain = lipschitz_constant(f, (0, 2), max_splits=100 * splits)
    assert plain.width > 1e-6 * plain.lower
    assert plain.lower <= ours.upper
    assert ours.lower <= plain.upper


@settings(max_examples=12)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.integers(-4, 3), st.integers(1, 5))
@pytest.mark.claim("lipschitz.derivative")
def test_lipschitz_constant_of_a_polynomial_is_its_steepest_slope(coefficients, a, length):
    b = a + length
    found = lipschitz_constant(lambda x: reduce(lambda y, c: y * x + c, coefficients[::-1], 0), (a, b))
    expected = oracles.steepest_slope_of_polynomial(coefficients, a, b)
    assert found.width <= LOOSE * max(1, expected)
    assert found.midpoint == pytest.approx(expected, rel=2e-9, abs=2e-9)  # twice tol; roots are good to 1e-12


@settings(max_examples=20)
@given(st.floats(-4, 4), st.floats(0.01, 4))
@pytest.mark.claim("lipschitz.derivative")
def test_lipschitz_constant_is_never_below_a_sampled_slope(a, length):
    def f(x):
        return np.sin(3 * x) * np.abs(x - 0.5) + np.exp(-x * x)

    steepest = max_slope(f, np.linspace(a, a + length, 300)).value
    bound = lipschitz_constant(f, (a, a + length), tol=1e-3).upper
    assert steepest <= bound + 1e-9  # slopes of doubles cancel


@pytest.mark.parametrize(("f", "interval"), [case[1:3] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_lipschitz_constant_the_witness_proves_the_lower_bound(f, interval):
    found = lipschitz_constant(f, interval, tol=1e-4)
    x, y = found.witness
    assert interval[0] <= x < y <= interval[1]
    with ctx.workprec(300):
        rise = value(f, y) - value(f, x)
        assert abs(rise / (arb(y) - arb(x))) >= found.lower


@pytest.mark.claim("lipschitz.sqrt")
def test_lipschitz_constant_of_the_square_root_is_unbounded():
    found = lipschitz_constant(np.sqrt, (0, 1), max_splits=1000)
    assert found.upper == math.inf
    assert found.lower > 1e100
    assert found.witness[0] == 0


@settings(max_examples=20)
@given(st.integers(-99, -1), st.integers(1, 99))
@pytest.mark.claim("lipschitz.kink")
def test_lipschitz_constant_exists_for_a_function_with_a_kink(a, b):
    found = lipschitz_constant(abs, (a, b), max_splits=50)
    assert (found.lower, found.upper) == (1, 1)
    h = 2.0 ** -np.arange(50)
    assert np.all(abs(b * h) / (b * h) == 1)  # the slopes at 0 have two limits: no derivative
    assert np.all(abs(a * h) / (a * h) == -1)


@settings(max_examples=20)
@given(st.integers(1, 99), st.integers(1, 99))
@example(1, 2)  # the interval of the page, from -3 to 1
@pytest.mark.claim("lipschitz.absolute")
def test_lipschitz_constant_exceeds_the_largest_derivative_where_f_falls(b, more):
    a = -b - more
    found = lipschitz_constant(np.square, (a, b), max_splits=50)
    assert -2.0 * a in found
    assert found.lower > 2 * b  # the derivative 2x is at most 2b


@settings(max_examples=10)
@given(st.integers(1, 10**6))
@pytest.mark.claim("lipschitz.differentiable")
def test_lipschitz_constant_of_the_square_grows_with_the_interval(r):
    assert 2.0 * r in lipschitz_constant(np.square, (-r, r))


@pytest.mark.parametrize("interval", [(-1, 1), (0, 1), (-1, 0)])
def test_lipschitz_constant_at_a_pole_is_unbounded(interval):
    found = lipschitz_constant(lambda x: 1 / x, interval)
    assert found.upper == math.inf
    assert found.lower > 1e300


def test_lipschitz_constant_of_a_huge_slope_is_unbounded_in_doubles():
    found = lipschitz_constant(lambda x: x**3, (-1e308, 1e308))
    assert (found.lower, found.upper) == (1.7976931348623157e308, math.inf)


def test_lipschitz_constant_holds_after_few_splits():
    found = lipschitz_constant(lambda x: np.sin(x) * x, (0, 100), max_splits=3)
    exact = lipschitz_constant(lambda x: np.sin(x) * x, (0, 100))
    assert found.lower <= exact.lower
    assert exact.upper <= found.upper


def test_lipschitz_constant_sees_through_cancellation_near_a_point():
    assert lipschitz_constant(lambda x: (x + 1e16) - 1e16, (0, 1)).upper == 1


def test_a_bound_is_rounded_to_a_double_on_its_own_side():
    with ctx.workprec(128):
        for bound in (arb(sign) / n for n in range(1, 100) for sign in (-1, 1)):
            assert arb(_constant.round_down(bound)) <= bound
            assert arb(_constant.round_up(bound)) >= bound


def test_lipschitz_constant_leaves_the_precision_as_it_was():
    before = ctx.prec
    with pytest.raises(TypeError):
        lipschitz_constant(np.floor, (0, 1))
    assert ctx.prec == before


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        ((1, 0), "a < b"),
        ((1, 1), "a < b"),
        ((0, 1, 2), "a < b"),
        ((0, np.inf), "finite"),
        ((-np.inf, 0), "finite"),
        ((np.nan, 1), "finite"),
        ((), "empty"),
        (5, "interval must have 1 dimension"),
        (None, "interval must hold real numbers"),
        ("01", "interval must hold real numbers"),
    ],
)
def test_lipschitz_constant_rejects_what_is_not_an_interval(interval, message):
    with pytest.raises((ValueError, TypeError), match=message):
        inspect.unwrap(lipschitz_constant)(np.sin, interval)  # without the type checks of the tests


def test_lipschitz_constant_rejects_a_function_that_returns_an_array():
    with pytest.raises(TypeError, match="one number from one number, but met ndarray"):
        lipschitz_constant(lambda x: np.array([x, 2 * x]), (0, 1))


@pytest.mark.parametrize("options", [{"tol": 0.0}, {"tol": math.nan}, {"max_splits": -1}])
def test_lipschitz_constant_rejects_options_out_of_range(options):
    with pytest.raises(ValueError, match="tol must be > 0 and max_splits >= 0"):
        lipschitz_constant(np.sin, (0, 1), **options)


@pytest.mark.parametrize("f", [np.log, lambda x: np.sqrt(x * x - 0.25)])
def test_lipschitz_constant_rejects_a_function_with_a_hole(f):
    with pytest.raises(ValueError, match="not defined on the whole interval"):
        lipschitz_constant(f, (-1, 1))
