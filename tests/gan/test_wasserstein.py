"""The claims and the exercises of the page on the Wasserstein GAN."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from mlnotes2.divergences import kl
from mlnotes2.gan import critic_loss, gradient_penalty, update_critic
from mlnotes2.transport import emd

clouds = arrays(float, st.tuples(st.integers(2, 6), st.just(2)), elements=st.floats(-5, 5))
seeds = st.integers(0, 2**32 - 1)


def _distance(x, y):
    return np.linalg.norm(x[:, None] - y, axis=-1)


def _solve(x, y):
    return emd(np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), _distance(x, y))


def _best_critic(x, y):
    """The minimum of cones of slope 1 over the points of y, and the solved problem."""
    best = _solve(x, y)
    return lambda z: (_distance(z, y) - best.potentials[1]).min(axis=1), best


def _simplex(rng, k):
    p = rng.dirichlet(np.ones(k))
    return (p + 0.01) / (p + 0.01).sum()


FORMS = {  # f, f' and f*, written out
    "kl": (lambda u: u * np.log(u), lambda u: 1 + np.log(u), lambda t: np.exp(t - 1)),
    "reverse kl": (lambda u: -np.log(u), lambda u: -1 / u, lambda t: -1 - np.log(-t)),
    "pearson": (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1), lambda t: t + t**2 / 4),
}


@pytest.mark.claim("gan.variational-form")
@pytest.mark.parametrize("name", FORMS)
@given(seed=seeds)
def test_every_critic_bounds_the_divergence_and_one_attains_it(name, seed):
    f, slope, conjugate = FORMS[name]
    rng = np.random.default_rng(seed)
    p, q = _simplex(rng, 5), _simplex(rng, 5)
    divergence = q @ f(p / q)
    best = slope(p / q)
    assert p @ best - q @ conjugate(best) == pytest.approx(divergence, abs=1e-9)  # rounding
    other = slope(_simplex(rng, 5) / q)  # any critic with values in the domain of f*
    assert p @ other - q @ conjugate(other) <= divergence + 1e-9
    assert (conjugate(other) >= other - 1e-9).all()  # f*(t) >= t, because f(1) = 0


@pytest.mark.claim("gan.weak-duality")
@given(x=clouds, y=clouds, seed=seeds)
def test_a_critic_over_its_slope_never_exceeds_the_distance(x, y, seed):
    rng = np.random.default_rng(seed)
    one, two, three = rng.normal(size=(2, 8)), rng.normal(size=(8, 8)), rng.normal(size=8)
    lipschitz = np.linalg.norm(one, 2) * np.linalg.norm(two, 2) * np.linalg.norm(three)

    def critic(z):
        return np.maximum(np.maximum(z @ one, 0) @ two, 0) @ three

    bound = (critic(x).mean() - critic(y).mean()) / lipschitz
    assert bound <= _solve(x, y).cost + 1e-9  # rounding


@pytest.mark.claim("gan.best-critic")
@given(x=clouds, y=clouds, z=clouds)
def test_a_minimum_of_cones_attains_the_distance_with_slope_one(x, y, z):
    critic, best = _best_critic(x, y)
    assert critic(x).mean() - critic(y).mean() == pytest.approx(best.cost, abs=1e-9)  # rounding
    points = np.concatenate([x, y, z])
    rise = np.abs(critic(points)[:, None] - critic(points))
    assert (rise <= _distance(points, points) + 1e-9).all()


@pytest.mark.claim("gan.unit-slope")
@given(x=clouds, y=clouds, t=st.floats(0, 1))
def test_the_best_critic_has_slope_one_along_the_best_plan(x, y, t):
    critic, best = _best_critic(x, y)
    i, j = np.nonzero(best.plan > 1e-9)
    length = np.linalg.norm(x[i] - y[j], axis=1)
    rise = critic(y[j] + t * (x[i] - y[j])) - critic(y[j])
    np.testing.assert_allclose(rise, t * length, atol=1e-9)  # rounding


@pytest.mark.claim("gan.unit-slope")
def test_the_best_critics_gradient_points_along_the_best_plan():
    rng = np.random.default_rng(0)
    x, y = rng.normal(3, 1, (6, 2)), rng.normal(0, 1, (6, 2))
    critic, best = _best_critic(x, y)
    for i, j in zip(*np.nonzero(best.plan > 1e-9), strict=True):
        middle, h = (x[i] + y[j]) / 2, 1e-6
        ends = middle + h * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        up = critic(ends)
        gradient = np.array([up[0] - up[1], up[2] - up[3]]) / (2 * h)
        direction = (x[i] - y[j]) / np.linalg.norm(x[i] - y[j])
        np.testing.assert_allclose(gradient, direction, atol=1e-5)  # difference quotient


@pytest.mark.claim("gan.clipping")
@given(d=st.integers(1, 4), w=st.integers(1, 60), c=st.floats(0.001, 2.0), seed=seeds)
def test_a_clipped_critic_reaches_its_bound_which_is_not_one(d, w, c, seed):
    bound = np.sqrt(d) * c**3 * w**2

    def slope_at_positive_inputs(one, two, three):
        active_1 = one.sum(axis=0) > 0
        active_2 = np.maximum(one.sum(axis=0), 0) @ two > 0
        return np.linalg.norm((one * active_1) @ (two * active_2) @ three)

    full = (np.full((d, w), c), np.full((w, w), c), np.full(w, c))
    assert slope_at_positive_inputs(*full) == pytest.approx(bound)
    rng = np.random.default_rng(seed)
    random = (rng.uniform(-c, c, layer.shape) for layer in full)
    assert slope_at_positive_inputs(*random) <= bound * (1 + 1e-12)  # rounding


@pytest.mark.claim("gan.clipping")
def test_the_customary_clipping_gives_slopes_below_and_above_one():
    slope = {w: _steepest_clipped_slope(w) for w in (64, 1000)}
    assert slope[64] < 0.01 < 1 < slope[1000]


def _steepest_clipped_slope(w):
    """The slope at (1, 1) of a critic on the plane whose weights were too large until an update clipped them."""
    critic = nn.Sequential(nn.Linear(2, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, 1))
    with torch.no_grad():
        for name, parameter in critic.named_parameters():
            parameter.fill_(0.0 if name.endswith("bias") else 0.1)
    x = torch.ones(1, 2, requires_grad=True)
    sgd = torch.optim.SGD(critic.parameters(), lr=0.0)
    update_critic(critic, sgd, x.detach(), x.detach(), method="wgan", generator=torch.Generator())
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return gradient.norm().item()


@pytest.mark.claim("gan.smaller-class")
@given(x=clouds, y=clouds)
def test_linear_critics_see_the_difference_of_the_means_only(x, y):
    gap = x.mean(axis=0) - y.mean(axis=0)
    angles = np.linspace(0, 2 * np.pi, 721)
    seen = (np.stack([np.cos(angles), np.sin(angles)], axis=1) @ gap).max()
    assert seen == pytest.approx(np.linalg.norm(gap), rel=1e-4, abs=1e-12)  # a quarter of a degree
    assert seen <= _solve(x, y).cost + 1e-9


@pytest.mark.claim("gan.smaller-class")
@given(x=clouds)
def test_linear_critics_miss_the_distance_from_the_mean(x):
    x, y = np.concatenate([x, -x]), np.zeros((1, 2))
    assert np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)) == pytest.approx(0, abs=1e-12)  # rounding
    assert _solve(x, y).cost == pytest.approx(np.linalg.norm(x, axis=1).mean())


@pytest.mark.claim("gan.smaller-class")
def test_linear_critics_miss_a_distance_of_one():
    x, y = np.array([[-1.0], [1.0]]), np.array([[0.0]])
    assert x.mean() - y.mean() == 0
    assert _solve(x, y).cost == pytest.approx(1)


@pytest.mark.claim("gan.descent-ascent")
@given(x=st.floats(-3, 3), y=st.floats(-3, 3), eta=st.floats(0.001, 1.9))
def test_descent_ascent_on_xy_grows_at_once_and_circles_in_turns(x, y, eta):
    radius = np.hypot(x, y)
    assert np.hypot(x - eta * y, y + eta * x) == pytest.approx(np.sqrt(1 + eta**2) * radius, abs=1e-9)
    new = x - eta * y
    turn = (new, y + eta * new)
    energy = x * x + y * y - eta * x * y
    assert turn[0] ** 2 + turn[1] ** 2 - eta * turn[0] * turn[1] == pytest.approx(
        energy, abs=1e-8
    )  # rounding


@pytest.mark.exercise("gan.1")
@given(t=st.floats(-3, 3), seed=seeds)
def test_solution_the_conjugate_of_u_log_u(t, seed):
    u = np.exp(t - 1 + np.linspace(-1, 1, 2001))  # its middle is the claimed place of the maximum
    values = u * t - u * np.log(u)
    assert values.argmax() == 1000
    assert values.max() == pytest.approx(np.exp(t - 1))
    rng = np.random.default_rng(seed)
    p, q = _simplex(rng, 5), _simplex(rng, 5)
    best = 1 + np.log(p / q)
    assert p @ best - q @ np.exp(best - 1) == pytest.approx(kl(p, q), abs=1e-9)  # rounding


@pytest.mark.exercise("gan.2")
@given(seed=seeds)
def test_solution_the_gan_loss_is_js_without_its_constant(seed):
    rng = np.random.default_rng(seed)
    p, q = _simplex(rng, 5), _simplex(rng, 5)
    middle = (p + q) / 2
    js = (p @ np.log(p / middle) + q @ np.log(q / middle)) / 2
    best = p / (p + q)
    assert p @ np.log(best) + q @ np.log(1 - best) == pytest.approx(2 * js - np.log(4))
    other = rng.uniform(0.01, 0.99, size=5)
    assert p @ np.log(other) + q @ np.log(1 - other) <= 2 * js - np.log(4) + 1e-9  # rounding


@pytest.mark.exercise("gan.3")
@given(theta=st.floats(-5, 5).filter(lambda theta: abs(theta) > 0.01), seed=seeds, t=st.floats(0, 1))
def test_solution_every_best_critic_falls_with_slope_one_from_the_data_to_the_samples(theta, seed, t):
    rng = np.random.default_rng(seed)
    points, values = [0.0, theta], [0.0, -abs(theta)]
    for point in rng.uniform(-9, 9, size=5):  # any values that 1-Lipschitz functions can have there
        reach = np.abs(point - np.array(points))
        values.append(rng.uniform((values - reach).max(), (values + reach).min()))
        points.append(point)

    def critic(x):
        return np.min(values + np.abs(x - np.array(points)))

    assert critic(0.0) - critic(theta) == pytest.approx(abs(theta))  # it is a best one: W is |theta|
    moved = (1 - t) * theta
    assert -critic(moved) == pytest.approx(-critic(theta) - t * abs(theta), abs=1e-9)  # rounding


def _penalised_loss(k, gap, weight):
    """WGAN-GP's loss of the critic D(x) = k x, for data at `gap` and generated samples at 0."""
    real, fake = torch.full((4, 1), gap, dtype=torch.float64), torch.zeros(4, 1, dtype=torch.float64)
    rng = torch.Generator().manual_seed(0)
    penalty = gradient_penalty(lambda x: k * x.squeeze(1), real, fake, generator=rng)
    return (critic_loss(k * real, k * fake, method="wgan-gp") + weight * penalty).item()


