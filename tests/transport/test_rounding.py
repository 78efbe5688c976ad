"""Almost-plans made plans, and bounds of the exact cost that hold to the last digit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import oracles
from mlnotes2.transport._rounding import bounds, rounded


def almost_plan(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 7, 2)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    a[1:][rng.random(n - 1) < 0.2] = 0
    a /= a.sum()
    plan = rng.exponential(1 / (n * m), size=(n, m)) * (rng.random((n, m)) < 0.8)
    cost = rng.integers(-3, 10, (n, m)) * 1.0
    return tuple(torch.from_numpy(x) for x in (a, b, plan, cost))


@given(st.integers(0, 10**6))
@pytest.mark.claim("transport.rounding")
def test_rounded_is_a_plan_that_changes_at_most_three_halves_of_what_was_wrong(seed):
    a, b, plan, cost = almost_plan(seed)
    found = rounded(plan, a, b)
    assert found.min() >= 0
    assert torch.allclose(found.sum(1), a, atol=1e-14)
    assert torch.allclose(found.sum(0), b, atol=1e-14)
    wrong = (plan.sum(1) - a).abs().sum() + (plan.sum(0) - b).abs().sum()
    assert (found - plan).abs().sum() <= 1.5 * wrong + 1e-14
    assert ((found - plan) * cost).sum() <= 1.5 * wrong * cost.abs().max() + 1e-13


def test_rounded_leaves_a_plan_alone():
    plan = torch.tensor([[0.25, 0.0], [0.25, 0.5]])
    assert torch.equal(rounded(plan, plan.sum(1), plan.sum(0)), plan)


def test_rounded_fills_an_empty_plan_with_the_independent_one():
    a, b = torch.tensor([0.25, 0.75]), torch.tensor([0.5, 0.5])
    assert torch.equal(rounded(torch.zeros(2, 2), a, b), a[:, None] * b)


@given(st.integers(0, 10**6))
@pytest.mark.claim("transport.entropic_enclosure")
def test_bounds_hold_for_any_plan_and_any_potential(seed):
    a, b, plan, cost = almost_plan(seed)
    f = torch.randn(len(a), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 5
    lower, upper = bounds(a, b, cost, rounded(plan, a, b), f)
    exact = oracles.linprog_emd(a.numpy(), b.numpy(), cost.numpy())
    assert lower <= exact + 1e-9  # of HiGHS
    assert exact - 1e-9 <= upper


def test_bounds_of_a_best_plan_meet():
    a, b = torch.tensor([0.5, 0.5], dtype=torch.float64), torch.tensor([0.25, 0.75], dtype=torch.float64)
    cost = torch.tensor([[0.0, 1], [1, 0]], dtype=torch.float64)
    plan = torch.tensor([[0.25, 0.25], [0, 0.5]], dtype=torch.float64)
    lower, upper = bounds(a, b, cost, plan, torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert lower < 0.25 < upper
    assert (upper - lower).item() < 1e-13


def test_bounds_pay_for_totals_that_differ():
    a, b = torch.tensor([1.0], dtype=torch.float64), torch.tensor([1.0 + 1e-7], dtype=torch.float64)
    cost = torch.tensor([[2.0]], dtype=torch.float64)
    lower, upper = bounds(a, b, cost, a[:, None], torch.zeros(1, dtype=torch.float64))
    assert lower < 2 - 1e-7
    assert upper > 2 + 1e-7


def test_bounds_ignore_potentials_where_there_is_no_mass():
    a, b = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.5, 0.5], dtype=torch.float64)
    cost = torch.tensor([[2.0, 2.0], [3.0, 0.0]], dtype=torch.float64)
    lower, _ = bounds(a, b, cost, a[:, None] * b, torch.tensor([0.0, 100.0], dtype=torch.float64))
    assert lower.item() == pytest.approx(2, abs=1e-10)
