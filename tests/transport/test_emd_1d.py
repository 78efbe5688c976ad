"""The distance on the line against the definition, SciPy and exact plans."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import scipy_wasserstein

from mlnotes2.transport import emd, emd_1d, emd_1d_reference, naive_plan, plan_1d, plan_cost

RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def random_samples(rng):
    """Two samples of different sizes with ties, and masses that sum to 1, some of them zero."""
    n, m = rng.integers(1, 30, 2)
    x, y = rng.normal(size=n).round(1), rng.normal(1, 2, size=m).round(1)
    a, b = (rng.random(k) * (rng.random(k) < 0.8) + 1e-3 * (np.arange(k) == 0) for k in (n, m))
    return x, y, a / a.sum(), b / b.sum()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (([0, 1, 3], [5, 6, 8]), 5),
        (([0, 1], [0, 1], [3 / 4, 1 / 4], [2 / 4, 2 / 4]), 0.25),
        (
            (
                [3.4, 3.9, 7.5, 7.8],
                [4.5, 1.4],
                np.array([1.4, 0.9, 3.1, 7.2]) / 12.6,
                np.array([3.2, 3.5]) / 6.7,
            ),
            4.0781331438047861,
        ),
    ],
)
def test_emd_1d_gives_the_values_of_scipys_documentation(arguments, expected):
    assert emd_1d(*arguments) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("seed", range(200))
def test_emd_1d_agrees_with_scipy_for_weights_and_unequal_sizes(seed):
    x, y, a, b = random_samples(np.random.default_rng(seed))
    assert emd_1d(x, y, a, b) == pytest.approx(scipy_wasserstein(x, y, a, b), abs=1e-12)  # sums of 60 terms
    assert emd_1d(x, y) == pytest.approx(scipy_wasserstein(x, y, None, None), abs=1e-12)


@pytest.mark.claim("transport.sorting")
@pytest.mark.parametrize("distance", [emd_1d, emd_1d_reference])
@given(RANDOM, st.sampled_from([1, 1.5, 2, 3, 7]))
def test_emd_1d_is_the_cost_of_a_best_plan(distance, rng, p):
    x, y, a, b = random_samples(rng)
    best = emd(a, b, np.abs(x[:, None] - y) ** p).cost
    assert distance(x, y, a, b, p=p) ** p == pytest.approx(
        best, rel=1e-9, abs=1e-12
    )  # the solver's tolerance


@given(RANDOM, st.sampled_from([1, 2.5]), st.sampled_from([(), (1,), (3,), (2, 3)]), st.booleans())
def test_emd_1d_of_many_lines_agrees_with_its_reference_on_each(rng, p, batch, weighted):
    x, y, a, b = random_samples(rng)
    x, y = (rng.permuted(np.broadcast_to(v, (*batch, len(v))), axis=-1) for v in (x, y))
    masses = (a, rng.permuted(np.broadcast_to(b, y.shape), axis=-1)) if weighted else (None, None)
    found = emd_1d(x, y, *masses, p=p)
    assert np.shape(found) == batch
    for line in np.ndindex(*batch):
        on_line = (masses[0], masses[1][line]) if weighted else (None, None)
        expected = emd_1d_reference(x[line], y[line], *on_line, p=p)
        # the p-th root turns roundings of 1e-16 near zero into 1e-7
        assert np.asarray(found)[line] == pytest.approx(expected, rel=1e-12, abs=1e-13 ** (1 / p))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("p", [1, 2])
def test_emd_1d_of_tensors_keeps_dtype_and_device(device, dtype, p):
    x, y, a, b = (
        torch.tensor(v, dtype=dtype, device=device) for v in random_samples(np.random.default_rng(5))
    )
    found = emd_1d(x.expand(4, -1), y.expand(4, -1), a, b, p=p)
    assert (found.dtype, found.device, found.shape) == (dtype, x.device, (4,))
    arrays = [v.double().cpu().numpy() for v in (x, y, a, b)]
    if dtype == torch.float32:  # whose totals differ by more than float64 ones may
        arrays[3] *= arrays[2].sum() / arrays[3].sum()
    assert found.cpu().numpy() == pytest.approx(emd_1d_reference(*arrays, p=p), rel=1e-6)  # float32


@given(RANDOM, st.sampled_from([1, 2, 3.5]))
def test_emd_1d_has_the_gradients_of_finite_differences(rng, p):
    x, y, a, b = (torch.from_numpy(rng.random((2, k))) for k in (5, 4, 5, 4))
    a, b = a + 0.1, b + 0.1
    for values in (x, y):
        values.requires_grad_()

    def distance(x, y, a, b):
        return emd_1d(x, y, a / a.sum(-1, keepdim=True), b / b.sum(-1, keepdim=True), p=p)

    assert torch.autograd.gradcheck(distance, (x, y, a.requires_grad_(), b.requires_grad_()))
    assert torch.autograd.gradcheck(lambda x, y: emd_1d(x, y[..., [0, 1, 2, 3, 0]], p=p), (x, y))


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("masses", [None, torch.tensor([0.5, 0.25, 0.25])])
def test_emd_1d_has_a_slope_where_nothing_moves(p, masses):
    x = torch.tensor([1.0, 2.0, 2.0], requires_grad=True)
    (slope,) = torch.autograd.grad(emd_1d(x, x.detach(), masses, masses, p=p), x)
    assert (slope.abs() <= 0.5).all()  # no point carries more than half of the mass


@pytest.mark.claim("transport.sorting")
@given(RANDOM, st.sampled_from([1, 1.5, 2]))
def test_plan_1d_moves_the_masses_at_the_distance(rng, p):
    x, y, a, b = random_samples(rng)
    plan = plan_1d(x, y, a, b)
    assert plan.nnz <= len(x) + len(y) - 1
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-14)  # sums of 60 terms
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-14)
    cost = plan_cost(plan.toarray(), np.abs(x[:, None] - y) ** p)
    assert cost == pytest.approx(emd_1d(x, y, a, b, p=p) ** p, rel=1e-12, abs=1e-13)


def test_plan_1d_refuses_more_than_one_line():
    with pytest.raises(
        ValueError, match=r"x must have shape \(n,\), got \(2, 1\); there is one plan for each line"
    ):
        plan_1d([[1], [2]], [[3], [4]])


@pytest.mark.claim("transport.sorting")
@given(RANDOM, st.sampled_from([1, 2]))
def test_emd_1d_is_the_cost_of_the_naive_plan_of_sorted_points(rng, p):
    x, y, a, b = random_samples(rng)
    i, j = np.argsort(x), np.argsort(y)
    naive = plan_cost(naive_plan(a[i], b[j]), np.abs(x[i][:, None] - y[j]) ** p)
    assert emd_1d(x, y, a, b, p=p) ** p == pytest.approx(naive, abs=1e-12)  # two orders of summation


@pytest.mark.claim("transport.concave_cost")
@given(st.floats(0.01, 0.99))
def test_matching_in_order_is_not_best_below_p_1(p):
    cost = np.abs(np.array([[0], [1]]) - [1, 2]) ** p  # from 0 and 1 to 1 and 2
    in_order = plan_cost(naive_plan([1, 1], [1, 1]), cost)
    assert in_order == 2
    best = emd([1, 1], [1, 1], cost).cost
    assert best == pytest.approx(2**p, rel=1e-15)  # the powers of NumPy and of Python round apart
    assert best < in_order


@pytest.mark.exercise("transport.1")
@given(RANDOM, st.sampled_from([1, 2, 5]), st.floats(-100, 100))
def test_emd_1d_of_a_shifted_sample_is_the_shift(rng, p, shift):
    x = rng.normal(size=20)
    assert emd_1d(x, x[::-1] + shift, p=p) == pytest.approx(abs(shift), rel=1e-9, abs=1e-12)


@pytest.mark.exercise("transport.2")
@given(RANDOM)
def test_emd_1d_is_at_least_the_difference_of_the_means(rng):
    x, y, a, b = random_samples(rng)
    assert emd_1d(x, y, a, b) >= abs(a @ x - b @ y) - 1e-13  # 60 roundings
    right = np.sort(x)[-1] + np.abs(y)  # all of it lies to the right, so that all earth moves one way
    assert emd_1d(x, right, a, b) == pytest.approx(b @ right - a @ x, abs=1e-12)


@given(RANDOM, st.sampled_from([1, 2]))
def test_emd_1d_without_masses_gives_each_point_the_same(rng, p):
    x, y = rng.normal(size=12), rng.normal(size=18)
    weighted = emd_1d(x, y, np.full(12, 1 / 12), np.full(18, 1 / 18), p=p)
    assert emd_1d(x, y, p=p) == pytest.approx(weighted, rel=1e-12)
    assert emd_1d(x, y[:12], p=p) == pytest.approx(emd_1d(x, y[:12], np.full(12, 1 / 12), p=p), rel=1e-12)


def test_emd_1d_counts_mass_and_does_not_normalise():
    assert emd_1d([0, 1], [0, 1], [3, 1], [2, 2]) == 1  # a mass of 4 moves 0.25 on average
    assert emd_1d([0], [3], [4], [4], p=2) == 6  # (4 * 3^2)^(1/2)


def test_emd_1d_leaves_its_arguments_alone():
    x, y = np.array([3.0, 1.0]), np.array([2.0, 0.0])
    emd_1d(x, y)
    np.testing.assert_array_equal((x, y), ([3, 1], [2, 0]))


def test_emd_1d_of_equal_samples_is_zero():
    assert emd_1d([1, 2, 2], [2, 1, 2], p=3) == 0
    assert emd_1d([1, 2], [2, 1, 1], [0.5, 0.5], [0.5, 0.25, 0.25], p=3) == 0


def test_emd_1d_does_not_overflow_in_high_powers():
    assert emd_1d([0], [1e10], p=200) == pytest.approx(1e10)


def test_emd_1d_of_many_points_nears_the_distance_of_the_distributions():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=100_000), rng.normal(2, 1, size=80_000)
    assert emd_1d(x, y) == pytest.approx(2, abs=0.02)  # four standard errors of the difference of the means


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [1]), "x must not be empty"),
        (([1], [np.nan]), "y must be finite"),
        (([[1]], [1]), r"with the same leading axes, got \(1, 1\) and \(1,\)"),
        (([1, 2], [1], [1]), "a must hold one mass for each point, got 1 masses for 2 points"),
        (([1], [1], None, [0.5, 0.5]), "b must hold one mass for each point, got 2 masses for 1 points"),
        (([1, 2], [1], [2, -1]), "a must not be negative, got -1.0"),
        (([1], [1], [0], [0]), "a must hold some mass"),
        (([1, 2], [3], [3, 1]), "same total mass, got 4.0 and 1.0, which differ by 3.0; normalise both"),
    ],
)
def test_emd_1d_refuses_what_are_no_piles(arguments, message):
    with pytest.raises(ValueError, match=message):
        emd_1d(*arguments)


@pytest.mark.parametrize("p", [0.5, 0, -1, float("nan"), float("inf")])
def test_emd_1d_refuses_a_power_below_one(p):
    with pytest.raises(ValueError, match="p must be a finite number of at least 1, got"):
        emd_1d([1], [2], p=p)
