"""`steepest_input`: it finds where small networks are steepest."""

import pytest
import torch
from torch import nn

from mlnotes2.lipschitz._steepest import steepest_input


def test_steepest_input_of_a_linear_network_is_its_norm():
    layer = nn.Linear(5, 4).double().requires_grad_(False)
    size, _, v = steepest_input(layer, torch.zeros(1, 5, dtype=torch.float64))
    norm = torch.linalg.matrix_norm(layer.weight, 2).item()
    assert size == pytest.approx(norm, rel=1e-6)  # steps of power iteration
    assert v.norm().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("activation", "steepest"), [(nn.Tanh(), 0.0), (nn.Sigmoid(), 0.0), (nn.SiLU(), 2.399357)]
)
def test_steepest_input_climbs_to_the_steepest_point(activation, steepest):
    size, x, _ = steepest_input(nn.Sequential(activation), torch.zeros(1, 1, dtype=torch.float64))
    at = torch.tensor(steepest, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(activation(at), at)
    assert x.item() == pytest.approx(steepest, abs=1e-1)
    assert size == pytest.approx(slope.item(), rel=1e-4)


def test_steepest_input_crosses_kinks():
    network = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1)).double().requires_grad_(False)
    network[0].weight.copy_(torch.ones(3, 1))
    network[0].bias.copy_(torch.tensor([-1.0, -2.0, -3.0]))
    network[2].weight.copy_(torch.tensor([[1.0, 4.0, -5.0]]))  # slopes 0, 1, 5 on (2, 3), then 0
    size, x, _ = steepest_input(network, torch.zeros(1, 1, dtype=torch.float64))
    assert size == pytest.approx(5)
    assert 2 < x.item() < 3


def test_steepest_input_of_a_constant_network_is_not_steep():
    size, x, v = steepest_input(
        nn.Linear(3, 2).double().requires_grad_(False).apply(zero), torch.zeros(1, 3, dtype=torch.float64)
    )
    assert size == 0
    assert x.isfinite().all()
    assert v.isfinite().all()


def zero(layer):
    layer.weight.zero_()
