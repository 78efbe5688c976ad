"""A given cost matrix, certificate included, side by side with the solver alone."""

import numpy as np
import ot
import pytest

from mlnotes2.transport import emd

ROWS = {
    "ours": lambda a, b, cost: emd(a, b, cost).cost,
    "pot": lambda a, b, cost: float(np.vdot(ot.emd(a, b, cost, numItermax=10_000_000), cost)),
}


def cloud(n):
    """Distances between two clouds of n points in the plane, with equal masses."""
    rng = np.random.default_rng(0)
    a = np.full(n, 1 / n)
    return a, a, ot.dist(rng.normal(size=(n, 2)), rng.normal(1, 1, size=(n, 2)), metric="euclidean")


@pytest.mark.benchmark(group="transport.emd")
@pytest.mark.parametrize("n", [1000, 4000], ids=["n_1000", "n_4000"])
@pytest.mark.parametrize("library", ROWS)
def test_emd_speed(benchmark, library, n):
    problem = cloud(n)
    if n == 1000:  # the larger problem takes the same way, and seconds
        assert ROWS[library](*problem) == pytest.approx(ROWS["ours"](*problem), rel=1e-9)
    benchmark.pedantic(ROWS[library], problem, rounds=3)
