"""Exercises on divergences."""

import math
from collections import Counter

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from ..divergences import REVERSE_KL, js, reverse_kl
from ._exercise import Check, Exercise


def js_of_samples(x: ArrayLike, y: ArrayLike) -> float:
    """Return the Jensen-Shannon divergence, in nats, of two samples.

    They are numbers, of shapes (n,) and (m,). Each point of x has the
    probability 1/n, each point of y 1/m. Equal numbers are one outcome.
    """
    outcomes = np.union1d(x, y)
    p = np.equal.outer(x, outcomes).mean(axis=0)
    q = np.equal.outer(y, outcomes).mean(axis=0)
    m = (p + q) / 2
    return float(rel_entr(p, m).sum() + rel_entr(q, m).sum()) / 2


def reverse_kl_bound(p: ArrayLike, q: ArrayLike, t: ArrayLike) -> float:
    """Return the lower bound of KL(Q || P), in nats, that a critic gives.

    `t` holds its values at the outcomes, `p` and `q` their
    probabilities, which are positive. All three have shape (k,). The
    bound is -inf where the conjugate of -log u is infinite.
    """
    t = np.asarray(t, dtype=float)
    if t.max() >= 0:
        return -math.inf
    conjugate = -1 - np.log(-t)
    return float(np.dot(p, t) - np.dot(q, conjugate))


Samples = tuple[NDArray[np.float64], NDArray[np.float64]]
Critic = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _draw_apart(rng: np.random.Generator) -> Samples:
    n = rng.integers(1, 6)
    x, y = rng.permutation(20)[: 2 * n].reshape(2, n)
    return x.astype(float), y.astype(float)


def _draw_shuffled(rng: np.random.Generator) -> Samples:
    x = rng.integers(0, 4, rng.integers(1, 6)).astype(float)
    return x, rng.permutation(x)


def _draw_repeated(rng: np.random.Generator) -> Samples:
    x, y = rng.integers(0, 3, (2, rng.integers(2, 6)))
    return x.astype(float), y.astype(float)


def _draw_sizes(rng: np.random.Generator) -> Samples:
    n, m = rng.permutation(np.arange(1, 6))[:2]
    return rng.permutation(6)[:n].astype(float), rng.permutation(6)[:m].astype(float)


def _counted(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    of_x, of_y = Counter(x.tolist()), Counter(y.tolist())
    outcomes = of_x | of_y
    p, q = ([counts[outcome] / counts.total() for outcome in outcomes] for counts in (of_x, of_y))
    return float(js(p, q))


def _draw_critic(rng: np.random.Generator) -> Critic:
    p, q, t = rng.integers(1, 5, (3, rng.integers(1, 4)))
    return p / p.sum(), q / q.sum(), -t / 2


def _draw_constant(rng: np.random.Generator) -> Critic:
    p, q, t = _draw_critic(rng)
    return p, q, np.full_like(t, -1.0)


def _draw_best(rng: np.random.Generator) -> Critic:
    p, q, _ = _draw_critic(rng)
    return p, q, -q / p


def _draw_outside(rng: np.random.Generator) -> Critic:
    p, q, t = _draw_critic(rng)
    t[rng.integers(len(t))] = rng.integers(0, 2)
    return p, q, t


def _by_conjugate(p: NDArray[np.float64], q: NDArray[np.float64], t: NDArray[np.float64]) -> float:
    return float(p @ t - q @ REVERSE_KL.conjugate(torch.tensor(t)).numpy())


EXERCISES = {
    "divergences.4": Exercise(
        js_of_samples,
        Check("samples with no number in common give log 2", _draw_apart, lambda x, y: math.log(2)),
        Check("the order of a sample does not matter", _draw_shuffled, lambda x, y: 0.0),
        Check("a number that occurs twice counts twice", _draw_repeated, _counted),
        Check("samples may differ in size", _draw_sizes, _counted),
    ),
    "divergences.7": Exercise(
        reverse_kl_bound,
        Check("the critic that is -1 everywhere gives 0", _draw_constant, lambda p, q, t: 0.0),
        Check("the best critic, -q/p, gives KL(Q || P)", _draw_best, lambda p, q, t: float(reverse_kl(p, q))),
        Check("any other critic below 0 gives its bound", _draw_critic, _by_conjugate),
        Check("a critic that reaches 0 gives no bound: -inf", _draw_outside, lambda p, q, t: -math.inf),
    ),
}
