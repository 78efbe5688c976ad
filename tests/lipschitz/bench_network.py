"""A deep network, side by side with the package of ECLipsE's authors."""

import pytest
import torch
from torch import nn

from mlnotes2.lipschitz import network_lipschitz


def authors(model):
    """Their fast variant; it proves nothing about rounding and finds no lower bound."""
    eclipse_nn = pytest.importorskip("eclipse_nn")
    return float(eclipse_nn.LipConstEstimator(model=model).estimate("ECLipsE_Fast"))


ROWS = {
    "ours": lambda model: network_lipschitz(model, method="eclipse").upper,
    "eclipse": authors,
}


def deep():
    """50 layers of 128 numbers, with random normal weights."""
    generator, layers = torch.Generator().manual_seed(0), []
    for _ in range(50):
        layers += [nn.Linear(128, 128, dtype=torch.float64), nn.ReLU()]
        nn.init.normal_(layers[-2].weight, std=128**-0.5, generator=generator)
    return nn.Sequential(*layers[:-1])


@pytest.mark.benchmark(group="lipschitz.network_lipschitz")
@pytest.mark.parametrize("problem", [deep])
@pytest.mark.parametrize("library", ROWS)
def test_network_lipschitz_speed(benchmark, library, problem):
    model = problem()
    assert ROWS[library](model) == pytest.approx(ROWS["ours"](model), rel=1e-6)
    benchmark(ROWS[library], model)
