"""`conv_spectral_norm`: the norm of the whole operator, whose matrix PyTorch writes out, lies between the bounds."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile

import oracles
from mlnotes2.spectral import conv_spectral_norm, spectral_norm
from mlnotes2.spectral._conv import check_kernel

ONES = torch.ones(1, 1, 3, 3)
ROUNDED = 1e-12  # what LAPACK rounds


def gaussian(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@st.composite
def convolutions(draw, largest_stride=3):
    """A kernel, an image size and the settings of a convolution with at most about a thousand inputs."""
    axes, groups, small = draw(st.integers(1, 2)), draw(st.integers(1, 3)), st.integers(1, 3)
    n, d = groups * draw(small), draw(small)
    taps, stride, dilation = (
        tuple(draw(st.lists(numbers, min_size=axes, max_size=axes)))
        for numbers in (
            st.integers(1, 4),
            st.integers(1, largest_stride),
            st.integers(1, 2 if axes == 2 else 3),
        )
    )
    room = 4 if axes == 2 else 12
    size = tuple(e * (k - 1) + 1 + draw(st.integers(0, room)) for e, k in zip(dilation, taps, strict=True))
    kernel = gaussian(n, d, *taps, seed=draw(st.integers(0, 10**6)))
    if draw(st.booleans()):
        kernel = kernel.sign()  # many frequencies with the same norm
    return kernel, size, {"stride": stride, "dilation": dilation, "groups": groups}


@given(convolutions(), st.sampled_from(["zeros", "circular"]), st.sampled_from([1e-2, 1e-4]))
@settings(max_examples=300)
@pytest.mark.claim("spectral.convolution")
def test_conv_spectral_norm_encloses_the_norm_of_the_matrix(case, padding, tol):
    kernel, size, options = case
    found = conv_spectral_norm(kernel, size, padding=padding, tol=tol, **options)
    true = oracles.spectral_norm_svd(oracles.convolution_operator(kernel, size, padding, **options))
    assert found.lower <= true * (1 + ROUNDED)
    assert true * (1 - ROUNDED) <= found.upper
    if padding == "circular" and all(n % s == 0 for n, s in zip(size, options["stride"], strict=True)):
        assert found.upper <= (1 + tol) * found.lower


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("axes", [1, 2])
def test_conv_spectral_norm_encloses_the_value_for_1400_random_kernels(padding, axes):
    generator = torch.Generator().manual_seed(axes)
    for _ in range(350):
        n, d, k, more = torch.randint(1, 4, (4,), generator=generator).tolist()
        kernel, size = torch.randn(n, d, *(k,) * axes, generator=generator), (k + more,) * axes
        found = conv_spectral_norm(kernel, size, padding=padding)
        true = oracles.spectral_norm_svd(oracles.convolution_operator(kernel.double(), size, padding))
        assert found.lower <= true * (1 + ROUNDED)
        assert true * (1 - ROUNDED) <= found.upper


@given(convolutions(largest_stride=1))
@settings(max_examples=100)
@pytest.mark.claim("spectral.compression")
def test_conv_spectral_norm_with_zeros_is_at_most_the_circular_one_on_a_larger_image(case):
    kernel, size, options = case
    reach = [e * (k - 1) for e, k in zip(options["dilation"], kernel.shape[2:], strict=True)]
    larger = [n + r for n, r in zip(size, reach, strict=True)]
    zeros = oracles.convolution_operator(kernel, size, "zeros", **options)
    if math.prod(larger) * kernel.shape[1] * options["groups"] < 500:  # the larger matrix, written out
        circular = oracles.convolution_operator(kernel, larger, "circular", **options)
        assert oracles.spectral_norm_svd(zeros) <= oracles.spectral_norm_svd(circular) * (1 + ROUNDED)
    bound = conv_spectral_norm(kernel, larger, padding="circular", **options).upper
    assert oracles.spectral_norm_svd(zeros) <= bound


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(3, 6), st.integers(0, 1000))
@settings(max_examples=50)
@pytest.mark.claim("spectral.fourier")
def test_conv_spectral_norm_is_the_largest_norm_of_the_fourier_matrices(n, d, k, size, seed):
    kernel = gaussian(n, d, k, k, seed=seed)
    matrices = torch.fft.fft2(kernel, (size, size)).permute(2, 3, 0, 1)
    values = torch.linalg.svdvals(matrices).flatten().sort().values
    whole = torch.linalg.svdvals(oracles.convolution_operator(kernel, (size, size), "circular"))
    torch.testing.assert_close(values, whole.sort().values, rtol=0, atol=1e-12 * float(whole.max()))
    found = conv_spectral_norm(kernel, size, padding="circular", tol=1e-6)
    assert found.lower <= float(values[-1]) * (1 + ROUNDED)
    assert float(values[-1]) * (1 - ROUNDED) <= found.upper <= (1 + 1e-6) * found.lower


@given(convolutions(), st.sampled_from(["zeros", "circular"]))
@settings(max_examples=50)
def test_conv_spectral_norm_the_witness_is_stretched_by_the_lower_bound(case, padding):
    kernel, size, options = case
    found = conv_spectral_norm(kernel, size, padding=padding, **options)
    u, v = found.witness
    assert v.shape == (kernel.shape[1] * options["groups"], *size)
    assert float(v.norm()) == pytest.approx(1)
    image = oracles.convolution_operator(kernel, size, padding, **options) @ v.flatten()
    assert float(image.norm()) == pytest.approx(found.lower, rel=1e-9)
    torch.testing.assert_close(image, found.lower * u.flatten(), rtol=0, atol=1e-9 * found.upper)


@pytest.mark.parametrize("size", [3, 4, 8, 32])
def test_conv_spectral_norm_of_ones_is_known(size):
    assert 9.0 in conv_spectral_norm(ONES, size, padding="circular", tol=1e-6)
    zeros = conv_spectral_norm(ONES, size)
    assert zeros.lower == pytest.approx((1 + 2 * math.cos(math.pi / (size + 1))) ** 2, rel=1e-9)
    assert 9.0 <= zeros.upper <= 9.09
    assert 3.0 in spectral_norm(ONES.flatten(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_conv_spectral_norm_of_a_random_kernel_is_half_again_as_large_as_the_reshaped_one(dtype):
    kernel = torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(0)).to(dtype)
    circular, zeros = (conv_spectral_norm(kernel, 32, padding=padding) for padding in ("circular", "zeros"))
    spectra = torch.fft.rfft2(kernel.double(), (32, 32)).permute(2, 3, 0, 1)
    assert circular.lower <= float(torch.linalg.svdvals(spectra).max()) * (1 + ROUNDED)
    assert (
        float(torch.linalg.svdvals(spectra).max()) * (1 - ROUNDED) <= circular.upper <= 1.01 * circular.lower
    )
    assert zeros.lower <= circular.upper
    assert zeros.upper <= 1.015 * zeros.lower
    assert zeros.lower / spectral_norm(kernel.flatten(1)).upper > 1.45


@given(st.integers(1, 3), st.integers(1, 3), st.integers(40, 90), st.integers(0, 1000))
@settings(max_examples=30)
def test_conv_spectral_norm_of_a_large_image_takes_fewer_frequencies_than_pixels(n, d, size, seed):
    kernel = gaussian(n, d, 3, seed=seed)
    for padding in ("zeros", "circular"):
        found = conv_spectral_norm(kernel, size, padding=padding, tol=0.05)
        true = oracles.spectral_norm_svd(oracles.convolution_operator(kernel, (size,), padding))
        assert found.lower <= true * (1 + ROUNDED)
        assert true * (1 - ROUNDED) <= found.upper <= 1.06 * true


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_conv_spectral_norm_survives_extreme_scales(scale):
    found = conv_spectral_norm(
        torch.ones(1, 1, 3, dtype=torch.float64) * scale, 6, padding="circular", tol=1e-9
    )
    assert found.lower <= 3 * scale <= found.upper <= (1 + 1e-9) * found.lower


def test_conv_spectral_norm_of_zero_is_zero():
    found = conv_spectral_norm(torch.zeros(2, 3, 3, 3), 5)
    assert (found.lower, found.upper) == (0, 0)


def test_conv_spectral_norm_takes_a_weight_that_requires_a_gradient():
    found = conv_spectral_norm(torch.nn.Conv2d(2, 3, 3).weight, 5)
    assert not any(image.requires_grad for image in found.witness)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize(("channels", "size"), [(128, 32), (16, 64)])
def test_conv_spectral_norm_needs_less_than_10_times_the_activations(padding, channels, size):
    kernel = gaussian(channels, channels, 3, 3, dtype=torch.float32)
    conv_spectral_norm(kernel, size, padding=padding)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        conv_spectral_norm(kernel, size, padding=padding)
    events = recorded.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    assert changes
    in_and_out = 2 * channels * size**2 * 4  # bytes of float32
    assert np.cumsum([change for _, change in changes]).max() < 10 * in_and_out


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (torch.ones(3, 3), "must have 3 or 4 axes"),
        (torch.ones(1, 1, 3, 3, 3), "must have 3 or 4 axes"),
        (torch.ones(0, 1, 3), "empty"),
        (torch.ones(1, 1, 0), "empty"),
        (torch.full((1, 1, 3), math.nan), "finite"),
        (torch.full((1, 1, 3), math.inf), "finite"),
    ],
)
def test_conv_spectral_norm_rejects_what_is_no_kernel(kernel, message):
    with pytest.raises(ValueError, match=message):
        conv_spectral_norm(kernel, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 2}, r"input_size must be at least \(3, 3\), what the kernel covers, got 2"),
        ({"input_size": (8, 4), "dilation": 2}, r"at least \(5, 5\)"),
        ({"input_size": 0}, r"input_size must be 2 whole number\(s\), at least 1, got 0"),
        ({"input_size": (8, -8)}, "input_size must be 2"),
        ({"input_size": (8, 8, 8)}, "input_size must be 2"),
        ({"input_size": 8.0}, r"input_size must be 2 whole number\(s\), at least 1, got 8\.0"),
        ({"input_size": "88"}, "input_size must be 2"),
        ({"input_size": None}, "input_size must be 2"),
        ({"stride": 0}, "stride must be 2"),
        ({"stride": 1.5}, "stride must be 2"),
        ({"dilation": (1, 0)}, "dilation must be 2"),
        ({"groups": 0}, "groups must divide the 2 output channels, got 0"),
        ({"groups": 1.0}, r"groups must divide the 2 output channels, got 1\.0"),
        ({"groups": 3}, "groups must divide the 2 output channels, got 3"),
        ({"padding": "reflect"}, 'padding must be "zeros" or "circular"'),
        ({"tol": 0.0}, "tol must be between 0 and 1"),
        ({"tol": math.nan}, "tol must be between 0 and 1"),
    ],
)
def test_conv_spectral_norm_rejects_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(conv_spectral_norm)(torch.ones(2, 1, 3, 3), **{"input_size": 8, **options})


def test_conv_spectral_norm_takes_sizes_from_numpy():
    assert inspect.unwrap(conv_spectral_norm)(ONES, np.int64(8)) is not None
    assert inspect.unwrap(conv_spectral_norm)(ONES, np.zeros((5, 6)).shape, stride=(np.int64(2), 1)).upper > 5


def test_conv_spectral_norm_with_the_least_tolerance_takes_no_more_memory():
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        found = conv_spectral_norm(ONES, 8, padding="circular", tol=1e-16)
    assert found.lower <= 9 <= found.upper <= 9 * (1 + 1e-9)
    changes = [event.nbytes() for event in recorded.profiler.kineto_results.events()]
    assert max(changes) < 10**5  # bytes


@pytest.mark.parametrize("kernel", [torch.ones(1, 1, 3, dtype=torch.int64), torch.ones(1, 1, 3).half()])
def test_conv_spectral_norm_rejects_other_types(kernel):
    with pytest.raises(TypeError, match="float32 or float64 tensor"):
        conv_spectral_norm(kernel, 8)


def test_conv_spectral_norm_rejects_an_array():
    with pytest.raises(TypeError, match="float32 or float64 tensor, got ndarray"):
        inspect.unwrap(check_kernel)(np.ones((1, 1, 3)), 1)  # without the type checks of the tests
