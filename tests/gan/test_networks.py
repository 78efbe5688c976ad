"""The networks: their shape and where they start."""

import torch
from torch import nn

from mlnotes2.gan._networks import mlp


def test_mlp_has_relu_between_its_layers_only():
    kinds = [type(layer) for layer in mlp((2, 5, 4, 1), generator=torch.Generator())]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]


def test_mlp_starts_uniform_within_its_bound():
    layer = mlp((100, 200), generator=torch.Generator().manual_seed(0))[0]
    assert 0.0999 < layer.weight.max() <= 0.1  # 20,000 draws come close to the bound
    assert abs(layer.weight.mean()) < 0.002  # 5 standard errors


def test_mlp_leaves_the_global_seed_alone():
    state = torch.get_rng_state()
    first, second = (mlp((2, 3, 1), generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(first[0].weight, second[0].weight)
