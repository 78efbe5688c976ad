"""Checks of arguments that two topics share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def real_array(name: str, value: ArrayLike | float | int, ndim: int | None = None) -> NDArray[np.float64]:
    """Return `value` as a read-only float64 array, or say what is wrong with its type, shape or numbers."""
    if hasattr(value, "detach"):
        raise TypeError(f"{name} must be array-like, got a torch tensor; pass {name}.detach().cpu().numpy()")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}; convert it first")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), got shape {array.shape}; reshape it")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity; remove or replace those entries")
    array = array.astype(np.float64, copy=False).view()  # what is the caller's is neither copied nor changed
    array.flags.writeable = False
    return array
