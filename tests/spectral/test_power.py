"""`power_iteration`: what it promises, and what it does not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.spectral import power_iteration

SLACK = 1e-12  # float64 products of at most 20 terms


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def gaussian(n, d, seed):
    return torch.randn(n, d, generator=seeded(seed), dtype=torch.float64)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
@pytest.mark.claim("spectral.power")
def test_power_iteration_rises_and_stays_below_the_norm(n, d, seed):
    W = gaussian(n, d, seed)
    estimates = power_iteration(W, n_steps=15, generator=seeded(seed + 1)).estimates
    assert (estimates.diff() >= -SLACK).all()
    assert estimates[-1] <= oracles.spectral_norm_svd(W) + SLACK


@given(st.integers(2, 8), st.integers(0, 1000))
@pytest.mark.claim("spectral.power")
def test_power_iteration_ratios_shrink_by_the_squared_ratio_of_singular_values(d, seed):
    U, V = (torch.linalg.qr(gaussian(d, d, seed + k))[0] for k in range(2))
    sigma = torch.linspace(2, 1, d, dtype=torch.float64)
    vectors = power_iteration(U @ torch.diag(sigma) @ V.T, n_steps=5, generator=seeded(seed + 2)).vectors
    c = vectors @ V
    expected = c[0] * (sigma / sigma[0]) ** (2 * torch.arange(6)[:, None])
    torch.testing.assert_close(c * c[0, 0], expected * c[:, :1], rtol=0, atol=SLACK)


@given(st.integers(0, 10**9))
@settings(max_examples=20)  # a step takes milliseconds
@pytest.mark.claim("spectral.stalled")
def test_power_iteration_small_steps_do_not_mean_that_it_is_close(seed):
    W = torch.diag(torch.cat([torch.tensor([1.01]), torch.ones(999)]).double())
    estimates = power_iteration(W, n_steps=10, generator=seeded(seed)).estimates
    assert (estimates.diff() < 1e-4).all()
    assert 1.01 - estimates[-1] > 0.009


def test_power_iteration_divided_weight_is_still_too_steep():
    for seed in range(100):
        W = gaussian(64, 64, seed)
        estimate = power_iteration(W, n_steps=1, generator=seeded(1000 + seed)).estimates[-1]
        assert oracles.spectral_norm_svd(W / estimate) > 1.05


def test_power_iteration_records_unit_vectors_and_what_they_are_stretched_to():
    W = gaussian(4, 6, 0)
    estimates, vectors = power_iteration(W, n_steps=3, generator=seeded(0))
    assert estimates.shape == (4,)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(estimates, (vectors @ W.T).norm(dim=1))


def test_power_iteration_of_zero_is_zero():
    assert power_iteration(torch.zeros(2, 3), n_steps=2, generator=seeded(0)).estimates.tolist() == [0, 0, 0]


def test_power_iteration_repeats_with_the_same_generator():
    first, second = (power_iteration(gaussian(3, 3, 0), n_steps=2, generator=seeded(7)) for _ in range(2))
    assert torch.equal(first.vectors, second.vectors)


def test_power_iteration_rejects_a_negative_number_of_steps():
    with pytest.raises(ValueError, match="n_steps must be at least 0"):
        power_iteration(torch.eye(2), n_steps=-1, generator=seeded(0))


def test_power_iteration_rejects_what_is_not_a_matrix():
    with pytest.raises(ValueError, match="must be a matrix"):
        power_iteration(torch.ones(3), n_steps=1, generator=seeded(0))
