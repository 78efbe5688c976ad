"""The mixtures: where their modes are, and what they draw."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.gan import grid, grid_modes, ring, ring_modes


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


@given(st.integers(1, 40), st.floats(0.1, 10))
def test_ring_modes_are_distinct_and_evenly_spaced(modes, radius):
    centres = ring_modes(modes=modes, radius=radius)
    torch.testing.assert_close(centres.norm(dim=1), torch.full((modes,), radius))
    step = (centres - centres.roll(1, 0)).norm(dim=1)
    chord = 2 * radius * math.sin(math.pi / modes)
    torch.testing.assert_close(step, torch.full((modes,), chord), rtol=1e-4, atol=1e-5 * radius)  # float32


def test_linspace_over_the_whole_circle_gives_one_mode_fewer():
    angle = torch.linspace(0, 2 * math.pi, 8)
    centres = torch.stack([angle.cos(), angle.sin()], dim=1)
    assert len(centres.round(decimals=4).add(0.0).unique(dim=0)) == 7
    assert len(ring_modes(modes=8).round(decimals=4).add(0.0).unique(dim=0)) == 8


def test_grid_modes_are_those_of_pacgan():
    line = [-4.0, -2.0, 0.0, 2.0, 4.0]
    assert grid_modes().tolist() == [[x, y] for x in line for y in line]


@pytest.mark.parametrize(
    ("sample", "centres", "sigma"), [(ring, ring_modes(), 0.01), (grid, grid_modes(), 0.05)]
)
def test_samplers_draw_equal_gaussians(sample, centres, sigma):
    x = sample(40_000, generator=_rng())
    offset = x[:, None] - centres
    nearest = offset.square().sum(-1).argmin(1)
    share = torch.bincount(nearest, minlength=len(centres)) / len(x)
    torch.testing.assert_close(
        share, torch.full_like(share, 1 / len(share)), rtol=0, atol=6e-3
    )  # 4 standard errors
    residual = offset[torch.arange(len(x)), nearest]
    covariance = residual.T.cov() / sigma**2
    torch.testing.assert_close(covariance, torch.eye(2), rtol=0, atol=0.03)  # 4 standard errors


def test_samplers_depend_on_their_generator_only():
    state = torch.get_rng_state()
    assert torch.equal(ring(9, generator=_rng(1)), ring(9, generator=_rng(1)))
    assert not torch.equal(ring(9, generator=_rng(1)), ring(9, generator=_rng(2)))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ring(0, generator=_rng()), "n must be at least 1, got 0"),
        (lambda: ring(1, modes=0, generator=_rng()), "modes must be at least 1"),
        (lambda: ring(1, sigma=0.0, generator=_rng()), "sigma must be positive and finite, got 0"),
        (lambda: ring_modes(radius=math.inf), "radius must be positive and finite, got inf"),
        (lambda: grid(1, sigma=math.nan, generator=_rng()), "sigma must be positive and finite, got nan"),
        (lambda: grid_modes(side=0), "side must be at least 1"),
        (lambda: grid_modes(spacing=-1.0), "spacing must be positive"),
    ],
)
def test_mixtures_reject_bad_numbers(call, message):
    with pytest.raises(ValueError, match=message):
        call()
