"""`sliced_wasserstein`: exact on every line, unbiased over directions, with its error and gradients."""

import inspect
import math

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlnotes2.transport import emd, emd_1d, sliced_wasserstein
from mlnotes2.transport._sliced import check


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def samples(seed, n, m, d, dtype=torch.float64):
    generator = seeded(seed)
    x, y = (torch.randn(k, d, generator=generator, dtype=torch.float64) for k in (n, m))
    return x.to(dtype), (2 * y + 1).to(dtype)


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 1.5, 2, 3]))
@settings(max_examples=50)
def test_sliced_wasserstein_is_the_mean_of_the_distances_on_lines(seed, n, m, p):
    x, y = samples(seed, n, m, 3)
    found = sliced_wasserstein(x, y, n_projections=7, p=p, generator=seeded(seed))
    theta = torch.randn(7, 3, generator=seeded(seed), dtype=torch.float64)
    theta /= theta.norm(dim=1, keepdim=True)
    powers = np.array([emd_1d(x.numpy() @ t, y.numpy() @ t, p=p) ** p for t in theta.numpy()])
    assert found.estimate.item() == pytest.approx(powers.mean() ** (1 / p), rel=1e-9)
    error = powers.std(ddof=1) / 7**0.5 / (p * powers.mean() ** ((p - 1) / p))  # by the delta method
    assert found.standard_error.item() == pytest.approx(error, rel=1e-6, abs=1e-12)


@given(
    st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.sampled_from([1, 2])
)
@settings(max_examples=40)
def test_sliced_wasserstein_never_exceeds_the_distance(seed, n, m, d, p):
    x, y = samples(seed, n, m, d)
    cost = torch.cdist(x, y).numpy() ** p
    exact = emd(np.full(n, 1 / n), np.full(m, 1 / m), cost).cost ** (1 / p)
    found = sliced_wasserstein(x, y, n_projections=5, p=p, generator=seeded(seed))
    assert found.estimate.item() <= exact * (1 + 1e-9)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sliced_wasserstein_agrees_with_pot_on_the_same_directions(p, dtype):
    x, y = samples(0, 50, 70, 5, dtype)
    theta = torch.randn(30, 5, generator=seeded(1), dtype=dtype)
    theta /= theta.norm(dim=1, keepdim=True)
    wanted = ot.sliced_wasserstein_distance(x, y, projections=theta.T, p=p)
    found = sliced_wasserstein(x, y, n_projections=30, p=p, generator=seeded(1))
    assert found.estimate.dtype == found.standard_error.dtype == dtype
    assert found.estimate.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_sliced_wasserstein_of_two_points_has_a_known_mean_within_its_error():
    """In d = 3 the mean of |<theta, x - y>| is half the distance."""
    x, y = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[0.0, 3.0, 4.0]], dtype=torch.float64)
    found = sliced_wasserstein(x, y, n_projections=20_000, generator=seeded())
    assert abs(found.estimate.item() - 2.5) < 4 * found.standard_error.item()
    assert found.standard_error.item() == pytest.approx(
        5 / math.sqrt(12 * 20_000), rel=0.05
    )  # of a uniform variable


@pytest.mark.parametrize("p", [1, 2, 2.5])
@pytest.mark.parametrize("m", [4, 5])
def test_sliced_wasserstein_gradients_agree_with_differences(p, m):
    x, y = (points.requires_grad_() for points in samples(0, 4, m, 3))
    assert torch.autograd.gradcheck(
        lambda x, y: sliced_wasserstein(x, y, n_projections=6, p=p, generator=seeded()).estimate, (x, y)
    )


@pytest.mark.parametrize("p", [1, 2, 3])
def test_sliced_wasserstein_of_a_sample_with_itself_is_0_with_gradient_0(p):
    x = samples(0, 5, 5, 2)[0].requires_grad_()
    found = sliced_wasserstein(x, x.detach().flip(0), n_projections=4, p=p, generator=seeded())
    assert found.estimate.item() == found.standard_error.item() == 0
    assert torch.equal(torch.autograd.grad(found.estimate, x)[0], torch.zeros_like(x))


