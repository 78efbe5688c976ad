"""Published examples: what other libraries, textbooks and papers print for an input, our functions find too."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from mlnotes2.transport import (
    emd,
    emd_1d,
    emd_points,
    improve_plan,
    naive_plan,
    plan_1d,
    plan_cost,
    sinkhorn,
    sliced_wasserstein,
)

BIG = 10_000  # the price of a way that is closed
TABLES = {  # supplies, demands, prices, the least cost
    "POT, ot.emd2": ([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0),
    "SciPy, linear_sum_assignment": ([1] * 3, [1] * 3, [[4, 1, 3], [2, 0, 5], [3, 2, 2]], 5),
    "SciPy, csgraph/tests/test_matching, 850": (
        [1] * 3,
        [1] * 3,
        [[400, 150, 400], [400, 450, 600], [300, 225, 300]],
        850,
    ),
    "SciPy, csgraph/tests/test_matching, 18": ([1] * 3, [1] * 3, [[10, 10, 8], [9, 8, 1], [9, 7, 4]], 18),
    "OpenCV, imgproc/test/test_emd": (
        [50, 60, 50, 50],
        [30, 20, 70, 30, 60],
        [[16, 16, 13, 22, 17], [14, 14, 13, 19, 15], [19, 19, 20, 23, BIG], [BIG, 0, BIG, 0, 0]],
        2460,
    ),
    "Rubner's emd.c, example 2, whose missing mass goes to a place of price 0": (
        [0.4, 0.2, 0.2, 0.1, 0.1],
        [0.6, 0.2, 0.1, 0.1],
        [[3, 5, 2, 0], [0, 2, 5, 0], [1, 1, 3, 0], [8, 4, 3, 0], [7, 6, 5, 0]],
        0.9 * 17 / 9,  # he divides by the mass that moves
    ),
    "Dantzig (1963), GAMS model trnsport, with a place for the rest": (
        [350, 600],
        [325, 300, 275, 50],
        0.09 * np.array([[2.5, 1.7, 1.8, 0], [2.5, 1.8, 1.4, 0]]),
        153.675,
    ),
    "Fourer, Gay and Kernighan, AMPL, figure 3-1": (
        [1400, 2600, 2900],
        [900, 1200, 600, 400, 1700, 1100, 1000],
        [[39, 14, 11, 14, 16, 82, 8], [27, 9, 12, 9, 26, 95, 17], [24, 14, 17, 13, 28, 99, 20]],
        196_200,
    ),
    "Winston, Operations Research, Powerco": (
        [35, 50, 40],
        [45, 20, 30, 30],
        [[8, 6, 10, 9], [9, 12, 13, 7], [14, 9, 16, 5]],
        1020,
    ),
    "Hillier and Lieberman, P & T Company": (
        [75, 125, 100],
        [80, 65, 70, 85],
        [[464, 513, 654, 867], [352, 416, 690, 791], [995, 682, 388, 685]],
        152_535,
    ),
    "Taha, SunRay Transport": (
        [15, 25, 10],
        [5, 15, 15, 15],
        [[10, 2, 20, 11], [12, 7, 9, 20], [4, 14, 16, 18]],
        435,
    ),
}


@pytest.mark.parametrize("source", TABLES)
def test_emd_finds_published_costs(source):
    a, b, cost, wanted = TABLES[source]
    result = emd(a, b, cost)
    assert result.cost == pytest.approx(wanted, rel=1e-12, abs=1e-15)
    assert result.dual_cost == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    assert emd(b, a, np.transpose(cost)).cost == pytest.approx(wanted, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("source", TABLES)
def test_improve_plan_ends_at_published_costs(source):
    a, b, cost, wanted = TABLES[source]
    plan = naive_plan(a, b)
    while not np.array_equal(plan, better := improve_plan(plan, cost)):
        plan = better
    assert plan_cost(plan, cost) == pytest.approx(wanted, rel=1e-12, abs=1e-15)


def test_naive_plan_has_the_published_cost_of_the_north_west_corner():
    a, b, cost, _ = TABLES["Taha, SunRay Transport"]
    assert plan_cost(naive_plan(a, b), cost) == 520


def shares(weights):
    """Masses of total 1: SciPy divides by the sum, we never do."""
    return None if weights is None else np.array(weights) / np.sum(weights)


LINES = {  # points, points, weights, weights, the distance for p = 1
    "SciPy, example 1": ([0, 1, 3], [5, 6, 8], None, None, 5),
    "SciPy, example 2": ([0, 1], [0, 1], [3, 1], [2, 2], 0.25),
    "SciPy, example 3": (
        [3.4, 3.9, 7.5, 7.8],
        [4.5, 1.4],
        [1.4, 0.9, 3.1, 7.2],
        [3.2, 3.5],
        4.0781331438047861,
    ),
    "SciPy, test_simple 1": ([0, 1], [0], [1, 1], [1], 0.5),
    "SciPy, test_simple 2": ([0, 1], [0], [3, 1], [1], 0.25),
    "SciPy, test_simple 3": ([0, 2], [0], [1, 1], [1], 1),
    "SciPy, test_simple 4": ([0, 1, 2], [1, 2, 3], None, None, 1),
    "SciPy, test_same_distribution 1": ([1, 2, 3], [2, 1, 3], None, None, 0),
    "SciPy, test_same_distribution 2": ([1, 1, 1, 4], [4, 1], [1, 1, 1, 1], [1, 3], 0),
    "SciPy, test_shift 1": ([0], [1], None, None, 1),
    "SciPy, test_shift 2": ([-5], [5], None, None, 10),
    "SciPy, test_shift 3": ([1, 2, 3, 4, 5], [11, 12, 13, 14, 15], None, None, 10),
    "SciPy, test_shift 4": ([4.5, 6.7, 2.1], [4.6, 7, 9.2], [3, 1, 1], [1, 3, 1], 2.5),
    "SciPy, test_combine_weights": ([5, 0, 1], [0, 4, 3], [1, 2, 4], [1, 2, 4], 13 / 7),
    "SciPy, test_zero_weight": ([1, 2, 100_000], [1, 1], [1, 1, 0], [1, 1], 0.5),
    "SciPy, test_collapse": (
        np.arange(-10, 30, 0.3),
        np.zeros(134),
        np.arange(134),
        np.arange(134)[::-1],
        np.average(np.abs(np.arange(-10, 30, 0.3)), weights=np.arange(134)),
    ),
    "POT, ot.emd2_1d": ([2, 0], [0, 3], [0.5, 0.5], [0.5, 0.5], 0.5),
}


@pytest.mark.parametrize("source", LINES)
def test_emd_1d_finds_published_distances(source):
    x, y, a, b, wanted = LINES[source]
    masses = shares(a), shares(b)
    assert emd_1d(x, y, *masses) == pytest.approx(wanted, rel=1e-14, abs=1e-15)
    tensors = [None if v is None else torch.as_tensor(np.array(v, dtype=float)) for v in (x, y, *masses)]
    assert emd_1d(*tensors).item() == pytest.approx(wanted, rel=1e-14, abs=1e-15)
    assert plan_cost(plan_1d(x, y, *masses).toarray(), cdist(np.c_[x], np.c_[y])) == pytest.approx(
        wanted, rel=1e-14, abs=1e-15
    )


def test_plan_1d_is_the_published_plan():
    """POT, ot.emd_1d; its cost, in squares, is that of ot.emd2_1d."""
    np.testing.assert_array_equal(plan_1d([2, 0], [0, 3]).toarray(), [[0, 0.5], [0.5, 0]])
    assert emd_1d([2, 0], [0, 3], p=2) ** 2 == pytest.approx(0.5, rel=1e-15)


def test_emd_1d_of_two_bells_is_the_difference_of_their_means():
    """POT, test_dual_variables: means 300 and 400, and deviations 5 and 10, on 500 and 600 places."""
    a, b = (np.exp(-((np.arange(n) - m) ** 2) / (2 * s**2)) for n, m, s in ((500, 300, 5), (600, 400, 10)))
    distance = emd_1d(range(500), range(600), a / a.sum(), b / b.sum())
    assert distance == pytest.approx(100, abs=5e-8)  # the digits that POT asks for; the bells hardly overlap


CLOUDS = {  # points, points, weights, weights, the distance
    "SciPy, wasserstein_distance_nd, example 1": (
        [[0, 2, 3], [1, 2, 5]],
        [[3, 2, 3], [4, 2, 5]],
        None,
        None,
        3,
    ),
    "SciPy, wasserstein_distance_nd, example 2": (
        [[0, 2.75], [2, 209.3], [0, 0]],
        [[0.2, 0.322], [4.5, 25.1808]],
        [0.4, 5.2, 0.114],
        [0.8, 1.5],
        174.15840245217169,
    ),
    "McCaffrey (2018), in SciPy's test_published_values": (
        [(1, 1)] * 10 + [(4, 2)] + [(6, 1)] * 2,
        [(2, 1)] * 2 + [(3, 2)] * 3 + [(5, 1)] * 7 + [(7, 1)],
        None,
        None,
        (2 + 3 * 5**0.5 + 5 * 4 + 2**0.5 + 1 + 1) / 13,
    ),
    "Rubner's emd.c, example 1": (
        [[100, 40, 22], [211, 20, 2], [32, 190, 150], [2, 100, 100]],
        [[0, 0, 0], [50, 100, 80], [255, 255, 255]],
        [0.4, 0.3, 0.2, 0.1],
        [0.5, 0.3, 0.2],
        160.54277,
    ),
}


@pytest.mark.parametrize("source", CLOUDS)
def test_emd_points_finds_published_distances(source):
    x, y, a, b, wanted = CLOUDS[source]
    rel = 1e-7 if "Rubner" in source else 1e-12  # he computes in float32
    assert emd_points(x, y, shares(a), shares(b)).cost == pytest.approx(wanted, rel=rel)
    a, b = (np.full(len(v), 1 / len(v)) if w is None else shares(w) for v, w in ((x, a), (y, b)))
    assert emd(a, b, cdist(x, y)).cost == pytest.approx(wanted, rel=rel)


def test_sinkhorn_finds_the_published_plan():
    """POT, ot.sinkhorn and ot.sinkhorn2, with regularisation 1."""
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    cost = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    result = sinkhorn(half, half, cost, eps=1.0, tol=1e-12)
    wanted = torch.tensor([[0.36552929, 0.13447071], [0.13447071, 0.36552929]], dtype=torch.float64)
    torch.testing.assert_close(result.plan, wanted, rtol=0, atol=5e-9)  # the digits given
    assert result.cost.item() == pytest.approx(0.26894142136999516, rel=1e-10)


def test_sliced_wasserstein_in_one_dimension_is_the_distance():
    """POT, test_1d_sliced_equals_emd, with equal weights."""
    x, y = (
        torch.randn(n, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(n)) for n in (100, 120)
    )
    found = sliced_wasserstein(x, y, n_projections=10, p=2, generator=torch.Generator().manual_seed(42))
    assert found.estimate.item() == pytest.approx(emd_1d(x[:, 0].numpy(), y[:, 0].numpy(), p=2), rel=1e-12)
