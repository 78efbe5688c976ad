"""The losses against their formulas, written out in float64 with a sigmoid."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.gan import critic_loss, generator_loss

METHODS = ["gan", "nsgan", "wgan", "wgan-gp"]
scores = st.lists(st.floats(-12, 12), min_size=1, max_size=9)  # a plain sigmoid is still exact enough here


def _sigmoid(score):
    return 1 / (1 + np.exp(-np.asarray(score)))


@pytest.mark.parametrize("method", METHODS)
@given(real=scores, fake=scores)
def test_critic_loss_is_the_formula(method, real, fake):
    if method in ("gan", "nsgan"):
        expected = -np.log(_sigmoid(real)).mean() - np.log(1 - _sigmoid(fake)).mean()
    else:
        expected = np.mean(fake) - np.mean(real)
    loss = critic_loss(*(torch.tensor(s, dtype=torch.float64) for s in (real, fake)), method=method)
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-9, atol=1e-9)  # 1 - sigmoid(12) keeps 10 digits


@pytest.mark.parametrize(
    ("method", "formula"),
    [
        ("gan", lambda s: np.log(1 - _sigmoid(s)).mean()),
        ("nsgan", lambda s: -np.log(_sigmoid(s)).mean()),
        ("wgan", lambda s: -np.mean(s)),
        ("wgan-gp", lambda s: -np.mean(s)),
    ],
)
@given(fake=scores)
def test_generator_loss_is_the_formula(method, formula, fake):
    loss = generator_loss(torch.tensor(fake, dtype=torch.float64), method=method)
    np.testing.assert_allclose(loss.item(), formula(fake), rtol=1e-9, atol=1e-9)  # as above


@pytest.mark.parametrize("method", METHODS)
def test_losses_are_finite_for_scores_that_overflow_exp(method):
    score = torch.tensor([-1e4, 1e4], requires_grad=True)
    (critic_loss(score, score, method=method) + generator_loss(score, method=method)).backward()
    assert torch.isfinite(score.grad).all()


def test_generator_loss_saturates_where_the_critic_is_sure_of_a_fake():
    def slope(method, score):
        score = torch.tensor([score], dtype=torch.float64, requires_grad=True)
        generator_loss(score, method=method).backward()
        return abs(score.grad.item())

    assert slope("gan", -20.0) < 1e-8 < 0.99 < slope("gan", 20.0)  # D near 0 kills it, D near 1 does not
    assert slope("nsgan", -20.0) > 0.99 > 1e-8 > slope("nsgan", 20.0)


def test_losses_keep_dtype():
    half = torch.tensor([0.5], dtype=torch.bfloat16)
    assert critic_loss(half, half, method="gan").dtype == torch.bfloat16
    assert generator_loss(half, method="wgan").dtype == torch.bfloat16


def test_losses_reject_an_unknown_method():
    with pytest.raises(ValueError, match="method must be one of gan, nsgan, wgan, wgan-gp, got 'hinge'"):
        critic_loss(torch.zeros(1), torch.zeros(1), method="hinge")
    with pytest.raises(ValueError, match="got 'hinge'"):
        generator_loss(torch.zeros(1), method="hinge")


@pytest.mark.parametrize(
    ("bad", "message"),
    [([], "must not be empty"), ([torch.nan], "must be finite"), ([torch.inf], "must be finite")],
)
def test_losses_reject_bad_scores(bad, message):
    good, bad = torch.zeros(2), torch.tensor(bad)
    for call in (
        lambda: critic_loss(good, bad, method="gan"),
        lambda: critic_loss(bad, good, method="gan"),
        lambda: generator_loss(bad, method="gan"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_losses_reject_what_is_not_a_float_tensor():
    unchecked = inspect.unwrap(generator_loss)  # past jaxtyping, as users call it
    with pytest.raises(TypeError, match=r"floating-point tensor, got torch\.int64"):
        unchecked(torch.zeros(2, dtype=torch.int64), method="gan")
    with pytest.raises(TypeError, match="floating-point tensor, got list"):
        unchecked([0.0], method="gan")
