"""Everything that decides how a small GAN is trained."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from torch import Tensor

from ._data import ring
from ._losses import Method


@dataclass(frozen=True)
class GANConfig:
    """The settings of one training run; the same settings give the same run.

    Args:
        method: One of `gan`, `nsgan`, `wgan`, `wgan-gp`.
        data: Called as `data(n, generator=...)`, returns real samples (n, d): `ring`, `grid`, or your own.
        steps: How many updates of the generator.
        n_critic: How many updates of the critic precede each of them.
        batch_size: How many real and how many generated samples are in each update.
        latent_dim: The length of the generator's Gaussian input.
        width: How many hidden units each hidden layer has, in both networks.
        depth: How many hidden layers each network has.
        critic_lr: Adam's learning rate for the critic.
        generator_lr: Adam's learning rate for the generator.
        betas: Adam's decay rates, for both.
        penalty: The weight of the gradient penalty; used by `wgan-gp`.
        clip: The bound on each of the critic's parameters; used by `wgan`.
        record_every: Samples and losses are recorded after every so many steps, and at the end.
        n_samples: How many generated samples are recorded each time, from the same inputs.
        seed: Decides all randomness.
        device: Where to train.

    Raises:
        ValueError: If the method is unknown or a number is out of range.

    Example:
        >>> GANConfig(method="nsgan", n_critic=1).critic_lr
        0.001
    """

    method: str = "wgan-gp"
    data: Callable[..., Tensor] = ring
    steps: int = 1000
    n_critic: int = 5
    batch_size: int = 128
    latent_dim: int = 2
    width: int = 64
    depth: int = 2
    critic_lr: float = 1e-3
    generator_lr: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.9)
    penalty: float = 10.0
    clip: float = 0.01
    record_every: int = 100
    n_samples: int = 512
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {self.method!r}")
        counts = "steps n_critic batch_size latent_dim width depth record_every n_samples"
        for name in counts.split():
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("critic_lr", "generator_lr", "penalty", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be positive and finite, got {getattr(self, name)}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must lie in [0, 1), got {self.betas}")