@pytest.mark.parametrize("p", [1, 2, 4, 50, 300])
@pytest.mark.parametrize("unit", [1e-30, 1e-18, 1e18, 1e30])
def test_sliced_wasserstein_in_float32_holds_at_every_scale_and_power(p, unit):
    x, y = torch.arange(4.0)[:, None], torch.arange(6.0)[:, None] + 10
    exact = emd_1d(x[:, 0].numpy(), y[:, 0].numpy(), p=p)
    found = sliced_wasserstein(unit * x, unit * y, n_projections=3, p=p, generator=seeded())
    assert found.estimate.item() == pytest.approx(unit * exact, rel=1e-5, abs=0)
    assert found.standard_error.item() == pytest.approx(0, abs=1e-5 * unit)


def test_sliced_wasserstein_works_on_batches():
    x, y = torch.randn(2, 3, 10, 4, generator=seeded(1)), torch.randn(2, 3, 12, 4, generator=seeded(2))
    found = sliced_wasserstein(x, y, n_projections=9, generator=seeded())
    assert found.estimate.shape == found.standard_error.shape == (2, 3)
    one = sliced_wasserstein(x[1, 2], y[1, 2], n_projections=9, generator=seeded())
    assert found.estimate[1, 2].item() == pytest.approx(one.estimate.item(), rel=1e-5)


def test_sliced_wasserstein_splits_directions_without_a_difference(monkeypatch):
    x, y = samples(0, 20, 30, 3)
    whole = sliced_wasserstein(x, y, n_projections=11, generator=seeded())
    monkeypatch.setattr("mlnotes2.transport._sliced.AT_ONCE", 200)  # four directions
    parts = sliced_wasserstein(x, y, n_projections=11, generator=seeded())
    assert parts.estimate.item() == pytest.approx(whole.estimate.item(), rel=1e-12)


def test_sliced_wasserstein_of_one_direction_has_an_unknown_error():
    x, y = samples(0, 3, 3, 2)
    assert sliced_wasserstein(x, y, n_projections=1, generator=seeded()).standard_error.item() == math.inf


def test_sliced_wasserstein_leaves_the_global_seed_alone():
    state = torch.random.get_rng_state()
    sliced_wasserstein(*samples(0, 3, 3, 2), n_projections=2, generator=seeded())
    assert torch.equal(torch.random.get_rng_state(), state)


POINTS = torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_projections": 0}, ValueError, "n_projections must be at least 1, got 0"),
        ({"n_projections": 2.0}, TypeError, "n_projections must be a whole number, got 2.0; convert it"),
        ({"p": "2"}, TypeError, "p must be a real number, got '2'; convert it"),
        ({"p": None}, TypeError, "p must be a real number, got None"),
        ({"p": 0.5}, ValueError, "p must be a finite number of at least 1, got 0.5"),
        ({"p": math.inf}, ValueError, "p must be a finite number"),
        ({"p": math.nan}, ValueError, "p must be a finite number"),
        ({"x": [[0.0]]}, TypeError, "x must be a float32 or float64 tensor, got list"),
        ({"y": POINTS.int()}, TypeError, "y must be a float32 or float64 tensor, got torch.int32"),
        (
            {"y": POINTS.double()},
            TypeError,
            "one dtype and device, got torch.float32 on cpu and torch.float64",
        ),
        ({"y": POINTS.to("meta")}, TypeError, "torch.float32 on meta"),
        (
            {"y": torch.zeros(3, 4)},
            ValueError,
            r"leading axes and coordinates, got shapes \(3, 2\) and \(3, 4\)",
        ),
        ({"y": torch.zeros(5, 3, 2)}, ValueError, "the same leading axes"),
        ({"x": torch.zeros(3)}, ValueError, r"points in its rows, got \(3,\)"),
        ({"x": torch.zeros(0, 2)}, ValueError, "points in its rows"),
        ({"x": POINTS / 0}, ValueError, "x must be finite"),
        ({"generator": None}, TypeError, "generator must be a torch.Generator on cpu, got NoneType"),
    ],
)
def test_sliced_wasserstein_says_what_is_wrong(change, error, message):
    with pytest.raises(error, match=message):
        inspect.unwrap(check)(
            **({"x": POINTS, "y": POINTS, "n_projections": 2, "p": 1, "generator": seeded()} | change)
        )  # jaxtyping's hook would be the first to complain
