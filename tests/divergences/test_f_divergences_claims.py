"""The claims and solutions of the note on f-divergences that are not about one function alone."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences.strategies import pairs
from mlnotes2.divergences import (
    GAN,
    HELLINGER,
    JEFFREYS,
    JS,
    KL,
    PEARSON,
    REVERSE_KL,
    TV,
    kl,
    total_variation,
)

ALL = [GAN, HELLINGER, JEFFREYS, JS, KL, PEARSON, REVERSE_KL, TV]
each = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)
few = settings(max_examples=25)  # for each divergence


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


@pytest.mark.claim("divergences.processing")
@each
@few
@given(pair=pairs(zeros=False), seed=st.integers(0, 2**32 - 1))
def test_processing_never_raises_a_divergence(f, pair, seed):
    rng = np.random.default_rng(seed)
    p, q = pair
    change = rng.dirichlet(np.full(rng.integers(1, 9), 0.2), size=len(p))  # row i: what outcome i becomes
    after = f.divergence(tensor(p @ change), tensor(q @ change)).item()
    assert after <= f.divergence(tensor(p), tensor(q)).item() + 1e-12


@pytest.mark.claim("divergences.pinsker")
@given(pairs())
def test_squared_total_variation_is_at_most_half_of_kl(pair):
    assert total_variation(*pair) ** 2 <= kl(*pair) / 2 + 1e-15


@pytest.mark.claim("divergences.pinsker")
@given(st.floats(1e-4, 0.01))
def test_no_constant_below_a_half_would_do(eps):
    p, q = [0.5 + eps, 0.5 - eps], [0.5, 0.5]
    assert total_variation(p, q) ** 2 > 0.499 * kl(p, q)


@pytest.mark.exercise("divergences.5")
def test_neymans_conjugate():
    u = np.geomspace(1e-4, 1e6, 200_001)
    for t in (-5.0, -1.0, 0.0, 0.5, 0.9):
        assert (u * t - (u - 1) ** 2 / u).max() == pytest.approx(2 - 2 * math.sqrt(1 - t), abs=1e-6)
    assert (u - (u - 1) ** 2 / u).max() == pytest.approx(2, abs=1e-5)  # u t - f(u) at t = 1, not attained
    assert (u * 1.1 - (u - 1) ** 2 / u).max() > 1e4


@pytest.mark.exercise("divergences.6")
@each
@few
@given(
    pair=pairs(zeros=False), c=st.integers(-16, 16).map(lambda n: n / 8)
)  # so that t + c - c is t, also at TV's end
def test_line_added_to_the_generator_shifts_the_best_critic(f, pair, c):
    g = dataclasses.replace(
        f,
        generator=lambda u: f.generator(u) + c * (u - 1),
        derivative=lambda u: f.derivative(u) + c,
        conjugate=lambda t: f.conjugate(t - c) + c,
    )
    p, q = map(tensor, pair)
    critic = g.optimal_critic(p, q)
    torch.testing.assert_close(critic, f.optimal_critic(p, q) + c)
    bound = (p * critic).sum() - (q * g.conjugate(critic)).sum()
    divergence = f.divergence(p, q)
    torch.testing.assert_close(g.divergence(p, q), divergence, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(bound, divergence, rtol=1e-8, atol=1e-8)


@pytest.mark.exercise("divergences.6")
@pytest.mark.parametrize("f", [f for f in ALL if f not in (GAN, TV)], ids=lambda f: f.name)
def test_generator_above_its_tangent_at_1_is_nonnegative(f):
    u = torch.logspace(-6, 3, 1001, dtype=torch.float64)
    one = tensor(1.0)
    assert (f.generator(u) - f.derivative(one) * (u - 1) >= -1e-15).all()
    assert f.generator(one).item() == 0
