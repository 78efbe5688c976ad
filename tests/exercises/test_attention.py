"""Tests that typical mistakes in the exercises on attention are told apart."""

import numpy as np
import pytest
from scipy.special import softmax

from mlnotes2.exercises._attention import EXERCISES

SOFTMAX, HIDDEN, LARGE, BLIND = (check.statement for check in EXERCISES["attention.5"].checks)


def with_error(weights):
    def checked(scores, mask):
        if not mask.any(axis=1).all():
            raise ValueError
        return weights(scores, mask)

    return checked


def over_queries(scores, mask):
    return softmax(np.where(mask, scores, -1e9), axis=0)


def masked_after(scores, mask):
    return softmax(scores, axis=1) * mask


def zero_scores(scores, mask):
    return softmax(scores * mask, axis=1)


def naive(scores, mask):
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.where(mask, np.exp(scores), 0)
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def shifted_before_the_mask(scores, mask):
    with np.errstate(invalid="ignore"):
        exponentials = np.where(mask, np.exp(scores - scores.max(axis=1, keepdims=True)), 0)
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def zero_context(scores, mask):
    return np.nan_to_num(masked_softmax(scores, mask))


def masked_softmax(scores, mask):
    with np.errstate(invalid="ignore"):
        return softmax(np.where(mask, scores, -np.inf), axis=1)


@pytest.mark.exercise("attention.5")
@pytest.mark.parametrize(
    ("mistaken", "wrong"),
    [
        (with_error(over_queries), [SOFTMAX, HIDDEN, LARGE]),
        (with_error(masked_after), [HIDDEN, LARGE]),
        (with_error(zero_scores), [HIDDEN, LARGE]),
        (with_error(naive), [LARGE]),
        (with_error(shifted_before_the_mask), [LARGE]),
        (zero_context, [BLIND]),
        (with_error(masked_softmax), []),
    ],
)
def test_masked_weights_tells_mistakes_apart(mistaken, wrong: list[str]) -> None:
    assert list(EXERCISES["attention.5"].counterexamples(mistaken)) == wrong
