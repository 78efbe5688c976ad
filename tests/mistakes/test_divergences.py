"""Common mistakes about divergences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from divergences.strategies import pairs
from mistakes.page import right, wrong
from mlnotes2.divergences import kl
from oracles import gaussian_kl_quadrature, js_scipy


@pytest.mark.claim("mistakes.halves")
@given(pairs())
def test_js_without_the_halves_is_twice_js(drawn):
    assert wrong("mistakes.halves").js(*drawn) == pytest.approx(2 * js_scipy(*drawn), abs=1e-12)
    assert right("mistakes.halves").js(*drawn) == pytest.approx(js_scipy(*drawn), abs=1e-12)


@pytest.mark.claim("mistakes.halves")
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_js_of_disjoint_distributions_is_log_2_or_one_bit(n, m, seed):
    rng = np.random.default_rng(seed)
    p = np.append(rng.dirichlet(np.ones(n)), np.zeros(m))
    q = np.append(np.zeros(n), rng.dirichlet(np.ones(m)))
    assert wrong("mistakes.halves").js(p, q) == pytest.approx(2 * math.log(2))
    assert right("mistakes.halves").js(p, q) / math.log(2) == pytest.approx(1)


@pytest.mark.claim("mistakes.zero")
@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_a_zero_in_q_is_infinite_and_with_a_constant_it_is_whatever_the_constant_says(seed, k):
    p, q = np.random.default_rng(seed).uniform(0.1, 1, (2, k))
    q[0] = 0
    p, q = p / p.sum(), q / q.sum()
    coarse, fine = (wrong("mistakes.zero").kl(p, q, eps) for eps in (1e-10, 1e-14))
    assert fine - coarse == pytest.approx(p[0] * math.log(1e4), abs=1e-7)  # 1e-10 beside probabilities
    assert right("mistakes.zero").kl(p, q) == math.inf


@pytest.mark.claim("mistakes.zero")
@given(pairs(zeros=False))
def test_where_nothing_is_zero_no_constant_is_needed(drawn):
    assert right("mistakes.zero").kl(*drawn) == pytest.approx(kl(*drawn), abs=1e-12)


@pytest.mark.claim("mistakes.zero")
@given(st.floats(1e-4, 0.01))
def test_the_constant_prefers_the_model_that_excludes_what_the_data_contain(rare):
    data, impossible, half = [rare, 1 - rare], [0, 1], [0.5, 0.5]
    assert wrong("mistakes.zero").kl(data, impossible) < wrong("mistakes.zero").kl(data, half)
    assert right("mistakes.zero").kl(data, impossible) > right("mistakes.zero").kl(data, half)


GAUSSIANS = st.floats(-0.3, 0.3), st.floats(0.8, 1.1)


@pytest.mark.claim("mistakes.monte-carlo")
@given(*GAUSSIANS, st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_the_corrected_mean_is_never_negative(mean, std, seed, n):
    rng = np.random.default_rng(seed)
    assert right("mistakes.monte-carlo").kl(norm(0, 1), norm(mean, std), n, rng) >= 0


@pytest.mark.claim("mistakes.monte-carlo")
@pytest.mark.parametrize("mean", [0.0, 0.1, 0.2])
def test_the_plain_mean_is_negative_in_many_of_a_hundred_trials(mean):
    rng = np.random.default_rng(0)
    p, q = norm(0, 1), norm(mean, 1.05)
    found = [wrong("mistakes.monte-carlo").kl(p, q, 10, rng) for _ in range(100)]
    assert sum(value < 0 for value in found) > 20


@pytest.mark.claim("mistakes.monte-carlo")
@pytest.mark.parametrize(("mean", "std"), [(0.3, 1.0), (-1.0, 0.9), (0.5, 1.1)])
def test_both_means_are_right_on_average(mean, std):
    true = gaussian_kl_quadrature(0, 1, mean, std)
    for block in (wrong, right):
        rng = np.random.default_rng(1)
        found = [block("mistakes.monte-carlo").kl(norm(0, 1), norm(mean, std), 500, rng) for _ in range(40)]
        assert np.mean(found) == pytest.approx(true, abs=5 * np.std(found) / math.sqrt(40))


SIGMA = 0.01


def moved_samples(by, seed):
    """800 good samples on the page's ring, all moved by the same vector."""
    rng = np.random.default_rng(seed)
    modes = right("mistakes.shares").modes
    return np.repeat(modes, 100, axis=0) + SIGMA * rng.standard_normal((800, 2)) + by


@pytest.mark.claim("mistakes.shares")
@given(st.floats(1.2, 3), st.integers(0, 2**32 - 1))
def test_shares_do_not_see_that_every_sample_is_bad(scale, seed):
    samples = scale * moved_samples(0, seed)
    assert wrong("mistakes.shares").reverse_kl(samples) == pytest.approx(0, abs=1e-12)
    assert right("mistakes.shares").reverse_kl(samples) == pytest.approx(
        9 / 2
    )  # -log of the outcome's probability


@pytest.mark.claim("mistakes.shares")
@given(st.floats(0, 6), st.integers(0, 2**32 - 1))
def test_one_more_outcome_bounds_the_divergence_of_the_densities_from_below(sigmas, seed):
    found = right("mistakes.shares").reverse_kl(moved_samples([sigmas * SIGMA, 0], seed))
    assert 0 <= found <= sigmas**2 / 2 + 0.02  # equal Gaussians at that distance; 0.02 for 800 samples
