"""Mode coverage against samples whose answer is known."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr

from mlnotes2.gan import mode_coverage, ring, ring_modes


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=9).filter(any))
def test_mode_coverage_counts_what_was_placed(counts):
    modes = 10.0 * torch.arange(len(counts)).double()[:, None]
    samples = modes.repeat_interleave(torch.tensor(counts), dim=0) + 0.5
    found = mode_coverage(samples, modes, sigma=1.0)
    assert found.counts == tuple(counts)
    assert found.captured == np.count_nonzero(counts)
    assert found.high_quality == 1
    share = np.array(counts) / sum(counts)
    uniform = np.full(len(counts), 1 / len(counts))
    assert found.reverse_kl == pytest.approx(
        rel_entr(share, uniform).sum(), abs=1e-12
    )  # rounding of nine terms


@pytest.mark.claim("gan.lost-modes-bound")
@given(st.lists(st.integers(0, 20), min_size=2, max_size=9).filter(any))
def test_mode_coverage_reverse_kl_is_at_least_that_of_equal_shares(counts):
    modes = torch.arange(len(counts)).double()[:, None]
    found = mode_coverage(modes.repeat_interleave(torch.tensor(counts), dim=0), modes, sigma=0.1)
    bound = math.log(len(counts) / np.count_nonzero(counts))
    assert bound - 1e-12 <= found.reverse_kl <= math.log(len(counts)) + 1e-12  # rounding
    if len(set(counts) - {0}) == 1:
        assert found.reverse_kl == pytest.approx(bound, abs=1e-12)


@pytest.mark.claim("gan.share-divergence")
@given(k=st.integers(1, 20), copies=st.integers(1, 5), factor=st.floats(1.05, 5))
def test_mode_coverage_reverse_kl_does_not_see_bad_samples(k, copies, factor):
    modes = ring_modes(modes=k)
    far = mode_coverage(factor * modes.repeat(copies, 1), modes, sigma=0.01)  # at least 5 standard deviations
    assert far.reverse_kl == pytest.approx(0, abs=1e-12)  # rounding of the shares
    assert (far.captured, far.high_quality) == (0, 0)


@pytest.mark.claim("gan.quality-ceiling")
def test_mode_coverage_of_the_truth_stays_below_the_ceiling():
    n = 200_000
    found = mode_coverage(ring(n, generator=_rng()), ring_modes(), sigma=0.01)
    ceiling = 1 - math.exp(-4.5)
    error = math.sqrt(ceiling * (1 - ceiling) / n)
    assert abs(found.high_quality - ceiling) < 4 * error
    assert found.captured == 8
    assert found.reverse_kl < 8 / n  # its mean is (8 - 1) / (2 n)


def test_mode_coverage_takes_the_boundary_as_near():
    found = mode_coverage(torch.tensor([[1.5], [-1.75]]), torch.zeros(1, 1), sigma=0.5, k=3.0)
    assert (found.captured, found.high_quality) == (1, 0.5)


def test_mode_coverage_is_exact_for_many_float32_modes_far_from_the_origin():
    modes = 1000.0 + torch.arange(30.0)[:, None] * torch.ones(1, 2)
    found = mode_coverage(modes + 0.01, modes, sigma=0.01)
    assert (found.captured, found.high_quality) == (30, 1)  # the default of cdist would say 0


GOOD = torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("samples", "modes", "options", "error", "message"),
    [
        ([[0.0, 0.0]], GOOD, {}, TypeError, r"pass torch\.as_tensor\(samples"),
        (GOOD, GOOD.long(), {}, TypeError, "modes must be a floating-point tensor"),
        (GOOD, GOOD.double(), {}, TypeError, "must share a dtype"),
        (GOOD[0], GOOD, {}, ValueError, r"samples must have shape \(points, axes\), got \(2,\)"),
        (GOOD[:0], GOOD, {}, ValueError, r"got \(0, 2\)"),
        (GOOD + torch.nan, GOOD, {}, ValueError, "samples must be finite"),
        (GOOD, GOOD[:, :1], {}, ValueError, r"must share axes and device, got \(3, 2\) on cpu and \(3, 1\)"),
        (GOOD, GOOD, {"sigma": 0.0}, ValueError, "sigma and k must be positive and finite, got 0.0"),
        (GOOD, GOOD, {"k": math.nan}, ValueError, "sigma and k must be positive"),
    ],
)
def test_mode_coverage_rejects_bad_input(samples, modes, options, error, message):
    with pytest.raises(error, match=message):
        inspect.unwrap(mode_coverage)(samples, modes, **{"sigma": 1.0} | options)
