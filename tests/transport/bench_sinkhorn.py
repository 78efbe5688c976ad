"""A thousand points in the plane, side by side with POT at the same error and with GeomLoss at the same blur."""

from functools import cache

import numpy as np
import ot
import pytest
import torch

from mlnotes2.transport import sinkhorn

EPS = 0.01  # of the largest cost


def points(dtype):
    rng = np.random.default_rng(0)
    x, y = (torch.from_numpy(z).to(dtype) for z in (rng.random((1000, 2)), rng.beta(2, 4, (1000, 2))))
    return x, y, torch.full((1000,), 1 / 1000, dtype=dtype)


def wrong(plan):
    """How far all sums are off, in all."""
    return float((plan.sum(1) - 1 / 1000).abs().sum() + (plan.sum(0) - 1 / 1000).abs().sum())


@cache
def same_error():
    """What both are timed on: a cost matrix in float64. The error is that with which POT stops."""
    x, y, mass = points(torch.float64)
    cost = torch.cdist(x, y)
    eps = EPS * cost.max().item()

    def pot():
        arrays = mass.numpy(), mass.numpy(), cost.numpy()
        found = ot.sinkhorn(*arrays, eps, method="sinkhorn_log", stopThr=1e-6, numItermax=10_000)
        return torch.from_numpy(found)

    peer = pot()
    tol = wrong(peer)
    plan = sinkhorn(mass, mass, cost, eps=eps, tol=tol).plan
    assert wrong(plan) <= tol < 1e-4
    assert (plan - peer).abs().sum() < 1e-2  # errors of sums are magnified by 1 / (1 - rate)
    return {"ours": lambda: sinkhorn(mass, mass, cost, eps=eps, tol=tol).enclosure, "pot": pot}


@cache
def same_blur():
    """From points to the entropic cost in float32. GeomLoss takes a fixed number of steps, and is farther off."""
    geomloss = pytest.importorskip("geomloss")
    x, y, mass = points(torch.float32)
    eps = EPS * torch.cdist(x, y).max().item()

    def peer(scaling=0.5):
        options = {"p": 1, "blur": eps, "debias": False, "backend": "tensorized", "scaling": scaling}
        return geomloss.SamplesLoss("sinkhorn", **options)(x, y)

    def ours(tol=1e-3):
        return sinkhorn(mass, mass, torch.cdist(x, y), eps=eps, tol=tol).entropic_cost

    close = ours(tol=1e-6).item()
    assert peer(scaling=0.98).item() == pytest.approx(close, rel=1e-2)  # with fifty times as many steps
    assert abs(ours().item() - close) < 1e-3 * close < abs(peer().item() - close)
    return {"ours": ours, "geomloss": peer}


@pytest.mark.benchmark(group="transport.sinkhorn")
@pytest.mark.parametrize(
    ("library", "problem"),
    [("ours", same_error), ("pot", same_error), ("ours", same_blur), ("geomloss", same_blur)],
)
def test_sinkhorn_speed(benchmark, library, problem):
    run = problem()[library]
    benchmark.pedantic(run, rounds=2 if library == "pot" else 9, warmup_rounds=library != "pot")
