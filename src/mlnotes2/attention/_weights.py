"""Attention weights: a softmax over the keys, with a mask, and what every attention returns."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Attention(NamedTuple):
    """What attention returns, in the dtype and on the device of its inputs.

    Attributes:
        context: The weighted mean of the values for each query, shape (…, q, d).
        weights: How much of each value it holds, shape (…, q, s): every row is >= 0 and sums to 1.
    """

    context: Float[Tensor, "*batch q d"]
    weights: Float[Tensor, "*batch q s"]


def attention_weights(
    scores: Float[Tensor, "*batch q s"], mask: Bool[Tensor, "..."] | None = None
) -> Float[Tensor, "*batch q s"]:
    """Turn scores into weights: the softmax over the keys that each query may attend to.

    `weights[t, s] = exp(scores[t, s]) / sum_r exp(scores[t, r])`, where r runs over the allowed keys, and 0
    at the others.

    Args:
        scores: One for each pair of a query and a key, shape (…, q, s). Half precision is summed in float32.
        mask: True where a query may attend to a key; broadcasts to the shape of `scores`.

    Returns:
        The weights, in the shape and dtype of `scores`.

    Raises:
        TypeError: If `scores` is not a floating tensor, or `mask` not a boolean one.
        ValueError: If a score is NaN or infinite, the mask does not fit, or a query may attend to no key.

    Source:
        Bahdanau, Cho, Bengio (2015).

    Example:
        >>> scores = torch.tensor([[0.0, 0.0, 5.0]])
        >>> attention_weights(scores, torch.tensor([[True, True, False]]))
        tensor([[0.5000, 0.5000, 0.0000]])
    """
    check_tensors(scores=scores)
    if scores.ndim < 2:
        raise ValueError(f"scores must have shape (…, q, s), got {tuple(scores.shape)}; add the missing axis")
    if mask is not None:
        check_mask(mask, scores)
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.softmax(scores, dim=-1, dtype=accumulator(scores)).to(scores.dtype)


def attend(scores: Tensor, value: Tensor, mask: Tensor | None) -> Attention:
    """The softmax of `scores`, and the mean of `value` under it, rounded to its dtype at the end."""
    weights = attention_weights(scores, mask)
    context = weights @ value.to(weights.dtype)
    return Attention(context.to(value.dtype), weights.to(value.dtype))


def accumulator(tensor: Tensor) -> torch.dtype:
    """The dtype to compute in: float32 for half precision, otherwise the tensor's own."""
    return torch.promote_types(tensor.dtype, torch.float32)


def check_tensors(**tensors: Tensor) -> None:
    """Ask for finite floating tensors of one dtype on one device."""
    like = next(iter(tensors.values()))
    for name, x in tensors.items():
        if not isinstance(x, Tensor) or not x.is_floating_point():
            kind = getattr(x, "dtype", type(x).__name__)
            raise TypeError(f"{name} must be a floating-point tensor, got {kind}; convert it first")
        if x.dtype != like.dtype:
            raise TypeError(f"{name} must share the dtype {like.dtype}, got {x.dtype}; use .to()")
        if x.device != like.device:
            raise ValueError(f"{name} must share the device {like.device}, got {x.device}; use .to()")
        if x.numel() == 0:
            raise ValueError(f"{name} must not be empty, got shape {tuple(x.shape)}; pass at least one")
        lowest, highest = x.detach().aminmax()  # NaN comes through; much faster than isfinite().all()
        if not (torch.isfinite(lowest) and torch.isfinite(highest)):
            raise ValueError(f"{name} must be finite, got a NaN or an infinity; to hide a key, use the mask")


def check_shapes(query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...]) -> None:
    """Ask for shapes (…, q, h), (…, s, h) and (…, s, d) with the same leading axes."""
    fit = min(len(query), len(key), len(value)) >= 2 and query[-1] == key[-1] and key[-2] == value[-2]
    if not fit or not query[:-2] == key[:-2] == value[:-2]:
        raise ValueError(
            "query, key and value must have shapes (…, q, h), (…, s, h) and (…, s, d) with the same leading "
            f"axes, got {tuple(query)}, {tuple(key)} and {tuple(value)}; project or expand them first"
        )


def check_mask(mask: Tensor, scores: Tensor) -> None:
    """Ask for a boolean mask that broadcasts to the scores and leaves each query a key."""
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        kind = getattr(mask, "dtype", type(mask).__name__)
        raise TypeError(f"mask must be a boolean tensor, True where a query may attend, got {kind}")
    if mask.device != scores.device:
        raise ValueError(f"mask must share the device {scores.device}, got {mask.device}; use .to()")
    try:
        blocked = ~mask.expand(scores.shape).any(dim=-1)
    except RuntimeError:
        shapes = f"{tuple(scores.shape)}, got {tuple(mask.shape)}"
        raise ValueError(f"mask must broadcast to (…, q, s) = {shapes}; add axes of size 1") from None
    if blocked.any():
        row = tuple(blocked.nonzero()[0].tolist())
        raise ValueError(f"mask must leave every query a key, got none for query {row}; drop that query")
