"""`network_lipschitz`: lower <= true <= upper, for networks whose constant is known and for random ones."""

import copy
import inspect
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import oracles
from mlnotes2.lipschitz import Residual, network_lipschitz
from mlnotes2.lipschitz._eclipse import Reach
from mlnotes2.lipschitz._layers import follow
from mlnotes2.spectral import spectral_normalize

METHODS = ["product", "eclipse"]
ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.SiLU, nn.ELU, nn.Softplus, nn.GELU, lambda: nn.LeakyReLU(0.1)]
seeds = st.integers(0, 2**32 - 1)
widths = st.lists(st.integers(1, 8), min_size=2, max_size=6)


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def perceptron(seed, sizes, activation=nn.ReLU, bias=True):
    layers = []
    for i, (d, n) in enumerate(itertools.pairwise(sizes)):
        linear = nn.Linear(d, n, bias=bias, dtype=torch.float64)
        linear.weight.data = normal(seed + 2 * i, n, d)
        if bias:
            linear.bias.data = normal(seed + 2 * i + 1, n)
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


def slopes_between_points(model, seed, shape, n=300):
    x, y = 3 * normal(seed, n, *shape), 3 * normal(seed + 1, n, *shape)
    y[::2] = x[::2] + 1e-2 * y[::2]
    with torch.no_grad():
        rise = (model(x) - model(y)).flatten(1).norm(dim=1)
    return (rise / (x - y).flatten(1).norm(dim=1)).max().item()


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.sampled_from(METHODS))
@pytest.mark.claim("lipschitz.jacobian")
def test_network_lipschitz_holds_the_constant_found_by_enumerating_patterns(seed, d, h, n, method):
    model = perceptron(seed, [d, h, n])
    exact = oracles.relu_layer_constant(
        *(p.detach().numpy() for p in (model[0].weight, model[0].bias, model[2].weight))
    )
    found = network_lipschitz(model, method=method)
    assert found.lower <= exact * (1 + 1e-9)  # the oracle is rounded
    assert exact <= found.upper * (1 + 1e-9)


def test_network_lipschitz_mostly_finds_the_steepest_piece_of_a_small_network():
    shares = []
    for seed in range(30):
        model = perceptron(seed, [2, 5, 2])
        W, b, V = (p.detach().numpy() for p in (model[0].weight, model[0].bias, model[2].weight))
        shares.append(network_lipschitz(model).lower / oracles.relu_layer_constant(W, b, V))
    assert np.median(shares) > 0.99
    assert max(shares) <= 1 + 1e-9


@settings(max_examples=200, deadline=None)
@given(seeds, widths, st.sampled_from(ACTIVATIONS))
@pytest.mark.claim("lipschitz.eclipse")
def test_network_lipschitz_eclipse_is_between_the_slopes_and_the_product(seed, sizes, activation):
    model = perceptron(seed, sizes, activation).requires_grad_(False)
    eclipse, product = (
        follow(model, Reach(1.0), torch.zeros(1, sizes[0]).double(), method).length
        for method in METHODS[::-1]
    )
    assert slopes_between_points(model, seed, sizes[:1]) <= eclipse * (
        1 + 1e-8
    )  # slopes of near points cancel
    assert eclipse <= product * (1 + 1e-6)  # the tolerance of the norms


@settings(max_examples=30, deadline=None)
@given(
    seeds,
    st.integers(1, 8),
    st.integers(1, 8),
    st.sampled_from(METHODS),
    st.sampled_from([1e-150, 1.0, 1e100]),
)
def test_network_lipschitz_of_a_linear_layer_is_its_norm(seed, n, d, method, scale):
    model = perceptron(seed, [d, n])
    model[0].weight.data *= scale
    model[0].bias.data *= scale
    found = network_lipschitz(model, method=method)
    norm = torch.linalg.matrix_norm(model[0].weight / scale, 2).item() * scale
    assert found.lower <= norm * (1 + 1e-12)
    assert norm * (1 - 1e-12) <= found.upper <= norm * (1 + 1e-6)
    assert found.lower >= norm * 0.99  # power iteration without a gap


