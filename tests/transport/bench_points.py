"""Exact distances between clouds, side by side with POT on the whole cost matrix, and with its lazy solver."""

import numpy as np
import ot
import pytest

from mlnotes2.transport import emd_points


def with_matrix(x, y):
    """POT's dense path, its cost matrix included."""
    return ot.emd2([], [], ot.dist(x, y, metric="euclidean"), numItermax=10**9)


def lazily(x, y):
    """POT's solver that computes prices when it asks for them."""
    return ot.lp.emd2_lazy(x, y, metric="euclidean", numItermax=10**9, return_matrix=False)


ROWS = {"ours": lambda x, y: emd_points(x, y).cost, "pot": with_matrix, "pot_lazy": lazily}


def clouds(n, d):
    """Two normal clouds, one of them moved by 1 along each axis."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 1


PROBLEMS = {
    "plane_4000": clouds(4000, 2),
    "plane_8000": clouds(8000, 2),
    "d8_4000": clouds(4000, 8),
    "d32_4000": clouds(4000, 32),
}


@pytest.mark.benchmark(group="transport.emd_points")
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("library", ROWS)
def test_emd_points_speed(benchmark, library, problem):
    if library == "pot_lazy" and problem != "d8_4000":
        pytest.skip("one row tells enough")
    x, y = PROBLEMS[problem]
    result = emd_points(x, y)
    assert 0 <= result.gap <= 1e-9 * result.cost
    cost = benchmark.pedantic(ROWS[library], args=(x, y), rounds=1 if problem == "plane_8000" else 3)
    assert cost == pytest.approx(result.cost, rel=1e-9)  # sums of 4000 terms
