"""Norms that are published or have a closed form, and what the tests of other libraries ask of a layer."""

import math
from math import cos, pi, sin, sqrt

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import torch
from torch import nn
from torch.nn.utils import parametrize

import oracles
from mlnotes2.spectral import conv_spectral_norm, spectral_norm, spectral_normalize

ROUNDED = 1e-13  # of a closed form, or of an entry that is no double


def tridiagonal(below, middle, above, n):
    return below * np.eye(n, k=-1) + middle * np.eye(n) + above * np.eye(n, k=1)


def clement(n):
    """Of Clement, SIAM Review 1 (1959), made symmetric."""
    k = np.arange(1, n)
    return np.diag(np.sqrt(k * (n - k)), 1) + np.diag(np.sqrt(k * (n - k)), -1)


def householder(n):
    v = np.arange(1.0, n + 1)[:, None]
    return np.eye(n) - 2 * v @ v.T / (v.T @ v)


ROSSER = [
    [611, 196, -192, 407, -8, -52, -49, 29],
    [196, 899, 113, -192, -71, -43, -8, -44],
    [-192, 113, 899, 196, 61, 49, 8, 52],
    [407, -192, 196, 611, 8, 44, 59, -23],
    [-8, -71, 61, 8, 411, -599, 208, 208],
    [-52, -43, 49, 44, -599, 411, 208, 208],
    [-49, -8, 8, 59, 208, 208, 99, -911],
    [29, -44, 52, -23, 208, 208, -911, 99],
]
MAGIC = [[16, 2, 3, 13], [5, 11, 10, 8], [9, 7, 6, 12], [4, 14, 15, 1]]

MATRICES = {  # the matrix, its norm, and who says so
    "NumPy's documentation of norm": (np.arange(9.0).reshape(3, 3) - 4, sqrt(54)),
    "Moler, magic squares": (MAGIC, 34),
    "Rosser 1951": (ROSSER, 10 * sqrt(10405)),
    "Wilkinson 1965, W21+": (tridiagonal(1, 0, 1, 21) + np.diag(abs(np.arange(-10, 11))), 10.746194182903393),
    "MATLAB, norm(hilb(10))": (scipy.linalg.hilbert(10), 1.7519196702651775),
    "Hadamard, 64": (scipy.linalg.hadamard(64), 8),
    "Hadamard, 256": (scipy.linalg.hadamard(256), 16),
    "Householder": (householder(30), 1),
    "cosine transform": (scipy.fft.dct(np.eye(300), norm="ortho"), 1),
    "nilpotent": (np.eye(20, k=1), 1),
    "shear": ([[1, 1], [0, 1]], (1 + sqrt(5)) / 2),
    "ones": (np.ones((7, 28)), 14),
    "circulant": (scipy.linalg.circulant([1, 2, 3, 4]), 10),
    "first differences": (np.eye(39, 40) - np.eye(39, 40, k=1), 2 * cos(pi / 80)),
    "second differences, 10": (tridiagonal(-1, 2, -1, 10), 4 * cos(pi / 22) ** 2),
    "second differences, 300": (tridiagonal(-1, 2, -1, 300), 4 * cos(pi / 602) ** 2),
    "path": (tridiagonal(1, 0, 1, 50), 2 * cos(pi / 51)),
    "cycle": (tridiagonal(1, 0, 1, 9) + np.eye(9, k=8) + np.eye(9, k=-8), 2),
    "smaller index": (np.minimum.outer(range(1, 13), range(1, 13)), 1 / (4 * sin(pi / 50) ** 2)),
    "running sums": (np.tri(12), 1 / (2 * sin(pi / 50))),
    "Clement": (clement(30), 29),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("tol", [1e-2, 1e-9])
def test_spectral_norm_of_a_known_matrix(name, tol):
    matrix, norm = MATRICES[name]
    matrix = np.asarray(matrix, dtype=np.float64)
    for scale in (1.0, 2.0**-1000, 2.0**1000):
        found = spectral_norm(torch.from_numpy(matrix * scale), tol=tol)
        assert found.lower <= scale * norm * (1 + ROUNDED)
        assert scale * norm * (1 - ROUNDED) <= found.upper <= (1 + tol) * found.lower
    assert np.linalg.norm(matrix, 2) == pytest.approx(norm, rel=1e-12)


def test_spectral_norm_of_the_ill_conditioned_pascal_matrix_and_its_inverse_is_the_same():
    pascal = scipy.linalg.pascal(12, exact=False)
    inverse = scipy.linalg.invpascal(12, exact=False)
    exact = oracles.spectral_norm_mpmath(pascal)
    for matrix in (pascal, inverse):
        found = spectral_norm(torch.from_numpy(matrix), tol=1e-9)
        assert found.lower <= exact <= found.upper


def image(rows):
    return torch.tensor(rows, dtype=torch.float64)[None, None]


HAAR = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]).view(4, 1, 2, 2) / 2

