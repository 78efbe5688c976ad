"""`sinkhorn`: the entropic plan, its derivatives, and bounds of the exact cost."""

import inspect
import math

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.transport import emd, sinkhorn
from mlnotes2.transport._sinkhorn import checked

EXACT = {"tol": 1e-12, "max_iter": 100_000}


def problem(seed, dtype=torch.float64, most=8):
    """Masses with some zeros and any total, and costs of any sign."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, most, 2)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    a[1:][rng.random(n - 1) < 0.2] = 0
    mass = rng.exponential(3)
    cost = rng.normal(size=(n, m)) + rng.normal()
    return tuple(torch.from_numpy(x).to(dtype) for x in (mass * a / a.sum(), mass * b, cost))


def objective(plan, a, b, cost, eps):
    """Cost plus eps times the relative entropy to a b / total, where 0 log 0 = 0."""
    share = a[:, None] * b / a.sum()
    return (plan * cost).sum() + eps * (torch.xlogy(plan, plan) - torch.xlogy(plan, share)).sum()


@given(st.integers(0, 10**6), st.floats(0.05, 5))
@settings(max_examples=30)
@pytest.mark.claim("transport.entropic_plan")
def test_sinkhorn_finds_the_minimiser_and_its_form(seed, eps):
    a, b, cost = problem(seed)
    result = sinkhorn(a, b, cost, eps=eps, **EXACT)
    f, g = result.potentials
    form = a[:, None] * b / a.sum() * ((f[:, None] + g - cost) / eps).exp()
    assert torch.allclose(result.plan, form, rtol=1e-9, atol=1e-300)
    least = objective(result.plan, a, b, cost, eps)
    assert result.entropic_cost.item() == pytest.approx(least.item(), rel=1e-9, abs=1e-9)
    corner = torch.from_numpy(emd(a.numpy(), b.numpy(), cost.numpy()).plan)
    for other in (corner, a[:, None] * b / a.sum()):
        for t in (0.01, 0.5, 1.0):
            mixed = (1 - t) * result.plan + t * other
            gap = (torch.xlogy(mixed, mixed) - torch.xlogy(mixed, result.plan)).sum()  # KL to the minimiser
            rise = objective(mixed, a, b, cost, eps) - least
            assert rise.item() == pytest.approx(
                eps * gap.item(), rel=1e-6, abs=1e-9 * (1 + least.abs().item())
            )


@given(st.integers(0, 10**6), st.floats(0.02, 5))
@settings(max_examples=30)
@pytest.mark.claim("transport.entropic_enclosure")
def test_sinkhorn_encloses_the_exact_cost_that_its_plan_exceeds_by_little(seed, eps):
    a, b, cost = problem(seed)
    result = sinkhorn(a, b, cost, eps=eps, tol=1e-9)
    exact = oracles.linprog_emd(a.numpy(), b.numpy(), cost.numpy())
    assert result.bounds[0].item() <= exact + 1e-9  # of HiGHS
    assert exact - 1e-9 <= result.bounds[1].item()
    price = eps * a.sum().item() * math.log(min(len(a), len(b)))
    assert result.cost.item() <= exact + price + 1e-7  # the residual, and HiGHS
    assert exact - 1e-7 <= result.entropic_cost.item() <= exact + price + 1e-7


@pytest.mark.parametrize("max_iter", [1, 7])
def test_sinkhorn_encloses_the_exact_cost_before_it_has_converged(max_iter):
    a, b, cost = problem(3, most=30)
    result = sinkhorn(a, b, cost, eps=0.01, max_iter=max_iter)
    assert not result.converged
    assert result.residual > 1e-5
    assert result.iterations == max_iter
    assert oracles.linprog_emd(a.numpy(), b.numpy(), cost.numpy()) in result.enclosure


@given(st.integers(0, 10**6), st.floats(0.1, 5))
@settings(max_examples=20)
@pytest.mark.claim("transport.envelope")
def test_sinkhorn_slopes_of_the_entropic_cost_are_plan_and_potentials(seed, eps):
    a, b, cost = problem(seed)
    generator = torch.Generator().manual_seed(seed)
    way, h = torch.randn(cost.shape, dtype=torch.float64, generator=generator), 1e-4
    costs = [sinkhorn(a, b, cost + t * h * way, eps=eps, **EXACT).entropic_cost for t in (-1, 1)]
    result = sinkhorn(a, b, cost, eps=eps, **EXACT)
    slope = (result.plan * way).sum()
    scale = a.sum().item() * way.abs().max().item() ** 3 / eps**2  # of the third derivative
    assert ((costs[1] - costs[0]) / (2 * h)).item() == pytest.approx(slope.item(), abs=h**2 * scale + 1e-7)
    inputs = tuple(x.clone().requires_grad_() for x in (a, b, cost))
    grads = torch.autograd.grad(sinkhorn(*inputs, eps=eps, **EXACT).entropic_cost, inputs)
    for found, wanted in zip(grads, (*result.potentials, result.plan), strict=True):
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("name", ["plan", "cost", "entropic_cost"])
@pytest.mark.parametrize("mass", [1.0, 3.0])
def test_sinkhorn_gradients_agree_with_differences(name, mass):
    """Masses vary by softmax, so that their totals stay equal; one of them is 0 and stays it."""
    rng = np.random.default_rng(0)
    logs, cost = torch.from_numpy(rng.normal(size=(2, 3, 4))), torch.from_numpy(rng.random((2, 3, 4)))
    on = torch.tensor([0.0, 1, 1, 1])

    def solve(p, q, cost):
        b = mass * torch.softmax(q, -1) * on / (torch.softmax(q, -1) * on).sum(-1, keepdim=True)
        return getattr(sinkhorn(mass * torch.softmax(p, -1), b, cost, eps=0.2, tol=1e-14), name)

    inputs = tuple(x.requires_grad_() for x in (logs[:, :, 0].clone(), logs[:, 0].clone(), cost))
    assert torch.autograd.gradcheck(solve, inputs)


def test_sinkhorn_plan_has_the_slope_of_mass_that_appears_where_there_is_none():
    cost = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.3, 0.4]], dtype=torch.float64)
    b = torch.tensor([0.5, 0.5], dtype=torch.float64)
    way = torch.tensor([-0.5, -0.5, 1.0], dtype=torch.float64)
    start = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(sinkhorn(start, b, cost, eps=0.2, tol=1e-14).cost, start)
    h = 1e-6
    after, before = (sinkhorn(start.detach() + t * way, b, cost, eps=0.2, tol=1e-14).cost for t in (h, 0.0))
    assert (grad @ way).item() == pytest.approx(((after - before) / h).item(), abs=1e-4)  # order h


@given(st.floats(0.01, 100), st.floats(0.1, 10))
@pytest.mark.exercise("transport.9")
@pytest.mark.claim("transport.self_cost")
def test_sinkhorn_of_a_pile_with_itself_is_not_0(eps, distance):
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    cost = torch.tensor([[0.0, distance], [distance, 0.0]], dtype=torch.float64)
    result = sinkhorn(half, half, cost, eps=eps, tol=1e-13)
    q = math.exp(-distance / eps)
    assert result.entropic_cost.item() == pytest.approx(eps * math.log(2 / (1 + q)), rel=1e-9)
    assert result.cost.item() == pytest.approx(distance * q / (1 + q), rel=1e-9, abs=1e-12)
    assert result.entropic_cost > 0


@pytest.mark.exercise("transport.9")
def test_a_quarter_crosses_at_the_distance_divided_by_log_3():
    half, cost = torch.tensor([0.5, 0.5], dtype=torch.float64), 2 * (1 - torch.eye(2, dtype=torch.float64))
    plan = sinkhorn(half, half, cost, eps=2 / math.log(3), tol=1e-13).plan
    assert plan[0, 1].item() + plan[1, 0].item() == pytest.approx(1 / 4, rel=1e-9)


@given(st.integers(0, 10**6), st.floats(1, 1e4))
@settings(max_examples=30)
@pytest.mark.exercise("transport.8")
def test_sinkhorn_tends_to_the_independent_plan_for_a_large_eps(seed, eps):
    a, b, cost = problem(seed)
    a, b = a / a.sum(), b / b.sum()
    plan, independent = sinkhorn(a, b, cost, eps=eps, tol=1e-12).plan, a[:, None] * b
    entropy = (torch.xlogy(plan, plan) - torch.xlogy(plan, independent)).sum()
    spread = (independent * cost).sum().item() - oracles.linprog_emd(a.numpy(), b.numpy(), cost.numpy())
    assert -1e-12 <= entropy.item() <= spread / eps + 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("eps", [1.0, 0.1, 0.01])
def test_sinkhorn_agrees_with_pot(dtype, eps):
    rng = np.random.default_rng(0)
    a, b, cost = rng.dirichlet(np.ones(20)), rng.dirichlet(np.ones(30)), rng.random((20, 30))
    wanted = ot.sinkhorn(a, b, cost, eps, method="sinkhorn_log", stopThr=1e-10, numItermax=50_000)
    result = sinkhorn(*(torch.from_numpy(x).to(dtype) for x in (a, b, cost)), eps=eps, tol=2e-6)
    assert result.converged
    assert np.abs(result.plan.numpy() - wanted).sum() < (2e-3 if dtype == torch.float32 else 1e-4)


@pytest.mark.parametrize("power", [1, 2])
def test_sinkhorn_in_float32_holds_at_eps_of_1e_4_of_the_largest_cost(power):
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 300, 2))
    distance = torch.from_numpy(np.linalg.norm(x[:, None] - y, axis=2) ** power)
    cost = 1000 * distance.float()
    a = torch.full((300,), 1 / 300)
    result = sinkhorn(a, a, cost, eps=1e-4 * cost.max().item(), tol=1e-4)
    assert result.converged
    assert result.plan.dtype == result.cost.dtype == result.residual.dtype == torch.float32
    assert (result.plan.sum(1) - a).abs().sum() < 2e-4
    exact = 1000 * ot.emd2([], [], distance.numpy())
    assert (
        exact * (1 - 1e-6) in result.enclosure or exact * (1 + 1e-6) in result.enclosure
    )  # cost was rounded
    assert result.enclosure.width < 1e-3 * cost.max()


def test_sinkhorn_broadcasts_leading_axes():
    rng = np.random.default_rng(0)
    a = torch.from_numpy(rng.dirichlet(np.ones(3), size=(2, 1)))
    b = torch.from_numpy(rng.dirichlet(np.ones(4), size=5))
    cost = torch.from_numpy(rng.random((3, 4)))
    result = sinkhorn(a, b, cost, eps=0.05, tol=1e-10)
    assert result.plan.shape == (2, 5, 3, 4)
    assert result.converged.shape == result.bounds[0].shape == (2, 5)
    one = sinkhorn(a[1, 0], b[3], cost, eps=0.05, tol=1e-10)
    assert torch.allclose(result.plan[1, 3], one.plan, atol=1e-8)
    with pytest.raises(ValueError, match="use bounds"):
        _ = result.enclosure


@given(st.integers(0, 10**6), st.floats(0.01, 100))
@settings(max_examples=30)
def test_sinkhorn_doubles_with_the_mass_and_with_cost_and_eps(seed, factor):
    a, b, cost = problem(seed)
    one = sinkhorn(a, b, cost, eps=0.3, tol=1e-11)
    more = sinkhorn(factor * a, factor * b, cost, eps=0.3, tol=1e-11)
    dear = sinkhorn(a, b, factor * cost, eps=factor * 0.3, tol=1e-11)
    for other in (more, dear):
        for name in ("cost", "entropic_cost"):
            wanted = factor * getattr(one, name).item()
            assert getattr(other, name).item() == pytest.approx(wanted, rel=1e-6, abs=1e-8 * factor)
        for bound, wanted in zip(other.bounds, one.bounds, strict=True):
            assert bound.item() == pytest.approx(factor * wanted.item(), rel=1e-6, abs=1e-8 * factor)


def test_sinkhorn_of_equal_costs_is_the_independent_plan():
    a, b, _ = problem(1)
    result = sinkhorn(a, b, torch.full((len(a), len(b)), 7.0, dtype=torch.float64), eps=1e-3)
    assert torch.allclose(result.plan, a[:, None] * b / a.sum())


HALF, COST = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"a": torch.tensor([1.5, -0.5])}, ValueError, "a must not be negative, got -0.5"),
        ({"b": torch.tensor([0.0, 0.0])}, ValueError, "b must hold some mass"),
        ({"b": torch.tensor([0.5, 0.25])}, ValueError, r"differ by up to 0\.25; normalise both"),
        ({"a": torch.tensor([math.nan, 1.0])}, ValueError, "a must hold finite numbers"),
        ({"cost": torch.tensor([[0.0, math.inf], [1.0, 0.0]])}, ValueError, "cost must hold finite numbers"),
        ({"a": torch.zeros(0), "cost": torch.zeros(0, 2)}, ValueError, r"a must hold finite .* shape \(0,\)"),
        ({"cost": COST.double()}, TypeError, "cost must have the dtype and device of a"),
        ({"a": HALF.half()}, TypeError, "a must be a float32 or float64 tensor, got torch.float16"),
        ({"b": HALF.to("meta")}, TypeError, "got torch.float32 on meta"),
        (
            {"eps": 0.0},
            ValueError,
            "eps must be a finite number above 0, got 0.0; for the exact plan use emd",
        ),
        ({"eps": math.nan}, ValueError, "eps must be"),
        ({"tol": 0.0}, ValueError, "tol must be > 0"),
        ({"max_iter": 0}, ValueError, "max_iter >= 1"),
    ],
)
def test_sinkhorn_says_what_is_wrong(change, error, message):
    with pytest.raises(error, match=message):
        sinkhorn(**({"a": HALF, "b": HALF, "cost": COST, "eps": 0.1} | change))


@pytest.mark.parametrize(
    ("a", "b", "cost", "error", "message"),
    [
        (HALF, HALF, torch.zeros(2, 3), ValueError, r"cost must have shape \(\.\.\., n, m\)"),
        (HALF, HALF, torch.zeros(2), ValueError, r"cost must have shape"),
        (HALF.expand(2, 2), HALF, COST.expand(3, 2, 2), ValueError, "leading axes of a, b and cost must fit"),
        ([0.5, 0.5], HALF, COST, TypeError, "a must be a float32 or float64 tensor, got list"),
    ],
)
def test_sinkhorn_says_which_shapes_and_types_do_not_fit(a, b, cost, error, message):
    with pytest.raises(error, match=message):
        inspect.unwrap(checked)(a, b, cost)  # jaxtyping's hook would be the first to complain
