"""`slope_range`: the slopes of every activation that is known."""

import pytest
import torch
from torch import nn

from mlnotes2.lipschitz._activations import SLOPES, slope_range

CASES = [
    (nn.ReLU(), 0, 1),
    (nn.ReLU6(), 0, 1),
    (nn.Hardtanh(-2, 3), 0, 1),
    (nn.Tanh(), 0, 1),
    (nn.Softplus(beta=2), 0, 1),
    (nn.Softsign(), 0, 1),
    (nn.LogSigmoid(), 0, 1),
    (nn.Sigmoid(), 0, 0.25),
    (nn.LeakyReLU(0.2), 0.2, 1),
    (nn.LeakyReLU(-3.0), -3, 1),
    (nn.LeakyReLU(1.5), 1, 1.5),
    (nn.PReLU(init=1.5), 1, 1.5),
    (nn.ELU(), 0, 1),
    (nn.ELU(alpha=2.0), 0, 2),
    (nn.SELU(), 0, 1.7580994),
    (nn.SiLU(), -0.0998394, 1.0998394),
    (nn.GELU(), -0.1289042, 1.1289042),
    (nn.GELU(approximate="tanh"), -0.1289, 1.129),
]


def test_slope_range_every_rule_is_tested():
    assert {type(activation) for activation, *_ in CASES} == set(SLOPES)


@pytest.mark.parametrize(("activation", "low", "high"), CASES, ids=str)
def test_slope_range_holds_all_slopes_and_not_much_more(activation, low, high):
    x = torch.linspace(-30, 30, 120_001, dtype=torch.float64).requires_grad_()
    (slopes,) = torch.autograd.grad(activation.double()(x).sum(), x)
    least, largest = slope_range(activation)
    assert least <= slopes.min() + 1e-12  # rounding of one slope
    assert slopes.max() <= largest + 1e-12
    assert (slopes.min().item(), slopes.max().item()) == pytest.approx((low, high), abs=2e-3)  # a grid
    assert (least, largest) == pytest.approx((low, high), abs=1.2e-3)  # some are rounded to a few digits


def test_slope_range_of_a_prelu_with_a_slope_for_each_channel():
    activation = nn.PReLU(3)
    activation.weight.data = torch.tensor([-0.5, 0.0, 2.0])
    assert slope_range(activation) == (-0.5, 2.0)


@pytest.mark.parametrize("module", [nn.Softmax(dim=1), nn.Linear(2, 2), nn.Hardshrink()], ids=str)
def test_slope_range_of_another_module_is_none(module):
    assert slope_range(module) is None
