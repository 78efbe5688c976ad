"""One update of the critic and one of the generator: the inside of the training loop."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._losses import critic_loss, generator_loss
from ._penalty import gradient_penalty


def update_critic(
    critic: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: Float[Tensor, "b ..."],
    fake: Float[Tensor, "b ..."],
    *,
    method: str,
    generator: torch.Generator,
    penalty: float = 10.0,
    clip: float = 0.01,
) -> Float[Tensor, ""]:
    """Teach the critic, once, to score real samples higher than generated ones.

    Args:
        critic: Maps a batch to scores; its parameters are changed in place.
        optimizer: Holds the critic's parameters.
        real: Real samples.
        fake: As many generated samples; the update does not reach the network that made them.
        method: One of `gan`, `nsgan`, `wgan`, `wgan-gp`.
        generator: The source of randomness of the gradient penalty.
        penalty: The weight of the gradient penalty, for `wgan-gp`.
        clip: The bound to which every parameter is clipped after the update, for `wgan`.

    Returns:
        The loss before the update, penalty included.

    Raises:
        ValueError: If the method is unknown, or if samples or scores are not finite.

    Source:
        Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017), algorithm 1, lines 3 to 9.

    Example:
        >>> critic, rng = nn.Linear(1, 1), torch.Generator().manual_seed(0)
        >>> sgd = torch.optim.SGD(critic.parameters(), lr=10)
        >>> real, fake = torch.ones(4, 1), torch.zeros(4, 1)
        >>> loss = update_critic(critic, sgd, real, fake, method="wgan", generator=rng, clip=0.5)
        >>> critic.weight
        Parameter containing: tensor([[0.5000]], requires_grad=True)
    """
    fake = fake.detach()
    loss = critic_loss(critic(real), critic(fake), method=method)
    if method == "wgan-gp":
        loss = loss + penalty * gradient_penalty(critic, real, fake, generator=generator)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if method == "wgan":
        with torch.no_grad():
            for parameter in critic.parameters():
                parameter.clamp_(-clip, clip)
    return loss.detach()


def update_generator(
    critic: nn.Module, optimizer: torch.optim.Optimizer, fake: Float[Tensor, "b ..."], *, method: str
) -> Float[Tensor, ""]:
    """Move the generator, once, towards what the critic scores higher.

    Args:
        critic: Maps a batch to scores; it is not changed.
        optimizer: Holds the generator's parameters.
        fake: Generated samples, still attached to the generator.
        method: One of `gan`, `nsgan`, `wgan`, `wgan-gp`.

    Returns:
        The loss before the update.

    Raises:
        ValueError: If the method is unknown, or if scores are not finite.

    Source:
        Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017), algorithm 1, lines 11 and 12.

    Example:
        >>> fake = torch.zeros(1, 1, requires_grad=True)
        >>> loss = update_generator(nn.Identity(), torch.optim.SGD([fake], lr=0.5), fake, method="wgan")
        >>> fake
        tensor([[0.5000]], requires_grad=True)
    """
    loss = generator_loss(critic(fake), method=method)
    optimizer.zero_grad()
    loss.backward()  # this also fills the critic's gradients, which update_critic clears first
    optimizer.step()
    return loss.detach()
