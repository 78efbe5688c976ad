"""The exercises on Lipschitz continuity: the solutions are right, and each typical mistake is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.exercises._lipschitz import EXERCISES
from mlnotes2.lipschitz import lipschitz_constant

SLOPES, LEAST, RELU = (EXERCISES[f"lipschitz.{number}"] for number in (5, 6, 9))
LINE, EQUAL, UNEQUAL, TURN = (check.statement for check in SLOPES.checks)
LEVEL, PAIR, ALL, STEEP = (check.statement for check in LEAST.checks)
ONE_UNIT, ONE_OUTPUT, SEVERAL = (check.statement for check in RELU.checks)


@pytest.mark.exercise("lipschitz.5")
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.sets(st.integers(-8, 8), min_size=2))
def test_slope_bounds_enclose_the_constant_of_a_polynomial(coefficients, points):
    x = np.sort(list(points)) / 4  # at most 2 in absolute value
    bend = sum(abs(c) * k * (k - 1) * 2.0 ** (k - 2) for k, c in enumerate(coefficients))
    lower, upper = SLOPES.solution(x, np.polynomial.Polynomial(coefficients)(x), bend)
    constant = oracles.steepest_slope_of_polynomial(coefficients, x[0], x[-1])
    assert lower <= constant + 1e-9  # slopes are rounded
    assert upper >= constant - 1e-9


@pytest.mark.exercise("lipschitz.5")
def test_slope_bounds_close_in_as_the_points_do():
    for n in (10, 100, 1000):
        x = np.linspace(0, 10, n)
        lower, upper = SLOPES.solution(x, np.sin(x) * x, 12.0)
        assert upper - lower == pytest.approx(12 * x[1] / 2)
        assert lower < lipschitz_constant(lambda x: np.sin(x) * x, (0, 10)).midpoint < upper


def with_sign(x, y, bend):
    slopes = np.diff(y) / np.diff(x)
    return slopes.max(), (slopes + bend * np.diff(x) / 2).max()


def samples_only(x, y, bend):
    slope = np.abs(np.diff(y) / np.diff(x)).max()
    return slope, slope


def whole_gap(x, y, bend):
    slopes = np.abs(np.diff(y) / np.diff(x))
    return slopes.max(), (slopes + bend * np.diff(x)).max()


def longest_gap(x, y, bend):
    slope = np.abs(np.diff(y) / np.diff(x)).max()
    return slope, slope + bend * np.diff(x).max() / 2


def steepest_gap(x, y, bend):
    slopes = np.abs(np.diff(y) / np.diff(x))
    return slopes.max(), slopes.max() + bend * np.diff(x)[slopes.argmax()] / 2


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (with_sign, {LINE, EQUAL, UNEQUAL, TURN}),
        (samples_only, {EQUAL, UNEQUAL, TURN}),
        (whole_gap, {EQUAL, UNEQUAL, TURN}),
        (longest_gap, {UNEQUAL, TURN}),
        (steepest_gap, {TURN}),
    ],
)
def test_slope_bounds_checks_find_a_typical_mistake(wrong, statements):
    assert set(SLOPES.counterexamples(wrong)) == statements


@pytest.mark.exercise("lipschitz.6")
@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=9))
def test_least_value_is_at_most_every_value(steps):
    x, kept = np.arange(len(steps)), np.array([keep for _, keep in steps])
    y = np.cumsum([step for step, _ in steps])  # a 4-Lipschitz function with straight pieces
    kept[[0, -1]] = True
    assert LEAST.solution(x[kept], y[kept], 4.0) <= y.min()


def lowest_sample(x, y, K):
    check(x, y, K)
    return y.min()


def half_way(x, y, K):
    check(x, y, K)
    return (np.minimum(y[:-1], y[1:]) - K * np.diff(x) / 2).min()


def longest_gap_below_the_lowest_sample(x, y, K):
    check(x, y, K)
    return y.min() - K * np.diff(x).max() / 2


def beside_the_lowest_sample(x, y, K):
    check(x, y, K)
    i = min(y.argmin(), len(y) - 2)
    return (y[i] + y[i + 1] - K * (x[i + 1] - x[i])) / 2


def too_trusting(x, y, K):
    return (y[:-1] + y[1:] - K * np.diff(x)).min() / 2


def check(x, y, K):
    if np.any(np.abs(np.diff(y)) > K * np.diff(x)):
        raise ValueError


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (lowest_sample, {LEVEL, PAIR, ALL}),
        (half_way, {PAIR, ALL}),
        (longest_gap_below_the_lowest_sample, {PAIR, ALL}),
        (beside_the_lowest_sample, {ALL}),
        (too_trusting, {STEEP}),
    ],
)
def test_least_value_checks_find_a_typical_mistake(wrong, statements):
    assert set(LEAST.counterexamples(wrong)) == statements


@pytest.mark.exercise("lipschitz.9")
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=20)
def test_relu_constant_is_that_of_the_patterns_that_occur(seed, h, n):
    rng = np.random.default_rng(seed)
    W, V = rng.normal(size=(h, h + 1)), rng.normal(size=(n, h))
    exact = oracles.relu_layer_constant(W, np.zeros(h), V)
    assert RELU.solution(W, V) == pytest.approx(exact)


def product_of_norms(W, V):
    return np.linalg.norm(W, 2) * np.linalg.norm(V, 2)


def all_positive(W, V):
    return np.linalg.norm(V @ W, 2)


def one_at_a_time(W, V):
    return max(np.linalg.norm(np.outer(V[:, i], W[i]), 2) for i in range(len(W)))


def frobenius(W, V):
    patterns = np.array(np.meshgrid(*[[0, 1]] * len(W))).reshape(len(W), -1).T
    return max(np.linalg.norm(V * on @ W) for on in patterns)


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (product_of_norms, {ONE_OUTPUT, SEVERAL}),
        (all_positive, {ONE_OUTPUT, SEVERAL}),
        (one_at_a_time, {ONE_OUTPUT, SEVERAL}),
        (frobenius, {SEVERAL}),
    ],
)
def test_relu_constant_checks_find_a_typical_mistake(wrong, statements):
    assert set(RELU.counterexamples(wrong)) == statements
