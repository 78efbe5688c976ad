"""The norm of a convolution, side by side with a singular value decomposition of every frequency."""

import numpy as np
import pytest
import torch

from mlnotes2.spectral import conv_spectral_norm


def every_frequency(kernel, size):
    """As published by Sedghi, Gupta and Long: all singular values, of which the largest is wanted here."""
    transforms = np.fft.fft2(kernel.numpy(), (size, size), axes=(2, 3)).transpose(2, 3, 0, 1)
    return float(np.linalg.svd(transforms, compute_uv=False).max())


ROWS = {
    "ours": lambda kernel, size: conv_spectral_norm(kernel, size, padding="circular").upper,
    "svd": every_frequency,
}


def circular():
    """A random 3 x 3 kernel between 128 channels, images of 32 x 32."""
    return torch.randn(128, 128, 3, 3, generator=torch.Generator().manual_seed(0)), 32


@pytest.mark.benchmark(group="spectral.conv_spectral_norm")
@pytest.mark.parametrize("problem", [circular])
@pytest.mark.parametrize("library", ROWS)
def test_conv_spectral_norm_speed(benchmark, library, problem):
    arguments = problem()
    found = conv_spectral_norm(*arguments, padding="circular")
    assert found.upper <= 1.015 * found.lower
    assert found.lower * (1 - 1e-5) <= ROWS[library](*arguments) <= found.upper * (1 + 1e-5)  # float32
    benchmark.pedantic(ROWS[library], arguments, rounds=3, warmup_rounds=1)
