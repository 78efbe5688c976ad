"""`StreamedPlan`: sums over a plan that is not stored."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.transport import _streamed_plan
from mlnotes2.transport._rounding import rounded
from mlnotes2.transport._streamed_plan import StreamedPlan

METRICS = ("sqeuclidean", "euclidean")


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    """Tiles of 3 points, so that few points make several."""
    monkeypatch.setattr(
        _streamed_plan, "tiles", lambda points: [slice(k, k + 3) for k in range(0, len(points), 3)]
    )


def problem(seed, metric, n=8, m=7):
    """A plan of any potentials, its matrix and that of the prices."""
    rng = np.random.default_rng(seed)
    x, y, f, g = (torch.from_numpy(rng.normal(size=shape)) for shape in ((n, 2), (m, 2), n, m))
    a, b = (torch.from_numpy(2 * rng.dirichlet(np.ones(k))) for k in (n, m))
    x[0], a[1], b[2] = y[0], 0, 0
    b *= a.sum() / b.sum()
    cost = (x[:, None] - y).norm(dim=2) ** (2 if metric == "sqeuclidean" else 1)
    matrix = a[:, None] * b / b.sum() * ((f[:, None] + g - cost) / 0.7).exp()
    return StreamedPlan(x, y, a, b, f, g, 0.7, metric), matrix, cost


@given(st.integers(0, 10**6), st.sampled_from(METRICS))
@settings(max_examples=30)
def test_streamed_plan_sums_are_those_of_the_matrix(seed, metric):
    plan, matrix, cost = problem(seed, metric)
    rows, columns = plan.a.cos(), plan.b.cos()
    scaled = rows[:, None] * matrix * columns
    wanted = scaled.sum(1), scaled.sum(0), (scaled * cost).sum()
    for found, value in zip(plan.sums(rows, columns), wanted, strict=True):
        assert torch.allclose(found, value, rtol=1e-12, atol=0)


@pytest.mark.parametrize("metric", METRICS)
def test_streamed_plan_averages_are_those_of_the_matrix(metric):
    plan, matrix, _ = problem(0, metric)
    values = torch.arange(14.0, dtype=torch.float64).reshape(7, 2)
    found, rows = plan.averages(values), matrix.sum(1, keepdim=True)
    with_mass = plan.a > 0
    assert torch.allclose(found[with_mass], (matrix @ values / rows)[with_mass], rtol=1e-12)
    assert found[1].isfinite().all()  # a point without mass has a place to go, too


@given(st.integers(0, 10**6), st.sampled_from(METRICS))
@settings(max_examples=30)
def test_streamed_plan_slopes_are_those_of_the_matrix_times_prices(seed, metric):
    plan, matrix, _ = problem(seed, metric)
    x, y = plan.x[1:].clone().requires_grad_(), plan.y.clone().requires_grad_()  # x[0] = y[0] has no slope
    distance = (x[:, None] - y).norm(dim=2)
    price = (matrix[1:] * distance ** (2 if metric == "sqeuclidean" else 1)).sum()
    wanted = torch.autograd.grad(price, (x, y))
    found = plan._replace(x=plan.x[1:], a=plan.a[1:], f=plan.f[1:]).slopes()
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_streamed_plan_has_no_slope_at_its_own_place(metric):
    plan, _, _ = problem(0, metric)
    here = plan._replace(x=plan.x[:1], y=plan.x[:1], a=plan.a[:1], b=plan.b[:1], f=plan.f[:1], g=plan.g[:1])
    assert torch.equal(torch.cat(here.slopes()), torch.zeros(2, 2, dtype=torch.float64))


@given(st.integers(0, 10**6), st.sampled_from(METRICS))
@settings(max_examples=30)
def test_streamed_plan_bounds_enclose_the_exact_cost_for_any_potentials(seed, metric):
    plan, matrix, cost = problem(seed, metric)
    lower, upper = (bound.item() for bound in plan.bounds(cost.max().item()))
    exact = oracles.linprog_emd(plan.a.numpy(), plan.b.numpy(), cost.numpy())
    assert lower <= exact + 1e-9  # of HiGHS
    assert exact <= upper + 1e-9
    assert upper == pytest.approx((rounded(matrix, plan.a, plan.b) * cost).sum().item(), rel=1e-9)
