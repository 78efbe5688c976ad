"""Layers other than linear ones: lower <= true <= upper, beside the matrices of convolutions and pooling."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import oracles
from mlnotes2.lipschitz import network_lipschitz
from mlnotes2.lipschitz._eclipse import Reach
from mlnotes2.lipschitz._layers import follow
from mlnotes2.lipschitz._rounding import slope_below


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_follow_and_slopes_hold_the_constant_found_by_enumerating_patterns(seed, d, h, n):
    model = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, n)).double().requires_grad_(False)
    for i, p in enumerate(model.parameters()):
        p.copy_(normal(seed + i, *p.shape))
    exact = oracles.relu_layer_constant(
        *(p.numpy() for p in (model[0].weight, model[0].bias, model[2].weight))
    )
    x, v = normal(seed + 5, d), nn.functional.normalize(normal(seed + 6, d), dim=0)
    assert slope_below(model, x, v) <= exact * (1 + 1e-12)  # the oracle is rounded
    for method in ("product", "eclipse"):
        assert follow(model, Reach(1.0), x[None], method).length >= exact * (1 - 1e-12)


def pooled(pool, *shape):
    """The matrix of a linear pooling."""
    basis = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
    return pool(basis).flatten(1).T


@pytest.mark.parametrize(
    ("pool", "shape", "exact"),
    [
        (nn.AvgPool1d(3), (2, 9), True),
        (nn.AvgPool2d(2), (1, 6, 6), True),
        (nn.AvgPool2d((2, 3)), (2, 4, 6), True),
        (nn.AvgPool2d(3, stride=2, padding=1), (1, 7, 7), False),
        (nn.AvgPool1d(4, stride=1), (1, 9), False),
        (nn.AvgPool1d(2, stride=3), (1, 9), True),
    ],
    ids=str,
)
def test_network_lipschitz_of_average_pooling(pool, shape, exact):
    norm = torch.linalg.matrix_norm(pooled(pool, *shape), 2).item()
    found = network_lipschitz(pool, input_shape=shape)
    assert found.lower <= norm * (1 + 1e-12)
    assert norm <= found.upper * (1 + 1e-12)
    if exact:
        assert found.upper == pytest.approx(norm, rel=1e-12)
        assert found.lower == pytest.approx(norm, rel=1e-6)


CONVOLUTIONS = [
    (nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular"), (2, 8), True),
    (nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), (2, 6, 6), True),
    (nn.Conv2d(2, 4, 3, padding="same", padding_mode="circular", groups=2), (2, 6, 5), True),
    (nn.Conv2d(1, 2, 3, padding=1, stride=2, padding_mode="circular"), (1, 6, 6), True),
    (nn.Conv2d(2, 2, 3, padding_mode="circular"), (2, 6, 6), False),
    (nn.Conv1d(2, 2, 3, stride=2, padding_mode="circular", padding=1), (2, 7), False),
    (nn.Conv1d(2, 3, 3), (2, 8), False),
    (nn.Conv2d(2, 3, 3, padding=1), (2, 6, 6), False),
    (nn.Conv2d(2, 3, 3, padding="same", dilation=2), (2, 7, 6), False),
    (nn.Conv2d(2, 3, (3, 2), padding=(3, 1)), (2, 6, 6), False),
    (nn.Conv2d(4, 2, 4, padding=1, stride=2, groups=2), (4, 6, 6), False),
]


@pytest.mark.parametrize(("conv", "shape", "tight"), CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_network_lipschitz_of_a_convolution_holds_the_norm_of_its_matrix(conv, shape, tight, seed):
    conv = copy.deepcopy(conv).double()
    conv.weight.data, conv.bias.data = normal(seed, *conv.weight.shape), torch.zeros(len(conv.bias)).double()
    with torch.no_grad():
        norm = torch.linalg.matrix_norm(pooled(conv, *shape), 2).item()
    found = network_lipschitz(conv, input_shape=shape)
    assert found.lower <= norm * (1 + 1e-12)
    assert norm <= found.upper * (1 + 1e-12)
    assert found.upper <= norm * (1.01 if tight else 1.6)  # tol; with zeros the images are small
    assert found.lower >= norm * 0.9


@pytest.mark.claim("lipschitz.pool")
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_network_lipschitz_of_pooling_without_overlap(height, width, windows):
    shape, size = (1, windows * height, windows * width), (height, width)
    mean = network_lipschitz(nn.AvgPool2d(size), input_shape=shape)
    assert torch.linalg.matrix_norm(pooled(nn.AvgPool2d(size), *shape), 2).item() == pytest.approx(
        (height * width) ** -0.5
    )
    assert mean.upper == pytest.approx((height * width) ** -0.5)
    largest = network_lipschitz(nn.MaxPool2d(size), input_shape=shape)
    assert largest.upper == pytest.approx(1)
    assert largest.lower == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(3, stride=1), nn.MaxPool2d(3, stride=2, padding=1), nn.MaxPool1d(2)], ids=str
)
def test_network_lipschitz_of_max_pooling_holds_all_slopes(pool):
    shape = (2, 6, 6)[-(2 if isinstance(pool, nn.MaxPool1d) else 3) :]
    found = network_lipschitz(pool, input_shape=shape)
    spike = torch.zeros(1, *shape, dtype=torch.float64)
    spike[..., 3] = 1 if isinstance(pool, nn.MaxPool1d) else 0
    if not isinstance(pool, nn.MaxPool1d):
        spike[0, :, 3, 3] = 1
    rise = (pool(spike) - pool(0 * spike)).norm() / spike.norm()  # the spike is in as many windows as can be
    assert rise.item() == pytest.approx(found.upper)
    x, y = normal(0, 300, *shape), normal(1, 300, *shape)
    assert ((pool(x) - pool(y)).flatten(1).norm(dim=1) / (x - y).flatten(1).norm(dim=1)).max() <= found.upper


@pytest.mark.parametrize("method", ["product", "eclipse"])
def test_network_lipschitz_of_rows_that_are_flattened_holds_the_norm_of_the_matrix(method):
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False)).double()
    for i, p in enumerate(model.parameters()):
        p.data = normal(i, *p.shape)
    norm = torch.linalg.matrix_norm(pooled(model, 2, 3), 2).item()
    found = network_lipschitz(model, method=method, input_shape=(2, 3))
    assert found.lower <= norm * (1 + 1e-12)
    assert norm <= found.upper
