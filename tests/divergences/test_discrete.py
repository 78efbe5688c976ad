"""The discrete divergences: values, zeros, bounds, oracles and errors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from divergences.strategies import pairs
from mlnotes2 import divergences
from mlnotes2.divergences import (
    jeffreys,
    js,
    kl,
    pearson_chi2,
    reverse_kl,
    squared_hellinger,
    total_variation,
)

ALL = [jeffreys, js, kl, pearson_chi2, reverse_kl, squared_hellinger, total_variation]
SYMMETRIC = [jeffreys, js, squared_hellinger, total_variation]
ROUNDING = 1e-14  # a sum of at most eight rounded terms, none above about 40
few = settings(max_examples=25)  # for each divergence


@given(pairs())
def test_kl_agrees_with_scipy(pair):
    p, q = pair
    assert kl(p, q) == pytest.approx(oracles.kl_scipy(p, q), rel=1e-13, abs=ROUNDING)


@given(pairs())
def test_js_agrees_with_scipy(pair):
    p, q = pair
    assert js(p, q) == pytest.approx(oracles.js_scipy(p, q), abs=1e-12)  # scipy squares a square root


@given(pairs(zeros=False))
def test_pearson_chi2_agrees_with_scipy(pair):
    p, q = pair
    assert pearson_chi2(p, q) == pytest.approx(oracles.chi2_scipy(p, q), rel=1e-12, abs=ROUNDING)


@given(pairs())
def test_total_variation_is_the_largest_difference_over_events(pair):
    p, q = pair
    events = (np.arange(2 ** len(p))[:, None] >> np.arange(len(p))) & 1
    assert total_variation(p, q) == pytest.approx(np.abs(events @ (p - q)).max(), abs=ROUNDING)


@given(pairs())
def test_squared_hellinger_is_one_minus_the_overlap(pair):
    p, q = pair
    assert squared_hellinger(p, q) == pytest.approx(1 - np.sqrt(p * q).sum(), abs=ROUNDING)


@given(pairs())
def test_reverse_kl_and_jeffreys_are_made_of_kl(pair):
    p, q = pair
    assert reverse_kl(p, q) == kl(q, p)
    assert jeffreys(p, q) == pytest.approx(kl(p, q) + kl(q, p), rel=1e-13)


@given(pairs())
def test_js_is_the_mean_of_two_kl_to_the_middle(pair):
    p, q = pair
    assert js(p, q) == pytest.approx((kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2, abs=ROUNDING)


@pytest.mark.parametrize("divergence", ALL)
@few
@given(pair=pairs())
def test_every_divergence_is_never_negative(divergence, pair):
    assert divergence(*pair) >= 0


@pytest.mark.parametrize("divergence", ALL)
@few
@given(pair=pairs())
def test_every_divergence_of_equals_is_exactly_0(divergence, pair):
    assert divergence(pair[0], pair[0]) == 0


@pytest.mark.parametrize("divergence", SYMMETRIC)
@few
@given(pair=pairs())
def test_symmetric_divergences_are_symmetric(divergence, pair):
    p, q = pair
    assert divergence(p, q) == pytest.approx(divergence(q, p), rel=1e-14)


@pytest.mark.parametrize(
    ("divergence", "maximum"), [(js, math.log(2)), (total_variation, 1), (squared_hellinger, 1)]
)
@few
@given(pair=pairs())
def test_bounded_divergences_have_their_maximum(divergence, maximum, pair):
    assert divergence(*pair) <= maximum + 1e-15
    assert divergence([0.25, 0.75, 0], [0, 0, 1]) == pytest.approx(maximum, abs=1e-15)


@given(pairs())
def test_kl_is_inf_exactly_where_q_misses_an_outcome_of_p(pair):
    p, q = pair
    assert math.isinf(kl(p, q)) == bool(((q == 0) & (p > 0)).any())
    assert math.isinf(pearson_chi2(p, q)) == math.isinf(kl(p, q))


def test_kl_keeps_its_digits_for_close_distributions():
    eps = 2.0**-40  # p - q is exact, so 2 eps^2 is right to a relative error of eps
    assert kl([0.5, 0.5], [0.5 + eps, 0.5 - eps]) == pytest.approx(2 * eps**2, rel=1e-9)


@pytest.mark.parametrize("divergence", ALL)
def test_every_divergence_takes_the_smallest_numbers_without_a_warning(divergence):
    tiny = 5e-324
    assert divergence([1, tiny], [1, 0]) >= 0
    assert divergence([tiny, 1], [1, tiny]) > 0.5


def test_js_and_chi2_keep_what_would_underflow_on_the_way():
    assert js([1, 5e-324], [1, 0]) < 1e-300  # the middle of the small ones is 0 in float64
    assert pearson_chi2([1, 1e-200], [1, 1e-300]) == pytest.approx(1e-100, rel=1e-12, abs=0)


def test_divergences_are_batched_and_broadcast():
    p = np.array([[0.5, 0.5], [1, 0], [0.25, 0.75]])
    for divergence in ALL:
        one_by_one = [divergence(row, [0.5, 0.5]) for row in p]
        np.testing.assert_array_equal(divergence(p, [0.5, 0.5]), one_by_one)
        assert divergence(p[:, None], p[None]).shape == (3, 3)


@given(pairs(), st.randoms(use_true_random=False))
def test_divergences_ignore_the_order_of_outcomes(pair, random):
    p, q = pair
    order = random.sample(range(len(p)), len(p))
    for divergence in ALL:
        assert divergence(p[order], q[order]) == pytest.approx(divergence(p, q), rel=1e-13)


@pytest.mark.parametrize("divergence", ALL)
@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.6], [0.5, 0.5], "p must sum to 1 .* off by 0.1; divide"),
        ([0.5, 0.5], [0.5, 0.5 + 1e-8], "q must sum to 1 .* off by 1e-08"),
        ([[1, 0], [0.5, 0.4]], [1, 0], "p must sum to 1"),
        ([1.5, -0.5], [0.5, 0.5], "p must not be negative, got -0.5"),
        ([0.5, math.nan], [0.5, 0.5], "p must be finite"),
        ([0.5, 0.5], [math.inf, 0.5], "q must be finite"),
        ([], [1], "p must not be empty"),
        ([1], [0.5, 0.5], "same outcomes, got 1 and 2"),
        (np.array(1.0), [1], "p must have at least one axis"),
        (np.full((2, 2), 0.5), np.full((3, 2), 0.5), r"broadcast, got shapes \(2, 2\) and \(3, 2\)"),
    ],
)
def test_divergences_reject_what_is_not_a_distribution(divergence, p, q, message):
    with pytest.raises(ValueError, match=message):
        divergence(p, q)


@pytest.mark.parametrize("divergence", ALL)
def test_divergences_take_float32_and_integers_in_float64(divergence):
    p, q = np.array([[0, 1], [1, 0]]), np.array([[0.25, 0.75]], dtype=np.float32)
    assert divergence(p, q).dtype == np.float64
    np.testing.assert_array_equal(divergence(p, q), divergence(p.astype(float), q.astype(float)))


def test_divergences_leave_their_arguments_alone():
    p, q = np.array([[0.5, 0.5], [1, 0]]), np.array([0.25, 0.75])
    for divergence in ALL:
        divergence(p, q)
        np.testing.assert_array_equal(p, [[0.5, 0.5], [1, 0]])
        np.testing.assert_array_equal(q, [0.25, 0.75])


@pytest.mark.parametrize("divergence", ALL)
def test_divergences_of_many_rows_are_those_of_the_rows(divergence):
    """More rows than a block holds, of which the last is not full."""
    p, q = np.random.default_rng(0).dirichlet(np.ones(1000), size=(2, 70))
    p[::7, :500] = 0
    p /= p.sum(-1, keepdims=True)
    np.testing.assert_array_equal(divergence(p, q), [divergence(*rows) for rows in zip(p, q, strict=True)])


def test_divergences_reject_tensors():
    with pytest.raises(TypeError, match=r"p must be array-like, got a torch tensor; pass p.detach"):
        kl(torch.tensor([0.5, 0.5]), [0.5, 0.5])


def test_divergences_reject_complex_numbers():
    with pytest.raises(TypeError, match="real numbers"):
        divergences.kl(np.array([1j]), [1])
