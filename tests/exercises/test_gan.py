"""The code exercises on GANs: the solutions against peers, and which check finds which typical mistake."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.neighbors import NearestNeighbors

from mlnotes2.divergences import reverse_kl
from mlnotes2.exercises._gan import EXERCISES
from mlnotes2.transport import emd

BOUND, COLLAPSE, QUALITY = (EXERCISES[id] for id in ("gan.4", "gan.8", "gan.12"))
RAMP, OFF, STEEP, SPECTRAL, CRITIC = (check.statement for check in BOUND.checks)
EVERYTHING, SINGLE, PROPORTION, CHOICE, ZEROS = (check.statement for check in COLLAPSE.checks)
COPIES, FAR, DROPPED, ITSELF, RADIUS = (check.statement for check in QUALITY.checks)
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.exercise("gan.4")
@given(seed=seeds)
def test_lower_bound_is_that_of_torch_and_never_exceeds_the_distance(seed):
    rng = np.random.default_rng(seed)
    real, fake, A, v = (rng.normal(size=shape) for shape in ((4, 3), (5, 3), (3, 6), (6,)))
    bound = BOUND.solution(real, fake, A, v)
    x, y, A, v = map(torch.tensor, (real, fake, A, v))
    slope = torch.linalg.matrix_norm(A, 2) * v.norm()
    gap = ((x @ A).relu() @ v).mean() - ((y @ A).relu() @ v).mean()
    assert bound == pytest.approx((gap / slope).item(), rel=1e-12, abs=1e-12)  # rounding
    cost = np.linalg.norm(real[:, None] - fake, axis=-1)
    assert bound <= emd(np.full(4, 1 / 4), np.full(5, 1 / 5), cost).cost + 1e-12


@pytest.mark.exercise("gan.8")
@settings(max_examples=20)  # each runs a minimiser
@given(seed=seeds, k=st.integers(3, 6))
def test_cheapest_collapse_is_what_a_minimiser_finds_and_no_other_model_is_cheaper(seed, k):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(k, 5.0))
    kept = int(rng.integers(1, k))
    q, price = COLLAPSE.solution(p, kept)
    assert np.count_nonzero(q) <= kept
    assert reverse_kl(p, q) == pytest.approx(price, abs=1e-12)  # rounding
    for _ in range(20):
        other = np.zeros(k)
        other[rng.permutation(k)[:kept]] = rng.dirichlet(np.ones(kept))
        assert reverse_kl(p, other) >= price - 1e-12
    on = np.flatnonzero(q)

    def value(logits):
        model = np.zeros(k)
        model[on] = np.exp(logits) / np.exp(logits).sum()
        return reverse_kl(p, model)

    assert minimize(value, np.zeros(kept)).fun == pytest.approx(price, abs=1e-6)  # the minimiser's


@pytest.mark.exercise("gan.12")
@given(seed=seeds, k=st.integers(1, 4))
def test_precision_recall_is_that_of_sklearns_neighbours(seed, k):
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(9, 2)), rng.normal(1, 1, size=(7, 2))

    def inside(points, centres):
        reach = NearestNeighbors(n_neighbors=k).fit(centres).kneighbors()[0][:, -1]  # without itself
        near = np.linalg.norm(points[:, None] - centres, axis=-1) <= reach
        return near.any(axis=1).mean()

    assert QUALITY.solution(real, fake, k) == (inside(fake, real), inside(real, fake))


def _scores(x, A, v):
    return np.maximum(x @ A, 0) @ v


def _slope(A, v):
    return np.linalg.norm(A, 2) * np.linalg.norm(v)


def generated_minus_real(real, fake, A, v):
    return (_scores(fake, A, v).mean() - _scores(real, A, v).mean()) / _slope(A, v)


def linear(real, fake, A, v):
    return ((real @ A @ v).mean() - (fake @ A @ v).mean()) / _slope(A, v)


def undivided(real, fake, A, v):
    return _scores(real, A, v).mean() - _scores(fake, A, v).mean()


def frobenius(real, fake, A, v):
    return undivided(real, fake, A, v) / (np.linalg.norm(A) * np.linalg.norm(v))


def absolute(real, fake, A, v):
    return abs(undivided(real, fake, A, v)) / _slope(A, v)


def most_even(p, kept):
    q = np.zeros(len(p))
    best = np.argsort(-p)[:kept]
    q[best] = 1 / kept
    return q, float(reverse_kl(p, q))


def first(p, kept):
    q = np.where(np.arange(len(p)) < kept, p, 0)
    return (q / q.sum(), -np.log(q.sum())) if q.any() else (q, np.inf)


def not_normalised(p, kept):
    q = np.zeros(len(p))
    best = np.argsort(-p)[:kept]
    q[best] = p[best]
    return q, -np.log(q.sum())


def naive_zeros(p, kept):
    q, _ = COLLAPSE.solution(p, kept)
    with np.errstate(all="ignore"):
        return q, float((q * np.log(q / p)).sum())


def naive_zeros_of_the_data(p, kept):
    q, _ = COLLAPSE.solution(p, kept)
    best = np.argsort(-p)[:kept]
    with np.errstate(all="ignore"):
        return q, float((q[best] * np.log(q[best] / p[best])).sum())


def swapped(real, fake, k):
    return QUALITY.solution(real, fake, k)[::-1]


def _inside(points, centres, reach):
    return float((np.linalg.norm(points[:, None] - centres, axis=-1) <= reach(centres)).any(axis=1).mean())


def _to_neighbours(centres):
    return np.sort(np.linalg.norm(centres[:, None] - centres, axis=-1), axis=1)


def own_neighbour(real, fake, k):
    def reach(centres):
        return _to_neighbours(centres)[:, k - 1]

    return _inside(fake, real, reach), _inside(real, fake, reach)


def one_radius_for_all(real, fake, k):
    def reach(centres):
        return _to_neighbours(centres)[:, k].mean()

    return _inside(fake, real, reach), _inside(real, fake, reach)


def _nearest_ball(points, centres, k):
    gaps = np.linalg.norm(points[:, None] - centres, axis=-1)
    nearest = gaps.argmin(axis=1)
    return float((gaps.min(axis=1) <= _to_neighbours(centres)[nearest, k]).mean())


def nearest_ball_only(real, fake, k):
    return _nearest_ball(fake, real, k), _nearest_ball(real, fake, k)


@pytest.mark.parametrize(
    ("exercise", "wrong", "statements"),
    [
        (BOUND, generated_minus_real, {RAMP, OFF, STEEP, SPECTRAL, CRITIC}),
        (BOUND, absolute, {RAMP, OFF, STEEP, SPECTRAL, CRITIC}),
        (BOUND, linear, {OFF, CRITIC}),
        (BOUND, undivided, {STEEP, SPECTRAL, CRITIC}),
        (BOUND, frobenius, {SPECTRAL, CRITIC}),
        (COLLAPSE, most_even, {EVERYTHING, PROPORTION, CHOICE, ZEROS}),
        (COLLAPSE, first, {SINGLE, CHOICE, ZEROS}),
        (COLLAPSE, not_normalised, {SINGLE, PROPORTION, CHOICE}),
        (COLLAPSE, naive_zeros, {SINGLE, PROPORTION, CHOICE, ZEROS}),
        (COLLAPSE, naive_zeros_of_the_data, {ZEROS}),
        (QUALITY, swapped, {DROPPED, ITSELF, RADIUS}),
        (QUALITY, own_neighbour, {ITSELF, RADIUS}),
        (QUALITY, one_radius_for_all, {RADIUS}),
        (QUALITY, nearest_ball_only, {RADIUS}),
    ],
)
def test_gan_checks_find_a_typical_mistake(exercise, wrong, statements):
    assert set(exercise.counterexamples(wrong)) == statements
