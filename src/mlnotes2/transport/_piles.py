"""Weighted points on lines, from arrays or from tensors, after a check."""

import torch
from jaxtyping import Float64
from numpy.typing import ArrayLike
from torch import Tensor

from .._checks import real_array


def piles(
    x: ArrayLike | Tensor, y: ArrayLike | Tensor, a: ArrayLike | Tensor | None, b: ArrayLike | Tensor | None
) -> tuple[
    Float64[Tensor, "*batch n"],
    Float64[Tensor, "*batch m"],
    Float64[Tensor, "*batch n"],
    Float64[Tensor, "*batch m"],
]:
    """Return points x, y and masses a, b in float64, or say why they are not two piles of the same mass."""
    points_x, points_y = _float64("x", x, like=x), _float64("y", y, like=x)
    if points_x.shape[:-1] != points_y.shape[:-1]:
        raise ValueError(
            "x and y must have shapes (..., n) and (..., m) with the same leading axes, "
            f"got {tuple(points_x.shape)} and {tuple(points_y.shape)}; expand one"
        )
    masses_a, masses_b = _masses("a", a, points_x, like=x), _masses("b", b, points_y, like=x)
    total_a, total_b = masses_a.detach().sum(-1).flatten(), masses_b.detach().sum(-1).flatten()
    differ = (total_a - total_b).abs()
    tol = 1e-5 if isinstance(x, Tensor) and x.dtype == torch.float32 else 1e-9
    if not (differ <= tol * total_a).all():
        worst = differ.argmax()
        raise ValueError(
            f"a and b must have the same total mass, got {total_a[worst].item()} and {total_b[worst].item()}, "
            f"which differ by {differ[worst].item()}; normalise both, for example a / a.sum(-1) and b / b.sum(-1)"
        )
    return points_x, points_y, masses_a, masses_b


def _float64(name: str, value: ArrayLike | Tensor, like: ArrayLike | Tensor) -> Float64[Tensor, "*batch n"]:
    """Return an array, or a tensor of the dtype and on the device of `like`, as a float64 tensor."""
    if not isinstance(value, Tensor) and not isinstance(like, Tensor):
        value = torch.from_numpy(real_array(name, value))
    elif not isinstance(value, Tensor) or not isinstance(like, Tensor):
        raise TypeError(
            f"x, y, a and b must all be arrays or all be tensors, got x as {type(like).__name__} and {name} as "
            f"{type(value).__name__}; torch.as_tensor converts"
        )
    elif value.dtype not in (torch.float32, torch.float64) or value.dtype != like.dtype:
        raise TypeError(
            f"x, y, a and b must all be float32 or all be float64, got x in {like.dtype} and {name} in "
            f"{value.dtype}; convert with .to()"
        )
    elif value.device != like.device:
        raise ValueError(f"{name} must be on the device of x, {like.device}, got {value.device}; use .to()")
    elif not value.isfinite().all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity; remove or replace those entries")
    if value.ndim == 0 or value.numel() == 0:
        raise ValueError(f"{name} must hold points along its last axis, got shape {tuple(value.shape)}")
    return value.double()


def _masses(
    name: str, value: ArrayLike | Tensor | None, points: Float64[Tensor, "*batch n"], like: ArrayLike | Tensor
) -> Float64[Tensor, "*batch n"]:
    """Return the masses of points, equal ones if none are given."""
    n = points.shape[-1]
    if value is None:
        return torch.full_like(points, 1 / n)
    masses = _float64(name, value, like)
    if masses.shape not in (points.shape, (n,)):
        raise ValueError(
            f"{name} must hold one mass for each point, got {masses.shape[-1]} masses for {n} points: "
            f"shape {tuple(masses.shape)} where {tuple(points.shape)} or {(n,)} was wanted"
        )
    least = masses.min().item()
    if least < 0:
        raise ValueError(f"{name} must not be negative, got {least}; take away what is no mass")
    if (masses.amax(-1) == 0).any():
        raise ValueError(f"{name} must hold some mass, got only zeros; there is nothing to move")
    return masses.expand(points.shape)
