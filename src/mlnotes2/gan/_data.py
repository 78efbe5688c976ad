"""Mixtures of equal Gaussians whose modes are known, so that lost ones can be counted."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def ring_modes(
    *, modes: int = 8, radius: float = 1.0, device: str | torch.device = "cpu"
) -> Float[Tensor, "k 2"]:
    r"""The centres of `ring`: $r\,(\cos(2\pi i/k), \sin(2\pi i/k))$ for $i = 0, \dots, k-1$.

    Args:
        modes: How many, $k$.
        radius: The circle's radius, $r$.
        device: Where the tensor is made.

    Returns:
        One centre for each row.

    Raises:
        ValueError: If `modes` is below 1, or `radius` is not positive and finite.

    Source:
        Lin, Khetan, Fanti and Oh (2018), experiments on synthetic data.

    Example:
        >>> ring_modes(modes=4).round(decimals=3).abs()
        tensor([[1., 0.], [0., 1.], [1., 0.], [0., 1.]])
    """
    _check_count("modes", modes)
    _check_positive("radius", radius)
    # linspace(0, 2*pi, modes) would end where it starts, and leave one mode fewer
    angle = 2 * math.pi * torch.arange(modes, device=device) / modes
    return radius * torch.stack([angle.cos(), angle.sin()], dim=1)


def ring(
    n: int, *, modes: int = 8, radius: float = 1.0, sigma: float = 0.01, generator: torch.Generator
) -> Float[Tensor, "n 2"]:
    r"""Samples of $\frac1k \sum_i N(\mu_i, \sigma^2 I)$ with the centres $\mu_i$ evenly on a circle.

    Args:
        n: How many samples.
        modes: How many Gaussians, $k$.
        radius: The circle's radius.
        sigma: The standard deviation of each Gaussian along each axis.
        generator: The source of randomness; the samples are made on its device.

    Returns:
        One sample for each row.

    Raises:
        ValueError: If a count is below 1, or a length is not positive and finite.

    Source:
        Lin, Khetan, Fanti and Oh (2018), experiments on synthetic data.

    Example:
        >>> ring(500, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([500, 2])
    """
    return _mixture(n, ring_modes(modes=modes, radius=radius, device=generator.device), sigma, generator)


def grid_modes(
    *, side: int = 5, spacing: float = 2.0, device: str | torch.device = "cpu"
) -> Float[Tensor, "k 2"]:
    r"""The centres of `grid`: `side` times `side` points, centred at the origin.

    Args:
        side: How many along each axis.
        spacing: The distance between neighbours.
        device: Where the tensor is made.

    Returns:
        One centre for each row.

    Raises:
        ValueError: If `side` is below 1, or `spacing` is not positive and finite.

    Source:
        Lin, Khetan, Fanti and Oh (2018), experiments on synthetic data.

    Example:
        >>> grid_modes(side=2)
        tensor([[-1., -1.], [-1., 1.], [ 1., -1.], [ 1., 1.]])
    """
    _check_count("side", side)
    _check_positive("spacing", spacing)
    line = spacing * (torch.arange(side, device=device) - (side - 1) / 2)
    return torch.cartesian_prod(line, line)


def grid(
    n: int, *, side: int = 5, spacing: float = 2.0, sigma: float = 0.05, generator: torch.Generator
) -> Float[Tensor, "n 2"]:
    r"""Samples of equal Gaussians $N(\mu_i, \sigma^2 I)$ with the centres $\mu_i$ on a square grid.

    Args:
        n: How many samples.
        side: How many Gaussians along each axis.
        spacing: The distance between neighbours.
        sigma: The standard deviation of each Gaussian along each axis.
        generator: The source of randomness; the samples are made on its device.

    Returns:
        One sample for each row.

    Raises:
        ValueError: If a count is below 1, or a length is not positive and finite.

    Source:
        Lin, Khetan, Fanti and Oh (2018), experiments on synthetic data.

    Example:
        >>> grid(500, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([500, 2])
    """
    return _mixture(n, grid_modes(side=side, spacing=spacing, device=generator.device), sigma, generator)


def _mixture(n: int, centres: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    _check_count("n", n)
    _check_positive("sigma", sigma)
    chosen = torch.randint(len(centres), (n,), generator=generator, device=centres.device)
    noise = torch.randn(n, centres.shape[1], generator=generator, device=centres.device)
    return centres[chosen] + sigma * noise


def _check_count(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


def _check_positive(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be positive and finite, got {value}")
