"""The loop inside `sinkhorn`: logarithmic steps, scaling, overrelaxation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from mlnotes2.transport._scaling import balance, balance_at, best_omega, log_step, scaled


def problem(seed, dtype=torch.float64):
    """Masses with some zeros and any total, and costs of any sign."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9, 2)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    a[1:][rng.random(n - 1) < 0.2] = 0
    b[1:][rng.random(m - 1) < 0.2] = 0
    mass = rng.exponential(3)
    cost = rng.normal(size=(n, m)) + rng.normal()
    return tuple(torch.from_numpy(x).to(dtype) for x in (mass * a / a.sum(), mass * b / b.sum(), cost))


def dual(a, b, cost, f, g, eps):
    """The dual objective; its reference plan is a b / total."""
    plan = a[:, None] * b / a.sum() * ((f[:, None] + g - cost) / eps).exp()
    return a @ f + b @ g - eps * (plan.sum() - a.sum())


@given(st.integers(0, 10**6), st.floats(0.01, 10))
def test_log_step_agrees_with_scipy(seed, eps):
    a, b, cost = problem(seed)
    g = torch.randn(len(b), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    f, plan = log_step(a, b, cost, g, eps)
    wanted = -eps * logsumexp((g - cost).numpy() / eps, b=(b / b.sum()).numpy(), axis=1)
    assert f.numpy() == pytest.approx(wanted, abs=1e-12 * (1 + eps))  # rounding
    K = a[:, None] * b / b.sum() * ((f[:, None] + g - cost) / eps).exp()
    assert torch.allclose(plan, K, rtol=1e-9, atol=1e-300)


@given(st.integers(0, 10**6), st.floats(0.05, 10), st.floats(1, 1.99))
@pytest.mark.claim("transport.half_step")
def test_scaled_gives_the_sums_and_raises_the_dual_objective(seed, eps, omega):
    a, b, cost = problem(seed)
    generator = torch.Generator().manual_seed(seed)
    f, g = (torch.randn(len(x), dtype=torch.float64, generator=generator) for x in (a, b))
    K = a[:, None] * b / a.sum() * ((f[:, None] + g - cost) / eps).exp()
    rows = K.sum(1)
    start = dual(a, b, cost, f, g, eps)
    u = scaled(torch.ones_like(a), rows, a, torch.tensor([1.0], dtype=a.dtype))
    assert torch.allclose(u * rows, a, rtol=1e-9)
    rise = dual(a, b, cost, f + eps * u.log(), g, eps) - start
    ratio = torch.where(a > 0, rows / a, 1)
    divergence = (a * (ratio - 1 - ratio.log())).sum()  # KL(a || rows), as masses
    assert rise.item() == pytest.approx(eps * divergence.item(), rel=1e-9, abs=1e-9 * (1 + abs(start.item())))
    assert divergence >= (rows - a).abs().sum() ** 2 / (2 * a.sum() + 2 * rows.sum()) - 1e-12
    relaxed = scaled(torch.ones_like(a), rows, a, torch.tensor([omega], dtype=a.dtype))
    further = dual(a, b, cost, f + eps * relaxed.log(), g, eps) - start
    assert further >= -1e-9 * (1 + abs(start))


@given(st.integers(0, 10**6), st.floats(0.01, 1), st.floats(0.01, 1))
@settings(max_examples=60)
@pytest.mark.claim("transport.half_step")
def test_few_half_steps_find_sums_that_are_wrong(seed, eps, delta):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(2, 6, 2)
    a, b = (torch.from_numpy(rng.dirichlet(np.full(k, 0.3))) + 1e-9 for k in (n, m))
    a, b, cost = a / a.sum(), b / b.sum(), torch.from_numpy(rng.random((n, m)))
    g, wrong = torch.zeros_like(b), 0
    f = torch.zeros_like(a)
    for step in range(200):
        K = a[:, None] * b * ((f[:, None] + g - cost) / eps).exp()
        if step % 2 == 0:
            wrong += (K.sum(1) - a).abs().sum() > delta
            f = log_step(a, b, cost, g, eps)[0]
        else:
            wrong += (K.sum(0) - b).abs().sum() > delta
            g = log_step(b, a, cost.T, f, eps)[0]
    assert wrong <= 1 + 2 * cost.max() / (eps * delta**2)


@given(st.integers(0, 10**6), st.floats(0.02, 10))
@settings(max_examples=60)
def test_balance_finds_the_sums_and_the_form(seed, eps):
    a, b, cost = problem(seed)
    found = balance(a, b, cost, eps, 1e-9, 20_000)
    assert found.residual <= 1e-9
    assert (found.plan.sum(1) - a).abs().sum() <= 2e-9 * a.sum()
    assert torch.allclose(found.plan.sum(0), b, rtol=1e-12)
    form = a[:, None] * b / a.sum() * ((found.f[:, None] + found.g - cost) / eps).exp()
    assert torch.allclose(found.plan, form, rtol=1e-9, atol=1e-300)


def test_balance_extends_potentials_to_points_without_mass():
    a = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    cost = torch.tensor([[0.0, 3, 5], [1, 2, 5], [9, 9, 0]], dtype=torch.float64)  # the last two are alone
    found = balance(a, a, cost, 1e-2, 1e-12, 1000)
    assert found.plan[2].abs().max() == found.plan[:, 2].abs().max() == 0
    wanted = -1e-2 * logsumexp((found.g - cost[2]).numpy() / 1e-2, b=a.numpy())
    assert found.f[2].item() == pytest.approx(wanted, rel=1e-12)
    assert found.f.isfinite().all()
    assert found.g.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_balance_at_survives_scalings_that_overflow(dtype):
    """From potentials of 0 at a tiny eps the products vanish; logarithms take over."""
    rng = np.random.default_rng(0)
    cost = torch.from_numpy(rng.random((40, 40))).to(dtype)
    a = torch.full((40,), 1 / 40, dtype=dtype)
    found = balance_at(a, a, cost, torch.zeros_like(a), 1e-3, 1e-4, 5000)
    assert found.residual <= 1e-4
    assert torch.allclose(found.plan.sum(0), a, rtol=1e-5)


def test_balance_solves_each_problem_of_a_batch():
    problems = [one for one in map(problem, range(300)) if one[2].shape == (3, 4)][:3]
    a, b, cost = (torch.stack(parts) for parts in zip(*problems, strict=True))
    together = balance(a, b, cost, 0.1, 1e-12, 10_000)
    for i, one in enumerate(problems):
        assert torch.allclose(together.plan[i], balance(*one, 0.1, 1e-12, 10_000).plan, atol=1e-10)


@given(st.floats(0.01, 0.999), st.floats(1, 1.9))
def test_best_omega_is_found_from_a_rate_seen_with_another(plain, omega):
    """Two-block relaxation of an error that plain iteration multiplies by `plain`."""
    best, root = 2 / (1 + math.sqrt(1 - plain)), math.sqrt(plain)
    both = [[1 - omega, omega * root], [omega * root * (1 - omega), 1 - omega + omega**2 * plain]]
    rate = float(max(abs(np.linalg.eigvals(np.array(both)))))
    found = best_omega(*torch.tensor([[omega], [rate]], dtype=torch.float64)).item()
    if omega < best - 1e-3:
        assert found == pytest.approx(min(best, 1 + omega / 2), rel=1e-6)
    elif omega > best + 1e-3:
        assert rate == pytest.approx(omega - 1)
        assert 1 <= found <= omega + 1e-9


def test_best_omega_steps_back_when_the_residual_grows_or_is_lost():
    omega = torch.tensor([1.8, 1.8, 1.8, 1.0], dtype=torch.float64)
    found = best_omega(omega, torch.tensor([1.5, math.nan, 0.5, 0.0], dtype=torch.float64))
    assert found.tolist() == pytest.approx([1.7, 1.7, 1.7, 1.0])


def test_overrelaxation_saves_most_iterations(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 60, 2))
    cost = torch.from_numpy(np.linalg.norm(x[:, None] - y, axis=2))
    a = torch.full((60,), 1 / 60, dtype=torch.float64)
    found = balance(a, a, cost, 0.01, 1e-6, 10_000)
    monkeypatch.setattr("mlnotes2.transport._scaling.best_omega", lambda omega, _: torch.ones_like(omega))
    plain = balance(a, a, cost, 0.01, 1e-6, 10_000)
    assert max(found.residual, plain.residual) <= 1e-6
    assert 4 * found.iterations < plain.iterations
    assert torch.allclose(found.plan, plain.plan, atol=1e-6)
