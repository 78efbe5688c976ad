"""The exercise on spectral norms: the solution is right, and each typical mistake is found."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.exercises._spectral import EXERCISES
from mlnotes2.spectral import spectral_norm

EXERCISE = EXERCISES["spectral.6"]
POINT, POSITIVE, SIGNS, CHANNELS = (check.statement for check in EXERCISE.checks)


@pytest.mark.exercise("spectral.6")
@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3]), st.integers(3, 6), st.integers(0, 1000))
@settings(max_examples=20)
def test_convolution_norm_is_that_of_pytorchs_convolution(n, d, s, size, seed):
    kernel = torch.randn(n, d, s, s, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = EXERCISE.solution(kernel.numpy(), size)
    proved = spectral_norm(oracles.convolution_matrix(kernel, size, "circular"), tol=1e-9)
    assert proved.lower * (1 - 1e-12) <= found <= proved.upper * (1 + 1e-12)  # LAPACK's own rounding


@pytest.mark.exercise("spectral.6")
def test_convolution_norm_of_the_kernel_of_ones_is_9():
    assert EXERCISE.solution(np.ones((1, 1, 3, 3)), 8) == pytest.approx(9)


def reshaped(kernel, size):
    return np.linalg.norm(kernel.reshape(len(kernel), -1), 2)


def width_times_reshaped(kernel, size):
    return kernel.shape[-1] * reshaped(kernel, size)


def constant_images(kernel, size):
    return np.linalg.norm(kernel.sum(axis=(2, 3)), 2)


def without_the_size(kernel, size):
    return np.linalg.norm(np.fft.fft2(kernel), 2, axis=(0, 1)).max()


def each_pair_of_channels(kernel, size):
    return np.linalg.norm(np.abs(np.fft.fft2(kernel, (size, size))).max(axis=(2, 3)), 2)


@pytest.mark.parametrize(
    ("wrong", "statements"),
    [
        (reshaped, {POSITIVE, SIGNS, CHANNELS}),
        (width_times_reshaped, {POSITIVE, SIGNS, CHANNELS}),
        (constant_images, {SIGNS, CHANNELS}),
        (without_the_size, {SIGNS, CHANNELS}),
        (each_pair_of_channels, {POINT, CHANNELS}),
    ],
)
def test_convolution_norm_checks_find_a_typical_mistake(wrong, statements):
    assert set(EXERCISE.counterexamples(wrong)) == statements
