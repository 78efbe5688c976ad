"""Two clouds in 64 dimensions and 200 directions, side by side with POT on the same directions."""

import numpy as np
import ot
import pytest
import torch

from mlnotes2.transport import sliced_wasserstein


def clouds(gradient=False):
    rng = np.random.default_rng(0)
    x, y = (
        torch.from_numpy(rng.normal(size=(5000, 64))),
        torch.from_numpy(rng.normal(0.1, 1, size=(5000, 64))),
    )
    return x.requires_grad_(gradient), y


def directions():
    theta = torch.randn(200, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (theta / theta.norm(dim=1, keepdim=True)).T


def ours(x, y):
    return sliced_wasserstein(x, y, n_projections=200, generator=torch.Generator().manual_seed(0)).estimate


def pot(x, y):
    """With tensors if a gradient is wanted; for arrays POT is faster."""
    if x.requires_grad:
        return ot.sliced_wasserstein_distance(x, y, projections=directions(), p=1)
    return ot.sliced_wasserstein_distance(x.numpy(), y.numpy(), projections=directions().numpy(), p=1)


ROWS = {"ours": ours, "pot": pot}


def estimate():
    return clouds(), lambda library, x, y: library(x, y)


def gradient():
    return clouds(gradient=True), lambda library, x, y: torch.autograd.grad(library(x, y), x)


@pytest.mark.benchmark(group="transport.sliced_wasserstein")
@pytest.mark.parametrize("problem", [estimate, gradient])
@pytest.mark.parametrize("library", ROWS)
def test_sliced_wasserstein_speed(benchmark, library, problem):
    (x, y), run = problem()
    assert ROWS[library](x, y).item() == pytest.approx(ours(x, y).item(), rel=1e-9)  # sums of 10^6 terms
    benchmark.pedantic(run, (ROWS[library], x, y), rounds=7, warmup_rounds=1)
