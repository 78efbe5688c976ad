"""Common mistakes about Wasserstein GANs."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import kstest

from mistakes.page import right, wrong
from oracles import scipy_wasserstein

SEEDS = st.integers(0, 2**32 - 1)


def normal(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def rng(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.claim("mistakes.clipping")
@given(st.integers(1, 100), st.floats(0.05, 0.5), st.floats(0.2, 2), SEEDS)
def test_a_clipped_critic_gives_the_distance_times_a_number_of_its_architecture(width, c, shift, seed):
    fake = 1 + normal(seed, 5, 1).abs().float()
    real, shown = fake + shift, wrong("mistakes.clipping")
    value = shown.difference(real, fake, *shown.train(real, fake, width, c)).item()
    true = scipy_wasserstein(real.flatten().numpy(), fake.flatten().numpy(), None, None)
    assert value / true == pytest.approx(width * c**2, rel=1e-4)  # float32


@pytest.mark.claim("mistakes.clipping")
@given(st.integers(1, 8), SEEDS)
def test_a_difference_over_a_proved_constant_never_exceeds_the_distance(width, seed):
    real, fake = normal(seed, 6, 1), normal(seed + 1, 6, 1)
    A, B = normal(seed + 2, 1, width), normal(seed + 3, width, 1)
    true = scipy_wasserstein(real.flatten().numpy(), fake.flatten().numpy(), None, None)
    for sign in (1, -1):
        assert right("mistakes.clipping").lower_bound(real, fake, A, sign * B) <= true + 1e-12


IMAGES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(4, 8), st.integers(4, 8))


def detour(real, fake, between):
    """The way by the point between, over the straight way."""
    ways = [(x - y).flatten(1).norm(dim=1) for x, y in ((real, between), (between, fake), (real, fake))]
    return (ways[0] + ways[1]) / ways[2]


@pytest.mark.claim("mistakes.penalty-points")
@given(IMAGES, SEEDS)
def test_one_random_number_per_pixel_leaves_the_segment(shape, seed):
    real, fake = normal(seed, *shape).float(), normal(seed + 1, *shape).float()
    assert detour(real, fake, wrong("mistakes.penalty-points").between(real, fake, rng(seed))).min() > 1.01
    segment = right("mistakes.penalty-points").between(real, fake, rng(seed))
    torch.testing.assert_close(detour(real, fake, segment), torch.ones(len(real)))


@pytest.mark.claim("mistakes.penalty-points")
@given(SEEDS)
def test_one_random_number_per_pair_is_uniform(seed):
    real, fake = torch.ones(1000, 2, 2), torch.zeros(1000, 2, 2)
    epsilon = right("mistakes.penalty-points").between(real, fake, rng(seed))[:, 0, 0]
    assert kstest(epsilon.numpy(), "uniform").statistic < 0.1  # once in 10^8 by chance


@pytest.mark.claim("mistakes.penalty-norm")
@given(IMAGES, SEEDS)
def test_a_unit_slope_is_free_only_with_the_norm_over_all_axes(shape, seed):
    slope = normal(seed, *shape)
    slope = slope / torch.tensor([np.linalg.norm(image) for image in slope.numpy()]).reshape(-1, 1, 1, 1)
    assert right("mistakes.penalty-norm").penalty(slope).item() == pytest.approx(0, abs=1e-12)
    assert wrong("mistakes.penalty-norm").penalty(slope).item() > 0.2


@pytest.mark.claim("mistakes.penalty-root")
@given(st.integers(1, 5), st.integers(1, 4), SEEDS)
def test_a_root_at_0_gives_nan_and_a_norm_gives_0(n, d, seed):
    slope = normal(seed, n + 1, d)
    slope[0] = 0
    gradients = []
    for block in (wrong, right):
        at = slope.clone().requires_grad_()
        block("mistakes.penalty-root").penalty(at).backward()
        gradients.append(at.grad)
    size = slope[1:].norm(dim=1, keepdim=True)
    formula = 2 * (size - 1) * slope[1:] / size / (n + 1)
    assert gradients[0][0].isnan().all()
    assert (gradients[1][0] == 0).all()
    for gradient in gradients:
        torch.testing.assert_close(gradient[1:], formula)


def own_slopes(critic, x, step=1e-5):
    """The slope of each score when only its own sample moves, by central differences."""
    slopes = torch.zeros_like(x)
    for i, j in np.ndindex(*x.shape):
        shift = torch.zeros_like(x)
        shift[i, j] = step
        slopes[i, j] = (critic(x + shift)[i, 0] - critic(x - shift)[i, 0]) / (2 * step)
    return slopes.detach().norm(dim=1)


@pytest.mark.claim("mistakes.penalty-batchnorm")
@given(st.integers(3, 5), SEEDS)
def test_under_batch_normalisation_the_penalty_sees_no_slope_where_there_is_one(n, seed):
    shown = wrong("mistakes.penalty-batchnorm")
    critic, x = copy.deepcopy(shown.critic).double(), normal(seed, n, 4).requires_grad_()
    assert shown.slopes(critic, x).max() < 1e-9
    assert own_slopes(critic, x.detach()).max() > 0.05


@pytest.mark.claim("mistakes.penalty-batchnorm")
@given(st.integers(3, 5), SEEDS)
def test_without_it_the_penalty_sees_the_slope_of_each_score(n, seed):
    shown = right("mistakes.penalty-batchnorm")
    critic, x = copy.deepcopy(shown.critic).double(), normal(seed, n, 4).requires_grad_()
    own = own_slopes(critic, x.detach())
    assert own.min() > 0
    torch.testing.assert_close(shown.slopes(critic, x), own, rtol=1e-4, atol=1e-6)  # differences


@pytest.mark.claim("mistakes.hinge")
@given(st.floats(0.1, 20), st.integers(1, 10), SEEDS)
def test_the_hinge_is_below_the_distance_and_never_above_2(shift, n, seed):
    fake = normal(seed, n)
    real = fake + shift  # D(x) = x is then a best critic
    true = scipy_wasserstein(real.numpy(), fake.numpy(), None, None)
    hinge = wrong("mistakes.hinge").distance(real, fake)
    assert hinge <= min(true, 2) + 1e-12
    if shift > 2:
        assert hinge < true
    assert right("mistakes.hinge").distance(real, fake) == pytest.approx(true)


@pytest.mark.claim("mistakes.saturation")
@given(st.floats(4, 15))
def test_the_saturating_loss_has_no_gradient_where_the_generator_fails(score):
    for block, expected in ((wrong, lambda s: -expit(s)), (right, lambda s: -expit(-s))):
        slopes = []
        for s in (-score, score):
            at = torch.tensor(s, dtype=torch.float64, requires_grad=True)
            slopes += torch.autograd.grad(block("mistakes.saturation").loss(at), at)
            assert slopes[-1].item() == pytest.approx(expected(s), rel=1e-6)
        at_failure, at_success = (abs(slope.item()) for slope in slopes)
        assert (at_failure < 0.02) == (block is wrong)
        assert (at_success < 0.02) == (block is right)


REWARDS = pytest.mark.parametrize("reward", [np.log, np.asarray], ids=["reverse KL", "KL"])


def shares(seed):
    """Those of the data and of the generator at the start: eight modes, none of them rare."""
    rng = np.random.default_rng(seed)
    return (weights / weights.sum() for weights in rng.uniform(0.3, 1, (2, 8)))


@pytest.mark.claim("mistakes.divergence-blamed")
@REWARDS
@pytest.mark.parametrize("seed", range(5))
def test_against_a_critic_that_waits_both_divergences_collapse(reward, seed):
    p, q = shares(seed)
    found = wrong("mistakes.divergence-blamed").train(p, q, reward, patience=2000)
    assert (found > p / 4).sum() <= 2
    assert found[np.argmax(p / q)] > 0.4


@pytest.mark.claim("mistakes.divergence-blamed")
@REWARDS
@pytest.mark.parametrize("seed", range(5))
def test_with_the_best_critic_both_divergences_find_every_mode(reward, seed):
    p, q = shares(seed)
    found = right("mistakes.divergence-blamed").train(p, q, reward, patience=1)
    np.testing.assert_allclose(found, p, atol=1e-9)


@pytest.mark.claim("mistakes.divergence-blamed")
def test_the_page_shows_one_mode_with_a_critic_that_waits_and_eight_with_the_best():
    for block, n_modes in ((wrong, 1), (right, 8)):
        printed = block("mistakes.divergence-blamed").printed
        assert printed == f"reverse KL: {n_modes} modes\nKL: {n_modes} modes\n"


@pytest.mark.claim("mistakes.divergence-blamed")
@given(SEEDS)
def test_the_rewards_have_the_gradients_of_the_two_divergences(seed):
    p, q = (torch.tensor(share) for share in shares(seed))
    logits = q.log().requires_grad_()
    model, ratio = logits.softmax(0), p / q
    for reward, divergence in (
        (ratio, (p * (p / model).log()).sum()),
        (ratio.log(), (model * (model / p).log()).sum()),
    ):
        wanted, found = (
            torch.autograd.grad(value, logits, retain_graph=True)[0]
            for value in (-divergence, model @ reward)
        )
        torch.testing.assert_close(found, wanted)
