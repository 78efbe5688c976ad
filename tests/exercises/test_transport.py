"""The exercises on transport: the solution is right, and each typical mistake is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.exercises._transport import EXERCISES
from mlnotes2.transport import emd_1d, emd_points

EXERCISE = EXERCISES["transport.4"]
EQUAL, RIGHT, LEFT, PLAN = (check.statement for check in EXERCISE.checks)


@pytest.mark.exercise("transport.4")
@given(st.integers(0, 2**32 - 1))
def test_proved_distance_is_attained_by_a_1_lipschitz_function(seed):
    rng = np.random.default_rng(seed)
    positions = np.cumsum(rng.exponential(size=rng.integers(1, 9)))
    a, b = rng.dirichlet(np.ones(len(positions)), 2)
    distance, function = EXERCISE.solution(positions, a, b)
    assert (np.abs(np.diff(function)) <= np.diff(positions) + 1e-14).all()  # one rounding
    assert function @ (a - b) == pytest.approx(distance, abs=1e-13)  # a few roundings of numbers below 20
    assert distance == pytest.approx(emd_1d(positions, positions, a, b), abs=1e-13)


@pytest.mark.exercise("transport.4")
def test_proved_distance_passes_all_checks():
    assert EXERCISE.counterexamples(EXERCISE.solution) == {}


def _function(passing, gaps):
    return np.append(0.0, np.cumsum(-np.sign(passing) * gaps))


def one_apart(positions, a, b):
    passing = np.cumsum(a - b)[:-1]
    return float(np.abs(passing).sum()), _function(passing, np.diff(positions))


def signed(positions, a, b):
    passing, gaps = np.cumsum(a - b)[:-1], np.diff(positions)
    return float(passing @ gaps), _function(passing, gaps)


def only_the_means(positions, a, b):
    passing, gaps = np.cumsum(a - b)[:-1], np.diff(positions)
    return abs(float(passing @ gaps)), _function(passing, gaps)


def uphill(positions, a, b):
    passing, gaps = np.cumsum(a - b)[:-1], np.diff(positions)
    return float(np.abs(passing) @ gaps), -_function(passing, gaps)


def never_level(positions, a, b):
    passing, gaps = np.cumsum(a - b)[:-1], np.diff(positions)
    return float(np.abs(passing) @ gaps), _function(np.where(passing > 0, 1, -1), gaps)


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (one_apart, {RIGHT, LEFT, PLAN}),
        (signed, {LEFT, PLAN}),
        (only_the_means, {PLAN}),
        (uphill, {RIGHT, LEFT, PLAN}),
        (never_level, {EQUAL, RIGHT, LEFT, PLAN}),
    ],
)
def test_proved_distance_checks_find_a_typical_mistake(wrong, statements):
    assert set(EXERCISE.counterexamples(wrong)) == statements


HALF_STEP = EXERCISES["transport.10"]
ONE_COLUMN, SUMS, LARGE, NO_MASS = (check.statement for check in HALF_STEP.checks)


@pytest.mark.exercise("transport.10")
def test_half_step_passes_all_checks():
    assert HALF_STEP.counterexamples(HALF_STEP.solution) == {}


@pytest.mark.exercise("transport.10")
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 10), st.floats(-100, 100))
def test_half_step_gives_the_sums_and_falls_by_what_g_is_raised(seed, eps, constant):
    rng = np.random.default_rng(seed)
    g, cost = rng.normal(size=3), rng.normal(size=(4, 3))
    a, b = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3))
    f = HALF_STEP.solution(g, b, cost, eps)
    plan = a[:, None] * b * np.exp((f[:, None] + g - cost) / eps)
    assert plan.sum(axis=1) == pytest.approx(a, rel=1e-9)
    assert HALF_STEP.solution(g + constant, b, cost, eps) == pytest.approx(f - constant, abs=1e-9)


def of_exponentials(g, b, cost, eps):
    with np.errstate(all="ignore"):
        return -eps * np.log(np.exp((g - cost) / eps) @ b)


def without_masses(g, b, cost, eps):
    exponent = (g - cost) / eps
    top = exponent.max(axis=1)
    return -eps * (top + np.log(np.exp(exponent - top[:, None]).sum(axis=1)))


def without_eps(g, b, cost, eps):
    return HALF_STEP.solution(g, b, cost, eps) / eps


def not_in_logarithms_of_mass(g, b, cost, eps):
    exponent = (g - cost) / eps
    top = exponent.max(axis=1)
    with np.errstate(divide="ignore"):
        return -eps * (top + np.log(np.exp(exponent - top[:, None]) @ b))


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (of_exponentials, {LARGE, NO_MASS}),
        (without_masses, {SUMS, LARGE, NO_MASS}),
        (without_eps, {ONE_COLUMN, SUMS, LARGE, NO_MASS}),
        (not_in_logarithms_of_mass, {NO_MASS}),
    ],
)
def test_half_step_checks_tell_mistakes_apart(wrong, found):
    assert set(HALF_STEP.counterexamples(wrong)) == found


BOUND = EXERCISES["transport.7"]
NEAREST, CONSTANT, BEST, ROWS = (check.statement for check in BOUND.checks)


@pytest.mark.exercise("transport.7")
@given(st.integers(0, 2**32 - 1))
def test_bound_by_prices_bounds_the_least_cost(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    a, b = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(4))
    best = emd_points(x, y, a, b)
    assert BOUND.solution(x, y, a, b, rng.normal(size=4)) <= best.cost + 1e-14  # a few roundings
    assert BOUND.solution(x, y, a, b, best.potentials[1]) == pytest.approx(best.cost, abs=1e-13)


@pytest.mark.exercise("transport.7")
def test_bound_by_prices_passes_all_checks():
    assert BOUND.counterexamples(BOUND.solution) == {}


def only_the_rows(x, y, a, b, g):
    return BOUND.solution(x, y, a, b, g) - np.dot(b, g)


def f_of_the_columns(x, y, a, b, g):
    return BOUND.solution(y, x, b, a, np.zeros(len(x))) + np.dot(b, g)


def g_left_out(x, y, a, b, g):
    return BOUND.solution(x, y, a, b, np.zeros(len(y)))


def one_f_for_all(x, y, a, b, g):
    f = min(BOUND.solution([point], y, [1], [1, *np.zeros(len(y) - 1)], g) - g[0] for point in x)
    return np.sum(a) * f + np.dot(b, g)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (only_the_rows, {CONSTANT, BEST, ROWS}),
        (f_of_the_columns, {NEAREST, CONSTANT, BEST, ROWS}),
        (g_left_out, {BEST, ROWS}),
        (one_f_for_all, {NEAREST, CONSTANT, BEST, ROWS}),
    ],
)
def test_bound_by_prices_checks_tell_mistakes_apart(wrong, found):
    assert set(BOUND.counterexamples(wrong)) == found
