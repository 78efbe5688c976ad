"""One update each: which parameters move, where to, and which do not."""

import pytest
import torch
from torch import nn

from mlnotes2.gan import critic_loss, generator_loss, gradient_penalty, update_critic, update_generator

METHODS = ["gan", "nsgan", "wgan", "wgan-gp"]


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


def _scene():
    """A linear critic, a linear generator, real samples and latent inputs, in float64."""
    rng = _rng()
    critic, maker = (nn.Linear(2, outputs, dtype=torch.float64) for outputs in (1, 2))
    with torch.no_grad():
        for parameter in (*critic.parameters(), *maker.parameters()):
            parameter.normal_(generator=rng)
    return critic, maker, *torch.randn(2, 7, 2, generator=rng, dtype=torch.float64).unbind()


def _values(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


@pytest.mark.parametrize("method", METHODS)
def test_update_critic_takes_one_gradient_step(method):
    critic, maker, real, latent = _scene()
    fake, before, made = maker(latent), _values(critic), _values(maker)
    loss = critic_loss(critic(real), critic(fake), method=method)
    if method == "wgan-gp":
        loss = loss + 3 * gradient_penalty(critic, real, fake, generator=_rng(1))
    slopes = torch.autograd.grad(loss, list(critic.parameters()), retain_graph=True, materialize_grads=True)
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    value = update_critic(
        critic, optimizer, real, fake, method=method, generator=_rng(1), penalty=3.0, clip=9.0
    )
    torch.testing.assert_close(value, loss.detach())
    torch.testing.assert_close(_values(critic), [b - 0.1 * s for b, s in zip(before, slopes, strict=True)])
    torch.testing.assert_close(_values(maker), made, rtol=0, atol=0)
    assert maker.weight.grad is None


def test_update_critic_clips_for_wgan_only():
    for method in METHODS:
        critic, maker, real, latent = _scene()
        optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
        update_critic(critic, optimizer, real, maker(latent), method=method, generator=_rng(), clip=0.05)
        largest = max(value.abs().max() for value in _values(critic))
        assert (largest <= 0.05) == (method == "wgan")


@pytest.mark.parametrize("method", METHODS)
def test_update_generator_takes_one_gradient_step(method):
    critic, maker, _, latent = _scene()
    before, judged = _values(maker), _values(critic)
    loss = generator_loss(critic(maker(latent)), method=method)
    slopes = torch.autograd.grad(loss, list(maker.parameters()))
    optimizer = torch.optim.SGD(maker.parameters(), lr=0.1)
    value = update_generator(critic, optimizer, maker(latent), method=method)
    torch.testing.assert_close(value, loss.detach())
    torch.testing.assert_close(_values(maker), [b - 0.1 * s for b, s in zip(before, slopes, strict=True)])
    torch.testing.assert_close(_values(critic), judged, rtol=0, atol=0)


def test_update_critic_ignores_gradients_left_by_the_generators_update():
    critic, maker, real, latent = _scene()
    before = _values(critic)
    update_generator(critic, torch.optim.SGD(maker.parameters(), lr=0.0), maker(latent), method="wgan")
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    fake = maker(latent)
    update_critic(critic, optimizer, real, fake, method="nsgan", generator=_rng())
    fresh, *_ = _scene()
    torch.testing.assert_close(_values(fresh), before, rtol=0, atol=0)
    update_critic(
        fresh, torch.optim.SGD(fresh.parameters(), lr=0.1), real, fake, method="nsgan", generator=_rng()
    )
    torch.testing.assert_close(_values(critic), _values(fresh), rtol=0, atol=0)


def test_updates_reject_an_unknown_method():
    critic, maker, real, latent = _scene()
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="method must be one of"):
        update_critic(critic, optimizer, real, maker(latent), method="hinge", generator=_rng())
    with pytest.raises(ValueError, match="method must be one of"):
        update_generator(critic, optimizer, maker(latent), method="hinge")