@pytest.mark.claim("gan.penalty")
@given(gap=st.floats(0.1, 5), weight=st.floats(0.5, 20))
def test_the_penalised_critic_is_too_steep_and_may_point_the_wrong_way(gap, weight):
    best = 1 + gap / (2 * weight)
    assert best > 1
    for other in (best - 0.01, best + 0.01, -1.0, 0.0, 1.0):
        assert _penalised_loss(best, gap, weight) < _penalised_loss(other, gap, weight)
    assert best * gap - gap == pytest.approx(gap**2 / (2 * weight))
    trap = -1 + gap / (2 * weight)
    if trap < -0.02:  # so that both neighbours are negative too
        for other in (trap - 0.01, trap + 0.01):
            assert _penalised_loss(trap, gap, weight) < _penalised_loss(other, gap, weight)


@pytest.mark.claim("gan.penalty")
@given(gap=st.floats(0.1, 5), weight=st.floats(0.5, 20), seed=seeds)
def test_no_other_critic_beats_the_straight_one(gap, weight, seed):
    rng = np.random.default_rng(seed)
    best = 1 + gap / (2 * weight)
    slopes = best + rng.normal(size=(20, 7)) * 10.0 ** rng.uniform(-4, 1, size=(20, 1))
    # the loss of piecewise linear critics, whose penalty sees each of the seven equal pieces equally often
    losses = np.mean(-slopes * gap + weight * (np.abs(slopes) - 1) ** 2, axis=1)
    assert (losses >= _penalised_loss(best, gap, weight) - 1e-9).all()  # rounding
