"""FDivergence and its instances: conjugates by brute force and quadrature, the variational bound, and the sums."""

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from divergences.strategies import pairs
from mlnotes2 import divergences
from mlnotes2.divergences import GAN, HELLINGER, JEFFREYS, JS, KL, PEARSON, REVERSE_KL, TV

ALL = [GAN, HELLINGER, JEFFREYS, JS, KL, PEARSON, REVERSE_KL, TV]
BY_SUM = {
    "HELLINGER": divergences.squared_hellinger,
    "JEFFREYS": divergences.jeffreys,
    "JS": divergences.js,
    "KL": divergences.kl,
    "PEARSON": divergences.pearson_chi2,
    "REVERSE_KL": divergences.reverse_kl,
    "TV": divergences.total_variation,
}
each = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)
few = settings(max_examples=25)  # for each divergence


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def inside(f):
    """Points of the conjugate's domain, below its end and away from it."""
    return torch.linspace(-6, min(f.domain[1] - 0.02, 3), 61, dtype=torch.float64)


@pytest.mark.parametrize("name", BY_SUM)
@few
@given(pair=pairs())
def test_divergence_equals_the_sum(name, pair):
    p, q = pair
    value = getattr(divergences, name).divergence(tensor(p), tensor(q)).item()
    # u log u - (u + 1) log((u + 1) / 2) cancels for large u = p/q: weaker than the sum's own rounding
    assert value == pytest.approx(BY_SUM[name](p, q), rel=1e-10, abs=1e-12)


@given(pairs())
def test_gan_divergence_is_twice_js_minus_log_4(pair):
    p, q = pair
    assert GAN.divergence(tensor(p), tensor(q)).item() == pytest.approx(
        2 * divergences.js(p, q) - math.log(4), abs=1e-12
    )


@pytest.mark.claim("divergences.conjugates")
@each
def test_conjugate_equals_brute_force(f):
    u = torch.cat([torch.zeros(1, dtype=torch.float64), torch.logspace(-8, 8, 160_001, dtype=torch.float64)])
    t = inside(f)
    t = t[f.conjugate(t) < 1e6]
    brute = torch.stack([(s * u - f.generator(u)).max() for s in t])
    # the grid misses the best u by a factor of at most 1 + 1.2e-4; the maximum is flat, so the square counts
    torch.testing.assert_close(f.conjugate(t), brute, rtol=1e-6, atol=1e-6)
    assert (brute <= f.conjugate(t) + 1e-9).all()


@pytest.mark.claim("divergences.conjugates")
@each
def test_conjugate_is_inf_outside_its_domain(f):
    if math.isfinite(f.domain[1]):
        assert math.isinf(f.conjugate(tensor(f.domain[1] + 0.1)).item())
    assert torch.isfinite(f.conjugate(inside(f))).all()


@each
def test_conjugate_has_the_best_u_as_its_slope(f):
    u = torch.tensor([0.05, 0.3, 0.9, 1.1, 2.0, 7.0], dtype=torch.float64)
    t = f.derivative(u).requires_grad_()
    (slope,) = torch.autograd.grad(f.conjugate(t).sum(), t)
    if f is TV:  # f has a kink, so t stands at the corners of f*: any slope in [0, 1], or above, is a best u
        assert (slope >= 0).all()
    else:
        torch.testing.assert_close(slope, u)


