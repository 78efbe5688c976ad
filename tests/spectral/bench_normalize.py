"""A step of training through a normalized convolution, side by side with PyTorch's parametrization."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from mlnotes2.spectral import conv_spectral_norm, spectral_normalize

ROWS = {"ours": spectral_normalize, "torch": parametrizations.spectral_norm}


def block():
    """A 3 x 3 convolution between 64 channels, and a batch of 32 images of 32 x 32."""
    generator = torch.Generator().manual_seed(0)
    layer = nn.Conv2d(64, 64, 3, padding=1)
    nn.init.normal_(layer.weight, generator=generator)
    return layer, torch.randn(32, 64, 32, 32, generator=generator, requires_grad=True)


@pytest.mark.benchmark(group="spectral.spectral_normalize")
@pytest.mark.parametrize("problem", [block])
@pytest.mark.parametrize("library", ROWS)
def test_spectral_normalize_speed(benchmark, library, problem):
    layer, images = problem()
    normalized = ROWS[library](layer)
    norm = conv_spectral_norm(normalized.weight, 32)
    if library == "ours":
        assert 0.95 <= norm.lower <= norm.upper <= 1
    else:
        assert norm.lower > 1.4  # not the same answer: this one is wrong
    benchmark.pedantic(lambda: normalized(images).sum().backward(), rounds=15, warmup_rounds=2)
