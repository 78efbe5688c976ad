"""Published examples: what other libraries, textbooks and papers print for an input, our functions find too."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom, geom, norm, poisson

from mlnotes2 import divergences
from mlnotes2.divergences import (
    FDivergence,
    gaussian_kl,
    gaussian_w2,
    jeffreys,
    js,
    kl,
    pearson_chi2,
    reverse_kl,
    squared_hellinger,
    total_variation,
)

FAIR, BITS = [1 / 2, 1 / 2], math.log(2)
DIE = np.array([16, 16, 16, 16, 16, 8]) / 88
THROWS = np.array([16, 18, 16, 14, 12, 12]) / 88
COLUMNS = np.array([[0.1, 0.2], [0.6, 0.3], [0.3, 0.5]]).T, np.array([[0.2, 0.1], [0.3, 0.6], [0.5, 0.3]]).T
UNIFORM = np.full(3, 1 / 3)
GRID = np.arange(1, 13).reshape(3, 4)


def scaled(weights, axis=-1):
    """Rows of total 1: SciPy divides by the sum, we never do."""
    return np.moveaxis(weights / np.sum(weights, axis=axis, keepdims=True), axis, -1)


CASES = {  # function, p, q, what is published, to how many decimals
    "Wikipedia, Kullback-Leibler divergence": (kl, binom(2, 0.4).pmf(range(3)), UNIFORM, 0.0852996, 7),
    "Wikipedia, and back": (reverse_kl, binom(2, 0.4).pmf(range(3)), UNIFORM, 0.097455, 6),
    "Cover and Thomas (2006), example 2.3.1": (kl, FAIR, [3 / 4, 1 / 4], 0.2075 * BITS, 4),
    "Cover and Thomas (2006), and back": (reverse_kl, FAIR, [3 / 4, 1 / 4], 0.1887 * BITS, 4),
    "SciPy, stats.entropy": (kl, FAIR, [9 / 10, 1 / 10], 0.7369655941662062 * BITS, 15),
    "SciPy, test_entropy_2d": (kl, *COLUMNS, [0.1933259, 0.18609809], 7),
    "SciPy, test_entropy_2d_nondefault_axis": (
        kl,
        scaled(COLUMNS[0].T),
        scaled(COLUMNS[1].T),
        [0.23104906, 0.23104906, 0.12770641],
        8,
    ),
    "SciPy, test_entropy_2d_zero": (
        kl,
        scaled([[0, 0.6, 0.3], [0.2, 0.3, 0.5]]),
        scaled([[0, 0.3, 0.5], [0.1, 0.6, 0.3]]),
        [0.17403988, 0.18609809],
        8,
    ),
    "SciPy, test_entropy_2d_zero, first": (
        kl,
        COLUMNS[0][0],
        scaled([0, 0.3, 0.5]),
        math.inf,
        0,
    ),
    "SciPy, jensenshannon 1": (js, [1, 0, 0], [0, 1, 0], BITS, 15),
    "SciPy, jensenshannon 2": (js, [1, 0], FAIR, 0.46450140402245893**2, 15),
    "SciPy, jensenshannon 3": (js, [1, 0, 0], [1, 0, 0], 0, 15),
    "SciPy, jensenshannon, axis 0": (
        js,
        scaled(GRID, 0),
        scaled(GRID + 12, 0),
        np.square([0.1954288, 0.1447697, 0.1138377, 0.0927636]),
        7,
    ),
    "SciPy, jensenshannon, axis 1": (
        js,
        scaled(GRID),
        scaled(GRID + 12),
        np.square([0.1402339, 0.0399106, 0.0201815]),
        7,
    ),
    "SciPy, chisquare": (pearson_chi2, THROWS, np.full(6, 1 / 6), 2 / 88, 15),
    "SciPy, chisquare of two rows": (
        pearson_chi2,
        THROWS,
        [DIE, np.array([8, 20, 20, 16, 12, 12]) / 88],
        np.array([3.5, 9.25]) / 88,
        15,
    ),
    "SciPy, power_divergence, log-likelihood": (kl, THROWS, np.full(6, 1 / 6), 2.006573162632538 / 176, 15),
    "SciPy, power_divergence, other frequencies": (kl, THROWS, DIE, 3.3281031458963746 / 176, 15),
}


@pytest.mark.parametrize("source", CASES)
def test_divergences_find_published_values(source):
    divergence, p, q, wanted, decimals = CASES[source]
    np.testing.assert_allclose(
        divergence(p, q), wanted, rtol=0, atol=0.6 * 10.0**-decimals
    )  # the digits given


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (5.0, 2.0), (1.0, 1.0)])
def test_divergences_of_two_poisson_laws_have_their_closed_forms(a, b):
    p, q = poisson([[a], [b]]).pmf(range(60))
    assert kl(p, q) == pytest.approx(a * math.log(a / b) - a + b, rel=1e-9, abs=1e-15)
    assert jeffreys(p, q) == pytest.approx((a - b) * math.log(a / b), rel=1e-9, abs=1e-15)
    assert squared_hellinger(p, q) == pytest.approx(
        -math.expm1(-((a**0.5 - b**0.5) ** 2) / 2), rel=1e-9, abs=1e-15
    )
    assert pearson_chi2(p, q) == pytest.approx(math.expm1((a - b) ** 2 / b), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.25), (0.2, 0.7)])
def test_divergences_of_two_waiting_times_and_two_coins_have_their_closed_forms(a, b):
    """Geometric laws wait for the first head of coins with the shares a and b."""
    one_throw = a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))
    assert kl([a, 1 - a], [b, 1 - b]) == pytest.approx(one_throw, rel=1e-12)
    assert kl(*binom(7, [[a], [b]]).pmf(range(8))) == pytest.approx(7 * one_throw, rel=1e-9)
    assert kl(*geom([[a], [b]]).pmf(range(1, 300))) == pytest.approx(one_throw / a, rel=1e-9)
    assert total_variation([a, 1 - a], [b, 1 - b]) == pytest.approx(abs(a - b), rel=1e-12)


GAUSSIANS = {  # of N(0, 1) and N(m, 1), with d = m^2
    "KL": lambda d: d / 2,
    "REVERSE_KL": lambda d: d / 2,
    "JEFFREYS": lambda d: d,
    "PEARSON": math.expm1,
    "HELLINGER": lambda d: -math.expm1(-d / 8),
    "TV": lambda d: 2 * norm.cdf(math.sqrt(d) / 2) - 1,
}


@pytest.mark.parametrize("name", GAUSSIANS)
@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_f_divergences_of_two_gaussians_have_their_closed_forms(name, shift):
    """Sums over a grid err far below 1e-9 but for TV, which has a kink."""
    f: FDivergence = getattr(divergences, name)
    x = torch.linspace(-12, 12, 12_001, dtype=torch.float64)
    p, q = (torch.exp(-((x - mean) ** 2) / 2) for mean in (0, shift))
    found = f.divergence(p / p.sum(), q / q.sum()).item()
    assert found == pytest.approx(GAUSSIANS[name](shift**2), rel=1e-6 if name == "TV" else 1e-9)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.5, 0.25), (-2.0, 4.0)])
def test_gaussian_kl_is_that_of_variational_autoencoders(mean, variance):
    """Kingma and Welling (2014), appendix B: minus half the sum of 1 + log v - m^2 - v over the coordinates."""
    wanted = -(1 + math.log(variance) - mean**2 - variance) / 2
    assert gaussian_kl(mean, variance, 0, 1) == pytest.approx(wanted, rel=1e-14)
    twice = gaussian_kl([mean] * 2, variance * np.eye(2), [0, 0], np.eye(2))
    assert twice == pytest.approx(2 * wanted, rel=1e-14)


def test_gaussian_w2_has_published_values():
    assert gaussian_w2(0, 1, 10, 1) == pytest.approx(10, rel=1e-15)  # POT, test_bures_wasserstein_distance
    root = math.sqrt(3)  # of the eigenvalues 3 and 1 of the covariance
    assert gaussian_w2([0, 0], [[2, 1], [1, 2]], [0, 0], np.eye(2)) == pytest.approx(root - 1, rel=1e-14)
    # Dowson and Landau (1982): where covariances commute, the distance of their roots
    assert gaussian_w2([1, 2], np.diag([1, 4]), [4, 6], np.diag([9, 25])) == pytest.approx(
        math.sqrt(25 + 4 + 9), rel=1e-14
    )


def test_gaussian_kl_is_that_of_torch():
    p, q = (torch.distributions.Normal(m, s) for m, s in ((0.3, 0.5), (-1.0, 2.0)))
    wanted = torch.distributions.kl_divergence(p, q).item()
    assert gaussian_kl(0.3, 0.25, -1, 4) == pytest.approx(wanted, rel=1e-6)  # float32
