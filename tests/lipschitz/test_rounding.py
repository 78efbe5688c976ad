"""`slope_below`: nothing that rounding makes steeper is believed, and little is lost."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import oracles
from mlnotes2.lipschitz import Residual
from mlnotes2.lipschitz._rounding import evaluate, rough_norm, row_norms, slope_below

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(seed, d, n, scale=1.0):
    layer = nn.Linear(d, n, dtype=torch.float64).requires_grad_(False)
    layer.weight.copy_(normal(seed, n, d) * scale)
    layer.bias.copy_(normal(seed + 1, n) * scale)
    return layer


def exactly(module, x):
    """What the module makes of the fractions x."""
    if isinstance(module, nn.Sequential):
        for child in module:
            x = exactly(child, x)
        return x
    if isinstance(module, Residual):
        return x + exactly(module.block, x)
    if isinstance(module, nn.Linear):
        return fractions(module.weight) @ x + fractions(module.bias)
    return np.maximum(x, 0)


def fractions(tensor):
    return np.vectorize(Fraction, otypes=[object])(tensor.numpy())


@settings(max_examples=40)
@given(seeds, st.lists(sizes, min_size=2, max_size=5), st.sampled_from([0.0, 1e-12, 1.0]))
def test_evaluate_bounds_the_distance_to_the_exact_output(seed, widths, error):
    layers = []
    for i, (d, n) in enumerate(itertools.pairwise(widths)):
        layers += [linear(seed + 9 * i, d, n), nn.ReLU(), Residual(linear(seed + 9 * i + 5, n, n))]
    network = nn.Sequential(*layers)
    x = normal(seed + 2, 3, widths[0])
    y, errors = evaluate(network, x, torch.full((3,), error).double())
    assert torch.allclose(y, network(x), rtol=1e-12)
    for start, end, bound in zip(x, y, errors, strict=True):
        moved = fractions(start)
        moved[0] += Fraction(error)  # as far off as it may be
        missed = exactly(network, moved) - fractions(end)
        assert sum(missed**2) <= Fraction(bound.item()) ** 2
    if error == 0:
        assert errors.max() < 1e-7 * (1 + y.norm())  # norms of about 5 for each of 8 layers, and 1e-14


@pytest.mark.parametrize(
    ("conv", "shape", "mode"),
    [
        (nn.Conv2d(2, 3, 3, padding=1), (2, 4, 5), "zeros"),
        (nn.Conv2d(2, 2, (3, 2), stride=2), (2, 5, 5), "zeros"),
        (nn.Conv2d(2, 4, 3, padding="same", dilation=2, groups=2), (2, 5, 5), "zeros"),
        (nn.Conv2d(1, 2, 5, padding=2, padding_mode="circular"), (1, 5, 5), "circular"),
        (nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular"), (2, 4), "circular"),
    ],
    ids=str,
)
def test_evaluate_of_a_convolution_lets_errors_grow_by_its_norm_at_least(conv, shape, mode):
    conv = conv.double().requires_grad_(False)
    assert conv.padding_mode == mode
    basis = torch.eye(int(np.prod(shape))).double().reshape(-1, *shape)
    matrix = (conv(basis) - conv(0 * basis)).flatten(1).T
    _, errors = evaluate(conv, basis[:1], torch.ones(1).double())
    assert errors.item() >= torch.linalg.matrix_norm(matrix, 2).item() * (1 - 1e-12)


ACTIVATIONS = {
    nn.Tanh(): mpmath.tanh,
    nn.Sigmoid(): lambda x: 1 / (1 + mpmath.exp(-x)),
    nn.Softplus(): lambda x: mpmath.log1p(mpmath.exp(x)),
    nn.Softplus(beta=2, threshold=3): lambda x: mpmath.log1p(mpmath.exp(2 * x)) / 2,
    nn.LogSigmoid(): lambda x: -mpmath.log1p(mpmath.exp(-x)),
    nn.SiLU(): lambda x: x / (1 + mpmath.exp(-x)),
    nn.GELU(): lambda x: x * mpmath.ncdf(x),
    nn.ELU(): lambda x: x if x > 0 else mpmath.expm1(x),
    nn.Softsign(): lambda x: x / (1 + abs(x)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_evaluate_bounds_the_rounding_of_activations(activation):
    x = torch.cat([torch.linspace(-30, 30, 241), torch.logspace(-9, 0, 10)]).double()[:, None]
    y, errors = evaluate(activation, x, torch.zeros(len(x)).double())
    with mpmath.workdps(40):
        for at, found, error in zip(x, y, errors, strict=True):
            assert abs(ACTIVATIONS[activation](mpmath.mpf(at.item())) - found.item()) <= error.item()


@settings(max_examples=60)
@given(seeds, sizes, sizes, st.sampled_from([1e-150, 1.0, 1e100]))
def test_slope_below_is_at_most_the_exact_norm_of_a_matrix_and_close_to_it(seed, n, d, scale):
    layer = linear(seed, d, n, scale)
    v = torch.linalg.svd(layer.weight / scale).Vh[0]
    slope = slope_below(layer, normal(seed + 2, d), v)
    with mpmath.workdps(50):
        norm = oracles.spectral_norm_mpmath(layer.weight.numpy())
        assert slope <= norm
        assert slope >= norm * (1 - 1e-10)


def line(*biases):
    """The sum of x and the biases, added one after the other."""
    layers = [linear(0, 1, 1) for _ in biases]
    for layer, bias in zip(layers, biases, strict=True):
        layer.weight.fill_(1)
        layer.bias.fill_(bias)
    return nn.Sequential(*layers)


@given(st.floats(1, 1e18), st.floats(0.1, 10))
def test_slope_below_does_not_believe_in_steps_that_rounding_makes(bias, x):
    network, at = line(bias, -bias), torch.tensor([x], dtype=torch.float64)
    assert slope_below(network, at, torch.ones(1).double()) <= 1


def test_slope_below_would_otherwise_be_fooled():
    network = line(1e16, -1e16)
    x = torch.tensor([[1.0], [1.5]], dtype=torch.float64)
    assert network(x).diff(dim=0).item() / 0.5 == 4  # 1e16 + 1 is rounded down, 1e16 + 1.5 up
    assert slope_below(network, x[0], torch.ones(1).double()) == 0


def test_slope_below_of_a_direction_or_an_output_that_is_0():
    layer, x = linear(0, 3, 2), normal(2, 3)
    assert slope_below(layer, x, 0 * x) == 0
    layer.weight.zero_()
    assert slope_below(layer, x, x / x.norm()) == 0


def test_slope_below_of_numbers_that_overflow():
    assert slope_below(linear(0, 2, 2, 1e300), 1e200 * normal(2, 2), normal(3, 2)) == 0


def test_slope_below_starts_at_the_origin_too():
    layer = linear(0, 3, 2)
    v = torch.linalg.svd(layer.weight).Vh[0]
    assert slope_below(layer, 0 * v, v) == pytest.approx(torch.linalg.matrix_norm(layer.weight, 2).item())


@settings(max_examples=40)
@given(seeds, sizes, sizes, st.sampled_from([1e-250, 1.0, 1e250]))
def test_rough_norm_is_no_less_than_the_norm_and_not_much_more(seed, n, d, scale):
    W = normal(seed, n, d)
    assert 1 <= rough_norm(scale * W) / scale / torch.linalg.matrix_norm(W, 2).item() <= 1.5
    assert rough_norm(torch.eye(100).double()) <= 1.5
    assert rough_norm(0 * W) == 0


def test_row_norms_of_what_is_small_or_large():
    vectors = torch.tensor([[3e-250, 4e-250], [3e250, 4e250], [0, 0]], dtype=torch.float64)
    assert row_norms(vectors).tolist() == pytest.approx([5e-250, 5e250, 0])
