"""The gradient penalty of WGAN-GP: it asks the critic for slope 1 between real and generated samples."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "b ..."],
    fake: Float[Tensor, "..."],
    *,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    r"""The mean of $(\lVert \nabla D(\hat x) \rVert_2 - 1)^2$ over points between real and generated samples.

    $\hat x = \epsilon x + (1 - \epsilon) \tilde x$, with $x$ real, $\tilde x$ generated, and $\epsilon$
    uniform on $[0, 1]$, drawn once for each pair. The norm is over all axes but the first. The penalty can be
    backpropagated into the critic, also where the slope is 0: there the norm passes no gradient. `real` and
    `fake` receive none.

    Args:
        critic: Maps a batch to one score for each sample; a sample's score must not depend on the others.
        real: Real samples, the batch first.
        fake: Generated samples of the same shape, dtype and device.
        generator: The source of $\epsilon$, on the device of the samples.

    Returns:
        The penalty, a scalar, not yet multiplied by its weight.

    Raises:
        ValueError: If shapes or devices differ, a sample is not finite, the batch is empty, or the critic
            normalises over the batch.
        TypeError: If the samples are not floating point or differ in dtype.

    Source:
        Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017), equation 3 and algorithm 1.

    Example:
        >>> rng = torch.Generator().manual_seed(0)
        >>> gradient_penalty(lambda x: 3 * x.sum(dim=1), torch.ones(4, 1), torch.zeros(4, 1), generator=rng)
        tensor(4.)
    """
    _check_pair(real, fake, generator)
    _check_critic(critic)
    one_per_sample = (len(real),) + (1,) * (real.ndim - 1)
    epsilon = torch.rand(one_per_sample, generator=generator, dtype=real.dtype, device=real.device)
    between = (epsilon * real + (1 - epsilon) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norm: Tensor = torch.linalg.vector_norm(slope.flatten(start_dim=1), dim=1)  # at 0 its gradient is 0
    return (norm - 1).square().mean()


def _check_pair(real: Tensor, fake: Tensor, generator: torch.Generator) -> None:
    if not real.is_floating_point() or real.dtype != fake.dtype:
        raise TypeError(f"real and fake must share a floating-point dtype, got {real.dtype} and {fake.dtype}")
    if real.shape != fake.shape or real.ndim < 2 or real.numel() == 0:
        shapes = f"{tuple(real.shape)} and {tuple(fake.shape)}"
        raise ValueError(f"real and fake must share a shape (batch, features, ...), got {shapes}; cut one")
    if not real.device == fake.device == generator.device:
        devices = f"{real.device}, {fake.device} and {generator.device}"
        raise ValueError(f"real, fake and generator must be on one device, got {devices}; move them")
    if not bool(torch.isfinite(real).all() and torch.isfinite(fake).all()):
        raise ValueError("real and fake must be finite, got a NaN or an infinity; lower the learning rate")


def _check_critic(critic: object) -> None:
    modules = critic.modules() if isinstance(critic, nn.Module) else ()
    if any(isinstance(module, _BatchNorm) and module.training for module in modules):
        raise ValueError("a score must not depend on other samples; replace the critic's batch normalisation")
