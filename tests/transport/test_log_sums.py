"""`log_sums`: one pass over the pairs of two clouds, in tiles."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from mlnotes2.transport import _log_sums
from mlnotes2.transport._log_sums import log_sums, tiles

METRICS = ("sqeuclidean", "euclidean")


def stored(x, y, f, g, log_b, eps, metric):
    """The same sums from the whole matrix, by SciPy."""
    distance = np.linalg.norm(x.numpy()[:, None] - y.numpy(), axis=2)
    cost = distance**2 if metric == "sqeuclidean" else distance
    return logsumexp((f.numpy()[:, None] + g.numpy() - cost) / eps + log_b.numpy(), axis=1)


def problem(seed, n=9, m=7, d=3):
    """Two clouds that share a point, any potentials, and masses of which one is 0."""
    rng = np.random.default_rng(seed)
    x, y, b = rng.normal(size=(n, d)), rng.normal(size=(m, d)), rng.dirichlet(np.ones(m))
    x[0], b[0] = y[-1], 0
    with np.errstate(divide="ignore"):
        arrays = x, y, 3 * rng.normal(size=n), 3 * rng.normal(size=m), np.log(b)
    return tuple(torch.from_numpy(array) for array in arrays)


@given(st.integers(0, 10**6), st.integers(1, 10), st.floats(1e-3, 10), st.sampled_from(METRICS))
@settings(max_examples=60)
@pytest.mark.claim("transport.streaming")
def test_log_sums_are_the_same_whatever_the_tiles(seed, step, eps, metric):
    inputs = problem(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _log_sums, "tiles", lambda points: [slice(k, k + step) for k in range(0, len(points), step)]
        )
        found = log_sums(*inputs, eps, metric)
    wanted = stored(*inputs, eps, metric)
    # Exponents of up to about 100 / eps have this much rounding.
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12, atol=1e-13 * (1 + 1 / eps))


@pytest.mark.parametrize("metric", METRICS)
def test_log_sums_of_more_points_than_a_tile(metric, device):
    inputs = problem(0, n=700, m=1100, d=2)
    found = log_sums(*(value.to(device) for value in inputs), 0.1, metric)
    np.testing.assert_allclose(found.cpu().numpy(), stored(*inputs, 0.1, metric), rtol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.claim("transport.streaming")
def test_log_sums_have_no_overflow_at_a_tiny_eps(metric):
    x, y, f, g, log_b = problem(1)
    found = log_sums(x, y, f, g, log_b, 1e-12, metric)
    np.testing.assert_allclose(found.numpy(), stored(x, y, f, g, log_b, 1e-12, metric), rtol=1e-12)


def test_tiles_cover_all_points_once():
    points = torch.arange(1300.0, dtype=torch.float64)[:, None]
    assert torch.equal(torch.cat([points[tile] for tile in tiles(points)]), points)
