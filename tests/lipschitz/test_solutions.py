"""Solutions of the exercises that are solved by hand: their numbers, and their statements on random cases."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mlnotes2.lipschitz import lipschitz_constant, max_slope, network_lipschitz

KNOTS = np.arange(-4, 5)
heights = st.lists(st.integers(-4, 4), min_size=KNOTS.size, max_size=KNOTS.size)
X = np.linspace(-4, 4, 321)


def zigzag(heights):
    """The function with straight pieces between the knots, which are 1 apart, and its Lipschitz constant."""
    return (lambda x: np.interp(x, KNOTS, heights)), np.abs(np.diff(heights)).max()


@pytest.mark.exercise("lipschitz.1")
@given(heights, heights)
def test_solution_the_constants_of_a_composition_multiply(first, second):
    (f, K), (g, L) = zigzag(first), zigzag(second)
    assert max_slope(lambda x: f(g(x)), X).value <= K * L + 1e-9  # slopes are rounded


@pytest.mark.exercise("lipschitz.1")
def test_solution_a_composition_can_be_flat():
    f, g = (lambda x: np.maximum(x, 0)), (lambda x: -np.abs(x))
    assert lipschitz_constant(f, (-1, 1)).lower == lipschitz_constant(g, (-1, 1)).lower == 1
    assert max_slope(lambda x: f(g(x)), X).value == 0


@pytest.mark.exercise("lipschitz.2")
@given(st.integers(1, 1000))
@settings(max_examples=10)
def test_solution_the_constant_of_the_power_three_halves_grows_like_a_root(r):
    found = lipschitz_constant(lambda x: np.abs(x) ** 1.5, (-r, r), tol=1e-3)
    assert found.lower <= 1.5 * r**0.5 * (1 + 1e-12)  # the root is rounded
    assert found.upper >= 1.5 * r**0.5 * (1 - 1e-12)


@pytest.mark.exercise("lipschitz.2")
def test_solution_the_constant_of_the_power_three_halves_on_the_unit_interval():
    assert 1.5 in lipschitz_constant(lambda x: np.abs(x) ** 1.5, (0, 1))


@pytest.mark.exercise("lipschitz.3")
@given(heights, heights)
def test_solution_the_constant_of_a_maximum_is_at_most_the_larger(first, second):
    (f, K), (g, L) = zigzag(first), zigzag(second)
    assert max_slope(lambda x: np.maximum(f(x), g(x)), X).value <= max(K, L) + 1e-9  # slopes are rounded


@pytest.mark.exercise("lipschitz.4")
def test_solution_the_constant_of_the_sigmoid_is_a_quarter():
    assert 0.25 in lipschitz_constant(lambda x: 1 / (1 + np.exp(-x)), (-9, 9))


@pytest.mark.exercise("lipschitz.4")
@pytest.mark.parametrize("r", [1, 3, 9])
def test_solution_the_constant_of_softplus_tends_to_1_and_is_not_attained(r):
    found = lipschitz_constant(lambda x: np.logaddexp(0, x), (-r, r), tol=1e-3)
    assert found.lower < 1
    assert found.upper >= 1 - np.exp(-r)


def relu_network(*weights):
    layers = []
    for W in weights:
        layer = nn.Linear(*W.T.shape, bias=False, dtype=torch.float64)
        layer.weight.data = W.double()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.exercise("lipschitz.7")
def test_solution_the_three_numbers_of_the_absolute_value():
    model = relu_network(torch.tensor([[1], [-1]]), torch.tensor([[1, 1]]))
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]
    assert torch.equal(model(x), x.abs())
    product, eclipse = (network_lipschitz(model, method=method) for method in ("product", "eclipse"))
    assert product.upper == pytest.approx(2, rel=1e-6)
    assert eclipse.upper == pytest.approx(2**0.5, rel=1e-6)
    assert eclipse.lower == pytest.approx(1, rel=1e-6)


@pytest.mark.exercise("lipschitz.8")
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=20)
def test_solution_orthogonal_matrices_gain_nothing(seed, d, depth):
    draws = torch.randn(depth, d, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    orthogonal = torch.linalg.qr(draws).Q
    assert network_lipschitz(relu_network(*orthogonal), method="eclipse").upper == pytest.approx(1, rel=1e-6)
