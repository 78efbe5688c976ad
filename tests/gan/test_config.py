"""The settings refuse what cannot be trained."""

import dataclasses
import math

import pytest

from mlnotes2.gan import GANConfig


def test_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GANConfig().steps = 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "hinge"}, "method must be one of gan, nsgan, wgan, wgan-gp, got 'hinge'"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"n_critic": -1}, "n_critic must be at least 1, got -1"),
        ({"critic_lr": 0.0}, "critic_lr must be positive and finite, got 0.0"),
        ({"generator_lr": math.nan}, "generator_lr must be positive and finite, got nan"),
        ({"penalty": math.inf}, "penalty must be positive and finite"),
        ({"betas": (0.5, 1.0)}, r"betas must lie in \[0, 1\), got \(0.5, 1.0\)"),
    ],
)
def test_config_rejects_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        GANConfig(**settings)
