"""`sinkhorn_points`: the same answers as `sinkhorn`, without the matrix."""

import inspect
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile

from mlnotes2.transport import emd_points, sinkhorn, sinkhorn_points
from mlnotes2.transport._log_sums import log_sums
from mlnotes2.transport._sinkhorn_points import _checked_clouds, _implementation

METRICS = ("sqeuclidean", "euclidean")


def problem(seed, dtype=torch.float64, most=12):
    """Two clouds somewhere, with masses of any total of which some are 0."""
    rng = np.random.default_rng(seed)
    (n, m), d = rng.integers(1, most, 2), rng.integers(1, 4)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    a[1:][rng.random(n - 1) < 0.2] = 0
    mass = rng.exponential(3)
    x, y = rng.normal(size=(n, d)) + 5 * rng.normal(), rng.normal(size=(m, d)) + 5 * rng.normal()
    return tuple(torch.from_numpy(value).to(dtype) for value in (x, y, mass * a / a.sum(), mass * b))


def prices(x, y, metric):
    """All of them, from the differences of coordinates."""
    return (x[:, None] - y).norm(dim=2) ** (2 if metric == "sqeuclidean" else 1)


@given(st.integers(0, 10**6), st.floats(0.02, 2), st.sampled_from(METRICS))
@settings(max_examples=40)
def test_sinkhorn_points_agrees_with_sinkhorn_on_the_matrix(seed, share, metric):
    x, y, a, b = problem(seed)
    cost = prices(x, y, metric)
    eps = share * cost.max().item()
    wanted = sinkhorn(a, b, cost, eps=eps, tol=1e-11)
    found = sinkhorn_points(x, y, a, b, eps=eps, metric=metric, tol=1e-11)
    assert found.converged
    f, g = found.potentials
    shift = (f - wanted.potentials[0])[a > 0].mean()
    for one, other in zip((f - shift, g + shift), wanted.potentials, strict=True):
        assert torch.allclose(one, other, atol=1e-6 * eps)  # of the residual, magnified where it is slow
    assert found.entropic_cost.item() == pytest.approx(wanted.entropic_cost.item(), rel=1e-9)
    assert found.cost == pytest.approx(wanted.cost.item(), rel=1e-6)
    assert found.enclosure.lower == pytest.approx(wanted.enclosure.lower, rel=1e-6)
    assert found.enclosure.upper == pytest.approx(wanted.enclosure.upper, rel=1e-6)
    values = torch.stack([y[:, 0], y.square().sum(1)], 1)
    rows = wanted.plan.sum(1, keepdim=True)
    mapped = (wanted.plan @ values / rows)[a > 0]
    assert torch.allclose(found.barycenters(values)[a > 0], mapped, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("max_iter", [1, 7, 10_000])
def test_sinkhorn_points_encloses_the_exact_cost_however_early_it_stops(metric, max_iter):
    x, y = (
        torch.randn(60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(k)) for k in (0, 1)
    )
    result = sinkhorn_points(x, y, eps=0.05, metric=metric, max_iter=max_iter)
    assert result.converged == (result.residual <= 1e-5) == (max_iter == 10_000)
    assert result.iterations <= max_iter
    assert emd_points(x.numpy(), y.numpy(), metric=metric).cost in result.enclosure


@pytest.mark.parametrize("metric", METRICS)
def test_sinkhorn_points_gradients_agree_with_differences(metric):
    """Masses vary by softmax, so that their totals stay equal; one of them is 0 and stays it."""
    generator = torch.Generator().manual_seed(0)
    x, y, p, q = (
        torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()
        for shape in ((4, 2), (3, 2), (4,), (3,))
    )

    def solve(x, y, p, q):
        b = torch.softmax(q, 0) * torch.tensor([0.0, 1, 1])
        masses = 3 * torch.softmax(p, 0), 3 * b / b.sum()
        return sinkhorn_points(x, y, *masses, eps=0.2, metric=metric, tol=1e-13).entropic_cost

    assert torch.autograd.gradcheck(solve, (x, y, p, q))


def test_sinkhorn_points_keeps_no_graph_of_the_sums():
    x, y, a, b = (value.requires_grad_() for value in problem(5))
    result = sinkhorn_points(x, y, a, b, eps=1.0)
    assert result.entropic_cost.requires_grad
    assert not any(value.requires_grad for value in (*result.plan.sums(), *result.plan[:6]))


def test_sinkhorn_points_pulls_by_the_way_to_the_barycenters():
    """For squared distances the slope at a point is twice its mass times the way from where it goes."""
    x, y, a, b = (value.float() for value in problem(3))
    x.requires_grad_()
    result = sinkhorn_points(x, y, a, b, eps=1.0, tol=1e-6)
    (slope,) = torch.autograd.grad(result.entropic_cost, x)
    assert slope.dtype == torch.float32
    assert torch.allclose(slope, 2 * a[:, None] * (x - result.barycenters(y)), atol=1e-4)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sinkhorn_points_holds_at_eps_of_1e_4_of_the_largest_price(metric, dtype, device):
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.random((2, 200, 2))).to(device, dtype)
    largest = prices(x, y, metric).max().item()
    result = sinkhorn_points(x + 100, y + 100, eps=1e-4 * largest, metric=metric, tol=1e-4)
    assert result.converged
    row_sums, column_sums, _ = result.plan.sums()
    assert (row_sums - 1 / 200).abs().sum() < 2e-4
    assert (column_sums - 1 / 200).abs().sum() < (1e-9 if dtype == torch.float64 else 1e-6)
    assert result.enclosure.width < 2e-3 * largest
    assert result.entropic_cost.dtype == result.barycenters(y).dtype == dtype


