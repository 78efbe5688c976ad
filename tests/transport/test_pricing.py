"""The parts of pricing: prices in blocks, first arcs that suffice, and what a round proves."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial.distance import cdist
from tests.oracles import pot_emd

from mlnotes2.transport import _pricing, emd, emd_1d, emd_points, naive_plan
from mlnotes2.transport._points import METRICS
from mlnotes2.transport._pricing import arc_costs, lowest, pair_costs, priced_plan, row_blocks

RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def two_clouds(rng, n, m, d=3):
    """Points as tensors, and random masses."""
    x, y = (torch.from_numpy(rng.normal(size=(k, d))) for k in (n, m))
    return x, y, rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))


@pytest.mark.parametrize("metric", METRICS)
@given(RANDOM)
def test_pair_costs_and_arc_costs_are_those_of_scipy(metric, rng):
    x, y, _, _ = two_clouds(rng, 5, 4)
    expected = cdist(x, y, metric)
    np.testing.assert_allclose(pair_costs(metric, x, y), expected, rtol=1e-14)  # sums of 3 squares
    rows, cols = np.indices((5, 4)).reshape(2, -1)
    np.testing.assert_allclose(arc_costs(metric, x[rows], y[cols]), expected.ravel(), rtol=1e-14)
    rough = pair_costs(metric, x.float(), y.float())
    np.testing.assert_allclose(rough, expected, atol=1e-2)  # a product of matrices cancels digits in float32


@given(st.integers(1, 5000), st.integers(1, 2**21))
def test_row_blocks_cover_each_row_once_and_hold_at_most_a_quarter_of_a_million_pairs(n, m):
    blocks = list(row_blocks(n, m))
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(n))
    assert all((block.stop - block.start) * m <= max(m, 2**18) for block in blocks)


@pytest.mark.parametrize("metric", METRICS)
@given(RANDOM)
def test_lowest_is_the_highest_feasible_potential(metric, rng):
    x, y, _, g = two_clouds(rng, 6, 5)
    np.testing.assert_allclose(lowest(metric, x, y, g), (cdist(x, y, metric) - g).min(axis=1), atol=1e-14)


def test_lowest_of_no_rows_is_empty():
    points = torch.zeros(3, 2, dtype=torch.float64)
    assert lowest("euclidean", points[:0], points, np.zeros(3)).shape == (0,)


@pytest.mark.parametrize("same", [False, True])
def test_first_arcs_can_carry_all_mass_and_are_few(same):
    rng = np.random.default_rng(0)
    x, y, a, b = two_clouds(rng, 600, 500)
    if same:  # all prices are zero
        x, y = torch.zeros_like(x), torch.zeros_like(y)
    keys, f, g = _pricing._first_arcs(x.float(), y.float(), a, b, "euclidean")
    rows, cols = np.divmod(keys, 500)
    assert len(keys) < 0.1 * 600 * 500
    assert np.isfinite(f).all()
    assert np.isfinite(g).all()
    cost = arc_costs("euclidean", x[rows], y[cols])
    flow, _, _ = _pricing._solve(a, b, rows, cols, cost, f, g, warm=False)
    np.testing.assert_allclose(np.bincount(rows, flow, 600), a, atol=1e-12)
    np.testing.assert_allclose(np.bincount(cols, flow, 500), b, atol=1e-12)


def test_first_arcs_are_nearly_enough():
    rng = np.random.default_rng(1)
    x, y, a, b = two_clouds(rng, 600, 500)
    rounds = []
    priced_plan(x, y, a, b, "euclidean", max_rounds=50, progress=lambda *numbers: rounds.append(numbers))
    assert rounds[0][1] <= 1.003 * rounds[-1][1]
    assert max(pairs for pairs, _, _ in rounds) <= 1.2 * rounds[0][0]


@given(RANDOM)
def test_solve_is_best_among_the_arcs_whatever_it_starts_from(rng):
    x, y, a, b = two_clouds(rng, 6, 5)
    rows, cols = np.indices((6, 5)).reshape(2, -1)
    cost = arc_costs("euclidean", x[rows], y[cols])
    start = rng.normal(size=6), rng.normal(size=5)
    for warm in (False, True):
        flow, f, g = _pricing._solve(a, b, rows, cols, cost, *start, warm=warm)
        assert flow @ cost == pytest.approx(pot_emd(a, b, cost.reshape(6, 5)), abs=1e-13)
        assert f @ a + g @ b == pytest.approx(flow @ cost, abs=1e-12)
        assert (f[rows] + g[cols] - cost).max() <= 1e-12


@given(RANDOM)
def test_price_finds_the_least_pairs_of_each_row_with_a_violated_pair(rng):
    x, y, _, _ = two_clouds(rng, 7, 50)
    f, g = rng.normal(size=7), rng.normal(size=50)
    lowered, keys = _pricing._price(x, y, f, g, "euclidean")
    reduced = cdist(x, y) - g
    np.testing.assert_allclose(lowered, reduced.min(axis=1), atol=1e-14)
    violated = np.flatnonzero(reduced.min(axis=1) < f)
    expected = [i * 50 + j for i in violated for j in np.argsort(reduced[i])[:16]]
    assert sorted(keys) == sorted(expected)


def some_pairs(rng, n, m):
    """Two clouds, and the numbers of some pairs that can carry all mass."""
    x, y, a, b = two_clouds(rng, n, m)
    return x, y, a, b, np.flatnonzero((rng.random((n, m)) < 0.2) | (naive_plan(a, b) > 0))


def restricted(x, y, a, b, keys):
    """The least cost on these pairs, and potentials."""
    rows, cols = np.divmod(keys, len(y))
    price = arc_costs("euclidean", x[rows], y[cols])
    flow, f, g = _pricing._solve(a, b, rows, cols, price, np.zeros(len(x)), np.zeros(len(y)), warm=False)
    return float(flow @ price), f, g


@pytest.mark.claim("transport.few_pairs")
@given(RANDOM)
def test_few_pairs_are_enough(rng):
    n, m = rng.integers(1, 30, 2)
    x, y = rng.integers(0, 4, (n, 2)), rng.integers(0, 4, (m, 2))
    a, b = rng.integers(0, 3, n) + (np.arange(n) == 0) * 1.0, np.zeros(m)
    np.add.at(b, rng.integers(0, m, int(a.sum())), 1)
    assert emd_points(x, y, a, b).plan.nnz <= n + m - 1


@pytest.mark.claim("transport.few_pairs")
@given(RANDOM, st.integers(1, 30))
def test_equal_masses_go_to_one_point_each(rng, n):
    plan = emd_points(rng.integers(0, 4, (n, 2)), rng.integers(0, 4, (n, 2))).plan
    np.testing.assert_allclose(plan.data, 1 / n, rtol=1e-12)  # sums of at most 30 masses
    np.testing.assert_array_equal(np.sort(plan.row), np.arange(n))
    np.testing.assert_array_equal(np.sort(plan.col), np.arange(n))


@pytest.mark.claim("transport.pricing")
@given(RANDOM)
def test_pricing_bounds_the_least_cost_by_the_violated_pairs(rng):
    x, y, a, b, keys = some_pairs(rng, *rng.integers(1, 12, 2))
    cost, f, g = restricted(x, y, a, b, keys)
    least = emd(a, b, cdist(x, y)).cost
    violation = np.maximum(f - lowest("euclidean", x, y, g), 0)
    assert cost - a @ violation - 1e-12 <= least <= cost + 1e-12  # the solver's tolerance


@pytest.mark.claim("transport.pricing")
@given(RANDOM)
def test_pricing_ends_at_a_best_plan_and_each_round_costs_less(rng):
    x, y, a, b, keys = some_pairs(rng, *rng.integers(1, 12, 2))
    costs, nearest = [], keys
    while len(nearest):
        cost, f, g = restricted(x, y, a, b, keys)
        costs.append(cost)
        _, nearest = _pricing._price(x, y, f, g - 1e-12, "euclidean")  # above the rounding of pairs in use
        assert len(nearest) == 0 or not set(nearest) <= set(keys)
        keys = np.union1d(keys, nearest)
    assert (np.diff(costs) <= 1e-12).all()
    assert costs[-1] == pytest.approx(emd(a, b, cdist(x, y)).cost, abs=1e-11)


@pytest.mark.claim("transport.pruning")
@given(RANDOM)
def test_pruning_a_best_plan_pays_for_reduced_prices_with_the_gap(rng):
    n, m = rng.integers(1, 12, 2)
    x, y, a, b = two_clouds(rng, n, m)
    f, cost = rng.normal(size=n), cdist(x, y)
    g = (cost - f[:, None]).min(axis=0) - rng.exponential(0.1, m)
    best = emd(a, b, cost)
    dual, reduced = f @ a + g @ b, cost - f[:, None] - g
    assert np.vdot(best.plan, reduced) == pytest.approx(best.cost - dual, abs=1e-12)
    gap = np.vdot(naive_plan(a, b), cost) - dual
    assert (best.plan * reduced).max() <= gap + 1e-12


@pytest.mark.claim("transport.pruning")
@given(RANDOM, st.integers(1, 12))
def test_pruning_leaves_the_pairs_of_a_best_plan(rng, n):
    x, y, _, _ = two_clouds(rng, n, n)
    cost = cdist(x, y)
    f = emd_points(x.numpy(), y.numpy()).potentials[0] + 0.01 * rng.normal(size=n)
    g = (cost - f[:, None]).min(axis=0)
    best = emd_points(x.numpy(), y.numpy())
    gap = best.cost - (f.mean() + g.mean())
    pruned = cost - f[:, None] - g > n * gap + 1e-12
    assert not pruned[best.plan.row, best.plan.col].any()


def two_towns(k):
    """Two clouds on the line in which the k nearest neighbours are the wrong ones."""
    return np.arange(2 * k + 1), np.concatenate([-np.arange(1, k + 1), 10 * k + np.arange(1, k + 2)])


@pytest.mark.claim("transport.nearest")
@pytest.mark.parametrize("k", range(1, 9))
def test_nearest_neighbours_carry_no_plan(k):
    x, y = two_towns(k)
    distance = np.abs(np.subtract.outer(x, y))
    near = np.zeros_like(distance, dtype=bool)
    np.put_along_axis(near, distance.argsort(axis=1)[:, :k], True, axis=1)
    np.put_along_axis(near, distance.argsort(axis=0)[:k], True, axis=0)
    matched = maximum_bipartite_matching(csr_array(near)) >= 0
    assert matched.sum() < len(x) == len(y)


@pytest.mark.parametrize("k", range(1, 9))
def test_emd_points_needs_more_than_nearest_neighbours(monkeypatch, k):
    monkeypatch.setattr(_pricing, "FEW_PAIRS", 0)
    x, y = two_towns(k)
    assert emd_points(x[:, None], y[:, None]).cost == pytest.approx(emd_1d(x, y), rel=1e-12)


@pytest.mark.exercise("transport.5")
def test_one_round_by_hand():
    price, f, g = np.array([[1, 5], [3, 1]]), np.array([0, 0]), np.array([3, 5])
    np.testing.assert_array_equal(price - f[:, None] - g, [[-2, 0], [0, -4]])
    assert (f + g).sum() / 2 == (5 + 3) / 2 == 4
    assert 4 - (2 + 4) / 2 == emd_1d([0, 4], [1, 5]) == 1


@pytest.mark.exercise("transport.6")
@given(RANDOM)
def test_generic_masses_need_all_pairs_of_a_tree(rng):
    n, m = rng.integers(1, 12, 2)
    x, y, a, b = two_clouds(rng, n, m)
    assert emd_points(x.numpy(), y.numpy(), a, b).plan.nnz == n + m - 1
    assert np.count_nonzero(naive_plan(a, b)) == n + m - 1
