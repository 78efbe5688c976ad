"""Common mistakes about spectral normalization."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mistakes.page import right, wrong
from oracles import convolution_matrix, spectral_norm_svd

SEEDS = st.integers(0, 2**32 - 1)


def matrix(seed, n, d):
    return torch.tensor(np.random.default_rng(seed).standard_normal((n, d)))


@pytest.mark.claim("mistakes.power-iteration")
@given(SEEDS, st.integers(1, 12), st.integers(1, 12), st.integers(1, 30))
def test_division_by_an_estimate_leaves_a_norm_of_at_least_1(seed, n, d, steps):
    shown = wrong("mistakes.power-iteration")
    assert spectral_norm_svd(shown.normalized(matrix(seed, n, d), steps)) >= 1 - 1e-12  # rounding
    assert spectral_norm_svd(shown.normalized(shown.unlucky.double(), steps)) == pytest.approx(2)


@pytest.mark.claim("mistakes.power-iteration")
@given(st.lists(st.floats(0.5, 2), min_size=2, max_size=6), st.integers(1, 20))
def test_the_part_along_another_singular_vector_shrinks_like_a_power_of_the_ratio(sigma, steps):
    sigma = torch.tensor(sigma, dtype=torch.float64)
    parts = (sigma / sigma.max()) ** (2 * steps)
    expected = sigma.max() * parts.norm() / (sigma * parts).norm()
    normalized = wrong("mistakes.power-iteration").normalized(torch.diag(sigma), steps)
    assert spectral_norm_svd(normalized) == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.claim("mistakes.power-iteration")
@given(SEEDS, st.integers(1, 12), st.integers(1, 12))
def test_division_by_a_bound_from_above_leaves_a_norm_of_at_most_1(seed, n, d):
    W = matrix(seed, n, d)
    norm = spectral_norm_svd(right("mistakes.power-iteration").normalized(W))
    assert min(n, d) ** (-1 / 256) - 1e-12 <= norm <= 1 + 1e-12  # rounding; the note proves the exponent


KERNELS = SEEDS, st.integers(1, 2), st.integers(1, 2), st.integers(4, 6)


@pytest.mark.claim("mistakes.reshaped-kernel")
@given(*KERNELS)
def test_a_positive_kernel_divided_by_its_reshaped_norm_stretches(seed, n_out, n_in, size):
    kernel = torch.tensor(np.random.default_rng(seed).uniform(0.2, 1, (n_out, n_in, 3, 3)))
    normalized = wrong("mistakes.reshaped-kernel").normalized(kernel, size)
    assert spectral_norm_svd(convolution_matrix(normalized, size, "constant")) > 1.2


@pytest.mark.claim("mistakes.reshaped-kernel")
@given(*KERNELS)
def test_a_kernel_divided_by_its_circular_norm_does_not_stretch(seed, n_out, n_in, size):
    kernel = torch.tensor(np.random.default_rng(seed).standard_normal((n_out, n_in, 3, 3)))
    normalized = right("mistakes.reshaped-kernel").normalized(kernel, size)
    assert spectral_norm_svd(convolution_matrix(normalized, size, "constant")) <= 1 + 1e-12
    circular = convolution_matrix(normalized, size + 2, "circular")
    assert spectral_norm_svd(circular) == pytest.approx(1, rel=1e-12)
