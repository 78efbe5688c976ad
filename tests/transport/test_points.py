"""Exact distances between clouds: every answer agrees with the dense solver and carries its certificate."""

import subprocess
import sys

import numpy as np
import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tests.oracles import pot_emd

from mlnotes2.transport import _pricing, emd, emd_1d, emd_points
from mlnotes2.transport._points import METRICS

RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)
KINDS = ("normal", "grid", "clusters", "line", "duplicates", "far away", "heavy tails", "one cloud")


def cloud(rng, kind, n, d):
    """n points of one kind."""
    x = rng.normal(size=(n, d))
    if kind == "grid":
        return rng.integers(0, 4, (n, d)).astype(float)
    if kind == "clusters":
        return 10.0 * rng.integers(0, 3, (n, 1)) + 1e-3 * x
    if kind == "line":
        return x[:, :1] * np.arange(1, d + 1)
    if kind == "duplicates":
        return x[rng.integers(0, n // 4 + 1, n)]
    if kind == "far away":
        return x + 1e6
    return rng.standard_cauchy((n, d)) if kind == "heavy tails" else x


def masses(rng, kind, n, m):
    """Masses of equal total: none given, random ones, whole numbers, or with zeros."""
    if kind == "none":
        return None, None
    if kind == "whole":
        a = rng.integers(1, 5, n).astype(float)
        return a, np.bincount(rng.integers(0, m, int(a.sum())), minlength=m).astype(float)
    share = 0.6 if kind == "zeros" else 1.0
    a, b = (rng.random(k) * (rng.random(k) < share) + 1e-3 * (np.arange(k) == 0) for k in (n, m))
    return a / a.sum(), b / b.sum()


def problem(rng, largest=40):
    """Two clouds with masses and a metric."""
    n, m = rng.integers(1, largest, 2)
    d, kind = rng.integers(1, 6), rng.choice(KINDS)
    x = cloud(rng, kind, n, d)
    y = rng.permutation(x) if kind == "one cloud" else cloud(rng, kind, m, d)
    kind = rng.choice(["none", "random", "whole", "zeros"])
    return x, y, *masses(rng, kind, len(x), len(y)), rng.choice(METRICS)


def check(x, y, a, b, metric):
    """The plan moves a to b, the potentials are feasible at all pairs, and nothing is left between the bounds."""
    result = emd_points(x, y, a, b, metric=metric)
    cost, (f, g) = cdist(x, y, metric), result.potentials
    a = np.full(len(x), 1 / len(x)) if a is None else a
    b = np.full(len(y), 1 / len(y)) if b is None else b
    scale = np.abs(cost).max() * np.sum(a)
    size = cost.max() + np.abs(f).max() + np.abs(g).max()
    np.testing.assert_allclose(result.plan.sum(axis=1), a, atol=1e-9 * np.sum(a))
    np.testing.assert_allclose(result.plan.sum(axis=0), b, atol=1e-9 * np.sum(a))
    assert result.plan.nnz <= len(x) + len(y) - 1
    assert result.plan.data.min() > 0
    assert (f[:, None] + g - cost).max() <= 4e-15 * size  # a few roundings; SciPy sums in another order
    assert result.dual_cost == pytest.approx(f @ a + g @ b)
    assert 0 <= result.gap <= 1e-9 * max(result.cost, 1e-3 * scale)
    assert result.cost == pytest.approx(pot_emd(a, b, cost), abs=1e-11 * scale)
    assert result.cost == pytest.approx(np.vdot(result.plan.toarray(), cost), abs=1e-13 * scale)
    return result


@pytest.fixture
def priced(monkeypatch):
    """Small problems are priced in rounds too, where all their pairs would be used at once."""
    monkeypatch.setattr(_pricing, "FEW_PAIRS", 0)


@pytest.mark.parametrize("seed", range(300))
def test_emd_points_is_exact_and_proved_on_all_pairs(seed):
    check(*problem(np.random.default_rng(seed)))


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("seed", range(300, 400))
def test_emd_points_is_exact_and_proved_by_rounds(seed):
    check(*problem(np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
def test_emd_points_is_exact_on_larger_clouds(kind, metric):
    rng = np.random.default_rng(7)
    x, y = cloud(rng, kind, 700, 2), cloud(rng, kind, 500, 2)
    check(x, y, *masses(rng, "zeros", 700, 500), metric)


def hard(rng):
    """Clouds that tempt a solver to a wrong answer or an endless one, each with its masses."""
    x, y, ends = rng.normal(size=(200, 2)), rng.normal(size=(150, 2)), np.array([[1e8, 0], [1e8, 1]])
    lattice = np.indices((14, 14)).reshape(2, -1).T
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    a, b = (10.0 ** rng.uniform(-12, 0, k) for k in (200, 150))
    return {
        "one place": (np.ones((200, 2)), np.ones((150, 2))),
        "two places": (np.ones((200, 2)), np.zeros((150, 2))),
        "few places": (x[rng.integers(0, 4, 200)], y[rng.integers(0, 5, 150)]),
        "shifted lattice": (lattice, np.add(lattice, [3, 1])),
        "line": (x[:, :1], y[:, :1]),
        "whole line": (rng.integers(0, 9, (200, 1)), rng.integers(0, 9, (150, 1))),
        "around one point": (np.zeros((200, 2)), np.stack([np.cos(angle), np.sin(angle)], axis=1)),
        "one to many": (x[:1], y),
        "hundred to one": (rng.normal(size=(20, 2)), rng.normal(size=(2000, 2))),
        "twelve orders of mass": (x, y, a / a.sum(), b / b.sum()),
        "far away": (x + 1e8, y + 1e8),
        "far apart": (x - 1e8, y + 1e8),
        "one far pair": (np.vstack([ends[:1], x]), np.vstack([y, ends[1:]])),
        "thin": (x * [1, 1e-9], y * [1, 1e-9]),
        "float32": (x.astype(np.float32), y.astype(np.float32)),
    }


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", hard(np.random.default_rng(0)))
def test_emd_points_is_exact_on_hard_clouds(name, metric):
    x, y, *masses = hard(np.random.default_rng(1))[name]
    if (name, metric) == ("one far pair", "sqeuclidean"):
        pytest.skip("prices of 1e16 leave no digit to those of 1")
    a, b = masses or (np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)))
    result = emd_points(x, y, *masses, metric=metric)
    assert result.gap <= 1e-9 * result.cost
    assert result.cost == pytest.approx(emd(a, b, cdist(x, y, metric)).cost, rel=1e-9)


def test_emd_points_uses_few_of_many_pairs():
    rng, rounds = np.random.default_rng(0), []
    x, y = rng.normal(size=(1000, 8)), rng.normal(size=(1000, 8))
    result = emd_points(x, y, progress=lambda *numbers: rounds.append(numbers))
    pairs, costs, gaps = np.transpose(rounds)
    assert pairs.max() < 0.05 * 1000**2
    assert pairs[-1] < pairs[0]  # idle pairs left
    assert (np.diff(costs) <= 1e-12).all()  # more pairs, a lower cost
    assert costs[-1] == pytest.approx(result.cost)
    assert (gaps >= costs - result.cost - 1e-5).all()  # what float32 leaves
    assert gaps[-1] <= 1e-11 * result.cost


@given(RANDOM)
def test_emd_points_on_the_line_is_the_closed_form(rng):
    x, y, a, b, _ = problem(rng)
    x, y = x[:, :1], y[:, :1]
    scale = max(np.abs(x).max(), np.abs(y).max()) * (1 if a is None else np.sum(a))
    expected = emd_1d(x[:, 0], y[:, 0], a, b)
    assert emd_points(x, y, a, b).cost == pytest.approx(expected, abs=1e-13 * scale)  # 40 roundings


@given(RANDOM)
def test_emd_points_is_emd_with_the_prices_of_the_metric(rng):
    x, y, a, b, metric = problem(rng)
    a, b = np.full(len(x), 1.0) if a is None else a, np.full(len(y), len(x) / len(y)) if b is None else b
    cost = cdist(x, y, metric)
    assert emd_points(x, y, a, b, metric=metric).cost == pytest.approx(
        emd(a, b, cost).cost, abs=1e-11 * cost.max() * np.sum(a)
    )


def test_emd_points_of_a_cloud_with_itself_is_zero():
    x = np.random.default_rng(1).normal(size=(400, 3))
    result = emd_points(x, x[::-1])
    assert result.cost == 0
    assert result.gap <= 1e-12


def test_emd_points_moves_a_shifted_cloud_by_the_shift():
    x, shift = np.random.default_rng(2).normal(size=(400, 3)), np.array([3, 0, 4])
    assert emd_points(x, x + shift).cost == pytest.approx(5, rel=1e-12)
    assert emd_points(x, x + shift, metric="sqeuclidean").cost == pytest.approx(25, rel=1e-12)
    assert emd_points(x, x + shift, metric="cityblock").cost == pytest.approx(7, rel=1e-12)


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("scale", [1e-140, 1e-9, 1e9, 1e140])
@pytest.mark.parametrize("metric", METRICS)
def test_emd_points_scales_with_the_points(scale, metric):
    x, y, a, b, _ = problem(np.random.default_rng(3))
    once, scaled = (emd_points(s * x, s * y, a, b, metric=metric).cost for s in (1.0, scale))
    assert scaled / (scale**2 if metric == "sqeuclidean" else scale) == pytest.approx(once, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_emd_points_scales_with_the_masses(scale):
    x, y, _, _, metric = problem(np.random.default_rng(4))
    a, b = masses(np.random.default_rng(5), "random", len(x), len(y))
    once, scaled = (emd_points(x, y, s * a, s * b, metric=metric).cost for s in (1.0, scale))
    assert scaled / scale == pytest.approx(once, rel=1e-12)


def test_emd_points_gives_the_same_answer_each_time_and_leaves_the_global_seeds_alone():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(400, 2)), rng.normal(size=(400, 2))
    state = torch.get_rng_state()
    first, second = emd_points(x, y), emd_points(x, y)
    assert first.cost == second.cost
    np.testing.assert_array_equal(first.potentials, second.potentials)
    assert torch.equal(torch.get_rng_state(), state)


def test_emd_points_takes_lists_and_whole_numbers():
    result = emd_points([[0, 0], [3, 4]], [[0, 0], [3, 4]], [2, 3], [1, 4])
    np.testing.assert_array_equal(result.plan.toarray(), [[1, 1], [0, 3]])
    assert (result.cost, result.dual_cost, result.gap) == (5, 5, 0)


MEMORY = """
import resource, sys
import numpy as np
from mlnotes2.transport import emd_points
rng = np.random.default_rng(0)
x, y = rng.normal(size=(2, int(sys.argv[1]), int(sys.argv[2])))
emd_points(x[:400], y[:400])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = emd_points(x, y)
assert result.gap <= 1e-9 * result.cost
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory(n, d):
    """Bytes in use before and at the peak of one call, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEMORY, str(n), str(d)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [1024 * int(number) for number in run.stdout.split()]


def test_emd_points_needs_less_memory_than_the_cost_matrix():
    before, peak = peak_memory(4000, 8)
    assert peak - before < 8 * 4000**2 / 2  # bytes of half the matrix


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, np.nan]], [[0, 0]]), "x must be finite"),
        (([[0]], [[np.inf]]), "y must be finite"),
        (([0, 1], [[0]]), r"x must have 2 dimension\(s\), got shape \(2,\)"),
        ((np.zeros((0, 2)), [[0, 0]]), r"x must not be empty, got shape \(0, 2\)"),
        (([[0, 0]], [[0]]), "points of one space, got 2 and 1 coordinates"),
        (([[0], [1]], [[0]], [1], [1]), "a must have a mass for each of the 2 rows of x, got 1"),
        (([[0]], [[0], [1]], [1], [1]), "b must have a mass for each of the 2 rows of y, got 1"),
        (([[0]], [[0]], [-1], [1]), "a must not be negative, got -1"),
        (([[0]], [[0]], [1], [np.nan]), "b must be finite"),
        (([[0]], [[0]], [0], [1]), "a must hold some mass"),
        (([[0]], [[0]], [1], [2]), r"got 1.0 and 2.0, which differ by 1.0; normalise both"),
        (([[0]], [[0]], [2]), r"got 2.0 and 1.0, which differ by 1.0; normalise both"),
    ],
)
def test_emd_points_refuses_bad_clouds_and_names_the_cure(arguments, message):
    with pytest.raises(ValueError, match=message):
        emd_points(*arguments)


