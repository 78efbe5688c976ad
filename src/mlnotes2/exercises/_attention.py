"""Exercises on attention."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from ._exercise import Check, Exercise


def masked_weights(
    scores: NDArray[np.float64],
    mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the attention weights, shape (q, s), of q queries for s keys.

    Each row of `scores`, shape (q, s), goes through a softmax over the
    keys that the row of `mask`, shape (q, s), allows: True means that
    the query may attend to the key. Other keys get the weight 0. A
    query that may attend to no key is a ValueError.
    """
    if not mask.any(axis=1).all():
        raise ValueError("mask must leave every query a key")
    scores = np.where(mask, scores, -np.inf)
    weights: NDArray[np.float64] = np.exp(scores - scores.max(axis=1, keepdims=True))  # at most 1
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


Case = tuple[NDArray[np.float64], NDArray[np.bool_]]


def _unmasked(rng: np.random.Generator) -> Case:
    scores = rng.integers(-3, 4, rng.integers(1, 4, size=2)).astype(float)
    return scores, np.full(scores.shape, True)


def _masked(rng: np.random.Generator) -> Case:
    scores, mask = _unmasked(rng)
    return scores, rng.permuted(mask & (np.arange(scores.shape[1]) < rng.integers(1, 4)), axis=1)


def _large(rng: np.random.Generator) -> Case:
    scores, mask = _masked(rng)
    return 1000 * scores, mask


def _blind(rng: np.random.Generator) -> Case:
    scores, mask = _masked(rng)
    mask[rng.integers(len(mask))] = False
    return scores, mask


def _without_hidden_keys(scores: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """SciPy's softmax of the allowed scores of each row, as if the other keys did not exist."""
    weights = np.zeros_like(scores)
    for t, allowed in enumerate(mask):
        weights[t, allowed] = softmax(scores[t, allowed])
    return weights


EXERCISES = {
    "attention.5": Exercise(
        masked_weights,
        Check("without hidden keys it is a softmax over the keys", _unmasked, _without_hidden_keys),
        Check("hiding a key is deleting it", _masked, _without_hidden_keys),
        Check("scores in the thousands do no harm", _large, _without_hidden_keys),
        Check("a query that may attend to no key is a ValueError", _blind, lambda scores, mask: ValueError),
    ),
}
