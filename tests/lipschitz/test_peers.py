"""Lipschitz constants that textbooks and papers give, for functions, layers and networks."""

import math
from math import exp, inf, pi, sqrt

import numpy as np
import pytest
import torch
from torch import nn

from mlnotes2.lipschitz import Residual, lipschitz_constant, max_slope, network_lipschitz

ROUNDED = 1e-14  # of the closed form


def mish(x):
    return x * np.tanh(np.logaddexp(0, x))


def gelu(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / pi) * (x + 0.044715 * x**3)))


def hardswish(x):
    return x * np.minimum(np.maximum(x + 3, 0), 6) / 6


def elu(x):
    return np.maximum(x, 0) + np.expm1(np.minimum(x, 0))


def huber(x):
    return np.maximum(np.abs(x) - 0.5, np.minimum(x**2 / 2, 0.5))


def horner(*coefficients):
    return np.polynomial.Polynomial(coefficients)


FUNCTIONS = {  # the function, the interval, its constant, and who says so
    "Wikipedia, root of x^2 + 5": (lambda x: np.sqrt(x**2 + 5), (-3, 7), 7 / sqrt(54)),
    "Wikipedia, x^2 on [-3, 7]": (lambda x: x**2, (-3, 7), 14),
    "Wikipedia, sin(1/x), away from 0": (lambda x: np.sin(1 / x), (1 / pi, 2 / pi), pi**2),
    "Wikipedia, root": (np.sqrt, (0, 1), inf),
    "Wikipedia, x^(3/2) sin(1/x)": (lambda x: x**1.5 * np.sin(1 / x), (0, 1), inf),
    "sine": (np.sin, (-10, 10), 1),
    "exponential": (np.exp, (-5, 2), exp(2)),
    "entropy": (lambda x: x * np.log(x), (0, 1), inf),
    "logistic map": (lambda x: 4 * x * (1 - x), (0, 1), 4),
    "Runge": (lambda x: 1 / (1 + 25 * x**2), (-1, 1), 45 / (8 * sqrt(3))),
    "Agnesi": (lambda x: 1 / (1 + x**2), (-3, 4), 3 * sqrt(3) / 8),
    "Gauss": (lambda x: np.exp(-(x**2) / 2), (-4, 3), exp(-0.5)),
    "Markov, T5": (horner(0, 5, 0, -20, 0, 16), (-1, 1), 25),
    "Markov, T8": (horner(1, 0, -32, 0, 160, 0, -256, 0, 128), (-1, 1), 64),
    "Bernstein": (lambda x: np.cos(12 * x), (0, 7), 12),
    "saw": (lambda x: np.abs(np.abs(np.abs(x) - 2) - 1), (-4, 4), 1),
    "Huber": (huber, (-3, 2), 1),
    "ReLU": (lambda x: np.maximum(x, 0), (-1, 1), 1),
    "leaky ReLU": (lambda x: np.maximum(x, 0.01 * x), (-2, 1), 1),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), (-9, 8), 1 / 4),
    "hard sigmoid": (lambda x: np.minimum(np.maximum(x / 6 + 0.5, 0), 1), (-9, 8), 1 / 6),
    "tanh": (np.tanh, (-9, 8), 1),
    "softplus": (lambda x: np.log1p(np.exp(x)), (-9, 3), 1 / (1 + exp(-3))),
    "softsign": (lambda x: x / (1 + np.abs(x)), (-1, 2), 1),
    "ELU": (elu, (-5, 3), 1),
    "SiLU": (lambda x: x / (1 + np.exp(-x)), (-8, 8), 1.0998393201288669),
    "GELU": (gelu, (-5, 5), 1.1289930686587718),
    "Mish": (mish, (-8, 8), 1.0884981612517279),
    "hard swish": (hardswish, (-5, 5), 1.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lipschitz_constant_of_a_textbook_function(name):
    f, interval, constant = FUNCTIONS[name]
    found = lipschitz_constant(f, interval, tol=1e-4, max_splits=200 if constant < inf else 50)
    assert found.lower <= constant * (1 + ROUNDED)
    assert constant * (1 - ROUNDED) <= found.upper
    if constant < inf:
        assert found.width <= 1e-4 * max(1, constant) * (1 + 1e-9)
        assert max_slope(f, np.linspace(*interval, 999)[1:-1]).value <= found.upper * (
            1 + 1e-9
        )  # slopes cancel


def linear(rows):
    layer = nn.Linear(len(rows[0]), len(rows), bias=False, dtype=torch.float64)
    layer.weight.data = torch.tensor(rows, dtype=torch.float64)
    return layer


def stack(*matrices, activation=nn.ReLU):
    layers = [part for rows in matrices for part in (linear(rows), activation())]
    return nn.Sequential(*layers[:-1])


def rotation(angle):
    return [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]


def hat():
    """Of Telgarsky, Benefits of Depth in Neural Networks, COLT 2016."""
    model = stack([[1], [1], [1]], [[2, -4, 2]])
    model[0].bias = nn.Parameter(torch.tensor([0, -0.5, -1], dtype=torch.float64))
    return model


NETWORKS = {  # the network, the shape of its input, its constant, and the bounds of ECLipsE and the product
    "|x|": (stack([[1], [-1]], [[1, 1]]), (1,), 1, sqrt(2), 2),
    "max(x, y)": (
        stack([[1, -1], [0, 1], [0, -1]], [[1, 1, -1]]),
        (2,),
        1,
        2.39470056654,
        sqrt(6 + 3 * sqrt(2)),
    ),
    "hat": (hat(), (1,), 2, 6, sqrt(72)),
    "orthogonal": (stack(rotation(1), rotation(2), rotation(3)), (2,), 1, 1, 1),  # Anil et al. 2019
    "identity, GELU": (nn.GELU(), (1,), 1.1289041451851548, 1.129, 1.129),
    "sigmoids": (stack([[4]], [[4]], [[4]], activation=nn.Sigmoid), (1,), 4, 4, 4),
    "residual": (Residual(stack([[1]], [[1]])), (1,), 2, 2, 2),
    "mean of 2 x 2": (nn.AvgPool2d(2), (1, 4, 4), 1 / 2, 1 / 2, 1 / 2),  # deel-torchlip: root of the area
    "mean of 4": (nn.AvgPool1d(4), (2, 8), 1 / 2, 1 / 2, 1 / 2),
    "max of 2 x 2": (nn.MaxPool2d(2), (1, 4, 4), 1, 1, 1),
    "flatten": (nn.Sequential(nn.Flatten(), nn.Identity()), (2, 3), 1, 1, 1),
    "dropout": (nn.Dropout(0.9).eval(), (3,), 1, 1, 1),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_network_lipschitz_of_a_known_network(name):
    model, shape, constant, eclipse, product = NETWORKS[name]
    for method, bound in (("eclipse", eclipse), ("product", product)):
        found = network_lipschitz(model, method=method, input_shape=shape)
        assert found.upper == pytest.approx(bound, rel=1e-6)
        assert 0.2 * constant <= found.lower <= constant * (1 + ROUNDED)
        assert constant * (1 - ROUNDED) <= found.upper
