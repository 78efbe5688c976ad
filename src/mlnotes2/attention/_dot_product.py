"""Scaled dot-product attention (Vaswani): the score is an inner product, divided by a square root."""

import math

from jaxtyping import Bool, Float
from torch import Tensor

from ._weights import Attention, accumulator, attend, check_shapes, check_tensors


def dot_product_attention(
    query: Float[Tensor, "*batch q h"],
    key: Float[Tensor, "*batch s h"],
    value: Float[Tensor, "*batch s d"],
    *,
    mask: Bool[Tensor, "..."] | None = None,
) -> Attention:
    """Attend to the values whose keys point the way of the query.

    `weights[t] = softmax(query[t] . key / sqrt(h))` and `context[t] = sum_s weights[t, s] value[s]`.

    Args:
        query: Queries, shape (…, q, h).
        key: Keys, shape (…, s, h).
        value: What is averaged, shape (…, s, d).
        mask: True where a query may attend to a key; broadcasts to (…, q, s).

    Returns:
        `Attention(context, weights)` of shapes (…, q, d) and (…, q, s), in the dtype of the inputs. Half
        precision is summed in float32.

    Raises:
        TypeError: If an input is not a floating tensor, the dtypes differ, or the mask is not boolean.
        ValueError: If a value or a score is not finite, shapes or devices do not fit, an input is empty, or a
            query may attend to no key.

    Source:
        Vaswani et al. (2017).

    Example:
        >>> import torch
        >>> key = torch.tensor([[0.0], [50.0]])
        >>> dot_product_attention(torch.ones(1, 1), key, torch.tensor([[3.0], [7.0]])).context
        tensor([[7.]])
    """
    check_tensors(query=query, key=key, value=value)
    check_shapes(query.shape, key.shape, value.shape)
    dtype = accumulator(query)
    scores = query.to(dtype) @ key.to(dtype).mT / math.sqrt(query.shape[-1])
    return attend(scores, value, mask)
