"""The claims and solutions of the note on mode collapse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlnotes2.divergences import REVERSE_KL, fit_gaussian, js, kl, reverse_kl


def price(p, q):
    """What a point with densities p of the data and q of the model adds to reverse KL."""
    return q * math.log(q / p) - q + p


@pytest.mark.claim("gan.reverse-kl-price")
@given(st.floats(0.01, 1))
def test_price_grows_without_bound_where_the_data_vanish(q):
    prices = [price(10.0**-k, q) for k in (3, 30, 300)]
    assert prices == sorted(prices)
    assert prices[-1] > 600 * q


@pytest.mark.claim("gan.reverse-kl-price")
@given(st.floats(0.01, 1), st.floats(1e-9, 1))
def test_price_of_missing_data_tends_to_their_density_and_is_no_more(p, share):
    assert price(p, 1e-300) == pytest.approx(p, rel=1e-12)
    assert 0 <= price(p, share * p) + 1e-16 <= p + 2e-16


@st.composite
def dropping(draw):
    """Data p, and which outcomes a model keeps: not all and not none."""
    k, seed = draw(st.integers(2, 8)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    p, kept = rng.dirichlet(np.ones(k)), rng.permutation(k) < draw(st.integers(1, k - 1))
    return p, kept, rng


@pytest.mark.claim("gan.dropping-price")
@given(dropping())
def test_dropping_costs_reverse_kl_the_logarithm_of_what_is_left(drawn):
    p, kept, rng = drawn
    m = p[kept].sum()
    best = np.where(kept, p, 0) / m
    assert reverse_kl(p, best) == pytest.approx(math.log(1 / m), rel=1e-9, abs=1e-12)
    assert kl(p, best) == math.inf
    other = np.zeros(len(p))
    other[kept] = rng.dirichlet(np.ones(kept.sum()))
    assert reverse_kl(p, other) >= math.log(1 / m) - 1e-12


X = np.linspace(-14, 14, 701)


def two_modes(a):
    return (np.exp(-((X - a) ** 2) / 2) + np.exp(-((X + a) ** 2) / 2)) / math.sqrt(8 * math.pi)


def best_reverse_kl_on_a_grid(p):
    """The least reverse KL over Gaussians with means 0, 0.1, ..., 6 and standard deviations 0.5, 0.55, ..., 5."""
    means, stds = np.arange(0, 6.05, 0.1), np.arange(0.5, 5, 0.05)[:, None]
    z = (X - means[:, None, None]) / stds
    log_q = -(z**2) / 2 - np.log(stds * math.sqrt(2 * math.pi))
    return (np.exp(log_q) * (log_q - np.log(p))).sum(-1).min() * (X[1] - X[0])


@pytest.mark.claim("gan.one-mode")
@settings(max_examples=8)  # each scans a grid
@given(a=st.floats(0, 4.5))
def test_best_gaussian_under_kl_covers_both_modes(a):
    fit = fit_gaussian(X, two_modes(a), weight=1.0)
    assert fit.mean == pytest.approx(0, abs=1e-5)
    assert fit.std == pytest.approx(math.sqrt(1 + a**2), rel=1e-6)


@pytest.mark.claim("gan.one-mode")
def test_best_gaussian_under_reverse_kl_covers_near_modes_and_picks_a_far_one():
    near, far = (fit_gaussian(X, two_modes(a), weight=0.0) for a in (2, 4))
    assert abs(near.mean) < 1e-5
    assert near.std > 2
    assert abs(far.mean) == pytest.approx(4, rel=0.01)
    assert far.std == pytest.approx(1, rel=0.01)
    for fit, a in ((near, 2), (far, 4)):
        assert fit.reverse_kl <= best_reverse_kl_on_a_grid(two_modes(a)) + 1e-12


@pytest.mark.claim("gan.rich-model")
@settings(max_examples=4, deadline=None)  # each runs 20 descents of 400 steps
@given(k=st.integers(2, 8), seed=st.integers(0, 2**32 - 1))
def test_reverse_kl_leads_a_collapsed_model_to_all_modes(k, seed):
    p = torch.tensor(np.random.default_rng(seed).dirichlet(np.full(k, 5.0), size=20)) * 0.9 + 0.1 / k
    q = torch.full((20, k), 0.001 / (k - 1), dtype=torch.float64)
    q[:, 0] = 0.999
    logits = q.log().requires_grad_()
    before = torch.inf
    for _ in range(400):
        value = REVERSE_KL.divergence(p, logits.softmax(-1))
        assert (value <= before + 1e-12).all()  # it falls all the way
        before = value.detach()
        (gradient,) = torch.autograd.grad(value.sum(), logits)
        logits = (logits - 2 * gradient).detach().requires_grad_()
    torch.testing.assert_close(logits.softmax(-1).detach(), p, rtol=1e-6, atol=1e-9)


@pytest.mark.claim("gan.best-response")
@given(st.integers(0, 2**32 - 1))
def test_one_point_is_a_best_answer_to_a_fixed_discriminator(seed):
    rng = np.random.default_rng(seed)
    d = rng.uniform(0.01, 0.99, size=30)
    q = rng.dirichlet(np.full(30, 0.2), size=20)
    assert (q @ -np.log(d) >= -np.log(d.max()) - 1e-12).all()
    assert (q @ np.log(1 - d) >= np.log(1 - d.max()) - 1e-12).all()


@pytest.mark.claim("gan.non-saturating-gradient")
@given(theta=st.floats(-3, 3))
def test_non_saturating_gradient_is_that_of_reverse_kl_minus_twice_js(theta):
    gradient, minus, _ = non_saturating_gradients(theta)
    assert gradient == pytest.approx(minus, abs=1e-6)  # difference quotients


@pytest.mark.claim("gan.non-saturating-gradient")
def test_non_saturating_gradient_at_theta_1():
    gradient, minus, plus = non_saturating_gradients(1.0)
    assert gradient == pytest.approx(0.602027, abs=5e-7)
    assert minus == pytest.approx(0.602027, abs=5e-7)
    assert plus == pytest.approx(1.397973, abs=5e-7)


def non_saturating_gradients(theta):
    """The gradient of the loss with D fixed, and those of KL - 2 JS and KL + 2 JS, by quadrature and differences."""
    x, step = np.linspace(-14, 14, 4001), 1e-4

    def density(mean):
        q = np.exp(-((x - mean) ** 2) / 2)
        return q / q.sum()

    p, d = density(0), density(0) / (density(0) + density(theta))

    def slope(function):
        return (function(density(theta + step)) - function(density(theta - step))) / (2 * step)

    gradient = slope(lambda q: -(q * np.log(d)).sum())
    kl_slope, js_slope = slope(lambda q: reverse_kl(p, q)), slope(lambda q: js(p, q))
    return gradient, kl_slope - 2 * js_slope, kl_slope + 2 * js_slope


@pytest.mark.exercise("gan.5")
def test_solution_the_price_of_a_small_mode():
    p, q = [9 / 10, 1 / 10], [1, 0]
    assert reverse_kl(p, q) == pytest.approx(math.log(10 / 9))
    assert reverse_kl(p, q) == pytest.approx(1 / 10, abs=1 / 100)
    assert kl(p, q) == math.inf


@pytest.mark.exercise("gan.6")
@given(dropping())
def test_solution_what_js_charges_for_dropping(drawn):
    p, kept, rng = drawn
    m = p[kept].sum()
    charge = (m * math.log(2 * m / (1 + m)) + math.log(2 / (1 + m)) + (1 - m) * math.log(2)) / 2
    assert js(p, np.where(kept, p, 0) / m) == pytest.approx(charge, abs=1e-12)
    assert js(p, rng.dirichlet(np.ones(len(p)))) <= math.log(2)


@pytest.mark.exercise("gan.6")
@given(st.floats(1e-12, 1e-6))
def test_solution_js_charges_log_2_for_dropping_almost_everything(m):
    assert js([m, 1 - m], [1, 0]) == pytest.approx(math.log(2), abs=30 * m)  # m log(1/m) and less
    assert reverse_kl([1, 0], [1 - m, m]) == math.inf


@pytest.mark.exercise("gan.7")
@given(st.floats(1e-6, 1), st.floats(1e-3, 1e3))
def test_solution_the_price_is_zero_only_where_the_densities_agree(q, u):
    assert price(q, q) == 0
    assert price(u * q, q) == pytest.approx(q * (u - 1 - math.log(u)), abs=1e-9 * q * (1 + u))  # rounding
    assert price(u * q, q) > 0 or abs(u - 1) < 1e-6
