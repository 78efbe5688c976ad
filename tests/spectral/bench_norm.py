"""The norm of a large matrix, side by side with PyTorch's singular value decomposition."""

import pytest
import torch

from mlnotes2.spectral import spectral_norm

ROWS = {
    "ours": lambda W: spectral_norm(W, tol=1e-2).upper,
    "torch": lambda W: float(torch.linalg.matrix_norm(W, ord=2)),
}


def square():
    """A Gaussian matrix of float32."""
    return torch.randn(2048, 2048, generator=torch.Generator().manual_seed(0))


@pytest.mark.benchmark(group="spectral.spectral_norm")
@pytest.mark.parametrize("problem", [square])
@pytest.mark.parametrize("library", ROWS)
def test_spectral_norm_speed(benchmark, library, problem):
    W = problem()
    found = spectral_norm(W, tol=1e-2)
    assert found.lower * (1 - 1e-5) <= ROWS[library](W) <= found.upper * (1 + 1e-5)  # float32
    benchmark.pedantic(ROWS[library], (W,), rounds=5, warmup_rounds=1)
