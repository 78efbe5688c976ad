"""The claims and the exercises of the page on mode dropping."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from mlnotes2.divergences import kl
from mlnotes2.gan import ring, ring_modes

seeds = st.integers(0, 2**32 - 1)


def _simplex(rng, k):
    return rng.dirichlet(np.ones(k))


@pytest.mark.claim("gan.likelihood")
@given(seed=seeds)
def test_negative_log_likelihood_is_kl_plus_an_entropy(seed):
    rng = np.random.default_rng(seed)
    p, q = _simplex(rng, 6), _simplex(rng, 6)
    entropy = -np.sum(p * np.log(p))
    assert -p @ np.log(q) == pytest.approx(kl(p, q) + entropy, abs=1e-9)  # rounding


@pytest.mark.claim("gan.likelihood")
@given(seed=seeds)
def test_maximum_likelihood_and_least_kl_choose_the_same_member_of_a_family(seed):
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(50, _simplex(rng, 5))
    share = counts / counts.sum()
    levels = np.linspace(-3, 3, 601)
    family = np.exp(levels[:, None] * np.linspace(0, 1, 5))
    family /= family.sum(axis=1, keepdims=True)
    likelihood = np.log(family) @ counts
    assert likelihood[kl(share, family).argmin()] == pytest.approx(likelihood.max(), rel=1e-12)  # or a tie


@pytest.mark.claim("gan.moment-matching")
@given(half=st.floats(0, 4), width=st.floats(0.2, 2), weight=st.floats(0.1, 0.9))
def test_the_gaussian_of_least_kl_has_the_moments_of_the_data(half, width, weight):
    mean = (2 * weight - 1) * half
    variance = width**2 + half**2 - mean**2

    def cross_entropy(m, v):  # E_p[-log q], which is KL(p, q) plus a constant
        return (math.log(2 * math.pi * v) + (variance + (mean - m) ** 2) / v) / 2

    found = minimize(lambda t: cross_entropy(t[0], math.exp(t[1])), [0.5, 0.5], tol=1e-10)
    np.testing.assert_allclose([found.x[0], math.exp(found.x[1])], [mean, variance], atol=1e-3, rtol=1e-3)


@pytest.mark.claim("gan.moment-matching")
@given(weight=st.floats(0, 1), m=st.floats(-4, 4), v=st.floats(0.2, 6))
def test_the_cross_entropy_of_a_gaussian_needs_the_data_only_through_two_moments(weight, m, v):
    x = np.linspace(-12, 12, 4801)
    left, right = (np.exp(-((x - c) ** 2) / 0.5) / math.sqrt(0.5 * math.pi) for c in (-2, 2))
    p = weight * left + (1 - weight) * right
    mean = 2 - 4 * weight
    variance = 0.25 + 4 - mean**2
    log_q = -((x - m) ** 2) / (2 * v) - math.log(2 * math.pi * v) / 2
    by_moments = (math.log(2 * math.pi * v) + (variance + (mean - m) ** 2) / v) / 2
    assert np.trapezoid(-p * log_q, x) == pytest.approx(by_moments, abs=1e-6)  # quadrature


@pytest.mark.claim("gan.missing-mode")
@given(seed=seeds, mass=st.floats(0.05, 0.9), left=st.floats(1e-9, 0.04))
def test_a_missed_mode_costs_at_least_the_two_outcome_divergence(seed, mass, left):
    rng = np.random.default_rng(seed)
    inside, outside = _simplex(rng, 3), _simplex(rng, 4)
    p = np.concatenate([mass * inside, (1 - mass) * outside])
    q = np.concatenate([left * _simplex(rng, 3), (1 - left) * _simplex(rng, 4)])
    bound = mass * math.log(mass / left) + (1 - mass) * math.log((1 - mass) / (1 - left))
    assert kl(p, q) >= bound - 1e-9  # rounding
    only_shares_differ = np.concatenate([left * inside, (1 - left) * outside])
    assert kl(p, only_shares_differ) == pytest.approx(bound)


@pytest.mark.claim("gan.missing-mode")
def test_the_cost_of_a_missed_mode_has_no_bound():
    costs = [kl(np.array([0.5, 0.5]), np.array([1 - left, left])) for left in (1e-2, 1e-8, 1e-200, 0.0)]
    assert costs == sorted(costs)
    assert costs[2] > 100
    assert costs[3] == math.inf


@pytest.mark.claim("gan.bad-samples")
@given(seed=seeds, bad=st.floats(0.01, 0.99))
def test_bad_samples_cost_at_most_a_logarithm(seed, bad):
    rng = np.random.default_rng(seed)
    p, junk = _simplex(rng, 6), _simplex(rng, 6)
    q = (1 - bad) * p + bad * junk
    assert kl(p, q) <= -math.log(1 - bad) + 1e-9  # rounding


@pytest.mark.claim("gan.bad-samples")
@given(seed=seeds, bad=st.floats(0.01, 0.99))
def test_bad_samples_where_there_are_no_data_cost_exactly_that_and_reverse_kl_is_infinite(seed, bad):
    rng = np.random.default_rng(seed)
    good, junk = _simplex(rng, 3), _simplex(rng, 3)
    p = np.concatenate([good, np.zeros(3)])
    q = np.concatenate([(1 - bad) * good, bad * junk])
    assert kl(p, q) == pytest.approx(-math.log(1 - bad))
    assert kl(q, p) == math.inf


@pytest.mark.exercise("gan.10")
def test_solution_a_sharp_family_has_a_sharp_member_of_leastkl():
    x = np.linspace(-6, 6, 2401)

    def pair(half):
        p = np.exp(-((x - half) ** 2) / 0.5) + np.exp(-((x + half) ** 2) / 0.5)
        return p / p.sum()

    halves = np.linspace(0, 4, 81)
    costs = [kl(pair(2.0), pair(half)) for half in halves]
    assert halves[np.argmin(costs)] == pytest.approx(2)
    assert min(costs) == pytest.approx(0, abs=1e-12)


@pytest.mark.exercise("gan.9")
def test_solution_one_dropped_mode_of_eight():
    p, q = np.full(8, 1 / 8), np.array([1 / 7] * 7 + [0])
    m = (p + q) / 2
    assert kl(p, q) == math.inf
    assert kl(q, p) == pytest.approx(math.log(8 / 7))
    js = (7 / 8 * math.log(14 / 15) + math.log(2) / 8 + math.log(16 / 15)) / 2
    assert (kl(p, m) + kl(q, m)) / 2 == pytest.approx(js)
    assert js < 1 / 20


@pytest.mark.exercise("gan.11")
def test_solution_a_mode_is_hardly_ever_missed_by_chance():
    assert (1 - (1 - math.exp(-4.5)) / 25) ** 2500 < 1e-43


@pytest.mark.exercise("gan.11")
def test_solution_how_often_a_given_mode_is_not_captured():
    n, runs, modes = 12, 4000, ring_modes()
    samples = ring(n * runs, generator=torch.Generator().manual_seed(0))
    hit = (torch.cdist(samples, modes[:1]) <= 3 * 0.01).reshape(runs, n)
    missed = 1 - hit.any(dim=1).double().mean().item()
    expected = (1 - (1 - math.exp(-4.5)) / 8) ** n
    assert missed == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / runs))
