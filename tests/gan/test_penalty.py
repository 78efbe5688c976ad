"""The gradient penalty against slopes that are known, and the mistakes that change it."""

import inspect

import pytest
import torch
from torch import nn

from mlnotes2.gan import gradient_penalty


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3, 3)])
def test_gradient_penalty_is_exact_for_a_linear_critic(shape):
    rng = _rng()
    weight = torch.randn(shape[1:], generator=rng, dtype=torch.float64)
    real, fake = (torch.randn(shape, generator=rng, dtype=torch.float64) for _ in range(2))
    penalty = gradient_penalty(lambda x: (x * weight).flatten(1).sum(1), real, fake, generator=rng)
    torch.testing.assert_close(penalty, (weight.norm() - 1) ** 2)  # norm over all axes but the first


def test_gradient_penalty_draws_one_epsilon_for_each_sample():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(dim=(1, 2))

    gradient_penalty(critic, torch.ones(1000, 3, 2), torch.zeros(1000, 3, 2), generator=_rng())
    epsilon = seen[0].flatten(1)  # between zeros and ones, the point is epsilon itself
    assert torch.equal(epsilon, epsilon[:, :1].expand(-1, 6))
    assert epsilon[:, 0].unique().numel() > 990
    assert 0 <= epsilon.min() < 0.01 < 0.99 < epsilon.max() < 1
    assert abs(epsilon[:, 0].var().item() - 1 / 12) < 0.01  # uniform: 1/12, with a standard error of 0.0024


def test_gradient_penalty_passes_gradients_to_the_critic_only():
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    real, fake = torch.randn(2, 6, 2, generator=_rng()).unbind()
    real.requires_grad_()
    fake.requires_grad_()
    gradient_penalty(critic, real, fake, generator=_rng()).backward()
    assert critic[0].weight.grad.abs().sum() > 0
    assert real.grad is None
    assert fake.grad is None


def test_gradient_penalty_gradient_is_the_difference_quotient():
    critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    real, fake = torch.randn(2, 5, 2, generator=_rng(), dtype=torch.float64).unbind()

    def penalty(weight):
        def scores(x):
            return torch.func.functional_call(critic, {"0.weight": weight}, x)

        return gradient_penalty(scores, real, fake, generator=_rng())

    weight = critic[0].weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(penalty, (weight,))


@pytest.mark.parametrize("weight", [0.0, 1e-30])
def test_gradient_penalty_has_a_finite_gradient_at_zero_slope(weight):
    weight = torch.full((2,), weight, requires_grad=True)
    penalty = gradient_penalty(lambda x: x @ weight, torch.ones(3, 2), torch.zeros(3, 2), generator=_rng())
    penalty.backward()
    assert penalty.item() == pytest.approx(1)
    assert torch.isfinite(weight.grad).all()


def test_sqrt_of_the_squared_slope_gives_nan_where_the_penalty_does_not():
    weight = torch.zeros(2, requires_grad=True)
    point = torch.ones(3, 2, requires_grad=True)
    (slope,) = torch.autograd.grad((point @ weight).sum(), point, create_graph=True)
    ((slope.square().sum(1).sqrt() - 1) ** 2).mean().backward()
    assert weight.grad.isnan().all()


def test_gradient_penalty_is_reproducible_and_leaves_the_global_seed_alone():
    state = torch.get_rng_state()
    real, fake = torch.randn(2, 6, 2, generator=_rng()).unbind()
    first, second = (
        gradient_penalty(lambda x: x.square().sum(1), real, fake, generator=_rng(3)) for _ in "ab"
    )
    assert torch.equal(first, second)
    assert torch.equal(state, torch.get_rng_state())


def test_gradient_penalty_rejects_batch_normalisation_while_training():
    critic = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    x = torch.randn(6, 2, generator=_rng())
    with pytest.raises(ValueError, match="replace the critic's batch normalisation"):
        gradient_penalty(critic, x, x, generator=_rng())
    gradient_penalty(critic.eval(), x, x, generator=_rng())  # with fixed statistics each sample is on its own


@pytest.mark.parametrize(
    ("real", "fake", "error", "message"),
    [
        (torch.zeros(3, 2), torch.zeros(4, 2), ValueError, r"share a shape .* \(3, 2\) and \(4, 2\)"),
        (torch.zeros(3), torch.zeros(3), ValueError, r"\(batch, features, ...\)"),
        (torch.zeros(0, 2), torch.zeros(0, 2), ValueError, r"got \(0, 2\)"),
        (torch.zeros(3, 2), torch.full((3, 2), torch.nan), ValueError, "must be finite"),
        (torch.full((3, 2), torch.inf), torch.zeros(3, 2), ValueError, "must be finite"),
        (torch.zeros(3, 2), torch.zeros(3, 2).double(), TypeError, "share a floating-point dtype"),
        (torch.zeros(3, 2).long(), torch.zeros(3, 2).long(), TypeError, "share a floating-point dtype"),
        (
            torch.zeros(3, 2),
            torch.zeros(3, 2, device="meta"),
            ValueError,
            "one device, got cpu, meta and cpu",
        ),
    ],
)
def test_gradient_penalty_rejects_bad_samples(real, fake, error, message):
    with pytest.raises(error, match=message):
        inspect.unwrap(gradient_penalty)(lambda x: x.sum(1), real, fake, generator=_rng())
