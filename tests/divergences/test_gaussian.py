"""Closed forms for Gaussians: against torch, SciPy and quadrature, and with singular covariances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracles
from mlnotes2.divergences import gaussian_kl, gaussian_w2


@st.composite
def gaussians(draw):
    """Means (2, d) and well-conditioned covariances (2, d, d)."""
    d, seed = draw(st.integers(1, 5)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(2, d, d + 3))
    return rng.normal(size=(2, d)), factors @ factors.swapaxes(1, 2) / d


@given(gaussians())
def test_gaussian_kl_agrees_with_torch(drawn):
    (m, n), (c, e) = drawn
    # conditioning of the random covariances, at most about 1e4
    assert gaussian_kl(m, c, n, e) == pytest.approx(
        oracles.gaussian_kl_torch(m, c, n, e), rel=1e-9, abs=1e-10
    )


@given(gaussians())
def test_gaussian_w2_agrees_with_the_matrix_square_root(drawn):
    (m, n), (c, e) = drawn
    assert gaussian_w2(m, c, n, e) == pytest.approx(oracles.gaussian_w2_scipy(m, c, n, e), rel=1e-7)


@given(gaussians())
def test_gaussian_forms_vanish_for_equals(drawn):
    (m, _), (c, _) = drawn
    assert 0 <= gaussian_kl(m, c, m, c) < 1e-20  # the square of a rounding error
    assert gaussian_w2(m, c, m, c) < 1e-12  # a rounding error, not its square root


@given(gaussians())
def test_gaussian_w2_is_symmetric(drawn):
    (m, n), (c, e) = drawn
    assert gaussian_w2(m, c, n, e) == pytest.approx(gaussian_w2(n, e, m, c), rel=1e-10)


def test_gaussian_kl_agrees_with_quadrature():
    assert gaussian_kl(0.3, 0.5**2, -1, 2**2) == pytest.approx(
        oracles.gaussian_kl_quadrature(0.3, 0.5, -1, 2), rel=1e-9
    )


def test_gaussian_kl_takes_a_small_eigenvalue_for_what_it_is():
    p, q = np.diag([1, 1e-12]), np.diag([1, 2e-12])
    assert gaussian_kl([0, 0], p, [0, 0], q) == pytest.approx((math.log(2) - 0.5) / 2, rel=1e-9)


@pytest.mark.parametrize("form", [gaussian_kl, gaussian_w2])
@pytest.mark.parametrize("seed", range(5))
def test_gaussian_forms_take_covariances_that_rounding_made_crooked(form, seed):
    """Products of one long factor: not quite symmetric, with eigenvalues that are not quite 0."""
    factor = np.random.default_rng(seed).normal(size=(4, 1))
    cov = factor @ factor.T
    cov[0, 1] = np.nextafter(cov[0, 1], np.inf)
    assert np.linalg.eigvalsh(cov)[0] < 0
    assert form(np.zeros(4), cov, np.zeros(4), cov) < 1e-7


@pytest.mark.parametrize("variance", [1e-300, 1e-20, 0.5, 1 + 1e-9, 1e20])
def test_gaussian_kl_of_very_different_widths_is_that_of_the_formula(variance):
    excess = variance - 1
    wanted = math.fsum([excess, -math.log(variance)]) / 2 if abs(excess) > 1e-3 else excess**2 / 4
    assert gaussian_kl(0, variance, 0, 1) == pytest.approx(wanted, rel=1e-6, abs=0)
    assert gaussian_kl([0, 0], variance * np.eye(2), [0, 0], np.eye(2)) == pytest.approx(
        2 * wanted, rel=1e-6, abs=0
    )


@pytest.mark.parametrize("unit", [1e-200, 1e-20, 1e200])
def test_gaussian_w2_scales_with_the_means_though_their_squares_would_overflow(unit):
    zero = np.zeros((2, 2))
    assert gaussian_w2([0, 0], zero, [3 * unit, 4 * unit], zero) == pytest.approx(5 * unit, rel=1e-15, abs=0)


def test_gaussian_w2_agrees_with_quantiles():
    assert gaussian_w2(0.3, 0.5**2, -1, 2**2) == pytest.approx(math.hypot(1.3, 1.5), rel=1e-14)


def test_gaussian_w2_of_points_is_their_distance():
    assert gaussian_w2([0, 0], np.zeros((2, 2)), [3, 4], np.zeros((2, 2))) == 5
    assert gaussian_w2(0, 0, 2, 0) == 2


@pytest.mark.parametrize(
    ("p", "q", "value"),
    [
        ((0, 0), (0, 0), 0.0),  # the same point
        ((0, 0), (1, 0), math.inf),  # two points
        ((0, 0), (0, 1), math.inf),  # a point has no density
        ((0, 1), (0, 0), math.inf),
        (([0, 0], np.diag([1, 0])), ([0, 0], np.diag([2, 0])), (math.log(2) - 0.5) / 2),  # one line
        (([0, 0], np.diag([1, 0])), ([0, 1], np.diag([1, 0])), math.inf),  # parallel lines
        (([0, 0], np.diag([1, 0])), ([0, 0], np.diag([0, 1])), math.inf),  # crossing lines
        (([0, 0], np.ones((2, 2))), ([1, 1], np.ones((2, 2))), 0.5),  # along one diagonal
        (([0, 0], np.ones((2, 2))), ([1, 0], np.ones((2, 2))), math.inf),  # beside it
        (([0, 0], np.ones((2, 2))), ([0, 0], np.eye(2)), math.inf),
    ],
)
def test_gaussian_kl_with_singular_covariances(p, q, value):
    assert gaussian_kl(*p, *q) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("form", [gaussian_kl, gaussian_w2])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ([0, 0], np.diag([1, -1]), [0, 0], np.eye(2)),
            "cov_p must be positive semi-definite, got the eigenvalue -1",
        ),
        ((0, 1, 0, -1), "cov_q must be positive semi-definite"),
        (([0, 0], [[1, 0.5], [0, 1]], [0, 0], np.eye(2)), "cov_p must be symmetric"),
        (
            ([0, 0], np.eye(3), [0, 0], np.eye(2)),
            r"must have shapes \(d,\) and \(d, d\).* got \(2,\) and \(3, 3\)",
        ),
        (([0], 1, 0, 1), "must have shapes"),
        (([0, 0], np.eye(2), [0], [[1]]), "one dimension d, got 2 and 1"),
        ((math.nan, 1, 0, 1), "mean_p must be finite"),
    ],
)
def test_gaussian_forms_reject_bad_input(form, arguments, message):
    with pytest.raises(ValueError, match=message):
        form(*arguments)
