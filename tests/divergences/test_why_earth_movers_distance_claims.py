"""The claims, mistakes and solutions of the note on why the Earth Mover's Distance."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences.strategies import pairs
from mlnotes2 import divergences
from mlnotes2.divergences import gaussian_kl, gaussian_w2, js, kl, pearson_chi2, total_variation
from mlnotes2.transport import emd, emd_1d

NAMES = ["GAN", "HELLINGER", "JEFFREYS", "JS", "KL", "PEARSON", "REVERSE_KL", "TV"]
few = settings(max_examples=25)  # for each divergence


def wasserstein_of_lines(theta, k=6):
    """W between k points on each of the two lines, in the plane."""
    height = (np.arange(k) + 0.5) / k
    cost = np.hypot(theta, height[:, None] - height)
    return emd(np.full(k, 1 / k), np.full(k, 1 / k), cost).cost


def w(x, y, a, b, k):
    """The distance W_k of weighted points of the plane."""
    return emd(a, b, np.linalg.norm(x[:, None] - y, axis=2) ** k).cost ** (1 / k)


@pytest.mark.claim("divergences.metric")
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 1.5, 2]))
def test_emd_satisfies_the_triangle_inequality(seed, k):
    """Between points of a small grid, where it is often an equality."""
    rng = np.random.default_rng(seed)
    points = [rng.integers(-1, 2, (n, 2)) for n in rng.integers(1, 6, 3)]
    masses = [rng.dirichlet(np.ones(len(x))) for x in points]
    (x, y, z), (a, b, c) = points, masses
    assert w(x, z, a, c, k) <= w(x, y, a, b, k) + w(y, z, b, c, k) + 1e-7  # the root of the solver's 1e-14
    assert w(x, y, a, b, k) == pytest.approx(w(y, x, b, a, k), rel=1e-9, abs=1e-7)
    assert w(x, x[::-1], a, a[::-1], k) <= 1e-7
    assert w(x, x + 1, a, a, k) > 1.41


@pytest.mark.claim("divergences.metric")
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 2), (1, 1.5), (2, 3)]))
def test_emd_grows_with_the_power(seed, powers):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    a, b = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(4))
    lower, upper = (w(x, y, a, b, k) for k in powers)
    assert lower <= upper * (1 + 1e-12)
    assert w(x, x + 1, a, a, powers[0]) == pytest.approx(2**0.5, rel=1e-9)  # equal ways: all powers agree


@pytest.mark.claim("divergences.metric")
def test_squares_without_the_root_are_no_metric():
    from_0, from_1, from_2 = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])
    steps = [w(x, y, [1], [1], 2) ** 2 for x, y in ((from_0, from_1), (from_1, from_2), (from_0, from_2))]
    assert steps == [1, 1, 4]


@pytest.mark.claim("divergences.parallel-lines")
@given(st.floats(0.01, 10), st.sampled_from([-1, 1]))
def test_parallel_lines_have_constant_divergences_and_distance_theta(size, sign):
    theta = sign * size
    left, right = [1, 0], [0, 1]  # how much of each lies on the line at 0, and on the line at theta
    assert js(left, right) == pytest.approx(math.log(2), abs=1e-15)
    assert total_variation(left, right) == 1
    assert kl(left, right) == kl(right, left) == math.inf
    assert wasserstein_of_lines(theta) == pytest.approx(abs(theta), rel=1e-12)
    slope = (wasserstein_of_lines(theta + 1e-3) - wasserstein_of_lines(theta - 1e-3)) / 2e-3
    assert slope == pytest.approx(sign, abs=1e-9)


@pytest.mark.claim("divergences.parallel-lines")
def test_parallel_lines_that_coincide_have_distance_0():
    assert js([1], [1]) == total_variation([1], [1]) == kl([1], [1]) == 0
    assert wasserstein_of_lines(0.0) == pytest.approx(0, abs=1e-15)


def distance(x, y):
    """W between two samples of points in the plane."""
    lengths = np.linalg.norm(x[:, None] - y, axis=2)
    return emd(np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), lengths).cost


@pytest.mark.claim("divergences.shift")
@given(st.integers(0, 2**32 - 1))
def test_emd_of_a_shift_is_its_length(seed):
    rng = np.random.default_rng(seed)
    x, a = rng.standard_cauchy(size=(12, 2)), rng.normal(size=2)
    assert distance(x, x + a) == pytest.approx(np.linalg.norm(a), rel=1e-9, abs=1e-9)


@pytest.mark.claim("divergences.shift")
@given(st.integers(0, 2**32 - 1), st.floats(-10, 10).filter(bool))
def test_emd_scales_and_does_not_see_a_common_shift(seed, scale):
    x, y, a = np.random.default_rng(seed).normal(size=(3, 9, 2))
    assert distance(scale * x + a[0], scale * y + a[0]) == pytest.approx(
        abs(scale) * distance(x, y), rel=1e-9, abs=1e-12
    )


@pytest.mark.claim("divergences.shift")
@pytest.mark.parametrize("name", NAMES)
def test_f_divergences_do_not_see_a_common_shift_or_scaling(name):
    f = getattr(divergences, name)
    x = torch.linspace(-12, 12, 2401, dtype=torch.float64)

    def between(shift, scale):
        p, q = (torch.softmax(-(((x - shift) / scale - mean) ** 2) / 2, 0) for mean in (0.0, 0.5))
        return f.divergence(p, q).item()

    assert between(1.0, 0.7) == pytest.approx(between(0.0, 1.0), abs=1e-4)  # the grid's step is 0.01


@pytest.mark.claim("divergences.root-js")
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 2))
def test_root_of_js_obeys_the_triangle_inequality(seed, spread):
    p, q, r = np.random.default_rng(seed).dirichlet(np.full(5, spread), size=3)
    assert math.sqrt(js(p, r)) <= math.sqrt(js(p, q)) + math.sqrt(js(q, r)) + 1e-12


@pytest.mark.claim("divergences.root-js")
def test_js_does_not():
    left, middle, right = [1, 0], [0.5, 0.5], [0, 1]
    assert js(left, middle) == js(middle, right) == pytest.approx(0.75 * math.log(4 / 3))
    assert js(left, middle) < math.log(2) / 3 < js(left, right) / 2


@pytest.mark.claim("divergences.root-js")
@settings(max_examples=20)
@given(pairs())
def test_js_is_the_squared_length_of_a_difference(pair):
    p, q = pair
    s = np.geomspace(1e-9, 1e9, 4001)[:, None]
    curves = (np.exp(-s * p / 2) - np.exp(-s * q / 2)) / s
    squared = (curves**2).sum(1) * s[:, 0]  # times ds / d log s
    assert js(p, q) == pytest.approx(np.trapezoid(squared, np.log(s[:, 0])) / 2, abs=1e-6)


@pytest.mark.claim("divergences.diameter")
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 2))
def test_emd_is_between_two_multiples_of_total_variation(seed, spread):
    rng = np.random.default_rng(seed)
    points, (p, q) = rng.normal(size=(6, 2)), rng.dirichlet(np.full(6, spread), size=2)
    lengths = np.linalg.norm(points[:, None] - points, axis=2)
    nearest, farthest = lengths[lengths > 0].min(), lengths.max()
    cost, variation = emd(p, q, lengths).cost, total_variation(p, q)
    assert nearest * variation - 1e-12 <= cost <= farthest * variation + 1e-12


@pytest.mark.claim("divergences.diameter")
@given(st.integers(0, 2**32 - 1))
def test_emd_where_all_are_one_apart_is_total_variation(seed):
    p, q = np.random.default_rng(seed).dirichlet(np.ones(7), size=2)
    assert emd(p, q, 1 - np.eye(7)).cost == pytest.approx(total_variation(p, q), rel=1e-9)


@pytest.mark.claim("divergences.blind-family")
@pytest.mark.parametrize("name", NAMES)
@few
@given(pairs(zeros=False))
def test_every_f_divergence_of_disjoint_distributions_is_one_constant(name, pair):
    f = getattr(divergences, name)
    p, q = (torch.tensor(values) for values in pair)
    zero = torch.zeros(len(p), dtype=torch.float64)
    constant = f.generator(torch.zeros(1, dtype=torch.float64)).item() + f.domain[1]
    value = f.divergence(torch.cat([p, zero]), torch.cat([zero, q])).item()
    assert value == pytest.approx(constant, abs=1e-14)


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        *[(name, math.inf) for name in ("KL", "REVERSE_KL", "JEFFREYS", "PEARSON")],
        *[("JS", math.log(2)), ("TV", 1), ("HELLINGER", 1), ("GAN", 0)],
    ],
)
def test_table_of_constants_is_right(name, constant):
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert getattr(divergences, name).divergence(p, q).item() == pytest.approx(constant, abs=1e-7)


@pytest.mark.claim("divergences.continuity")
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_emd_changes_no_more_than_the_generator(seed, step):
    rng = np.random.default_rng(seed)
    z, data, weight, turn = rng.normal(size=(12, 2)), rng.normal(size=(9, 2)), *rng.normal(size=(2, 2, 2))
    before, after = np.tanh(z @ weight), np.tanh(z @ (weight + step * turn)) + step  # 12 points of the plane
    change = abs(distance(before, data) - distance(after, data))
    assert change <= np.linalg.norm(before - after, axis=1).mean() + 1e-12  # the solver's tolerance


def empirical(x, y):
    """Both samples as distributions over all points that occur."""
    points = np.unique(np.concatenate([x, y]))
    return tuple(np.isin(points, sample) / len(sample) for sample in (x, y))


@pytest.mark.claim("divergences.samples")
@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_js_of_two_samples_of_one_distribution_is_log_2(seed, n):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    assert js(*empirical(x, y)) == pytest.approx(math.log(2), abs=1e-13)


@pytest.mark.claim("divergences.samples")
@given(st.integers(0, 2**32 - 1))
def test_emd_of_two_samples_of_one_distribution_tends_to_0(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 10_000))
    # W is sqrt(2 / n)-Lipschitz in the 2 n normal numbers, and sqrt(n) W has a mean below 2.3. So, by Gaussian
    # concentration, it exceeds 2.3 + t with probability at most exp(-t^2 / 4): for 15, below 1e-16.
    for n in (100, 10_000):
        assert emd_1d(x[:n], y[:n]) < 15 / math.sqrt(n)


def kl_with(eps, p, q):
    p, q = ((np.array(values) + eps) / (1 + eps * len(values)) for values in (p, q))
    return kl(p, q)


@pytest.mark.claim("divergences.epsilon")
@given(pairs(zeros=False), st.floats(2, 14))
def test_kl_with_epsilon_is_the_choice_of_epsilon(pair, digits):
    p, q = pair
    absent, eps = np.zeros(len(p)), 10**-digits
    value = kl_with(eps, np.append(p, absent), np.append(absent, q))
    expected = math.log(1 / eps) + (p * np.log(p)).sum()
    # eps goes to 2 k <= 16 outcomes; probabilities of at least 1e-4 add no more than |log 1e-4| to a term
    assert value == pytest.approx(expected, abs=16 * eps * (10 + math.log(1 / eps)) + 1e-12)


@pytest.mark.claim("divergences.epsilon")
def test_kl_with_epsilon_prefers_the_model_that_excludes_the_data():
    data, excluding, fair = [0.01, 0.99], [0, 1], [0.5, 0.5]
    assert kl(data, excluding) == math.inf > kl(data, fair)
    assert kl_with(1e-10, data, excluding) < kl_with(1e-10, data, fair)


@pytest.mark.claim("divergences.outliers")
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1e6))
def test_one_outlier_moves_emd_in_proportion_and_js_hardly(seed, share, far):
    rng = np.random.default_rng(seed)
    points = np.append(rng.normal(size=20), far)
    p = np.append(rng.dirichlet(np.ones(20)), 0)
    r = rng.dirichlet(np.full(21, 0.1))  # most of it on a few of the points
    if seed % 2:
        r = np.eye(21)[20]  # an outlier
    mixed = (1 - share) * p + share * r
    assert emd_1d(points, points, p, mixed) == pytest.approx(
        share * emd_1d(points, points, p, r), rel=1e-9, abs=1e-9
    )
    assert js(p, mixed) <= share * math.log(2) + 1e-15


@pytest.mark.claim("divergences.outliers")
@given(st.integers(0, 2**32 - 1))
def test_emd_has_a_unit(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 30))
    assert emd_1d(1000 * x, 1000 * y) == pytest.approx(1000 * emd_1d(x, y), rel=1e-12)


@given(st.floats(0.01, 3), st.floats(1e-3, 3))
def test_noise_decides_kl_and_not_w(sigma, theta):
    assert gaussian_kl(theta, sigma**2, 0, sigma**2) == pytest.approx(theta**2 / (2 * sigma**2), rel=1e-12)
    assert gaussian_w2(theta, sigma**2, 0, sigma**2) == theta


def test_pearson_generator_divides_by_q():
    p, q = [0.5, 0.5], [0.2, 0.8]
    assert pearson_chi2(p, q) == pytest.approx(0.3**2 / 0.2 + 0.3**2 / 0.8)
    value = divergences.PEARSON.divergence(torch.tensor(p), torch.tensor(q)).item()
    assert value == pytest.approx(pearson_chi2(p, q), rel=1e-6)  # float32
    assert divergences.PEARSON.conjugate(torch.tensor(-5.0)).item() == -1 < -5 + 5**2 / 4


@pytest.mark.exercise("divergences.1")
@given(st.integers(-200, 200))
def test_two_shifted_boxes(shift):
    cells = np.arange(-200, 300)  # of length 1/100
    x, theta = (cells + 0.5) / 100, shift / 100
    p = ((cells >= 0) & (cells < 100)) / 100
    q = ((cells >= shift) & (cells < shift + 100)) / 100
    apart = min(abs(theta), 1)
    assert js(p, q) == pytest.approx(math.log(2) * apart, abs=1e-12)
    assert total_variation(p, q) == pytest.approx(apart, abs=1e-12)
    assert emd_1d(x, x, p, q) == pytest.approx(abs(theta), abs=1e-12)


@pytest.mark.exercise("divergences.2")
@given(st.integers(1, 20))
def test_small_distance_without_overlap(k):
    fine = 100 * k  # points in place of the uniform distribution, none of them in the middle of a part
    x, middles = (np.arange(fine) + 0.5) / fine, (np.arange(k) + 0.5) / k
    assert emd_1d(x, middles) == pytest.approx(1 / (4 * k), rel=1e-9)
    assert js(*empirical(x, middles)) == pytest.approx(math.log(2), abs=1e-13)


@pytest.mark.exercise("divergences.3")
@given(pairs())
def test_js_is_at_most_total_variation_times_log_2(pair):
    assert js(*pair) <= total_variation(*pair) * math.log(2) + 1e-15
