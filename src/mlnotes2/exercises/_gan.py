"""Exercises on generative adversarial networks."""

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..divergences import reverse_kl
from ._exercise import Check, Exercise

Array = NDArray[np.float64]


def lower_bound(
    real: ArrayLike,
    fake: ArrayLike,
    A: ArrayLike,
    v: ArrayLike,
) -> float:
    """Return a proved lower bound of W from a critic's scores.

    The samples are the rows of `real`, shape (n, d), and `fake`, shape
    (m, d). The critic is D(x) = max(0, x A) v with the hidden layer
    `A`, shape (d, h), and `v`, shape (h,); neither is zero.
    """
    of_real, of_fake = (np.maximum(np.asarray(x) @ A, 0) @ v for x in (real, fake))  # (n,) and (m,)
    slope = np.linalg.norm(A, 2) * np.linalg.norm(v)
    return float((of_real.mean() - of_fake.mean()) / slope)


Scene = tuple[Array, Array, Array, Array]


def _ramp(rng: np.random.Generator) -> Scene:
    real, fake = (rng.integers(0, 9, (n, 1)).astype(float) for n in rng.integers(1, 4, 2))
    return real, fake, np.ones((1, 1)), np.ones(1)


def _bent(rng: np.random.Generator) -> Scene:
    real, fake, A, v = _ramp(rng)
    return real - 4, fake - 4, float(rng.choice([-1, 1])) * A, v


def _steep(rng: np.random.Generator) -> Scene:
    real, fake, A, v = _ramp(rng)
    return real, fake, float(rng.integers(1, 4)) * A, float(rng.choice([-3, -2, 2, 3])) * v


def _two_units(rng: np.random.Generator) -> Scene:
    real, fake = (rng.integers(0, 9, (n, 2)).astype(float) for n in rng.integers(1, 4, 2))
    return real, fake, np.diag(rng.integers(1, 4, 2).astype(float)), np.array([1.0, 0.0])


def _any_critic(rng: np.random.Generator) -> Scene:
    d, h = rng.integers(1, 4, 2)
    real, fake = (rng.integers(-5, 6, (n, d)).astype(float) for n in rng.integers(1, 4, 2))
    A, v = (rng.integers(-3, 4, shape).astype(float) + 0.5 for shape in ((d, h), (h,)))
    return real, fake, A, v


def _by_eigenvalues(real: Array, fake: Array, A: Array, v: Array) -> float:
    def score(x: Array) -> float:
        return math.fsum(w * max(0.0, math.fsum(x * column)) for w, column in zip(v, A.T, strict=True))

    gap = math.fsum(map(score, real)) / len(real) - math.fsum(map(score, fake)) / len(fake)
    return gap / math.sqrt(np.linalg.eigvalsh(A.T @ A)[-1] * math.fsum(v * v))


def cheapest_collapse(
    p: ArrayLike,
    kept: int,
) -> tuple[NDArray[np.float64], float]:
    """Return the q with the least reverse KL from the data, and that value.

    q is a distribution on at most `kept` outcomes. `p`, shape (k,),
    holds the probabilities of the data; q has the same shape. The value
    is KL(q || p), in nats. Of equally probable outcomes the first are
    kept.
    """
    p = np.asarray(p, dtype=np.float64)
    best = np.argsort(-p, kind="stable")[:kept]
    mass = p[best].sum()
    q = np.zeros_like(p)
    q[best] = p[best] / mass
    return q, float(-np.log(mass))


Data = tuple[Array, int]


def _all_kept(rng: np.random.Generator) -> Data:
    p, _ = _falling(rng)
    return p, len(p)


def _one_kept(rng: np.random.Generator) -> Data:
    p, _ = _unsorted(rng)
    return p, 1


def _falling(rng: np.random.Generator) -> Data:
    p, kept = _unsorted(rng)
    return -np.sort(-p), kept


def _unsorted(rng: np.random.Generator) -> Data:
    weights = rng.permutation(9)[: rng.integers(2, 6)] + 1.0
    return weights / weights.sum(), int(rng.integers(1, len(weights)))


def _with_zeros(rng: np.random.Generator) -> Data:
    p, _ = _unsorted(rng)
    return rng.permutation([*p, 0.0, 0.0]), len(p) + 1


def _by_trying_all(p: Array, kept: int) -> tuple[Array, float]:
    """The best of the data's restrictions to every set of so many outcomes."""
    models = [
        np.where(np.isin(np.arange(len(p)), some), p, 0)
        for some in itertools.combinations(range(len(p)), kept)
    ]
    models = [model / model.sum() for model in models if model.any()]
    values = [float(reverse_kl(p, q)) for q in models]
    return models[int(np.argmin(values))], min(values)


