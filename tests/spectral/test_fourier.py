"""The pieces of `conv_spectral_norm`: taps of a product, strides as channels, and waves that speak for all others."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlnotes2.spectral import _fourier
from mlnotes2.spectral._fourier import (
    Frequencies,
    all_frequencies,
    correlations,
    find_peak,
    fourier_matrix,
    right_vector,
    unstride,
    waves,
)

small, seeds = st.integers(1, 3), st.integers(0, 10**6)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def from_definition(taps, turns):
    """The Fourier matrix of taps (n, d, rows, columns), term by term."""
    i, j = (torch.arange(count, dtype=torch.float64) for count in taps.shape[2:])
    angle = 2 * math.pi * (turns[0] * i[:, None] + turns[1] * j)
    return (taps * torch.exp(1j * angle)).sum((2, 3))


@given(small, small, small, st.integers(1, 4), st.integers(1, 4), seeds)
@settings(max_examples=40)
def test_correlations_are_the_taps_of_the_square(groups, n, d, rows, columns, seed):
    taps, turns = gaussian(groups, n, d, rows, columns, seed=seed), torch.rand(2, dtype=torch.float64)
    even, odd = correlations(taps)
    wave = waves(turns[None], [range(1 - rows, rows), range(1 - columns, columns)])[0, -len(even) :]
    found = torch.complex(wave.real @ even, -wave.imag @ odd).view(groups, d, d)
    for group in range(groups):
        M = from_definition(taps[group], turns)
        torch.testing.assert_close(found[group], M.mH @ M)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 2), seeds)
@settings(max_examples=40)
def test_unstride_keeps_every_tap_once(s, t, k, dilation, seed):
    kernel = gaussian(2, 2, k, 3, seed=seed)
    taps, spacing = unstride(kernel, (s, t), (dilation, 1), 2)
    assert taps.shape[:3] == (2, 1, 2 * s * t)
    assert spacing == ((dilation, 1) if s == t == 1 else (1, 1))
    assert torch.equal(taps[taps != 0].sort().values, kernel.flatten().sort().values)


@given(small, small, st.integers(1, 5), st.integers(1, 5), st.floats(0.01, 0.5), seeds)
@settings(max_examples=60)
@pytest.mark.claim("spectral.all-sizes")
def test_all_frequencies_speak_for_every_frequency(n, d, rows, columns, tol, seed):
    taps = gaussian(n, d, rows, columns, seed=seed)
    axes = [all_frequencies(count, 1, tol) for count in (rows, columns)]
    assert all(1 <= axis.factor <= 1 + tol * (1 + 1e-12) for axis in axes)
    shown = max(
        float(torch.linalg.matrix_norm(from_definition(taps, (f, g)), 2))
        for f in axes[0].turns
        for g in axes[1].turns
    )
    some = torch.rand(200, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    largest = max(float(torch.linalg.matrix_norm(from_definition(taps, turns), 2)) for turns in some)
    assert largest <= shown * axes[0].factor * axes[1].factor * (1 + 1e-12)


@given(st.integers(2, 6), st.integers(1, 5))
@pytest.mark.claim("spectral.all-sizes")
def test_all_frequencies_cannot_do_with_a_smaller_factor(n_taps, more):
    # cos((n_taps - 1) w / 2), in the middle between two frequencies: the worst case
    axis = all_frequencies(n_taps, 1, 1 / (10 * more))
    half_angle = math.pi * (n_taps - 1) / (2 * len(axis.turns))
    assert 1 / math.cos(half_angle) <= axis.factor * (1 + 1e-12)
    assert axis.factor <= (1 + half_angle**4) / math.cos(half_angle)


@given(small, small, small, st.integers(1, 3), st.sampled_from([1e-1, 1e-3, 1e-6]), seeds)
@settings(max_examples=60)
def test_find_peak_bounds_all_matrices_of_the_grid(groups, n, d, k, tol, seed):
    taps, size = gaussian(groups, n, d, k, k, seed=seed), 5
    axis = Frequencies(torch.arange(size, dtype=torch.float64) / size, 1.0)
    peak = find_peak(taps, (1, 1), (axis, axis), tol=tol, at_once=1 + seed % 50)
    norms = [
        float(torch.linalg.matrix_norm(from_definition(part, (f, g)), 2))
        for part in taps
        for f in axis.turns
        for g in axis.turns
    ]
    rounding = math.sqrt(1 + 1.5 * tol)  # float32 is taken if it rounds no more
    assert max(norms) * (1 - 1e-12) <= peak.upper <= (1 + tol) * rounding * max(norms) * (1 + 1e-9)
    image = from_definition(taps[peak.group], peak.turns) @ peak.v
    assert float(image.norm()) == pytest.approx(max(norms), rel=2 * tol)


@given(small, small, st.integers(1, 3), st.integers(1, 3), seeds)
def test_fourier_matrix_is_that_of_the_definition(n, d, row_spacing, column_spacing, seed):
    taps, turns = gaussian(n, d, 2, 3, seed=seed), torch.rand(2, dtype=torch.float64)
    found = fourier_matrix(taps, (row_spacing, column_spacing), tuple(turns.tolist()))
    spread = turns * torch.tensor([row_spacing, column_spacing])
    torch.testing.assert_close(found, from_definition(taps, spread))


@given(small, small, seeds)
def test_right_vector_is_stretched_most(n, d, seed):
    M = torch.complex(gaussian(n, d, seed=seed), gaussian(n, d, seed=seed + 1))
    v = right_vector(M)
    assert float(v.norm()) == pytest.approx(1)
    assert float((M @ v).norm()) == pytest.approx(float(torch.linalg.matrix_norm(M, 2)))


def test_find_peak_adds_what_a_factorisation_may_have_overlooked(monkeypatch):
    taps = gaussian(1, 2, 2, 3, 3)
    axis = Frequencies(torch.arange(5, dtype=torch.float64) / 5, 1.0)
    norm = float(torch.linalg.matrix_norm(from_definition(taps[0], (0.2, 0.4)), 2))
    monkeypatch.setattr(_fourier, "rounding", lambda *_: lambda *_: 2 * norm**2)
    always = SimpleNamespace(info=torch.zeros(1))  # all norms are thought to be below the first level
    monkeypatch.setattr(torch.linalg, "cholesky_ex", lambda _: always)
    assert find_peak(taps, (1, 1), (axis, axis), tol=1e-6, at_once=100).upper >= norm
