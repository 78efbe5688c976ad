"""What entropic transport asks of its inputs: one dtype, finite numbers, equal masses, options in their range."""

import math
from typing import Any

import torch
from torch import Tensor


def check_tensors(**tensors: Any) -> None:
    """Say which is not a tensor of float32 or float64 like the first one, or holds no finite numbers."""
    first, like = next(iter(tensors.items()))
    for name, value in tensors.items():
        if not isinstance(value, Tensor) or value.dtype not in (torch.float32, torch.float64):
            got = getattr(value, "dtype", type(value).__name__)
            raise TypeError(f"{name} must be a float32 or float64 tensor, got {got}; convert it")
        if value.dtype != like.dtype or value.device != like.device:
            raise TypeError(
                f"{name} must have the dtype and device of {first}, {like.dtype} on {like.device}, "
                f"got {value.dtype} on {value.device}; move it with {name}.to({first})"
            )
        if value.numel() == 0 or not value.isfinite().all():
            raise ValueError(
                f"{name} must hold finite numbers, got shape {tuple(value.shape)} or a NaN or infinity"
            )


def check_masses(a: Tensor, b: Tensor) -> None:
    """Say what is wrong with masses that are to be moved from a to b, along the last axes."""
    totals = a.double().sum(-1), b.double().sum(-1)
    for name, masses, total in (("a", a, totals[0]), ("b", b, totals[1])):
        if masses.min() < 0:
            raise ValueError(
                f"{name} must not be negative, got {masses.min().item()}; take away what is no mass"
            )
        if total.min() == 0:
            raise ValueError(f"{name} must hold some mass, got only zeros; there is nothing to move")
    difference = (totals[0] - totals[1]).abs()
    if (difference > (1e-9 if a.dtype == torch.float64 else 1e-6) * totals[0]).any():
        raise ValueError(
            f"a and b must have the same total mass, got totals that differ by up to {difference.max().item()}; "
            "normalise both, for example a / a.sum(-1, keepdim=True)"
        )


def check_options(eps: float, tol: float, max_iter: int) -> None:
    """Say which of the options of an iteration is out of its range."""
    if not 0 < eps < math.inf:
        raise ValueError(f"eps must be a finite number above 0, got {eps}; for the exact plan use emd")
    if not (tol > 0 and max_iter >= 1):
        raise ValueError(f"tol must be > 0 and max_iter >= 1, got {tol} and {max_iter}")