def precision_recall(
    real: ArrayLike,
    fake: ArrayLike,
    k: int,
) -> tuple[float, float]:
    """Return the precision and the recall of generated samples.

    The samples are the rows of `real`, shape (n, d), and `fake`, shape
    (m, d). Each point of a set has a ball that just reaches its k-th
    nearest *other* point of that set; k is less than n and m. Precision
    is the share of the generated samples that lie in some ball of the
    real ones, recall the share of the real samples in some ball of the
    generated ones. The edge belongs to the ball.
    """
    real, fake = np.asarray(real), np.asarray(fake)
    return _share_inside(fake, real, k), _share_inside(real, fake, k)


def _share_inside(points: Array, centres: Array, k: int) -> float:
    radii = np.sort(_distances(centres, centres), axis=1)[:, k]  # column 0 is the centre itself
    return float((_distances(points, centres) <= radii).any(axis=1).mean())


def _distances(x: Array, y: Array) -> Array:
    return np.asarray(np.linalg.norm(x[:, None] - y, axis=-1))


Samples = tuple[Array, Array, int]


def _copied(rng: np.random.Generator) -> Samples:
    real, _, k = _scattered(rng)
    return real, rng.permutation(real), k


def _far(rng: np.random.Generator) -> Samples:
    real, fake, k = _scattered(rng)
    return real, fake + 1000, k


def _one_of_two(rng: np.random.Generator) -> Samples:
    real, other, k = _scattered(rng)
    return np.concatenate([real, other + 1000]), rng.permutation(real), k


def _evenly_spaced(rng: np.random.Generator) -> Samples:
    n, m, step = rng.integers(2, 5, 3)
    real, fake = step * np.arange(n)[:, None], step * np.arange(m)[:, None] + rng.integers(1, 10)
    return real.astype(float), fake.astype(float), 1


def _scattered(rng: np.random.Generator) -> Samples:
    d, k = rng.integers(1, 3, 2)
    sizes = k + rng.integers(1, 4, 2)
    real, fake = (np.round(3.0 ** rng.normal(1, 1, (n, d))) for n in sizes)
    return real, fake, int(k)


def _by_counting(real: Array, fake: Array, k: int) -> tuple[float, float]:
    """With squares of whole numbers, so that no edge is missed by rounding."""

    def square(x: Array, y: Array) -> float:
        return math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True))

    def share(points: Array, centres: Array) -> float:
        others = [[c for j, c in enumerate(centres) if j != i] for i in range(len(centres))]
        reach = [sorted(square(c, o) for o in rest)[k - 1] for c, rest in zip(centres, others, strict=True)]
        inside = [any(square(x, c) <= r for c, r in zip(centres, reach, strict=True)) for x in points]
        return sum(inside) / len(inside)

    return share(fake, real), share(real, fake)


EXERCISES = {
    "gan.4": Exercise(
        lower_bound,
        Check(
            "D(x) = max(0, x) gives the difference of the means, real minus generated", _ramp, _by_eigenvalues
        ),
        Check("a score is zero where the hidden unit is off", _bent, _by_eigenvalues),
        Check("a steeper critic proves no more", _steep, _by_eigenvalues),
        Check("a layer's slope is its spectral norm", _two_units, _by_eigenvalues),
        Check("all of it, for any critic", _any_critic, _by_eigenvalues),
    ),
    "gan.8": Exercise(
        cheapest_collapse,
        Check(
            "a model that may keep everything is the data, at no price", _all_kept, lambda p, kept: (p, 0.0)
        ),
        Check("a single outcome is the most probable one", _one_kept, _by_trying_all),
        Check("what is kept stays in proportion", _falling, _by_trying_all),
        Check("no other choice of outcomes is cheaper", _unsorted, _by_trying_all),
        Check("an outcome that the data do not have is never generated", _with_zeros, _by_trying_all),
    ),
    "gan.12": Exercise(
        precision_recall,
        Check("copies of the data have precision 1 and recall 1", _copied, lambda real, fake, k: (1.0, 1.0)),
        Check("samples far from all data have neither", _far, lambda real, fake, k: (0.0, 0.0)),
        Check(
            "a dropped mode costs recall, and no precision",
            _one_of_two,
            lambda real, fake, k: (1.0, len(fake) / len(real)),
        ),
        Check("a point is not its own neighbour", _evenly_spaced, _by_counting),
        Check("every ball counts, each with its own radius", _scattered, _by_counting),
    ),
}
