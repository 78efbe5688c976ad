"""Exercises on spectral norms."""

import numpy as np
from numpy.typing import NDArray

from ._exercise import Check, Exercise


def convolution_norm(kernel: NDArray[np.float64], size: int) -> float:
    """Return the spectral norm of a convolution with circular padding.

    `kernel` has shape (n, d, s, s), for n output and d input channels.
    Images have size x size pixels, with size >= s. Pixel (i, j) of the
    output channel a is the sum over b, k and l of
    kernel[a, b, k, l] * image[b, i + k, j + l], where the indices of
    pixels are taken modulo size.
    """
    spectra = np.fft.fft2(kernel, (size, size))  # (n, d, size, size)
    return float(np.linalg.norm(spectra, 2, axis=(0, 1)).max())


Case = tuple[NDArray[np.float64], int]


def _draw_channels(rng: np.random.Generator) -> Case:
    n, d, s = rng.integers(1, 4, size=3)
    return rng.integers(-2, 3, (n, d, s, s)).astype(float), int(s + rng.integers(0, 3))


def _draw_point(rng: np.random.Generator) -> Case:
    kernel, size = _draw_channels(rng)
    return kernel[:, :, :1, :1], size


def _draw_signs(rng: np.random.Generator) -> Case:
    kernel, size = _draw_channels(rng)
    return kernel[:1, :1], size


def _draw_positive(rng: np.random.Generator) -> Case:
    kernel, size = _draw_signs(rng)
    return np.abs(kernel), size


def _by_matrix(kernel: NDArray[np.float64], size: int) -> float:
    """The largest singular value of the whole matrix, whose columns are the images of single pixels."""
    n, d, s, _ = kernel.shape
    pixels = np.eye(d * size * size).reshape(-1, d, size, size)
    output = np.zeros((len(pixels), n, size, size))
    for k in range(s):
        for m in range(s):
            shifted = np.roll(pixels, (-k, -m), axis=(2, 3))
            output += np.einsum("ab,pbij->paij", kernel[:, :, k, m], shifted)
    return float(np.linalg.norm(output.reshape(len(pixels), -1), 2))


EXERCISES = {
    "spectral.6": Exercise(
        convolution_norm,
        Check(
            "a 1 x 1 kernel stretches like the matrix of its channels",
            _draw_point,
            lambda kernel, size: float(np.linalg.norm(kernel[:, :, 0, 0], 2)),
        ),
        Check(
            "one channel without negative entries: the norm is their sum",
            _draw_positive,
            lambda kernel, size: float(kernel.sum()),
        ),
        Check("one channel: the norm of the convolution's matrix", _draw_signs, _by_matrix),
        Check("several channels: the norm of the convolution's matrix", _draw_channels, _by_matrix),
    ),
}
