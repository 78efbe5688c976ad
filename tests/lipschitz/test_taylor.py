"""`Taylor`: each rule agrees with finite differences of the same NumPy function, and unknown code is refused."""

import math

import mpmath
import numpy as np
import pytest
from flint import arb

from mlnotes2.lipschitz._constant import extend
from mlnotes2.lipschitz._taylor import RULES, SMOOTH

CASES = {
    np.exp: (np.exp, mpmath.exp, -0.3, 1.2),
    np.expm1: (np.expm1, mpmath.expm1, -0.3, 1.2),
    np.log: (np.log, mpmath.log, 0.4, 2.0),
    np.log1p: (np.log1p, mpmath.log1p, -0.4, 2.0),
    np.sin: (np.sin, mpmath.sin, -1.0, 4.0),
    np.cos: (np.cos, mpmath.cos, -1.0, 4.0),
    np.tan: (np.tan, mpmath.tan, -0.5, 1.0),
    np.arcsin: (np.arcsin, mpmath.asin, -0.5, 0.7),
    np.arccos: (np.arccos, mpmath.acos, -0.5, 0.7),
    np.arctan: (np.arctan, mpmath.atan, -0.5, 3.0),
    np.sinh: (np.sinh, mpmath.sinh, -0.5, 1.0),
    np.cosh: (np.cosh, mpmath.cosh, -0.5, 1.0),
    np.tanh: (np.tanh, mpmath.tanh, -0.5, 1.0),
    np.add: (lambda x: x + 2.5, lambda x: x + 2.5, -1.0, 1.0),
    np.subtract: (lambda x: 1 - x, lambda x: 1 - x, -1.0, 1.0),
    np.negative: (lambda x: -x, lambda x: -x, -1.0, 1.0),
    np.positive: (lambda x: +x, lambda x: +x, -1.0, 1.0),
    np.multiply: (lambda x: x * np.sin(x), lambda x: x * mpmath.sin(x), -1.0, 2.0),
    np.divide: (lambda x: x / (2 + np.cos(x)), lambda x: x / (2 + mpmath.cos(x)), -1.0, 2.0),
    np.power: (lambda x: x**3 - x**-2, lambda x: x**3 - x**-2, 0.5, 2.0),
    np.float_power: (lambda x: np.float_power(x, 2.5), lambda x: x**2.5, 0.5, 2.0),
    np.square: (np.square, lambda x: x * x, -1.0, 2.0),
    np.reciprocal: (np.reciprocal, lambda x: 1 / x, 0.5, 2.0),
    np.sqrt: (np.sqrt, mpmath.sqrt, 0.5, 2.0),
    np.absolute: (np.abs, abs, -2.0, 1.0),
    np.fabs: (np.fabs, abs, 0.5, 1.0),
    np.maximum: (lambda x: np.maximum(x, 1 - x), lambda x: max(x, 1 - x), -1.0, 2.0),
    np.minimum: (lambda x: np.minimum(x, x * x), lambda x: min(x, x * x), -1.0, 2.0),
    np.logaddexp: (lambda x: np.logaddexp(x, 1), lambda x: mpmath.log(mpmath.exp(x) + mpmath.e), -2.0, 2.0),
}


def contains(interval, number):
    # Ends that are NaN contain everything. 1e-12 is for mpmath's derivative, from 30 digits to a float.
    return not (number < interval.lower - 1e-12 or number > interval.upper + 1e-12)


def test_taylor_every_rule_is_tested():
    assert set(CASES) == set(RULES) | set(SMOOTH)


@pytest.mark.parametrize("ufunc", CASES, ids=lambda ufunc: ufunc.__name__)
def test_taylor_contains_value_slope_and_bend_at_points_of_the_interval(ufunc):
    f, exact, low, high = CASES[ufunc]
    whole = extend(f, low, high)
    with mpmath.workdps(30):
        for x in np.linspace(low, high, 12)[1:-1]:
            value, slope, bend = (float(mpmath.diff(exact, x, order)) for order in range(3))
            at_x = extend(f, x, x)
            for order, name in ((value, "value"), (slope, "slope"), (bend, "bend")):
                assert contains(getattr(whole, name), order), name
                assert contains(getattr(at_x, name), order), name


@pytest.mark.parametrize("ufunc", CASES, ids=lambda ufunc: ufunc.__name__)
def test_taylor_at_a_point_is_exact_to_doubles(ufunc):
    f, _, low, high = CASES[ufunc]
    x = low + 0.3 * (high - low)
    at_x = extend(f, x, x)
    for interval in (at_x.value, at_x.slope, extend(f, x, math.nextafter(x, high)).bend):
        assert float(interval.upper - interval.lower) <= 1e-13  # 53-bit arithmetic, a few operations


def test_taylor_a_variable_exponent_has_the_slope_of_the_exponential():
    at = extend(lambda x: x**x, 2.0, 2.0)
    assert contains(at.slope, 4 * (math.log(2) + 1))


@pytest.mark.parametrize("f", [np.abs, lambda x: np.maximum(x, -x), lambda x: -np.minimum(x, -x)])
def test_taylor_a_kink_covers_both_slopes(f):
    whole = extend(f, -1.0, 2.0)
    assert (whole.slope.lower, whole.slope.upper) == (-1, 1)
    assert not whole.bend.upper < arb.pos_inf()


@pytest.mark.parametrize("f", [np.asarray, lambda x: np.sum([x, 10**400]), np.polynomial.Polynomial([5, 1])])
def test_taylor_passes_through_arrays_without_axes_and_takes_integers_of_any_size(f):
    assert extend(f, 0.0, 1.0).slope.magnitude() == 1


def test_taylor_a_pole_is_unknown():
    assert math.isnan(float(extend(lambda x: 1 / x, -1.0, 1.0).slope.upper))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: np.floor(x), "np.floor"),
        (lambda x: np.where(x > 0, x, 0), "np.greater"),
        (lambda x: np.clip(x, 0, 1), "np.clip"),
        (lambda x: x if x else 0, "branches"),
        (math.sin, "functions of math"),
        (lambda x: np.sum(x), "np.sum"),
        (lambda x: np.array([x, x]), "met ndarray"),
        (lambda x: np.array([1, 2]) * x, "met ndarray"),
        (lambda _: None, "met NoneType"),
        (lambda x: 1j * x, "met complex"),
        (lambda _: "x", "met str"),
    ],
)
def test_taylor_refuses_code_that_it_cannot_bound(f, message):
    with pytest.raises(TypeError, match=message):
        extend(f, 0.0, 1.0)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_taylor_refuses_numbers_that_are_not_finite(number):
    with pytest.raises(ValueError, match="finite numbers"):
        extend(lambda x: number * x, 0.0, 1.0)


@pytest.mark.parametrize(
    "f", [np.log, np.sqrt, lambda x: np.log1p(2 * x), np.arcsin, np.arccos, lambda x: x**-0.5]
)
def test_taylor_refuses_to_leave_the_domain(f):
    with pytest.raises(ValueError, match="not defined on the whole interval"):
        extend(f, -3.0, -2.0)