def test_emd_points_refuses_an_unknown_metric():
    with pytest.raises(
        ValueError, match="metric must be one of euclidean, sqeuclidean, cityblock, got 'cosine'"
    ):
        emd_points([[0]], [[0]], metric="cosine")


def test_emd_points_refuses_squares_that_overflow():
    with pytest.raises(ValueError, match="overflow; divide x and y by a common factor"):
        emd_points([[1e200]], [[0]], metric="sqeuclidean")


def test_emd_points_refuses_max_rounds_below_one():
    with pytest.raises(ValueError, match="max_rounds must be at least 1, got 0"):
        emd_points([[0]], [[0]], max_rounds=0)


def test_emd_points_refuses_a_tensor_and_names_the_cure():
    with pytest.raises(TypeError, match=r"x must be array-like, got a torch tensor; pass x\.detach"):
        emd_points(torch.ones(1, 1), [[0]])


def test_emd_points_never_ends_silently():
    rng = np.random.default_rng(8)
    with pytest.raises(RuntimeError, match=r"pairs are still violated after 1 rounds; raise max_rounds"):
        emd_points(rng.normal(size=(500, 2)), rng.normal(size=(500, 2)), max_rounds=1)


def test_pot_forgets_potentials_for_sparse_costs():
    """Why its solver is called directly: ot.emd takes `potentials_init` and does nothing with it."""
    cost = ot.utils.get_backend(np.ones(1)).coo_matrix(np.ones(4), [0, 0, 1, 1], [0, 1, 0, 1], shape=(2, 2))
    nonsense = np.array([np.nan, np.nan])
    assert ot.emd2([0.5, 0.5], [0.5, 0.5], cost, potentials_init=(nonsense, nonsense)) == 1
