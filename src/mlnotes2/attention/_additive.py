"""Additive attention (Bahdanau): a small network scores each pair of a query and a key."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .._checks import real_array
from ._weights import Attention, accumulator, attend, check_mask, check_shapes, check_tensors


def additive_scores(
    query: Float[Tensor, "*batch q h"], key: Float[Tensor, "*batch s h"], *, w: Float[Tensor, " h"]
) -> Float[Tensor, "*batch q s"]:
    """Score each pair of a query and a key by a network with one hidden layer of h units.

    `score[t, s] = w . tanh(query[t] + key[s])`. Query and key are already projected to the hidden layer:
    `query = W s` and `key = U a + b` for a decoder state s and an annotation a.

    Args:
        query: Projected queries, shape (…, q, h).
        key: Projected keys, shape (…, s, h), with the same leading axes.
        w: Output weights of the network, shape (h,).

    Returns:
        The scores, shape (…, q, s). Half precision is summed in float32.

    Raises:
        TypeError: If an input is not a floating tensor, or the dtypes differ.
        ValueError: If a value is not finite, shapes or devices differ, or an input is empty.

    Source:
        Bahdanau, Cho, Bengio (2015).

    Example:
        >>> additive_scores(torch.zeros(1, 2), torch.tensor([[0.5, 0.5], [2.0, 2.0]]), w=torch.ones(2))
        tensor([[0.9242, 1.9281]])
    """
    check_tensors(query=query, key=key, w=w)
    check_shapes(query.shape, key.shape, key.shape)
    _check_w(w.shape, query.shape[-1])
    return _scores(query, key, w).to(query.dtype)


def additive_attention(
    query: Float[Tensor, "*batch q h"],
    key: Float[Tensor, "*batch s h"],
    value: Float[Tensor, "*batch s d"],
    *,
    w: Float[Tensor, " h"],
    mask: Bool[Tensor, "..."] | None = None,
    implementation: str = "auto",
) -> Attention:
    """Attend to the values whose keys score high in a small network.

    `weights[t] = softmax(w . tanh(query[t] + key))` and `context[t] = sum_s weights[t, s] value[s]`. Query
    and key are already projected to h hidden units, as in `additive_scores`.

    Args:
        query: Projected queries, shape (…, q, h).
        key: Projected keys, shape (…, s, h).
        value: What is averaged, shape (…, s, d).
        w: Output weights of the scoring network, shape (h,).
        mask: True where a query may attend to a key; broadcasts to (…, q, s).
        implementation: "torch" scores all pairs at once and has gradients. "reference" loops in NumPy float64
            and has none. "auto" takes "torch".

    Returns:
        `Attention(context, weights)` of shapes (…, q, d) and (…, q, s), in the dtype of the inputs.

    Raises:
        TypeError: If an input is not a floating tensor, the dtypes differ, or the mask is not boolean.
        ValueError: If a value is not finite, shapes or devices do not fit, an input is empty, a query may
            attend to no key, the implementation is unknown, or "reference" is asked for a gradient.

    Source:
        Bahdanau, Cho, Bengio (2015).

    Example:
        >>> query, key, value = torch.zeros(1, 1), torch.tensor([[0.0], [20.0]]), torch.tensor([[3.0], [7.0]])
        >>> additive_attention(query, key, value, w=torch.tensor([50.0])).context
        tensor([[7.]])
    """
    if implementation not in ("auto", "reference", "torch"):
        raise ValueError(f"implementation must be 'auto', 'reference' or 'torch', got {implementation!r}")
    check_tensors(query=query, key=key, value=value, w=w)
    check_shapes(query.shape, key.shape, value.shape)
    _check_w(w.shape, query.shape[-1])
    if implementation == "reference":
        return _by_reference(query, key, value, w, mask)
    return attend(_scores(query, key, w), value, mask)


def additive_attention_reference(
    query: ArrayLike, key: ArrayLike, value: ArrayLike, *, w: ArrayLike, mask: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Additive attention written out: one query at a time, one key at a time, in float64.

    Args:
        query: Projected queries, shape (q, h).
        key: Projected keys, shape (s, h).
        value: What is averaged, shape (s, d).
        w: Output weights of the scoring network, shape (h,).
        mask: True where a query may attend to a key, shape (q, s).

    Returns:
        The context, shape (q, d), and the weights, shape (q, s).

    Raises:
        TypeError: If an input holds something other than real numbers.
        ValueError: If a value is not finite, shapes do not fit, or a query may attend to no key.

    Source:
        Bahdanau, Cho, Bengio (2015).

    Example:
        >>> context, weights = additive_attention_reference([[0.0]], [[1.0], [1.0]], [[3.0], [7.0]], w=[2.0])
        >>> context
        array([[5.]])
    """
    query, key = real_array("query", query, 2), real_array("key", key, 2)
    value, w = real_array("value", value, 2), real_array("w", w, 1)
    check_shapes(query.shape, key.shape, value.shape)
    _check_w(w.shape, query.shape[1])
    pairs = len(query), len(key)
    allowed = np.ones(pairs, dtype=bool) if mask is None else np.asarray(mask)
    if allowed.dtype != bool or allowed.shape != pairs:
        raise ValueError(f"mask must be boolean of shape {pairs}, got {allowed.dtype} {allowed.shape}")

    context, weights = np.zeros((len(query), value.shape[1])), np.zeros(pairs)
    for t in range(len(query)):
        keys = np.flatnonzero(allowed[t])
        if len(keys) == 0:
            raise ValueError(f"mask must leave every query a key, got none for query {t}; allow one")
        scores = np.array([w @ np.tanh(query[t] + key[s]) for s in keys])
        exponentials = np.exp(scores - scores.max())  # the softmax ignores a shift, and nothing overflows
        weights[t, keys] = exponentials / exponentials.sum()
        context[t] = sum(weights[t, s] * value[s] for s in keys)
    return context, weights


def _scores(query: Tensor, key: Tensor, w: Tensor) -> Tensor:
    """All pairs at once, in the accumulator's dtype; the hidden layer has shape (…, q, s, h)."""
    dtype = accumulator(query)
    hidden = torch.tanh(query.to(dtype)[..., :, None, :] + key.to(dtype)[..., None, :, :])
    return hidden @ w.to(dtype)


def _by_reference(query: Tensor, key: Tensor, value: Tensor, w: Tensor, mask: Tensor | None) -> Attention:
    """Run the reference on each problem of the batch, and return its answer as tensors."""
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (query, key, value, w)):
        raise ValueError("implementation='reference' has no gradient, got inputs that need one; use 'torch'")
    scores = query.new_empty(*query.shape[:-1], key.shape[-2])
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    check_mask(mask, scores)
    arrays = [
        x.detach().double().reshape(-1, *x.shape[-2:]).cpu().numpy()
        for x in (query, key, value, mask.expand(scores.shape))
    ]
    answers = [
        additive_attention_reference(q, k, v, w=w.detach().double().cpu().numpy(), mask=allowed > 0)
        for q, k, v, allowed in zip(*arrays, strict=True)
    ]
    context, weights = (torch.as_tensor(np.stack(part)).to(query) for part in zip(*answers, strict=True))
    return Attention(context.reshape(*query.shape[:-1], value.shape[-1]), weights.reshape(scores.shape))


def _check_w(shape: tuple[int, ...], units: int) -> None:
    if shape != (units,):
        raise ValueError(f"w must have shape ({units},), one weight per hidden unit, got {tuple(shape)}")
