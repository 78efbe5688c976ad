"""The training loop: the critic tells real from generated samples, the generator closes the gap."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import trange

from ._config import GANConfig
from ._networks import mlp
from ._update import update_critic, update_generator


@dataclass(frozen=True)
class TrainResult:
    """What `train` returns; entry i of `samples` and of the losses belongs to `steps[i]`.

    Args:
        steps: The recorded steps; 0 is before training.
        samples: Generated samples, each time from the same latent inputs.
        critic_losses: The loss of the critic's last update in that step, penalty included; NaN at step 0.
        generator_losses: The generator's loss in that step; NaN at step 0.
        critic: The trained critic.
        generator: The trained generator.
        device: Where it was trained.
    """

    steps: list[int]
    samples: Float[Tensor, "steps n d"]
    critic_losses: list[float]
    generator_losses: list[float]
    critic: nn.Sequential
    generator: nn.Sequential
    device: torch.device


class _Run:
    """All that changes during training, so that it can be saved and restored."""

    def __init__(self, config: GANConfig) -> None:
        self.config = config
        self.rng = torch.Generator(config.device).manual_seed(config.seed)
        d = config.data(1, generator=self.rng).shape[1]
        hidden = (config.width,) * config.depth
        self.critic = mlp((d, *hidden, 1), generator=self.rng)
        self.generator = mlp((config.latent_dim, *hidden, d), generator=self.rng)
        self.critic_adam = torch.optim.Adam(self.critic.parameters(), config.critic_lr, config.betas)
        self.generator_adam = torch.optim.Adam(self.generator.parameters(), config.generator_lr, config.betas)
        self.probe = self.latent(config.n_samples)
        self.records: list[tuple[int, Tensor, float, float]] = []
        self.record(0, torch.tensor(torch.nan), torch.tensor(torch.nan))

    def latent(self, n: int) -> Tensor:
        return torch.randn(n, self.config.latent_dim, generator=self.rng, device=self.rng.device)

    def record(self, step: int, critic_value: Tensor, generator_value: Tensor) -> None:
        with torch.no_grad():
            samples = self.generator(self.probe)
        self.records.append((step, samples, critic_value.item(), generator_value.item()))

    def step(self) -> tuple[Tensor, Tensor]:
        """Update the critic `n_critic` times, then the generator once; return both losses."""
        config = self.config
        for _ in range(config.n_critic):
            critic_value = update_critic(
                self.critic, self.critic_adam,
                real=config.data(config.batch_size, generator=self.rng),
                fake=self.generator(self.latent(config.batch_size)),
                method=config.method, generator=self.rng, penalty=config.penalty, clip=config.clip,
            )  # fmt: skip
        fake = self.generator(self.latent(config.batch_size))
        return critic_value, update_generator(self.critic, self.generator_adam, fake, method=config.method)

    def save(self, path: Path) -> None:
        state = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"settings": self._settings(), "rng": self.rng.get_state(), "records": self.records}
        partial = path.with_name(path.name + ".partial")
        torch.save(state, partial)
        os.replace(partial, path)  # atomic: an interruption leaves the old file whole

    def load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.rng.device, weights_only=True)
        if state["settings"] != self._settings():
            raise ValueError(f"{path} was made with other settings: {state['settings']}; choose another file")
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.rng.set_state(state["rng"].cpu())
        self.records = state["records"]

    def _parts(self) -> dict[str, Any]:
        return {
            "critic": self.critic,
            "generator": self.generator,
            "critic_adam": self.critic_adam,
            "generator_adam": self.generator_adam,
        }

    def _settings(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self.config).items() if name != "data"}


def train(config: GANConfig, *, checkpoint: Path | None = None, progress: bool = False) -> TrainResult:
    """Train a small GAN: in each step `n_critic` updates of the critic, then one of the generator.

    All randomness comes from `config.seed`; the global seed is neither read nor changed. On one machine, with
    the same number of threads, the same settings give the same bits.

    Args:
        config: The settings.
        checkpoint: A file that is replaced after every recorded step. If it exists, training goes on from
            there and ends with the same bits as a run without interruption. `config.data` is not saved in it.
        progress: Whether to show a progress bar.

    Returns:
        A `TrainResult`.

    Raises:
        ValueError: If training diverges to scores that are not finite, or the checkpoint has other settings.

    Source:
        Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017), algorithm 1.

    Example:
        >>> result = train(GANConfig(steps=4, record_every=2, width=8))
        >>> result.steps, result.samples.shape
        ([0, 2, 4], torch.Size([3, 512, 2]))
    """
    run = _Run(config)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint)
    for step in trange(run.records[-1][0] + 1, config.steps + 1, disable=not progress):
        critic_value, generator_value = run.step()
        if step % config.record_every == 0 or step == config.steps:
            run.record(step, critic_value, generator_value)
            if checkpoint is not None:
                run.save(checkpoint)
    steps, samples, critic_values, generator_values = zip(*run.records, strict=True)
    return TrainResult(
        list(steps), torch.stack(samples), list(critic_values), list(generator_values),
        run.critic, run.generator, run.rng.device,
    )  # fmt: skip
