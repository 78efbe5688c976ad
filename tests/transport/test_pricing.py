"""The parts of pricing: prices in blocks, first arcs that suffice, and what a round proves."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tests.oracles import pot_emd

from mlnotes2.transport import _pricing
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
def test_row_blocks_cover_each_row_once_and_hold_at_most_a_million_pairs(n, m):
    blocks = list(row_blocks(n, m))
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(n))
    assert all((block.stop - block.start) * m <= max(m, 2**20) for block in blocks)


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
    assert rounds[0][1] <= 1.001 * rounds[-1][1]
    assert rounds[-1][0] <= 1.2 * rounds[0][0]


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
def test_price_finds_the_most_violated_pairs_of_each_row(rng):
    x, y, _, _ = two_clouds(rng, 7, 50)
    f, g = rng.normal(size=7), rng.normal(size=50)
    lowered, keys = _pricing._price(x, y, f, g, "euclidean")
    reduced = cdist(x, y) - g
    np.testing.assert_allclose(lowered, reduced.min(axis=1), atol=1e-14)
    expected = [i * 50 + j for i in range(7) for j in np.argsort(reduced[i])[:32] if reduced[i, j] < f[i]]
    assert sorted(keys) == sorted(expected)
