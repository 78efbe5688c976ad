"""FDivergence.monte_carlo: unbiased, its standard error, where that fails, zeros and errors."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from divergences.strategies import pairs
from mlnotes2.divergences import GAN, HELLINGER, JEFFREYS, JS, KL, PEARSON, REVERSE_KL, TV, gaussian_kl

ALL = [GAN, HELLINGER, JEFFREYS, JS, KL, PEARSON, REVERSE_KL, TV]
each = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


def normal(mean, std):
    return Normal(tensor(mean), tensor(std))


def drawn(m, n, *, repeats, seed=0):
    """Independent samples of M, shape (repeats, n), by inverting its distribution function."""
    return m.icdf(torch.rand(repeats, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))


def estimate(f, p, q, m, x):
    return f.monte_carlo(p.log_prob(x), q.log_prob(x), m.log_prob(x))


def share_within_two_errors(result, truth):
    return ((result.estimate - truth).abs() <= 2 * result.standard_error).double().mean().item()


@pytest.mark.claim("divergences.monte-carlo")
@each
@settings(max_examples=25)
@given(pair=pairs(zeros=False), shares=st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_monte_carlo_is_right_on_average_whatever_the_samples_come_from(f, pair, shares):
    """Outcome i is drawn as often as M says: then the mean over the samples is the mean under M."""
    p, q = map(tensor, pair)
    counts = torch.tensor(shares[: len(p)]) * 2  # two samples at least
    log_p, log_q, log_m = (v.repeat_interleave(counts).log() for v in (p, q, counts / tensor(counts.sum())))
    result = f.monte_carlo(log_p, log_q, log_m)
    assert result.estimate.item() == pytest.approx(f.divergence(p, q).item(), rel=1e-9, abs=1e-11)


@pytest.mark.claim("divergences.monte-carlo")
@pytest.mark.parametrize("source", ["p", "q"])
@pytest.mark.parametrize("f", [KL, REVERSE_KL, JS, HELLINGER], ids=lambda f: f.name)
def test_monte_carlo_is_within_two_standard_errors_19_times_of_20(f, source):
    laws = {"p": normal(0.0, 1.0), "q": normal(0.5, 1.0)}
    p, q = laws.values()
    x = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    truth = f.divergence(*((v := law.log_prob(x).exp()) / v.sum() for law in (p, q))).item()
    result = estimate(f, p, q, laws[source], drawn(laws[source], 500, repeats=400))
    # 0.954 for a normal error, 0.01 for one standard deviation of the share, and skewness
    assert share_within_two_errors(result, truth) == pytest.approx(0.95, abs=0.035)


@pytest.mark.claim("divergences.monte-carlo-fails")
@given(st.floats(0.2, 0.4), st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_monte_carlo_of_kl_from_a_narrow_model_is_sure_and_wrong(std, seed):
    p, q = normal(0.0, 1.0), normal(0.0, std)
    truth = gaussian_kl(0, 1, 0, std**2)
    from_model, from_data = (estimate(KL, p, q, m, drawn(m, 1000, repeats=100, seed=seed)) for m in (q, p))
    assert share_within_two_errors(from_model, truth) < 0.5
    assert from_model.estimate.median().item() < truth / 2
    assert share_within_two_errors(from_data, truth) > 0.8


@pytest.mark.claim("divergences.monte-carlo-fails")
@given(st.floats(0.3, 0.7))
def test_second_moment_of_kl_from_a_narrow_model_grows_without_end(std):
    p, q = normal(0.0, 1.0), normal(0.0, std)

    def second_moment(reach, m):
        x = torch.linspace(-reach, reach, 4001, dtype=torch.float64)
        log_u = p.log_prob(x) - q.log_prob(x)
        log_share = 2 * p.log_prob(x) - m.log_prob(x)  # of the square of the term (p / m) log u
        return torch.trapezoid(log_share.exp() * log_u**2, x).item()

    assert second_moment(20, q) > 16 * second_moment(10, q)  # x^4, and more, over twice the range
    assert second_moment(20, p) == pytest.approx(second_moment(10, p), rel=1e-6)


@each
def test_monte_carlo_counts_what_only_one_distribution_has(f):
    """From the mixture of [1/2, 1/2, 0] and [0, 1/2, 1/2]: a quarter, a half and a quarter of the samples."""
    log = torch.log(tensor([[0.5, 0.5, 0.5, 0.0], [0.0, 0.5, 0.5, 0.5], [0.25, 0.5, 0.5, 0.25]]))
    expected = f.divergence(tensor([0.5, 0.5, 0.0]), tensor([0.0, 0.5, 0.5])).item()
    assert f.monte_carlo(*log).estimate.item() == pytest.approx(expected, rel=1e-12)


def test_monte_carlo_ignores_samples_that_neither_distribution_has():
    log_p, log_q, log_m = torch.log(tensor([[0.5, 0.0, 0.5, 0.0], [0.9, 0.0, 0.1, 0.0], [0.25] * 4]))
    expected = KL.divergence(tensor([0.5, 0.5]), tensor([0.9, 0.1]))
    torch.testing.assert_close(KL.monte_carlo(log_p, log_q, log_m).estimate, expected)


def test_monte_carlo_is_infinite_with_an_unknown_error_where_the_data_are_impossible():
    result = KL.monte_carlo(tensor([0.0, 0.0]), tensor([0.0, -math.inf]), tensor([0.0, 0.0]))
    assert result.estimate.item() == math.inf
    assert math.isnan(result.standard_error.item())


def test_monte_carlo_of_kl_can_be_negative():
    log_p, log_q = tensor([-2.0, -1.0]), tensor([-1.0, -0.5])
    assert KL.monte_carlo(log_p, log_q, log_p).estimate.item() == -0.75


def test_standard_error_is_that_of_a_mean():
    log_p, log_q = torch.randn(2, 3, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    result = KL.monte_carlo(log_p, log_q, log_p)
    terms = (log_p - log_q).numpy()
    np.testing.assert_allclose(result.estimate, terms.mean(-1), rtol=1e-12)
    np.testing.assert_allclose(result.standard_error, terms.std(-1, ddof=1) / math.sqrt(50), rtol=1e-12)


@each
def test_monte_carlo_keeps_float32_when_ratios_are_large(f):
    log_p = torch.tensor([[-2.0, -1.0], [-40.0, -30.0]])
    result = f.monte_carlo(log_p, log_p.flip(0), log_p)
    exact = f.monte_carlo(log_p.double(), log_p.flip(0).double(), log_p.double())
    assert result.estimate.dtype == result.standard_error.dtype == torch.float32
    torch.testing.assert_close(result.estimate, exact.estimate.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("apart", [60.0, 200.0, 340.0])
@each
def test_monte_carlo_in_float32_holds_where_a_ratio_of_float32_numbers_would_not(f, apart):
    """P and Q swap their densities at two samples, e^0 and e^-apart, of which the smaller one counts for nothing."""
    log = torch.tensor([0.0, -apart])
    found = f.monte_carlo(log, log.flip(0), torch.zeros(2)).estimate.item()
    at_zero = f.generator(tensor(math.exp(-apart))).item()
    wanted = {"KL": apart, "REVERSE_KL": apart, "JEFFREYS": 2 * apart, "PEARSON": math.exp(min(apart, 100))}
    wanted = wanted.get(f.name, at_zero + f.domain[1]) / 2
    assert found == (pytest.approx(wanted, rel=1e-5, abs=1e-6) if wanted < 1e38 else math.inf)


@pytest.mark.parametrize("f", [REVERSE_KL, JEFFREYS], ids=lambda f: f.name)
def test_monte_carlo_never_takes_a_small_density_for_0(f):
    with pytest.raises(ValueError, match=rf"range of float64 for {f.name}, got log_p - log_q from -800 to 0"):
        f.monte_carlo(tensor([-800.0, 0.0]), tensor([0.0, 0.0]), tensor([0.0, 0.0]))


@pytest.mark.parametrize("f", [JS, GAN, HELLINGER, TV], ids=lambda f: f.name)
def test_monte_carlo_of_bounded_terms_takes_every_ratio(f):
    log_p, log_q = tensor([0.0, -1.0]).requires_grad_(), tensor([-2000.0, 0.0]).requires_grad_()
    found = f.monte_carlo(log_p, log_q, tensor([0.0, 0.0])).estimate
    assert found.item() == pytest.approx(
        (f.domain[1] + f.generator(tensor(1 / math.e)).item()) / 2, rel=1e-12
    )
    assert all(slope.isfinite().all() for slope in torch.autograd.grad(found, (log_p, log_q)))


@each
def test_monte_carlo_has_gradients_in_the_densities(f):
    log_p, log_q, log_m = torch.randn(
        3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    assert torch.autograd.gradcheck(lambda *log: f.monte_carlo(*log).estimate, (log_p, log_q, log_m))


@pytest.mark.parametrize(
    ("log_p", "log_q", "log_m", "message"),
    [
        ([0.0, math.nan], [0.0, 0.0], [0.0, 0.0], "log_p must be finite, or -inf"),
        ([0.0, 0.0], [0.0, math.inf], [0.0, 0.0], "log_q must be finite, or -inf"),
        ([0.0, 0.0], [0.0, 0.0], [0.0, -math.inf], "log_m must be finite"),
        ([0.0], [0.0], [0.0], r"n at least 2, got \[\(1,\)"),
        ([], [], [], "must not be empty"),
        (
            [0.0, 800.0],
            [0.0, 0.0],
            [0.0, 800.0],
            "range of float64 for KL, got log_p - log_q from 0 to 800 and .*; of KL, the mean of log_p - log_q",
        ),
    ],
)
def test_monte_carlo_rejects_what_it_cannot_average(log_p, log_q, log_m, message):
    with pytest.raises(ValueError, match=message):
        KL.monte_carlo(tensor(log_p), tensor(log_q), tensor(log_m))


def test_monte_carlo_rejects_mixed_dtypes():
    with pytest.raises(
        ValueError, match=r"one dtype and device, got torch.float64 on cpu, torch.float32 on cpu"
    ):
        KL.monte_carlo(torch.zeros(2).double(), torch.zeros(2), torch.zeros(2))


def test_monte_carlo_rejects_shapes_that_differ():
    unchecked = inspect.unwrap(KL.monte_carlo)  # past jaxtyping, as users call it
    with pytest.raises(ValueError, match=r"one shape .* got \[\(2,\), \(3,\), \(2,\)\]; give all three"):
        unchecked(KL, torch.zeros(2), torch.zeros(3), torch.zeros(2))
