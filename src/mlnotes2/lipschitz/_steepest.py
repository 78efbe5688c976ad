"""A search for the input at which a network is steepest."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Climber(NamedTuple):
    """Inputs x with directions u of the output, J(x)' u, its size, and the gradients of that in x and u."""

    x: Tensor
    pulled: Tensor
    size: Tensor
    up: Tensor
    turned: Tensor


def steepest_input(model: nn.Module, like: Tensor) -> tuple[float, Tensor, Tensor]:
    r"""Climb $\|J(x)^\top u\|$ in the input x and the unit vector u at once, from random inputs of the shape of `like`.

    The gradient in u is a step of power iteration. Noise is added to that in x, which is 0 between the
    kinks of a ReLU network.

    Returns:
        The largest size found, its input, and the direction of length 1 that the Jacobian there stretches so much.
    """
    depth = len(list(model.modules()))
    n_starts = max(8, min(64, 1600 // depth))  # a step of a deep network takes longer
    n_steps = max(2, min(40, 400 // depth))
    generator = torch.Generator().manual_seed(0)  # the same model has the same enclosure

    def noise(n: int, like: Tensor = like) -> Tensor:
        return torch.randn(n, *like.shape[1:], generator=generator, dtype=like.dtype).to(like.device)

    with torch.enable_grad():
        x = noise(n_starts) * shaped(torch.logspace(-1, 3, n_starts).to(like), like)
        best = look(model, x, noise(n_starts, model(like)))
        best = Climber(*(numbers[best.size.topk(8).indices] for numbers in best))
        radius = lengths(best.x)
        for _ in range(n_steps):
            trial = look(model, best.x + radius * (unit(best.up) + unit(noise(8))), best.turned)
            better = trial.size > best.size
            best = Climber(*(torch.where(shaped(better, a), a, b) for a, b in zip(trial, best, strict=True)))
            radius = radius * torch.where(shaped(better, radius), 1.5, 0.5)
        best = Climber(*(numbers[best.size.argmax()][None] for numbers in best))
        for _ in range(n_steps):
            best = look(model, best.x, best.turned)
    return best.size.item(), best.x[0], unit(best.pulled)[0]  # for unit u and v, |J v| >= u' J v


def look(model: nn.Module, x: Tensor, u: Tensor) -> Climber:
    x, u = x.detach().requires_grad_(), unit(u).detach().requires_grad_()
    (pulled,) = torch.autograd.grad((model(x) * u).sum(), x, create_graph=True)
    size = lengths(pulled)
    up, turned = torch.autograd.grad(size.sum(), (x, u), materialize_grads=True)
    return Climber(x.detach(), pulled.detach(), size.detach().flatten(), up, turned)


def lengths(vectors: Tensor) -> Tensor:
    """The length of each, in a shape that divides them."""
    return shaped(vectors.flatten(1).norm(dim=1), vectors)


def unit(vectors: Tensor) -> Tensor:
    """Each divided by its length; zero stays zero."""
    size = lengths(vectors)
    return torch.where(size > 0, vectors / size, vectors)


def shaped(numbers: Tensor, like: Tensor) -> Tensor:
    """One number for each row of `like`."""
    return numbers.view(-1, *[1] * (like.ndim - 1))