KERNELS = {  # on a circle of 8 pixels: the largest size of the symbol
    "Sobel": (image([[1, 0, -1], [2, 0, -2], [1, 0, -1]]), 8, {}),
    "Prewitt": (image([[1, 0, -1], [1, 0, -1], [1, 0, -1]]), 6, {}),
    "Scharr": (image([[3, 0, -3], [10, 0, -10], [3, 0, -3]]), 32, {}),
    "Roberts": (image([[1, 0], [0, -1]]), 2, {}),
    "box": (torch.full((1, 1, 3, 3), 1 / 9, dtype=torch.float64), 1, {}),
    "binomial": (image([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16, 1, {}),
    "Laplace, 5 points": (image([[0, 1, 0], [1, -4, 1], [0, 1, 0]]), 8, {}),
    "Laplace, 9 points": (image([[1, 1, 1], [1, -8, 1], [1, 1, 1]]), 12, {}),
    "sharpen": (image([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]), 9, {}),
    "shift": (image([[0, 0, 0], [0, 0, 1], [0, 0, 0]]), 1, {}),
    "Haar": (HAAR, 1, {"stride": 2}),
    "mean of blocks": (image([[1, 1], [1, 1]]) / 4, 1 / 2, {"stride": 2}),
    "difference": (torch.tensor([[[1.0, -1]]]), 2, {}),
    "dilated difference": (torch.tensor([[[1.0, -1]]]), 2, {"dilation": 2}),
    "two groups": (torch.tensor([[[1.0, 1]], [[3, -2]]]), 5, {"groups": 2}),
    "one pixel": (torch.tensor([[3.0, 0], [4, 5]])[:, :, None, None], sqrt(45), {}),
    "rectangle": (torch.ones(1, 1, 2, 5), 10, {}),
}


@pytest.mark.parametrize("name", KERNELS)
def test_conv_spectral_norm_of_a_known_kernel(name):
    kernel, norm, options = KERNELS[name]
    found = conv_spectral_norm(kernel, 8, padding="circular", tol=1e-9, **options)
    assert found.lower <= norm * (1 + ROUNDED)
    assert norm * (1 - ROUNDED) <= found.upper <= (1 + 1e-9) * found.lower
    assert conv_spectral_norm(kernel, 8, **options).lower <= norm  # with zeros: less than on a larger circle


@pytest.mark.parametrize("size", [3, 4, 9, 20])
def test_conv_spectral_norm_of_second_differences_with_zeros_is_that_of_their_matrix(size):
    line = torch.tensor([[[1.0, -2, 1]]])
    cross = image([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    for kernel, norm in (
        (line, 4 * cos(pi / (2 * size + 2)) ** 2),
        (cross, 8 * cos(pi / (2 * size + 2)) ** 2),
    ):
        found = conv_spectral_norm(kernel, size, tol=1e-8)
        assert norm * (1 - 1e-6) <= found.lower <= norm * (1 + ROUNDED)
        assert norm <= found.upper


LAYERS = [  # layers that PyTorch's tests of parametrizations and deel-torchlip's of layers normalize; input shapes
    (lambda: nn.Linear(5, 7), (5,)),
    (lambda: nn.Linear(3, 4, bias=False), (3,)),
    (lambda: nn.Conv1d(3, 4, 5, stride=2, padding="valid"), (3, 13)),
    (lambda: nn.Conv2d(2, 3, (3, 5), padding="same"), (2, 7, 8)),
    (lambda: nn.Conv2d(4, 6, 3, stride=3, padding=1, groups=2), (4, 9, 9)),
    (lambda: nn.Conv2d(3, 5, 4, padding="same", padding_mode="circular"), (3, 6, 6)),
    (lambda: nn.ConvTranspose1d(3, 2, 4, stride=3, output_padding=1), (3, 5)),
    (lambda: nn.ConvTranspose2d(3, 4, (5, 6)), (3, 5, 6)),
    (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), (4, 5, 5)),
]


def matrix_of(layer, shape):
    basis = torch.eye(math.prod(shape)).view(-1, *shape)
    with torch.no_grad():
        return (layer(basis) - layer(0 * basis)).flatten(1).T


@pytest.mark.parametrize(("build", "shape"), LAYERS, ids=[str(build()) for build, _ in LAYERS])
def test_spectral_normalize_is_a_parametrization_like_that_of_torch(build, shape):
    layer = spectral_normalize(build())
    assert "weight" not in dict(layer.named_parameters())
    original = layer.parametrizations.weight.original
    assert (original.shape, original.stride()) == (layer.weight.shape, layer.weight.stride())
    optimizer = torch.optim.SGD(layer.parameters(), lr=1)
    for _ in range(2):
        assert 0.5 < oracles.spectral_norm_svd(matrix_of(layer, shape)) <= 1 + 1e-5  # outputs of float32
        layer(torch.ones(2, *shape)).sin().sum().backward()
        assert original.grad.abs().sum() > 0
        optimizer.step()
    weight = layer.weight.detach().clone()
    restored = spectral_normalize(build())
    restored.load_state_dict(layer.state_dict(), strict=True)
    assert torch.equal(restored.weight, weight)
    with torch.inference_mode():
        assert torch.equal(layer.eval().weight, weight)
    parametrize.remove_parametrizations(layer, "weight")
    assert torch.equal(layer.weight, weight)
    assert dict(layer.named_parameters())["weight"].requires_grad


def test_spectral_normalize_divides_a_diagonal_by_its_largest_entry():
    layer = nn.Linear(2, 2)
    nn.init.zeros_(layer.weight)
    layer.weight.data.diagonal().copy_(torch.tensor([-0.5, 0.25]))
    weight = spectral_normalize(layer).weight
    torch.testing.assert_close(weight, torch.diag(torch.tensor([-1.0, 0.5])), rtol=2e-3, atol=0)


def test_spectral_normalize_keeps_a_weight_that_is_frozen():
    layer = nn.Conv2d(2, 2, 3)
    layer.weight.requires_grad_(False)
    assert not spectral_normalize(layer).weight.requires_grad