@settings(max_examples=30, deadline=None)
@given(seeds, widths, st.sampled_from(ACTIVATIONS), st.sampled_from(METHODS))
@pytest.mark.claim("lipschitz.jacobian")
def test_network_lipschitz_the_witness_shows_the_lower_bound(seed, sizes, activation, method):
    model = perceptron(seed, sizes, activation)
    found = network_lipschitz(model, method=method)
    x, v = found.witness
    assert x.shape == v.shape == (sizes[0],)
    jacobian = torch.autograd.functional.jacobian(model, x)
    assert torch.linalg.vector_norm(jacobian @ v) >= found.lower * torch.linalg.vector_norm(v) * (1 - 1e-12)


def test_network_lipschitz_bounds_a_network_whose_product_is_far_too_large():
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    model[0].weight.data = torch.tensor([[1.0], [-1.0]]).double()
    model[2].weight.data = torch.tensor([[1.0, 1.0]]).double()  # |x|
    product, eclipse = (network_lipschitz(model, method=method) for method in METHODS)
    assert product.upper == pytest.approx(2, rel=1e-6)
    assert eclipse.upper == pytest.approx(2**0.5, rel=1e-6)
    assert product.lower == eclipse.lower == pytest.approx(1, rel=1e-6)


def tent(center, width, steepness):
    """A ReLU network that is 0 but for a tent; its corners are numbers that add without rounding."""
    model = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1, bias=False)).double()
    model[0].weight.data = torch.ones(3, 1).double()
    model[0].bias.data = torch.tensor([width - center, -center, -width - center]).double()
    model[2].weight.data = steepness * torch.tensor([[1.0, -2.0, 1.0]]).double()
    return model


@pytest.mark.claim("lipschitz.between")
@settings(max_examples=20)
@given(st.sets(st.integers(-20, 20), min_size=2, max_size=10), st.integers(1, 10**6), st.data())
def test_network_lipschitz_sees_what_happens_between_the_data(points, steepness, data):
    x = torch.tensor(sorted(points), dtype=torch.float64)[:, None].requires_grad_()
    i = data.draw(st.integers(0, len(x) - 2))
    center, width = (x[i] + x[i + 1]).item() / 2, (x[i + 1] - x[i]).item() / 4
    model = tent(center, width, steepness)
    y = model(x)
    (slopes,) = torch.autograd.grad(y.sum(), x)
    assert (y == 0).all()
    assert (slopes == 0).all()
    top, foot = model(torch.tensor([[center], [center - width]], dtype=torch.float64))
    assert (top - foot).item() / width == steepness
    assert network_lipschitz(model, method="eclipse").upper >= steepness


def certified_radius(margin, constant):
    return margin / (2**0.5 * constant)


@pytest.mark.claim("lipschitz.radius")
@settings(max_examples=15)
@given(seeds, st.lists(st.integers(2, 6), min_size=2, max_size=3))
def test_network_lipschitz_certifies_a_radius_in_which_no_answer_changes(seed, sizes):
    model = perceptron(seed, sizes).requires_grad_(False)
    x = normal(seed + 99, sizes[0]).requires_grad_()
    scores = model(x)
    best = scores.argmax()
    others = [j for j in range(sizes[-1]) if j != best]
    gaps = torch.stack([scores[best] - scores[j] for j in others])
    radius = certified_radius(gaps.min().item(), network_lipschitz(model, method="eclipse").upper)
    steepest = [torch.autograd.grad(gap, x, retain_graph=True)[0] for gap in gaps]
    ways = torch.cat([-torch.stack(steepest), normal(seed + 98, 100, sizes[0])])
    turned = x.detach() + 0.999999 * radius * nn.functional.normalize(ways)
    assert (model(turned).argmax(dim=1) == best).all()


