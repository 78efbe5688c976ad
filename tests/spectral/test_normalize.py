"""`spectral_normalize`: a certified norm in training and evaluation, the right gradient, and honest refusals."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

import oracles
from mlnotes2.spectral import SpectralNormalization, conv_spectral_norm, spectral_norm, spectral_normalize

seeds = st.integers(0, 10**6)
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


@pytest.mark.parametrize("build", [lambda: nn.Linear(4, 4), lambda: nn.Conv2d(4, 4, 3)])
def test_spectral_normalize_is_saved_copied_and_compiled(build):
    layer, restored = spectral_normalize(build()), spectral_normalize(build())
    restored.load_state_dict(layer.state_dict())
    assert torch.equal(restored.weight, layer.weight)
    assert torch.equal(copy.deepcopy(layer).weight, layer.weight)
    x = torch.randn(4, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.compile(layer, backend="aot_eager")(x), layer(x))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3), (2, 3, 3, 3)])
def test_spectral_normalization_leaves_zero_alone(shape):
    assert torch.equal(SpectralNormalization()(torch.zeros(shape)), torch.zeros(shape))


@st.composite
def convolutions(draw):
    """A layer, and its matrix on images of some size as a function of its weight."""
    kind = draw(st.sampled_from([nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d]))
    axes, small, groups = (1 if "1d" in kind.__name__ else 2), st.integers(1, 3), draw(st.integers(1, 2))
    k, stride, dilation = draw(st.integers(1, 4)), draw(small), draw(st.integers(1, 2))
    mode = draw(st.sampled_from(["zeros", "circular"])) if "Transpose" not in kind.__name__ else "zeros"
    reach = dilation * (k - 1)
    padding = draw(st.integers(0, reach // 2 if mode == "circular" else reach))
    options = {
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
        "padding_mode": mode,
        "groups": groups,
    }
    channels = groups * draw(small), groups * draw(small)
    layer = kind(*channels, k, dtype=draw(st.sampled_from([torch.float32, torch.float64])), **options)
    size = (2 * padding + reach + draw(st.integers(1, 5)),) * axes
    with torch.no_grad():
        layer.weight.copy_(
            torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(draw(seeds)))
        )

    def matrix(weight):
        plain = kind(*channels, k, bias=False, dtype=torch.float64, **options).requires_grad_(False)
        plain.weight.copy_(weight)
        images = torch.eye(channels[0] * math.prod(size), dtype=torch.float64)
        return plain(images.reshape(-1, channels[0], *size)).flatten(1).T

    return layer, matrix


@given(convolutions(), st.floats(1e-2, 1e2))
@settings(max_examples=150)
@pytest.mark.claim("spectral.normalized-convolution")
def test_spectral_normalize_bounds_the_norm_of_a_convolution(case, target):
    layer, matrix = case
    dtype = layer.weight.dtype
    weight = spectral_normalize(layer, target=target).weight
    assert weight.dtype == dtype
    assert oracles.spectral_norm_svd(matrix(weight)) <= target * (1 + 1e-9)  # what LAPACK rounds


@given(st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 3, 4]), seeds)
@settings(max_examples=20)
@pytest.mark.claim("spectral.normalized-convolution")
def test_spectral_normalize_leaves_a_convolution_nearly_as_steep_as_it_may_be(n, d, k, seed):
    layer = nn.Conv2d(d, n, k)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(n, d, k, k, generator=torch.Generator().manual_seed(seed)))
    weight = spectral_normalize(layer).weight
    assert conv_spectral_norm(weight, 90, padding="circular", tol=1e-3).lower >= 0.97


@pytest.mark.claim("spectral.normalized-convolution")
def test_spectral_normalize_holds_for_a_convolution_after_every_step_of_training():
    layer = spectral_normalize(nn.Conv2d(3, 4, 3, padding=1))
    optimizer = torch.optim.SGD(layer.parameters(), lr=10)
    x = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for mode in (True, False) * 5:
        assert conv_spectral_norm(layer.train(mode).weight, 8, tol=1e-4).upper <= 1
        optimizer.zero_grad()
        layer(x).sin().sum().backward()
        optimizer.step()


def test_spectral_normalize_is_right_where_the_parametrization_of_torch_is_half_again_too_steep():
    kernel = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(0))
    layers = [nn.Conv2d(64, 64, 3, padding=1) for _ in range(2)]
    for layer in layers:
        layer.weight.data.copy_(kernel)
    theirs = parametrizations.spectral_norm(layers[0], n_power_iterations=50).eval()
    assert conv_spectral_norm(theirs.weight, 32).lower > 1.45
    ours = conv_spectral_norm(spectral_normalize(layers[1]).weight, 32)
    assert 0.95 < ours.lower < ours.upper <= 1


def test_spectral_normalization_has_the_gradient_of_division_by_the_norm_of_the_convolution():
    K = torch.randn(
        3, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True
    )
    C = torch.randn(3, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (ours,) = torch.autograd.grad((SpectralNormalization()(K) * C).sum(), K)
    norm = torch.linalg.matrix_norm(torch.fft.fft(K, 1000).permute(2, 0, 1), 2).max()
    (exact,) = torch.autograd.grad((K / norm * C).sum(), K)
    assert abs(float((ours * K.detach()).sum())) < 1e-9  # a longer kernel is divided by more
    # The frequency is one of 19, so up to a fortieth of a turn off, and the division is by up to 3 % more.
    assert float((ours - exact).norm()) < 0.1 * float(exact.norm())


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Sequential(nn.Linear(1, 1)), nn.Conv3d(1, 1, 1)])
def test_spectral_normalize_refuses_other_modules(layer):
    with pytest.raises(
        TypeError, match=r"must be a linear layer or a convolution, got \w+; apply it to each"
    ):
        spectral_normalize(layer)


@pytest.mark.parametrize("mode", ["reflect", "replicate"])
def test_spectral_normalize_refuses_padding_that_repeats_pixels(mode):
    with pytest.raises(ValueError, match=f'padding_mode must be "zeros" or "circular", got {mode!r}'):
        spectral_normalize(nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode))


def test_spectral_normalize_refuses_to_go_around_twice():
    with pytest.raises(ValueError, match=r"at most half of dilation \* \(kernel_size - 1\), got \(2, 2\)"):
        spectral_normalize(nn.Conv2d(1, 1, 3, padding=2, padding_mode="circular"))


def test_spectral_normalize_refuses_to_act_twice():
    layer = spectral_normalize(linear(2, 2))
    with pytest.raises(ValueError, match="already parametrized"):
        spectral_normalize(layer)


@pytest.mark.parametrize("target", [0.0, -1.0, math.inf, math.nan])
def test_spectral_normalize_refuses_a_target_that_is_not_positive(target):
    with pytest.raises(ValueError, match="target must be positive and finite"):
        spectral_normalize(linear(2, 2), target=target)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.ones(1, 1, 3, 3, 3), "must be a matrix"),
        (torch.ones(0, 1, 3), "empty"),
        (torch.full((1, 1, 3), math.nan), "finite"),
    ],
)
def test_spectral_normalization_refuses_what_has_no_norm(weight, message):
    with pytest.raises(ValueError, match=message):
        SpectralNormalization()(weight)
