"""Solutions of the exercises that are solved by hand: their numbers, and their statements on random cases."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.spectral import power_iteration, spectral_norm, spectral_normalize

sides, seeds = st.integers(1, 8), st.integers(0, 1000)
SLACK = 1e-9  # rounding, relative to numbers of about 1


def gaussian(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def is_norm(W, expected):
    found = spectral_norm(W)
    return found.lower <= float(expected) * (1 + SLACK) and found.upper >= float(expected) * (1 - SLACK)


@pytest.mark.exercise("spectral.1")
@given(sides, sides, seeds)
@settings(max_examples=30)
def test_solution_norms_of_three_families(n, d, seed):
    u, v = gaussian(n, seed=seed), gaussian(d, seed=seed + 1)
    assert is_norm(torch.diag(u), u.abs().max())
    assert is_norm(torch.linalg.qr(gaussian(n, n, seed=seed))[0], 1)
    assert is_norm(torch.outer(u, v), u.norm() * v.norm())


@pytest.mark.exercise("spectral.2")
@given(sides, sides, seeds)
@settings(max_examples=30)
def test_solution_the_frobenius_norm_is_at_most_the_root_of_the_rank_larger(n, d, seed):
    W = gaussian(n, d, seed=seed)
    rank = min(n, d)
    frobenius, sigma = float(W.norm()), oracles.spectral_norm_svd(W)
    assert sigma <= frobenius * (1 + SLACK)
    assert frobenius <= rank**0.5 * sigma * (1 + SLACK)
    single = W[:, :1] @ W[:1]  # rank 1
    assert float(single.norm()) == pytest.approx(oracles.spectral_norm_svd(single))
    U, _, Vh = torch.linalg.svd(W, full_matrices=False)  # U @ Vh has `rank` singular values, all 1
    assert float((U @ Vh).norm()) == pytest.approx(rank**0.5)


@pytest.mark.exercise("spectral.3")
@given(sides, seeds)
@settings(max_examples=30)
def test_solution_a_residual_block_is_2_lipschitz_and_not_better(d, seed):
    layer = spectral_normalize(torch.nn.Linear(d, d, dtype=torch.float64))
    x, y = gaussian(2, 50, d, seed=seed)
    with torch.no_grad():
        rise = (x + layer(x).relu()) - (y + layer(y).relu())
    assert (rise.norm(dim=1) <= 2 * (x - y).norm(dim=1)).all()
    assert is_norm(torch.eye(d) + torch.eye(d), 2)  # f(x) = x


@pytest.mark.exercise("spectral.4")
def test_solution_power_iteration_stays_at_right_angles_to_the_long_axis(monkeypatch):
    W = torch.diag(torch.tensor([2.0, 1.0]))
    monkeypatch.setattr(torch, "randn", lambda *_, **__: torch.tensor([0.0, 1.0]))  # the start
    estimates = power_iteration(W, n_steps=9, generator=torch.Generator()).estimates
    assert estimates.tolist() == [1.0] * 10
    assert 2.0 in spectral_norm(W)


@pytest.mark.exercise("spectral.5")
@pytest.mark.parametrize("mode", ["circular", "constant"])
@given(st.integers(1, 2), st.integers(1, 3), st.sampled_from([1, 3]), seeds)
@settings(max_examples=20)
def test_solution_a_convolution_stretches_at_most_the_width_times_the_reshaped_kernel(mode, n, d, s, seed):
    kernel = gaussian(n, d, s, s, seed=seed)
    true = spectral_norm(oracles.convolution_matrix(kernel, 5, mode))
    assert true.lower <= s * spectral_norm(kernel.flatten(1)).upper
    ones = torch.ones(1, 1, s, s)
    assert oracles.spectral_norm_svd(oracles.convolution_matrix(ones, 5, "circular")) == pytest.approx(s * s)