@pytest.mark.claim("lipschitz.radius")
@settings(max_examples=20)
@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_network_lipschitz_certifies_no_larger_radius_than_is_true(constant, x):
    model = perceptron(0, [1, 2], bias=False).requires_grad_(False)
    model[0].weight.copy_(torch.tensor([[1.0], [-1.0]]) * constant / 2**0.5)
    assert network_lipschitz(model).upper == pytest.approx(constant, rel=1e-6)
    first, second = model(torch.tensor([x]).double()).tolist()
    assert certified_radius(first - second, constant) == pytest.approx(x)
    first, second = model(torch.tensor([-1e-9 * x]).double()).tolist()  # hardly further away than that
    assert first < second


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 5), st.sampled_from(METHODS))
def test_network_lipschitz_of_a_residual_block(seed, d, method):
    model = nn.Sequential(Residual(perceptron(seed, [d, 4, d])), nn.Tanh(), nn.Linear(d, 2).double())
    found = network_lipschitz(model, method=method)
    inner = network_lipschitz(model[0].block, method=method).upper
    last = torch.linalg.matrix_norm(model[2].weight, 2).item()
    assert found.upper == pytest.approx((1 + inner) * last, rel=1e-5)  # two tolerances
    assert slopes_between_points(model, seed, (d,)) <= found.upper * (1 + 1e-8)


def test_network_lipschitz_of_a_residual_block_around_the_identity_is_two():
    found = network_lipschitz(Residual(nn.Identity()), input_shape=(3,))
    assert found.upper == pytest.approx(2, rel=1e-12)
    assert found.lower == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_network_lipschitz_of_a_convolutional_network(method):
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        Residual(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Tanh())), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3),
    ).double()  # fmt: skip
    found = network_lipschitz(model, method=method, input_shape=(1, 8, 8))
    assert slopes_between_points(model, 0, (1, 8, 8)) <= found.upper
    assert 0 < found.lower <= found.upper


def test_network_lipschitz_of_a_sequence_with_everything():
    model = nn.Sequential(
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 8), nn.Dropout(), nn.PReLU(), nn.Identity(), nn.Linear(8, 8),
        Residual(nn.Sequential(nn.SELU(), nn.Linear(8, 8))), nn.Hardtanh(), nn.Linear(8, 3), nn.LogSigmoid(),
    ).eval()  # fmt: skip
    for method in METHODS:
        found = network_lipschitz(model, method=method, input_shape=(3, 4, 4))
        assert slopes_between_points(copy.deepcopy(model).double(), 0, (3, 4, 4)) <= found.upper
        assert found.lower <= found.upper


def test_network_lipschitz_uses_the_weights_that_the_model_uses_and_leaves_it_alone():
    model = nn.Sequential(spectral_normalize(nn.Linear(6, 6)), nn.ReLU(inplace=True), nn.Linear(6, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.ones(1, 6)
    y = model(x)
    found = network_lipschitz(model)
    assert torch.equal(model(x), y)
    assert network_lipschitz(model).upper == found.upper
    assert found.upper <= torch.linalg.matrix_norm(model[2].weight, 2).item() * (1 + 1e-5)
    assert model[1].inplace
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())


def test_network_lipschitz_does_not_touch_the_global_seed():
    model = perceptron(0, [3, 4, 1])
    state = torch.random.get_rng_state()
    first, second = (network_lipschitz(model) for _ in range(2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert (first.lower, first.upper) == (second.lower, second.upper)


@pytest.mark.parametrize("method", METHODS)
def test_network_lipschitz_of_a_constant_network(method):
    model = perceptron(0, [3, 4, 2])
    model[2].weight.data.zero_()
    found = network_lipschitz(model, method=method)
    assert found.lower == 0
    assert found.upper < 1e-300


def test_network_lipschitz_under_no_grad_and_in_float32():
    model = perceptron(1, [3, 4, 2]).float()
    with torch.no_grad():
        found = network_lipschitz(model)
    assert 0 < found.lower <= found.upper


class Custom(nn.Module):
    def forward(self, x):
        return x.sin()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=1)),
            r"model\.1 is Softmax.*Known: Sequential, Linear",
        ),
        (nn.Sequential(nn.Linear(2, 2), nn.Sequential(Custom())), r"model\.1\.0 is Custom.*Residual\(f\)"),
        (nn.Sequential(nn.BatchNorm1d(2)), r"model\.0 is BatchNorm1d"),
        (nn.LSTM(2, 2), "model is LSTM"),
        (torch.tanh, "model must be an nn.Module, got builtin_function_or_method; write it as nn.Sequential"),
        ([nn.Linear(2, 2)], "model must be an nn.Module, got list"),
    ],
)
def test_network_lipschitz_names_a_module_that_it_does_not_know(model, message):
    with pytest.raises(TypeError, match=message):
        inspect.unwrap(network_lipschitz)(model)  # without the type checks of the tests


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_network_lipschitz_rejects_a_hook(register):
    model = nn.Sequential(nn.Linear(2, 2))
    getattr(model[0], register)(lambda *values: 10 * values[-1][0])
    with pytest.raises(ValueError, match=r"model\.0 has a hook"):
        network_lipschitz(model)


