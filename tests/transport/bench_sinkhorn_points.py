"""Clouds without their matrix, beside our `sinkhorn` on stored prices and POT's lazy solver, at the same error."""

from functools import cache

import ot
import pytest
import torch

from mlnotes2.transport import sinkhorn, sinkhorn_points

N = 1000
EPS = {"sqeuclidean": 0.02, "euclidean": 0.1}  # of the largest price


@cache
def problem(metric):
    """Two normal clouds in 3 dimensions in float64, and the error with which POT stops."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, N, 3, dtype=torch.float64, generator=generator)
    mass = torch.full((N,), 1 / N, dtype=torch.float64)
    eps = EPS[metric] * prices(x, y, metric).max().item()

    def pot():
        options = {"metric": metric, "stopThr": 1e-6, "numIterMax": 10_000, "batchSize": 512, "log": True}
        return ot.bregman.empirical_sinkhorn(x.numpy(), y.numpy(), eps, isLazy=True, **options)

    f, _, log = pot()
    tol = float(log["err"][-1])
    rows = {
        "ours": lambda: sinkhorn_points(x, y, eps=eps, metric=metric, tol=tol),
        "stored": lambda: sinkhorn(mass, mass, prices(x, y, metric), eps=eps, tol=tol),
        "pot": pot,
    }
    for name in ("ours", "stored"):
        found = rows[name]()
        assert found.residual <= tol <= 1e-6
        difference = found.potentials[0] / eps - torch.from_numpy(f)
        assert (difference - difference.mean()).abs().max() < 1e-3  # the error, magnified by 1 / (1 - rate)
    return rows


def prices(x, y, metric):
    distance = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return distance if metric == "euclidean" else distance.square()


@pytest.mark.benchmark(group="transport.sinkhorn_points")
@pytest.mark.parametrize("metric", EPS)
@pytest.mark.parametrize("library", ["ours", "stored", "pot"])
def test_sinkhorn_points_speed(benchmark, library, metric):
    run = problem(metric)[library]
    benchmark.pedantic(run, rounds=1 if library == "pot" else 5)
