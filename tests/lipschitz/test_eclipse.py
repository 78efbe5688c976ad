"""`through_linear` and `through_activation`: the ellipsoid holds what it must, in spite of rounding."""

import itertools
import math
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.lipschitz._eclipse import EPS, Reach, norm_above, norm_of, through_activation, through_linear

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)
SLOPES = st.sampled_from(
    [(0.0, 1.0), (0.0, 0.25), (0.2, 1.0), (-0.1, 1.1), (-3.0, 1.0), (0.9, 1.0), (-1.0, 1.0), (1.0, 1.0)]
)


def random_matrix(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_reach(seed, n):
    """An ellipsoid as it comes out of a linear layer."""
    return through_linear(Reach(1.0), random_matrix(seed, n, n))


def exact(M):
    return mpmath.matrix(M.tolist())


def least_eigenvalue(M):
    return min(mpmath.eigsy(M, eigvals_only=True))


@settings(max_examples=100, deadline=None)
@given(seeds, sizes, SLOPES)
@pytest.mark.claim("lipschitz.ellipsoid")
def test_through_activation_holds_every_difference(seed, n, slopes):
    before = random_reach(seed, n)
    after = through_activation(before, *slopes)
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n, 200))
    values, vectors = np.linalg.eigh(before.M.numpy())
    v = vectors * np.sqrt(np.maximum(values, 0)) @ (u / np.linalg.norm(u, axis=0)) * before.length
    corner = rng.integers(0, 2, size=v.shape)  # each slope at one end of its range
    differences = v * (
        slopes[0] + (slopes[1] - slopes[0]) * np.where(rng.random(200) < 0.5, corner, rng.random(v.shape))
    )
    M = np.eye(n) if after.M is None else after.M.numpy() + 1e-12 * np.eye(n)
    inside = (differences * np.linalg.solve(M, differences)).sum(axis=0)
    assert inside.max() <= after.length**2 * (1 + 1e-6)  # solving with M, whose condition may be large


@settings(max_examples=100, deadline=None)
@given(seeds, sizes, SLOPES)
def test_through_activation_never_lengthens_the_longest_axis_by_more_than_the_slope(seed, n, slopes):
    before = random_reach(seed, n)
    after = through_activation(before, *slopes)
    assert after.length == pytest.approx(before.length * max(map(abs, slopes)), rel=1e-15)
    if after.M is not None:
        assert torch.linalg.eigvalsh(after.M)[-1] <= 1 + 1e-9  # what was added for rounding


@settings(max_examples=40, deadline=None)
@given(seeds, sizes, sizes, st.sampled_from([1e-200, 1e-3, 1.0, 1e200]))
def test_through_linear_is_at_least_the_exact_product(seed, n, d, scale):
    before, W = random_reach(seed, d), scale * random_matrix(seed + 1, n, d)
    after = through_linear(before, W)
    with mpmath.workdps(60):
        wanted = exact(W) * exact(before.M) * exact(W).T * mpmath.mpf(before.length) ** 2
        given_ = exact(after.M) * mpmath.mpf(after.length) ** 2
        assert least_eigenvalue(given_ - wanted) >= 0
        assert after.length <= before.length * mpmath.mpf(scale) * torch.linalg.matrix_norm(
            W / scale, 2
        ).item() * (1 + 1e-6)
    assert torch.linalg.eigvalsh(after.M)[-1] == pytest.approx(1, rel=1e-8)  # the norm's tolerance


@settings(max_examples=40, deadline=None)
@given(seeds, sizes, SLOPES)
def test_through_activation_is_at_least_the_exact_ellipsoid(seed, n, slopes):
    before = random_reach(seed, n)
    after = through_activation(before, *slopes)
    if after.M is None:
        return
    low, high = sorted(slopes, key=abs)
    low, high = (low, high) if high > 0 else (-low, -high)
    with mpmath.workdps(60):
        M, low, high = exact(before.M), mpmath.mpf(low), mpmath.mpf(high)
        half, middle, one = (high - low) / 2, (high + low) / 2, mpmath.eye(n)
        wanted = (
            M
            if half == 0
            else (middle**2 * mpmath.inverse(one - half / high * M) - low * high * one) / (half * high)
        )
        assert least_eigenvalue(exact(after.M) - wanted) >= 0


@settings(max_examples=50, deadline=None)
@given(seeds, st.lists(sizes, min_size=3, max_size=7))
def test_the_bound_is_that_of_the_paper_for_slopes_from_0_to_1(seed, widths):
    weights = [random_matrix(seed + i, n, d) for i, (d, n) in enumerate(itertools.pairwise(widths))]
    reach = through_linear(Reach(1.0), weights[0])
    for W in weights[1:]:
        reach = through_linear(through_activation(reach, 0.0, 1.0), W)
    assert reach.length == pytest.approx(oracles.eclipse_fast([W.numpy() for W in weights]), rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 12), st.integers(1, 12), st.sampled_from([1e-150, 1.0, 1e150]))
def test_norm_above_is_no_less_than_the_exact_norm(seed, n, rank, scale):
    half = random_matrix(seed, n, rank)
    M = scale * half @ half.T
    with mpmath.workdps(60):
        largest = max(mpmath.eigsy(exact((M + M.T) / 2), eigvals_only=True))
        assert largest <= norm_above((M + M.T) / 2) <= largest * (1 + 1e-10)


@settings(max_examples=60, deadline=None)
@given(seeds, sizes, sizes, st.sampled_from([1e-200, 1.0, 1e200]))
def test_norm_of_is_no_less_than_the_exact_norm_and_close_to_it(seed, n, d, scale):
    W = scale * random_matrix(seed, n, d)
    with mpmath.workdps(60):
        exact = oracles.spectral_norm_mpmath(W.numpy())
        assert exact <= norm_of(W) <= exact * (1 + 1e-9)


def test_norm_above_does_not_trust_an_eigenvalue_that_is_too_small(monkeypatch):
    M = random_reach(0, 5).M
    monkeypatch.setattr(torch.linalg, "eigvalsh", lambda M: torch.full((len(M),), 0.5).to(M))
    assert norm_above(M) >= 1


def test_through_linear_of_zero_reaches_nowhere():
    assert through_linear(Reach(1.0), torch.zeros(2, 3, dtype=torch.float64)) == Reach(0.0)


def test_through_activation_keeps_what_is_unknown():
    assert through_activation(Reach(2.0), 0.0, 0.25) == Reach(math.nextafter(0.5, 1))


def test_norm_above_adds_what_a_factorisation_may_have_overlooked(monkeypatch):
    M, eigvalsh = random_reach(0, 5).M, torch.linalg.eigvalsh
    largest = eigvalsh(M)[-1].item()
    monkeypatch.setattr(torch.linalg, "eigvalsh", lambda M: eigvalsh(M) * (1 - 11 * len(M) ** 2 * EPS))
    monkeypatch.setattr(torch.linalg, "cholesky_ex", lambda _: SimpleNamespace(info=0))
    assert norm_above(M) >= largest


def test_through_activation_pays_for_an_inverse_that_is_too_small(monkeypatch):
    before, invert = random_reach(0, 4), torch.cholesky_inverse
    monkeypatch.setattr(torch, "cholesky_inverse", lambda L: (1 - 1e-6) * invert(L))
    after = through_activation(before, 0.0, 1.0)
    with mpmath.workdps(60):
        wanted = mpmath.inverse(2 * mpmath.eye(4) - exact(before.M))
        assert least_eigenvalue(exact(after.M) - wanted) >= 0
