"""fit_gaussian: known minima, and that no other Gaussian does better."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlnotes2.divergences import fit_gaussian, gaussian_kl

X = np.linspace(-16, 16, 801)


def normal(mean, std, x=X):
    return np.exp(-(((x - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


def two_modes(share=0.6, apart=3.0):
    return share * normal(-apart, 0.8) + (1 - share) * normal(apart, 0.8)


@settings(max_examples=10)  # each fits five times
@given(st.floats(-3, 3), st.floats(0.7, 1.8))
def test_fit_gaussian_finds_a_gaussian_whatever_the_weight(mean, std):
    for weight in (0.0, 0.3, 0.5, 0.8, 1.0):
        fit = fit_gaussian(X, normal(mean, std), weight=weight)
        assert (fit.mean, fit.std) == pytest.approx(
            (mean, std), abs=1e-5
        )  # a flat minimum: the root of 1e-13, and slack


def test_fit_gaussian_by_kl_matches_mean_and_variance():
    fit = fit_gaussian(X, two_modes(0.6, 3.0), weight=1.0)
    mean = -0.6 * 3 + 0.4 * 3
    assert fit.mean == pytest.approx(mean, abs=1e-6)
    assert fit.std == pytest.approx(np.sqrt(0.8**2 + 9 - mean**2), abs=1e-6)


def test_fit_gaussian_reports_the_divergences_of_its_minimum():
    fit = fit_gaussian(X, normal(1, 1.5), weight=1.0)
    assert (fit.reverse_kl, fit.forward_kl) == pytest.approx((0, 0), abs=1e-9)
    moved = two_modes(0.5, 3.0)
    fit = fit_gaussian(X, moved, weight=0.0)
    q = normal(fit.mean, fit.std)
    step = X[1] - X[0]
    assert fit.reverse_kl == pytest.approx(step * (q * np.log(q / moved)).sum(), abs=1e-12)
    assert fit.forward_kl == pytest.approx(step * (moved * np.log(moved / q)).sum(), rel=1e-12)


@given(st.floats(0, 1), st.floats(-5, 5), st.floats(0.3, 5))
@settings(max_examples=30)
def test_fit_gaussian_is_no_worse_than_any_other(weight, mean, std):
    p, step = two_modes(), X[1] - X[0]
    fit = fit_gaussian(X, p, weight=weight)
    log_q = -(((X - mean) / std) ** 2) / 2 - np.log(std * np.sqrt(2 * np.pi))
    reverse = step * (np.exp(log_q) * (log_q - np.log(p))).sum()
    forward = step * (p * (np.log(p) - log_q)).sum()
    best = (1 - weight) * fit.reverse_kl + weight * fit.forward_kl
    assert best <= (1 - weight) * reverse + weight * forward + 1e-9


def test_fit_gaussian_agrees_with_the_closed_form():
    p = normal(0, 1)
    fit = fit_gaussian(X, p, weight=0.0)
    assert fit.reverse_kl == pytest.approx(gaussian_kl(0, 1, 0, 1), abs=1e-9)


@pytest.mark.parametrize(
    ("x", "p", "weight", "message"),
    [
        (X, two_modes(), 1.5, r"weight must be in \[0, 1\], got 1.5"),
        (X[:10], two_modes()[:10], 0.0, "at least 50"),
        (X**3, two_modes(), 0.0, "evenly spaced"),
        (X, two_modes() - two_modes().min(), 0.0, "must be positive"),
        (X, 2 * two_modes(), 0.0, "must integrate to 1 .* got 2"),
        (X, (1 + 1e-5) * two_modes(), 0.0, "must integrate to 1 .* got 1.00001"),
        (X, two_modes()[:-1], 0.0, "one length"),
    ],
)
def test_fit_gaussian_rejects_bad_input(x, p, weight, message):
    with pytest.raises(ValueError, match=message):
        fit_gaussian(x, p, weight=weight)
