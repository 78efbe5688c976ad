"""The line at a million points, side by side with SciPy and POT."""

import numpy as np
import ot
import pytest
from tests.oracles import scipy_wasserstein

from mlnotes2.transport import emd_1d

ROWS = {
    "ours": emd_1d,
    "scipy": scipy_wasserstein,
    "pot": lambda x, y, a, b: float(ot.emd2_1d(x, y, a, b, metric="euclidean")),
    "pot_quantiles": lambda x, y, a, b: float(ot.wasserstein_1d(x, y, a, b)),
}


def unweighted():
    """A million points on each side, without masses."""
    rng = np.random.default_rng(0)
    return rng.normal(size=1_000_000), rng.normal(0.5, 1, size=1_000_000), None, None


def weighted():
    """Unequal sizes with random masses that sum to 1."""
    rng = np.random.default_rng(1)
    a, b = rng.random(300_000), rng.random(200_000)
    return rng.normal(size=300_000), rng.normal(0.5, 1, size=200_000), a / a.sum(), b / b.sum()


@pytest.mark.benchmark(group="transport.emd_1d")
@pytest.mark.parametrize("problem", [unweighted, weighted])
@pytest.mark.parametrize("library", ROWS)
def test_emd_1d_speed(benchmark, library, problem):
    arguments = problem()
    expected = ROWS["ours"](*arguments)
    assert ROWS[library](*arguments) == pytest.approx(expected, rel=1e-9)  # sums of 10^6 terms
    benchmark(ROWS[library], *arguments)
