"""A million pairs of distributions, side by side with one-liners from SciPy."""

import numpy as np
import pytest
from scipy.special import rel_entr

from mlnotes2.divergences import js, kl


def js_scipy(p, q):
    m = (p + q) / 2
    return (rel_entr(p, m) + rel_entr(q, m)).sum(-1) / 2


ROWS = {
    "kl": {"ours": kl, "scipy": lambda p, q: rel_entr(p, q).sum(-1)},
    "js": {"ours": js, "scipy": js_scipy},
}


def sixteen_outcomes():
    """Two batches of 10^6 distributions of 16 outcomes."""
    rng = np.random.default_rng(0)
    return (weights / weights.sum(-1, keepdims=True) for weights in rng.random((2, 1_000_000, 16)))


@pytest.mark.parametrize("problem", [sixteen_outcomes])
@pytest.mark.parametrize("library", ["ours", "scipy"])
@pytest.mark.benchmark(group="divergences.kl")
def test_kl_speed(benchmark, library, problem):
    compare(benchmark, "kl", library, *problem())


@pytest.mark.parametrize("problem", [sixteen_outcomes])
@pytest.mark.parametrize("library", ["ours", "scipy"])
@pytest.mark.benchmark(group="divergences.js")
def test_js_speed(benchmark, library, problem):
    compare(benchmark, "js", library, *problem())


def compare(benchmark, name, library, p, q):
    few = slice(None, None, 1000)
    expected = ROWS[name]["ours"](p[few], q[few])
    np.testing.assert_allclose(
        ROWS[name][library](p[few], q[few]), expected, rtol=1e-10
    )  # SciPy's terms cancel
    benchmark.pedantic(ROWS[name][library], (p, q), rounds=5, warmup_rounds=1)
