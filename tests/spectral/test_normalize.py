"""`spectral_normalize`: a certified norm in training and evaluation, the right gradient, and honest refusals."""

import copy
import inspect
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import oracles
from mlnotes2.spectral import SpectralNormalization, spectral_norm, spectral_normalize

ACTIVATIONS = [nn.ReLU, nn.LeakyReLU, nn.Tanh]


def linear(d, n, dtype=torch.float32, seed=0):
    layer = nn.Linear(d, n, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(n, d, generator=torch.Generator().manual_seed(seed)))
    return layer


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from([torch.float32, torch.float64]),
    st.floats(1e-3, 1e3),
    st.integers(0, 99),
)
@pytest.mark.claim("spectral.normalized")
def test_spectral_normalize_bounds_the_norm(d, n, dtype, target, seed):
    weight = spectral_normalize(linear(d, n, dtype, seed), target=target).weight
    assert weight.dtype == dtype
    assert spectral_norm(weight, tol=1e-7).upper <= target
    assert spectral_norm(weight).lower >= 0.997 * target  # 0.2 % and the tolerance of the check itself


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e30])
def test_spectral_normalize_bounds_weights_of_any_size(scale):
    layer = linear(6, 4)
    with torch.no_grad():
        layer.weight.mul_(scale)
    assert 0.99 <= oracles.spectral_norm_svd(spectral_normalize(layer).weight) <= 1


@pytest.mark.claim("spectral.normalized")
def test_spectral_normalize_holds_after_every_step_of_training():
    layer = spectral_normalize(linear(8, 8))
    optimizer = torch.optim.SGD(layer.parameters(), lr=10)
    x = torch.randn(16, 8, generator=torch.Generator().manual_seed(1))
    for mode in (True, False) * 10:
        layer.train(mode)
        optimizer.zero_grad()
        layer(x).sin().sum().backward()
        optimizer.step()
        assert oracles.spectral_norm_svd(layer.weight) <= 1


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 99))
@settings(max_examples=30)
@pytest.mark.claim("spectral.stretch")
def test_spectral_normalize_makes_outputs_no_further_apart_than_inputs(d, n, seed):
    layer = spectral_normalize(linear(d, n, torch.float64, seed))
    x, y = torch.randn(2, 100, d, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    v = torch.linalg.svd(layer.weight)[2][0]  # the right singular vector of the largest singular value

    def stretch(other):
        return (layer(x) - layer(other)).norm(dim=1) / (x - other).norm(dim=1)

    assert (stretch(y) <= 1 + 1e-9).all()  # outputs are rounded
    assert (stretch(x + v) >= 0.997).all()  # as near to 1 as the layer is normalized
    assert (stretch(x + v) <= 1 + 1e-9).all()


@given(st.lists(st.integers(1, 7), min_size=2, max_size=5), st.sampled_from(ACTIVATIONS), st.integers(0, 99))
@settings(max_examples=30)
@pytest.mark.claim("spectral.composition")
def test_spectral_normalize_makes_a_network_1_lipschitz(widths, activation, seed):
    network = nn.Sequential()
    for d, n in pairwise(widths):
        network.extend([spectral_normalize(linear(d, n, torch.float64, seed)), activation()])
    x, y = torch.randn(2, 100, widths[0], generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for other in (y, x + 1e-3 * y):  # distant points, and close ones, whose slopes do not average out
        assert ((network(x) - network(other)).norm(dim=1) <= (x - other).norm(dim=1) * (1 + 1e-9)).all()


def test_spectral_normalization_has_the_gradient_of_division_by_the_norm():
    W = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    C = torch.randn(4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (ours,) = torch.autograd.grad((SpectralNormalization()(W) * C).sum(), W)
    (exact,) = torch.autograd.grad((W / torch.linalg.matrix_norm(W, 2) * C).sum(), W)
    # u and v are only as good as the tolerance 1e-3 of the norm asks: their error is at most its root.
    torch.testing.assert_close(ours, exact, rtol=0, atol=0.03 * float(exact.norm()))


def test_spectral_normalize_gives_the_same_weight_in_training_and_evaluation():
    layer = spectral_normalize(linear(4, 4))
    assert torch.equal(layer.train().weight, layer.eval().weight)


def test_spectral_normalize_is_saved_and_copied():
    layer = spectral_normalize(linear(4, 4))
    restored = spectral_normalize(linear(4, 4, seed=5))
    restored.load_state_dict(layer.state_dict())
    assert torch.equal(restored.weight, layer.weight)
    assert torch.equal(copy.deepcopy(layer).weight, layer.weight)


def test_spectral_normalization_leaves_zero_alone():
    assert torch.equal(SpectralNormalization()(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize("layer", [nn.Conv1d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.ConvTranspose2d(1, 1, 3)])
def test_spectral_normalize_refuses_a_convolution(layer):
    with pytest.raises(TypeError, match=r"reshaped kernel has another norm than its convolution.*planned"):
        spectral_normalize(layer)


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Sequential(nn.Linear(1, 1)), nn.Embedding(2, 2)])
def test_spectral_normalize_refuses_other_modules(layer):
    with pytest.raises(TypeError, match=r"must be nn.Linear, got \w+; apply it to each linear layer"):
        spectral_normalize(layer)


def test_spectral_normalize_refuses_to_act_twice():
    layer = spectral_normalize(linear(2, 2))
    with pytest.raises(ValueError, match="already parametrized"):
        spectral_normalize(layer)


@pytest.mark.parametrize("target", [0.0, -1.0, math.inf, math.nan])
def test_spectral_normalize_refuses_a_target_that_is_not_positive(target):
    with pytest.raises(ValueError, match="target must be positive and finite"):
        spectral_normalize(linear(2, 2), target=target)


def test_spectral_normalization_refuses_a_kernel():
    with pytest.raises(ValueError, match="must be a matrix"):
        inspect.unwrap(SpectralNormalization.forward)(SpectralNormalization(), torch.ones(1, 1, 3, 3))
