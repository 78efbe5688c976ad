"""The exercises on divergences: the solutions are right, and each typical mistake is found."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.special import rel_entr

import oracles
from divergences.strategies import pairs
from mlnotes2.divergences import reverse_kl
from mlnotes2.exercises._divergences import EXERCISES

SAMPLES, BOUND = EXERCISES["divergences.4"], EXERCISES["divergences.7"]
APART, ORDER, TWICE, SIZES = (check.statement for check in SAMPLES.checks)
CONSTANT, BEST, OTHER, OUTSIDE = (check.statement for check in BOUND.checks)


@pytest.mark.exercise("divergences.4")
def test_js_of_samples_passes_all_checks():
    assert SAMPLES.counterexamples(SAMPLES.solution) == {}


@pytest.mark.exercise("divergences.4")
def test_js_of_samples_agrees_with_scipy():
    x, y = np.random.default_rng(0).integers(0, 9, (2, 30))
    counts = (np.bincount(sample, minlength=9) / 30 for sample in (x, y))
    assert SAMPLES.solution(x, y) == pytest.approx(oracles.js_scipy(*counts), abs=1e-14)


@pytest.mark.exercise("divergences.7")
def test_reverse_kl_bound_passes_all_checks():
    assert BOUND.counterexamples(BOUND.solution) == {}


@pytest.mark.exercise("divergences.7")
@given(pairs(zeros=False))
def test_reverse_kl_bound_is_below_the_divergence_and_tight_for_the_best_critic(pair):
    p, q = pair
    assert BOUND.solution(p, q, -q / p) == pytest.approx(reverse_kl(p, q), abs=1e-12)
    assert BOUND.solution(p, q, -2 * q / p) <= reverse_kl(p, q)


def shares(x, y):
    outcomes = np.union1d(x, y)
    return tuple(np.equal.outer(sample, outcomes).mean(axis=0) for sample in (x, y))


def js_of(p, q):
    return float(rel_entr(p, (p + q) / 2).sum() + rel_entr(q, (p + q) / 2).sum()) / 2


def without_halves(x, y):
    return 2 * js_of(*shares(x, y))


def with_nan(x, y):
    p, q = shares(x, y)
    with np.errstate(all="ignore"):
        return float((p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2)


def of_sets(x, y):
    return js_of(*shares(np.unique(x), np.unique(y)))


def position_by_position(x, y):
    n = min(len(x), len(y))
    return math.log(2) * float(np.mean(x[:n] != y[:n]))


def one_size(x, y):
    p, q = shares(x, y)
    return js_of(p, q * len(y) / len(x))


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (without_halves, {APART, TWICE, SIZES}),
        (with_nan, {APART, TWICE, SIZES}),
        (of_sets, {TWICE}),
        (position_by_position, {ORDER, TWICE, SIZES}),
        (one_size, {SIZES}),
    ],
)
def test_js_of_samples_checks_find_a_typical_mistake(wrong, statements):
    assert set(SAMPLES.counterexamples(wrong)) == statements


def bound(p, q, t):
    return float(p @ t + q @ (1 + np.log(-t))) if t.max() < 0 else -math.inf


def wrong_sign(p, q, t):
    return float(p @ t - q @ (1 - np.log(-t))) if t.max() < 0 else -math.inf


def wrong_expectations(p, q, t):
    return bound(q, p, t)


def always_the_divergence(p, q, t):
    return reverse_kl(p, q) if t.max() < 0 else -math.inf


def no_domain(p, q, t):
    with np.errstate(all="ignore"):
        return float(p @ t + q @ (1 + np.log(-t)))


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (wrong_sign, {CONSTANT, BEST, OTHER}),
        (wrong_expectations, {BEST, OTHER}),
        (always_the_divergence, {CONSTANT, OTHER}),
        (no_domain, {OUTSIDE}),
    ],
)
def test_reverse_kl_bound_checks_find_a_typical_mistake(wrong, statements):
    assert set(BOUND.counterexamples(wrong)) == statements
