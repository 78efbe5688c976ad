"""Weighted points on lines, from arrays or from tensors, after a check."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from numpy.typing import ArrayLike
from torch import Tensor

from .._checks import real_array

Lines = Float64[Any, "*batch _"]  # arrays or tensors


def piles(
    x: ArrayLike | Tensor, y: ArrayLike | Tensor, a: ArrayLike | Tensor | None, b: ArrayLike | Tensor | None
) -> tuple[Lines, Lines, Lines, Lines]:
    """Return points x, y and masses a, b in float64, or say why they are not two piles of the same mass.

    They are tensors where a gradient is wanted or off the CPU, and arrays elsewhere: these are faster there.
    """
    points_x, points_y = _float64("x", x, like=x), _float64("y", y, like=x)
    if points_x.shape[:-1] != points_y.shape[:-1]:
        raise ValueError(
            "x and y must have shapes (..., n) and (..., m) with the same leading axes, "
            f"got {tuple(points_x.shape)} and {tuple(points_y.shape)}; expand one"
        )
    masses_a, masses_b = _masses("a", a, points_x, like=x), _masses("b", b, points_y, like=x)
    total_a, total_b = masses_a.sum(-1).flatten(), masses_b.sum(-1).flatten()
    differ = abs(total_a - total_b)
    tol = 1e-5 if isinstance(x, Tensor) and x.dtype == torch.float32 else 1e-9
    if not (differ <= tol * total_a).all():
        worst = differ.argmax()
        raise ValueError(
            f"a and b must have the same total mass, got {total_a[worst].item()} and {total_b[worst].item()}, "
            f"which differ by {differ[worst].item()}; normalise both, for example a / a.sum(-1) and b / b.sum(-1)"
        )
    found = points_x, points_y, masses_a, masses_b
    if any(isinstance(v, Tensor) and (v.requires_grad or v.device.type != "cpu") for v in found):
        return found
    return np.asarray(points_x), np.asarray(points_y), np.asarray(masses_a), np.asarray(masses_b)


def _float64(name: str, value: ArrayLike | Tensor, like: ArrayLike | Tensor) -> Lines:
    """Return an array, or a tensor of the dtype and on the device of `like`, in float64."""
    if not isinstance(value, Tensor) and not isinstance(like, Tensor):
        value = real_array(name, value)
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
    if value.ndim == 0 or 0 in value.shape:
        raise ValueError(f"{name} must hold points along its last axis, got shape {tuple(value.shape)}")
    return value.double() if isinstance(value, Tensor) else value


def _masses(name: str, value: ArrayLike | Tensor | None, points: Lines, like: ArrayLike | Tensor) -> Lines:
    """Return the masses of points, equal ones if none are given."""
    n = points.shape[-1]
    if value is None:
        return torch.full_like(points, 1 / n) if isinstance(points, Tensor) else np.full_like(points, 1 / n)
    masses = _float64(name, value, like)
    if masses.shape not in (points.shape, (n,)):
        raise ValueError(
            f"{name} must hold one mass for each point, got {masses.shape[-1]} masses for {n} points: "
            f"shape {tuple(masses.shape)} where {tuple(points.shape)} or {(n,)} was wanted"
        )
    least = masses.min().item()
    if least < 0:
        raise ValueError(f"{name} must not be negative, got {least}; take away what is no mass")
    if (masses.sum(-1) == 0).any():
        raise ValueError(f"{name} must hold some mass, got only zeros; there is nothing to move")
    if isinstance(masses, Tensor):
        return masses.expand(points.shape)
    return np.broadcast_to(masses, points.shape)