@pytest.mark.claim("divergences.conjugates")
@each
def test_derivative_is_that_of_the_generator(f):
    u = torch.tensor([0.01, 0.2, 0.7, 1.3, 3.0, 50.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(f.generator(u).sum(), u)
    torch.testing.assert_close(f.derivative(u), slope)


@each
def test_domain_ends_at_the_slope_of_the_generator_at_infinity(f):
    far = f.generator(tensor(1e12)).item() / 1e12
    assert f.derivative(tensor(math.inf)).item() == f.domain[1]
    if math.isfinite(f.domain[1]):
        assert far == pytest.approx(f.domain[1], abs=1e-5)  # Hellinger nears it like 1 / sqrt(u)
    else:
        assert far > 10


@pytest.mark.claim("divergences.conjugates")
@each
def test_fenchel_young_inequality_holds_with_equality_at_the_derivative(f):
    u = torch.logspace(-3, 3, 31, dtype=torch.float64)
    best = f.derivative(u)
    torch.testing.assert_close(f.generator(u) + f.conjugate(best), u * best, rtol=1e-9, atol=1e-9)
    gap = f.generator(u)[:, None] + f.conjugate(inside(f)) - u[:, None] * inside(f)
    assert (gap >= -1e-9).all()


@each
def test_conjugate_is_the_area_below_the_inverse_of_the_derivative(f):
    """f*(t) - f*(s) is the integral of the best u from s to t; substitute t = f'(u) and integrate over log u."""
    v = torch.linspace(-2, 2, 4001, dtype=torch.float64)
    t = f.derivative(v.exp())
    area = torch.trapezoid(v.exp(), t)  # a Stieltjes integral, so that the corner of TV counts too
    # the trapezoid rule errs by 1e-3 squared times the curvature; at TV's corner by half a step
    rise = f.conjugate(t[-1]) - f.conjugate(t[0])
    torch.testing.assert_close(rise, area, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("mean", "std"), [(0.5, 1.0), (0.0, 0.8), (-1.0, 1.3)])
@each
def test_optimal_critic_of_two_gaussians_attains_their_divergence(f, mean, std):
    x = torch.linspace(-14, 14, 20_001, dtype=torch.float64)
    log_p, log_q = (torch.distributions.Normal(*map(tensor, ms)).log_prob(x) for ms in ((0, 1), (mean, std)))
    p, q = log_p.exp(), log_q.exp()
    keep = (p > 1e-30) & (q > 1e-30)  # elsewhere the ratio is 0 / 0
    critic = f.optimal_critic(p[keep], q[keep])
    bound = torch.trapezoid(p[keep] * critic - q[keep] * f.conjugate(critic), x[keep])
    assert bound.item() == pytest.approx(oracles.gaussian_divergence(f.name, mean, std), abs=1e-6)


@each
def test_activation_maps_the_line_onto_the_domain(f):
    v = torch.linspace(-12, 12, 241, dtype=torch.float64)
    t = f.activation(v)
    assert (t.diff() > 0).all()
    assert (t <= f.domain[1]).all()
    assert f.activation(tensor(0.0)).item() == pytest.approx(f.derivative(tensor(1.0)).item(), abs=1e-15)
    if math.isfinite(f.domain[1]):
        assert f.activation(tensor(60.0)).item() == pytest.approx(f.domain[1], abs=1e-12)


@pytest.mark.parametrize("f", [f for f in ALL if f not in (PEARSON, TV)], ids=lambda f: f.name)
def test_activation_makes_the_raw_output_the_log_ratio(f):
    v = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(f.activation(v), f.derivative(v.exp()))


@each
def test_conjugate_of_activation_is_the_composition(f):
    v = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(
        f.conjugate_of_activation(v), f.conjugate(f.activation(v)), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("f", [GAN, JS], ids=lambda f: f.name)
def test_raw_bound_stays_finite_where_the_activation_rounds_to_the_end(f):
    v = torch.tensor([120.0], requires_grad=True)  # float32
    assert math.isinf(f.conjugate(f.activation(v.detach())).item())
    bound = f.raw_bound(v, v)
    bound.backward()
    assert math.isfinite(bound.item())
    assert torch.isfinite(v.grad).all()


@each
def test_raw_bound_equals_the_variational_bound(f):
    v_p, v_q = torch.linspace(-2, 3, 7, dtype=torch.float64), torch.linspace(-3, 2, 5, dtype=torch.float64)
    bound = f.variational_bound(f.activation(v_p), f.activation(v_q))
    torch.testing.assert_close(f.raw_bound(v_p, v_q), bound)


@pytest.mark.claim("divergences.variational")
@each
@few
@given(pair=pairs(zeros=False), seed=st.integers(0, 2**32 - 1))
def test_variational_bound_is_below_the_divergence_and_tight_at_the_optimal_critic(f, pair, seed):
    p, q = map(tensor, pair)
    divergence = f.divergence(p, q).item()

    def bound(t):
        return ((p * t).sum() - (q * f.conjugate(t)).sum()).item()

    assert bound(f.optimal_critic(p, q)) == pytest.approx(divergence, rel=1e-9, abs=1e-9)
    v = 3 * torch.randn(len(p), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert bound(f.activation(v)) <= divergence + 1e-9


@each
def test_variational_bound_from_samples_is_the_weighted_one(f):
    """P puts 1/4 and 3/4 on two outcomes, Q 1/2 and 1/2: samples with exactly these shares."""
    critic = f.optimal_critic(tensor([0.25, 0.75]), tensor([0.5, 0.5]))
    bound = f.variational_bound(critic[[0, 1, 1, 1]], critic[[0, 1]])
    torch.testing.assert_close(bound, f.divergence(tensor([0.25, 0.75]), tensor([0.5, 0.5])))


def test_gan_raw_bound_is_the_value_of_the_original_game():
    v_p, v_q = torch.tensor([0.3, 2.0]), torch.tensor([-1.0, 0.5])
    game = v_p.sigmoid().log().mean() + (1 - v_q.sigmoid()).log().mean()
    torch.testing.assert_close(GAN.raw_bound(v_p, v_q), game)


def test_jeffreys_conjugate_agrees_with_the_wright_omega_function():
    t = torch.linspace(-200, 60, 2001, dtype=torch.float64)
    np.testing.assert_allclose(
        JEFFREYS.conjugate(t), oracles.jeffreys_conjugate_scipy(t.numpy()), rtol=1e-12, atol=1e-12
    )


@each
def test_functions_keep_float32(f):
    x = torch.tensor([0.3, 0.7])
    for value in (
        f.generator(x),
        f.derivative(x),
        f.conjugate(x - 1),
        f.activation(x),
        f.optimal_critic(x, x),
    ):
        assert value.dtype == torch.float32
    assert f.divergence(x, x).dtype == torch.float32


@pytest.mark.parametrize("name", BY_SUM)
def test_divergence_in_float32_holds_where_the_ratio_overflows(name):
    p, q = torch.tensor([0.5, 0.5, 0.0, 0.0]), torch.tensor([2e-45, 1.0, 0.0, 0.0])
    value = getattr(divergences, name).divergence(p, q).item()
    wanted = BY_SUM[name](p.double().numpy(), q.double().numpy())
    assert value == (pytest.approx(wanted, rel=1e-6) if wanted < 1e38 else math.inf)


def test_optimal_critic_in_float32_is_finite_where_the_ratio_overflows():
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([2e-42, 1.0])
    critic = KL.optimal_critic(p, q)
    assert critic.dtype == torch.float32
    assert (p * critic).sum().item() - 1 == pytest.approx(KL.divergence(p, q).item(), rel=1e-6)


@pytest.mark.parametrize("name", ["JS", "HELLINGER", "TV", "REVERSE_KL"])
def test_divergence_holds_where_the_ratio_overflows_in_float64(name):
    p, q = [0.5, 0.5], [5e-324, 1.0]
    value = getattr(divergences, name).divergence(tensor(p), tensor(q)).item()
    assert value == pytest.approx(BY_SUM[name](p, q), rel=1e-12)


@each
def test_divergence_has_the_gradient_of_its_definition(f):
    logits = torch.tensor([[0.5, 0.3, -0.2], [0.2, -1.0, 0.7]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: f.divergence(*z.softmax(-1)), logits)


@each
def test_optimal_critic_is_defined_where_a_density_is_0(f):
    critic = f.optimal_critic(tensor([0.0, 0.5, 0.0]), tensor([0.5, 0.0, 0.0]))
    assert critic[1].item() == f.domain[1]
    assert critic[2].item() == f.derivative(tensor(1.0)).item()


@each
def test_fdivergence_is_copied_and_pickled_by_name(f):
    assert pickle.loads(pickle.dumps(f)) is f
    assert copy.deepcopy({"loss": f})["loss"] is f


def test_an_fdivergence_of_ones_own_cannot_be_pickled_under_a_name_that_is_taken():
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(dataclasses.replace(KL, conjugate=torch.exp))


def test_fdivergence_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        KL.name = "other"


def test_variational_bound_rejects_values_outside_the_domain():
    with pytest.raises(
        ValueError, match=r"t_q must be at most 0.5 for HELLINGER, got 0.7; apply HELLINGER.activation"
    ):
        HELLINGER.variational_bound(torch.tensor([0.1]), torch.tensor([0.7]))
    with pytest.raises(ValueError, match="t_p must be at most 0 for REVERSE_KL"):
        REVERSE_KL.variational_bound(torch.tensor([0.1]), torch.tensor([-1.0]))


@pytest.mark.parametrize(
    ("scores", "message"),
    [(torch.tensor([math.nan]), "must be finite"), (torch.tensor([]), "must not be empty")],
)
def test_bounds_reject_bad_scores(scores, message):
    for bound in (KL.variational_bound, KL.raw_bound):
        with pytest.raises(ValueError, match=message):
            bound(scores, torch.tensor([0.0]))
        with pytest.raises(ValueError, match=message):
            bound(torch.tensor([0.0]), scores)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.6], [0.5, 0.5], "p must sum to 1 .* off by 0.1"),
        ([0.5, 0.5], [0.5, 0.5 + 1e-8], "q must sum to 1 .* off by 1e-08"),
        ([0.5, 0.5], [1.5, -0.5], "q must not be negative, got -0.5"),
        ([0.5, math.inf], [0.5, 0.5], "p must be finite"),
    ],
)
def test_divergence_rejects_what_is_not_a_distribution(p, q, message):
    with pytest.raises(ValueError, match=message):
        JS.divergence(tensor(p), tensor(q))


def test_functions_reject_mixed_dtypes():
    double, single = torch.ones(1).double(), torch.ones(1)
    for function in (KL.divergence, KL.optimal_critic, KL.variational_bound, KL.raw_bound):
        with pytest.raises(
            ValueError, match=r"one dtype and device, got torch.float64 on cpu, torch.float32 on"
        ):
            function(double, single)


def test_functions_reject_mixed_devices():
    with pytest.raises(
        ValueError, match=r"one dtype and device, got torch.float32 on cpu, torch.float32 on meta"
    ):
        KL.divergence(torch.ones(1), torch.ones(1, device="meta"))