def test_network_lipschitz_in_inference_mode_is_the_same():
    model = perceptron(1, [3, 4, 2])
    with torch.inference_mode():
        found = network_lipschitz(model)
    assert (found.lower, found.upper) == (network_lipschitz(model).lower, network_lipschitz(model).upper)


def test_network_lipschitz_holds_where_its_derivative_overflows():
    model = perceptron(0, [3, 3, 3])
    for p in model.parameters():
        p.data *= 1e160
    assert network_lipschitz(model).upper == float("inf")


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("sizes", [(0, 3), (3, 0)])
def test_network_lipschitz_rejects_an_empty_weight(sizes):
    with pytest.raises(
        ValueError, match=r"model\.1\.weight must not be empty, got shape \(.*remove that layer"
    ):
        network_lipschitz(nn.Sequential(nn.ReLU(), nn.Linear(*sizes)))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_network_lipschitz_rejects_weights_that_are_not_finite(number):
    model = perceptron(0, [2, 2, 1])
    model[2].bias.data[0] = number
    with pytest.raises(ValueError, match=r"model\.2\.bias must be finite"):
        network_lipschitz(model)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (nn.Linear(2, 2), {"method": "exact"}, '"product" or "eclipse"'),
        (nn.AvgPool2d(2), {}, "input_shape is needed"),
        (nn.Linear(2, 2), {"input_shape": (0,)}, r"input_shape must hold whole numbers > 0, got \(0,\)"),
        (nn.Conv1d(1, 1, 3), {"input_shape": (1, -4)}, "input_shape must hold whole numbers > 0"),
        (nn.Conv2d(1, 1, 5), {"input_shape": (1, 4, 4)}, "does not fit the model: .*Kernel size"),
        (nn.ReLU(), {}, "input_shape is needed"),
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(4, 1)), {}, "input_shape is needed"),
        (nn.Conv1d(1, 1, 5, padding=2), {"input_shape": (1, 4)}, "input_size must be at least"),
        (
            nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"),
            {"input_shape": (1, 8)},
            "model must be padded with zeros",
        ),
        (
            nn.Conv1d(1, 1, 3, padding=2, padding_mode="circular"),
            {"input_shape": (1, 8)},
            "at most half of its kernel",
        ),
        (nn.Sequential(nn.AvgPool1d(2), nn.Linear(2, 2)), {}, "input_shape is needed"),
        (nn.Linear(2, 2), {"input_shape": (3,)}, r"input_shape \(3,\) does not fit"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1)), {}, "does not fit the model"),
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout()), {}, r"model\.1 is random in training mode"),
        (
            nn.AvgPool2d(3, padding=1, count_include_pad=False),
            {"input_shape": (1, 6, 6)},
            "divide all windows",
        ),
        (nn.AvgPool2d(2, divisor_override=1), {"input_shape": (1, 6, 6)}, "divide all windows"),
        (nn.AvgPool1d(2, ceil_mode=True), {"input_shape": (1, 5)}, "divide all windows"),
        (nn.MaxPool2d(2, dilation=2), {"input_shape": (1, 6, 6)}, "dilation 1"),
        (nn.MaxPool1d(2, return_indices=True), {"input_shape": (1, 6)}, "return no indices"),
        (nn.Sequential(nn.Linear(2, 2), nn.Flatten(0)), {}, r"model\.1 must leave the batch alone"),
        (nn.Linear(2, 2, device="meta"), {}, r"model\.weight is on the meta device"),
        (nn.Linear(2, 2), {"input_shape": 2}, "input_shape must hold whole numbers > 0, got 2"),
        (nn.Linear(2, 2), {"input_shape": "2"}, "input_shape must hold whole numbers > 0, got 2"),
        (Residual(nn.Linear(3, 1)), {}, r"block must keep the shape \(1, 3\)"),
    ],
)
def test_network_lipschitz_rejects_what_it_cannot_bound(model, options, message):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(network_lipschitz)(model, **options)  # without the type checks of the tests
