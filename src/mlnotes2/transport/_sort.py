"""Sorting lines: arrays at the speed of whole numbers, and tensors, through which gradients go."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from ._piles import Lines

Places = Int64[Any, "*batch _"]


def sort(values: Lines) -> tuple[Lines, Places]:
    """Return the values of each line in their order, and the places where they stood; ties keep theirs."""
    if not isinstance(values, Tensor):
        return sort_array(values)
    if values.device.type != "cpu":
        return values.sort(dim=-1, stable=True)
    places = torch.from_numpy(sort_array(values.detach().numpy())[1])
    return values.gather(-1, places), places


def sort_array(
    values: Float64[np.ndarray, "*batch n"],
) -> tuple[Float64[np.ndarray, "*batch n"], Int64[np.ndarray, "*batch n"]]:
    """Sort several times faster than `argsort`.

    An integer of 64 bits holds a number, scaled and rounded down, in its upper bits, and the place of the
    number in its lower ones. NumPy sorts such integers many at a time. Numbers that lie closer together than
    the upper bits can tell may come out in the wrong order; they are merged into it.
    """
    n = values.shape[-1]
    place_bits = n.bit_length()
    scaled = 0.5 * values  # so that the range of no numbers overflows
    scaled -= scaled.min(axis=-1, keepdims=True)
    scaled *= 2.0 ** (62 - place_bits) / np.maximum(scaled.max(axis=-1, keepdims=True), 2.0**-900)
    places = scaled.view(np.int64)  # fresh memory would cost more than the arithmetic
    places[...] = scaled
    places <<= place_bits
    places |= np.arange(n)
    places.sort(axis=-1)
    places &= (1 << place_bits) - 1
    found = take(values, places)
    if (found[..., 1:] < found[..., :-1]).any():
        merge = found.argsort(axis=-1, kind="stable")  # nearly linear, where nearly all is in order
        places, found = take(places, merge), take(found, merge)
    return found, places


def in_order(values: Lines) -> Lines:
    """Return the sorted values alone, which is cheaper for arrays."""
    return sort(values)[0] if isinstance(values, Tensor) else np.sort(values, axis=-1)


def take(values: Lines | Places, places: Places) -> Lines | Places:
    """Return what stands at these places of each line."""
    if isinstance(values, Tensor):
        return values.gather(-1, places)
    return values[places] if values.ndim == 1 else np.take_along_axis(values, places, axis=-1)


def join(first: Lines, second: Lines) -> Lines:
    """Return lines one behind the other."""
    if isinstance(first, Tensor):
        return torch.cat([first, second], -1)
    return np.concatenate([first, second], -1)