@pytest.mark.parametrize("metric", METRICS)
def test_sinkhorn_points_needs_a_fifth_of_the_memory_of_the_matrix_of_4000_points(metric):
    n = 4000
    x, y = (torch.randn(n, 3, generator=torch.Generator().manual_seed(k)) for k in (0, 1))
    x.requires_grad_()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        result = sinkhorn_points(x, y, eps=50.0, metric=metric, max_iter=1)
        result.entropic_cost.backward()
        assert result.enclosure.lower < result.cost
        result.barycenters(y)
    events = recorded.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    assert changes
    assert np.cumsum([change for _, change in changes]).max() < n * n * 8 / 5


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.sampled_from(METRICS))
@settings(max_examples=20)
def test_sinkhorn_points_scales_with_space_and_mass_and_moves_with_the_clouds(seed, factor, metric):
    x, y, a, b = problem(seed)
    power = 2 if metric == "sqeuclidean" else 1
    eps = 0.3 * prices(x, y, metric).max().item()
    one = sinkhorn_points(x, y, a, b, eps=eps, metric=metric, tol=1e-11)
    others = {
        1.0: sinkhorn_points(x + 7, y + 7, a, b, eps=eps, metric=metric, tol=1e-11),
        factor: sinkhorn_points(x, y, factor * a, factor * b, eps=eps, metric=metric, tol=1e-11),
        factor**power: sinkhorn_points(
            factor * x, factor * y, a, b, eps=factor**power * eps, metric=metric, tol=1e-11
        ),
    }
    for scale, other in others.items():
        assert other.cost == pytest.approx(scale * one.cost, rel=1e-6)
        assert other.entropic_cost.item() == pytest.approx(scale * one.entropic_cost.item(), rel=1e-6)


def test_sinkhorn_points_of_one_place_is_the_independent_plan():
    x, a = torch.ones(3, 2), torch.tensor([0.5, 0.25, 0.25])
    result = sinkhorn_points(x, x[:2], a, torch.tensor([0.25, 0.75]), eps=1e-3)
    assert result.cost == 0
    assert torch.allclose(result.barycenters(torch.tensor([[0.0], [1.0]])), torch.tensor(0.75))


CLOUD, HALF = torch.tensor([[0.0], [1.0]]), torch.tensor([0.5, 0.5])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": CLOUD * math.nan}, ValueError, "x must hold finite numbers"),
        ({"y": CLOUD.double()}, TypeError, "y must have the dtype and device of x"),
        ({"x": CLOUD.half()}, TypeError, "x must be a float32 or float64 tensor"),
        ({"x": torch.zeros(0, 1), "a": None}, ValueError, r"x must hold finite .* shape \(0, 1\)"),
        ({"a": HALF.double()}, TypeError, "a must have the dtype and device of x"),
        ({"a": torch.tensor([1.5, -0.5])}, ValueError, "a must not be negative"),
        ({"b": torch.tensor([0.5, 0.25])}, ValueError, "normalise both"),
        ({"eps": -1.0}, ValueError, "eps must be a finite number above 0"),
        ({"tol": 0.0}, ValueError, "tol must be > 0"),
        ({"max_iter": 0}, ValueError, "max_iter >= 1"),
        ({"metric": "cityblock"}, ValueError, "metric must be 'sqeuclidean' or 'euclidean', got 'cityblock'"),
        ({"implementation": "numba"}, ValueError, "implementation must be 'auto', 'torch' or 'triton'"),
        ({"x": CLOUD * 1e30}, ValueError, "overflow; divide x and y by a common factor"),
        ({"x": CLOUD * 3e38, "y": CLOUD * -3e38}, ValueError, "overflow; divide x and y by a common factor"),
    ],
)
def test_sinkhorn_points_says_what_is_wrong(change, error, message):
    with pytest.raises(error, match=message):
        sinkhorn_points(**({"x": CLOUD, "y": CLOUD, "a": HALF, "b": HALF, "eps": 0.1} | change))


@pytest.mark.parametrize(
    ("x", "y", "a", "error", "message"),
    [
        (
            CLOUD,
            CLOUD.expand(2, 3),
            None,
            ValueError,
            r"shapes \(n, d\) and \(m, d\), got \(2, 1\) and \(2, 3\)",
        ),
        (CLOUD[None], CLOUD[None], None, ValueError, "for a batch call once for each pair"),
        (CLOUD[:, 0], CLOUD[:, 0], None, ValueError, r"got \(2,\) and \(2,\)"),
        (
            CLOUD,
            CLOUD,
            torch.ones(1),
            ValueError,
            r"a mass for each point, shapes \(2,\) and \(2,\), got \(1,\)",
        ),
        ([[0.0]], CLOUD, None, TypeError, "x must be a float32 or float64 tensor, got list"),
    ],
)
def test_sinkhorn_points_says_which_shapes_do_not_fit(x, y, a, error, message):
    with pytest.raises(error, match=message):
        inspect.unwrap(_checked_clouds)(x, y, a, None)  # jaxtyping's hook would be the first to complain


def test_sinkhorn_points_says_how_to_get_triton_and_does_without_it_by_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "mlnotes2.transport._sinkhorn_triton", raising=False)
    with pytest.raises(ImportError, match="pip install triton; or take 'torch'"):
        sinkhorn_points(CLOUD, CLOUD, eps=0.1, implementation="triton")
    assert _implementation("auto", torch.float32, torch.device("cuda")) is log_sums


def test_barycenters_wants_a_row_for_each_point_of_y():
    result = sinkhorn_points(CLOUD, CLOUD, eps=0.1)
    with pytest.raises(ValueError, match=r"a row for each of the m = 2 points of y, got \(3, 1\)"):
        result.barycenters(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="values must hold finite numbers"):
        result.barycenters(torch.full((2, 1), math.nan))
