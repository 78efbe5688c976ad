"""The exact solver: right costs, and certificates that hold."""

import dataclasses

import numpy as np
import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import linprog_emd, pot_emd

from mlnotes2.transport import emd, emd_1d, naive_plan, plan_cost
from mlnotes2.transport._emd import _certified

P = np.array([12, 7, 4, 1, 19, 14, 9, 6, 3, 2]) / 77
Q = np.array([1, 5, 11, 17, 13, 9, 6, 4, 3, 2]) / 71
LINE = np.abs(np.arange(10)[:, None] - np.arange(10))
RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def random_problem(rng, *, n=None, m=None):
    """Masses that sum to 1, about a quarter of them zero, and costs that are often tied."""
    n, m = n or rng.integers(1, 12), m or rng.integers(1, 12)
    a, b = (rng.random(k) * (rng.random(k) < 0.75) + 1e-3 * (np.arange(k) == 0) for k in (n, m))
    cost = rng.integers(0, 4, (n, m)) if rng.random() < 0.5 else rng.normal(size=(n, m))
    return a / a.sum(), b / b.sum(), cost.astype(float)


def random_metric(rng, n):
    """Distances between n points of the plane."""
    points = rng.normal(size=(n, 2))
    return np.linalg.norm(points[:, None] - points, axis=2)


@pytest.mark.parametrize("seed", range(200))
def test_emd_agrees_with_pot_and_with_scipy(seed):
    a, b, cost = random_problem(np.random.default_rng(seed))
    result = emd(a, b, cost)
    assert result.cost == pytest.approx(pot_emd(a, b, cost), abs=1e-12)  # the same solver, other rounding
    assert result.cost == pytest.approx(linprog_emd(a, b, cost), abs=1e-7)  # HiGHS's tolerance


KINDS = {
    "ties on a grid": lambda rng, n: rng.integers(0, 3, (n, 2)),
    "clusters": lambda rng, n: 10 * rng.integers(0, 3, (n, 1)) + rng.normal(0, 0.01, (n, 2)),
    "on a line": lambda rng, n: rng.normal(size=(n, 1)) * [0.6, 0.8],
    "each point twice": lambda rng, n: np.repeat(rng.normal(size=(n, 2)), 2, axis=0)[:n],
    "one far away": lambda rng, n: rng.normal(size=(n, 2)) + 1e6 * (np.arange(n) == 0)[:, None],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("power", [1, 2])
def test_emd_leaves_no_gap_on_problems_of_many_kinds(kind, power):
    for seed in range(50):  # 500 problems in all
        rng = np.random.default_rng(seed)
        a, b, _ = random_problem(rng, n=rng.integers(1, 40), m=rng.integers(1, 40))
        x, y = KINDS[kind](rng, len(a)), KINDS[kind](rng, len(b))
        cost = np.linalg.norm(x[:, None] - y, axis=2) ** power
        result = emd(a, b, cost)
        f, g = result.potentials
        assert 0 <= result.gap <= 1e-9 * cost.max()
        assert (f[:, None] + g - cost).max() <= 1e-15 * cost.max()  # a few roundings
        assert result.cost - (f @ a + g @ b) <= 1e-9 * cost.max()


@given(RANDOM, st.integers(2, 12))
def test_four_routes_lead_to_one_distance_on_a_line(rng, n):
    a, b, _ = random_problem(rng, n=n, m=n)
    x = np.cumsum(rng.integers(1, 4, n))
    cost = np.abs(x[:, None] - x)
    simplex = emd(a, b, cost)
    f = simplex.potentials[0]
    area = np.abs(np.cumsum(a - b))[:-1] @ np.diff(x)
    assert simplex.cost == pytest.approx(
        linprog_emd(a, b, cost), abs=1e-6
    )  # HiGHS's tolerance, 24 places apart
    assert simplex.cost == pytest.approx(area, abs=1e-13)  # sums of 12 products
    assert simplex.cost == pytest.approx(f @ (a - b), abs=1e-13)


@pytest.mark.claim("transport.c_transform")
@given(RANDOM, st.integers(1, 12), st.booleans())
def test_c_transform_is_feasible_and_lowers_no_potential(rng, n, is_metric):
    distance = random_metric(rng, n)
    cost = distance if is_metric else rng.normal(size=(n, n))
    filled = rng.permutation(n)[: rng.integers(1, n + 1)]
    f = rng.normal(size=len(filled))
    g = (cost[filled] - f[:, None]).min(axis=0)
    extended = (cost - g).min(axis=1)
    higher = g + (np.arange(n) == rng.integers(n)) * 1e-6
    assert (f[:, None] + g <= cost[filled] + 1e-14).all()  # one rounding
    assert (f[:, None] + higher > cost[filled]).any()
    assert (extended[:, None] + g <= cost + 1e-14).all()
    assert (extended[filled] >= f - 1e-14).all()
    if is_metric:
        assert (np.abs(extended[:, None] - extended) <= distance + 1e-14).all()


@pytest.mark.claim("transport.c_transform")
@given(RANDOM, st.integers(2, 12))
def test_potentials_of_emd_are_1_lipschitz_also_where_there_is_no_mass(rng, n):
    a, b, _ = random_problem(rng, n=n, m=n)
    a[rng.permutation(n)[1 : n // 2]] = 0
    b *= a.sum()
    distance = random_metric(rng, n)
    result = emd(a, b, distance)
    for potential in result.potentials:
        assert (np.abs(potential[:, None] - potential) <= distance + 1e-13).all()  # a few roundings


@given(RANDOM)
def test_emd_returns_a_certificate_that_holds(rng):
    a, b, cost = random_problem(rng)
    result = emd(a, b, cost)
    f, g = result.potentials
    np.testing.assert_allclose(result.plan.sum(axis=1), a, atol=1e-14)  # sums of at most 12 numbers below 1
    np.testing.assert_allclose(result.plan.sum(axis=0), b, atol=1e-14)
    assert result.plan.min() >= 0
    assert (f[:, None] + g - cost).max() <= 1e-14  # one rounding of numbers near 10
    assert result.dual_cost == pytest.approx(f @ a + g @ b)
    assert 0 <= result.gap <= 1e-12  # the solver's tolerance
    assert result.gap == pytest.approx(result.cost - result.dual_cost, abs=1e-13)


@pytest.mark.claim("transport.duality")
@given(RANDOM)
def test_duality_every_feasible_pair_bounds_every_plan(rng):
    a, b, cost = random_problem(rng)
    f = rng.normal(size=len(a))
    g = (cost - f[:, None]).min(axis=0) - rng.exponential(size=len(b))
    lower = f @ a + g @ b
    assert lower <= plan_cost(np.outer(a, b), cost)
    assert lower <= plan_cost(naive_plan(a, b), cost)
    assert lower <= emd(a, b, cost).cost


@pytest.mark.claim("transport.duality")
@given(RANDOM)
def test_duality_equality_holds_just_where_mass_moves_without_slack(rng):
    a, b, cost = random_problem(rng)
    result = emd(a, b, cost)
    f, g = result.potentials
    slack = cost - f[:, None] - g
    assert slack[result.plan > 1e-9].max() <= 1e-9  # zero up to the solver's tolerance
    product = np.outer(a, b)
    assert plan_cost(product, cost) - result.dual_cost == pytest.approx(np.vdot(product, slack), abs=1e-13)


@pytest.mark.claim("transport.kantorovich_rubinstein")
@given(RANDOM, st.integers(2, 12))
def test_kantorovich_rubinstein_one_potential_serves_both_piles(rng, n):
    a, b, _ = random_problem(rng, n=n, m=n)
    distance = random_metric(rng, n)
    result = emd(a, b, distance)
    f, g = result.potentials
    np.testing.assert_allclose(f, -g, atol=1e-13)  # a few roundings of distances below 10
    assert (np.abs(f[:, None] - f) - distance).max() <= 1e-13
    assert f @ (a - b) == pytest.approx(result.cost, abs=1e-12)


@pytest.mark.claim("transport.kantorovich_rubinstein")
@given(RANDOM, st.integers(2, 12))
def test_kantorovich_rubinstein_no_1_lipschitz_function_does_better(rng, n):
    a, b, _ = random_problem(rng, n=n, m=n)
    distance = random_metric(rng, n)
    f = (distance + rng.normal(size=n)).min(axis=1)  # a minimum of cones is 1-Lipschitz
    assert f @ (a - b) <= emd(a, b, distance).cost + 1e-13  # rounding of 12 products


def test_two_piles_have_the_published_distance():
    assert emd(P, Q, LINE).cost == pytest.approx(0.7062374245, abs=5e-11)  # the digits given


def test_two_piles_primal_dual_and_area_agree():
    result = emd(P, Q, LINE)
    assert result.dual_cost == pytest.approx(result.cost, abs=1e-14)
    assert emd_1d(range(10), range(10), P, Q) == pytest.approx(result.cost, abs=1e-14)


def test_two_piles_published_potential_proves_the_distance():
    potential = np.array([1, 0, -1, -2, -1, 0, 1, 2, 1, 0])
    assert (np.abs(potential[:, None] - potential) <= LINE).all()
    assert potential @ (P - Q) == pytest.approx(emd(P, Q, LINE).cost, abs=1e-14)


@pytest.mark.claim("transport.not_unique")
@given(st.integers(2, 12))
def test_two_different_plans_are_both_best(n):
    short_moves, one_move = np.eye(n), np.roll(np.eye(n), -1, axis=1)
    cost = np.abs(np.arange(n)[:, None] - np.arange(1, n + 1))  # from 0, ..., n - 1 to 1, ..., n
    assert np.count_nonzero(one_move * cost) == 1 < np.count_nonzero(short_moves * cost)
    assert plan_cost(short_moves, cost) == plan_cost(one_move, cost) == emd([1] * n, [1] * n, cost).cost == n


@pytest.mark.claim("transport.rank")
@given(st.integers(1, 10), st.integers(1, 10))
def test_constraint_matrix_has_rank_n_plus_m_minus_1(n, m):
    sums = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    assert sums.shape == (n + m, n * m)
    assert np.linalg.matrix_rank(sums) == n + m - 1


@pytest.mark.exercise("transport.3")
@given(RANDOM, st.integers(2, 12))
def test_emd_with_all_distances_one_is_the_total_variation(rng, n):
    a, b, _ = random_problem(rng, n=n, m=n)
    assert emd(a, b, 1 - np.eye(n)).cost == pytest.approx(np.abs(a - b).sum() / 2, abs=1e-13)  # 12 roundings


@given(RANDOM, st.integers(2, 12))
def test_emd_of_swapped_piles_has_the_transposed_cost(rng, n):
    a, b, cost = random_problem(rng, n=n, m=n)
    assert emd(b, a, cost.T).cost == pytest.approx(emd(a, b, cost).cost, abs=1e-13)  # 12 roundings


def test_emd_extends_the_potentials_to_points_without_mass():
    cost = LINE[:5, :5]
    f, g = emd([0, 0, 1, 0, 0], [0, 0, 0, 1, 0], cost).potentials
    assert (f[:, None] + g <= cost).all()
    assert f[2] + g[3] == 1


@given(RANDOM, st.floats(0, 100))
def test_emd_takes_costs_below_zero(rng, shift):
    a, b, cost = random_problem(rng)
    # sums of 12 products, each below 100 or so; POT alone would call many of these problems infeasible
    assert emd(a, b, cost - shift).cost == pytest.approx(emd(a, b, cost).cost - shift, abs=1e-11)


@pytest.mark.parametrize("scale", [1e-300, 1e-16, 1e-9, 1e9, 1e300])
def test_emd_is_right_at_every_scale_of_cost(scale):
    a, b, cost = random_problem(np.random.default_rng(3), n=9, m=8)
    result = emd(a, b, cost * scale)
    assert result.cost / scale == pytest.approx(emd(a, b, cost).cost, rel=1e-12)
    assert 0 <= result.gap <= 1e-12 * scale * np.abs(cost).max()


@pytest.mark.parametrize("scale", [1e-30, 1e12, 1e30])
def test_emd_is_right_at_every_scale_of_mass(scale):
    a, b, cost = random_problem(np.random.default_rng(4), n=9, m=8)
    assert emd(a * scale, b * scale, cost).cost / scale == pytest.approx(emd(a, b, cost).cost, rel=1e-12)


def test_pot_alone_is_wrong_for_tiny_costs_and_does_not_say_so():
    rng = np.random.default_rng(0)
    a, b, cost = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(7)), rng.random((5, 7))
    _, log = ot.emd(a, b, 1e-16 * cost, log=True)
    assert log["warning"] is None
    assert log["cost"] > 1.05e-16 * emd(a, b, cost).cost


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1)])
def test_emd_with_one_point_on_a_side_moves_everything_there(shape):
    rng = np.random.default_rng(5)
    a, b, cost = random_problem(rng, n=shape[0], m=shape[1])
    np.testing.assert_allclose(emd(a, b, cost).plan, np.outer(a, b), atol=1e-15)  # one rounding


def test_emd_of_equal_costs_is_that_cost():
    a, b, _ = random_problem(np.random.default_rng(6), n=7, m=9)
    assert emd(a, b, np.full((7, 9), 2.5)).cost == pytest.approx(2.5)
    assert emd(a, b, np.zeros((7, 9))).cost == 0


def test_emd_counts_mass_and_does_not_normalise():
    assert emd([3, 1], [2, 2], [[0, 1], [1, 0]]).cost == 1


def test_emd_takes_lists_and_whole_numbers_and_keeps_them_whole():
    result = emd([2, 3], [1, 4], [[0, 3], [3, 0]])
    np.testing.assert_array_equal(result.plan, [[1, 1], [0, 3]])
    assert (result.cost, result.dual_cost, result.gap) == (3, 3, 0)


def test_emd_result_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        emd([1], [1], [[1]]).cost = 0


def test_emd_refuses_a_cost_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"cost must have shape \(2, 1\), got \(1, 2\); rows belong to a"):
        emd([1, 1], [2], [[1, 2]])


@pytest.mark.parametrize(
    ("cost", "message"), [([[np.nan]], "cost must be finite"), ([1], "cost must have 2 dim")]
)
def test_emd_refuses_a_cost_that_is_none(cost, message):
    with pytest.raises(ValueError, match=message):
        emd([1], [1], cost)


def test_emd_refuses_max_iter_below_one():
    with pytest.raises(ValueError, match="max_iter must be at least 1, got 0"):
        emd([1], [1], [[1]], max_iter=0)


def test_emd_refuses_a_tensor_and_names_the_cure():
    with pytest.raises(TypeError, match=r"a must be array-like, got a torch tensor; pass a\.detach"):
        emd(torch.ones(1), [1], [[1]])


def test_emd_raises_where_the_solver_stops_early():
    a, b, cost = random_problem(np.random.default_rng(7), n=40, m=40)
    with pytest.raises(RuntimeError, match=r"no best plan after 1 pivots .*; raise max_iter"):
        emd(a, b, cost, max_iter=1)


@pytest.mark.parametrize(
    "wrong",
    ["plan that is not best", "row sums", "column sums", "potentials", "potentials where nothing moves"],
)
def test_certificate_refuses_a_wrong_answer(wrong):
    a, b, cost = np.array([0.5, 0.5]), np.array([0.5, 0.5]), np.array([[0.0, 1.0], [1.0, 0.0]])
    plan, f, g = np.diag(a), np.zeros(2), np.zeros(2)
    assert _certified(a, b, cost, plan, f, g, np.empty_like(cost)).cost == 0
    if wrong == "plan that is not best":
        plan = plan[::-1]
    elif wrong == "row sums":
        a = np.array([0.25, 0.75])
    elif wrong == "column sums":
        b = np.array([0.25, 0.75])
    elif wrong == "potentials":
        f = f + 1
    else:
        f, g = np.array([0.0, 2.0]), np.array([0.0, -2.0])  # no gap, but too high for one more cell
    with pytest.raises(RuntimeError, match="not proved to be a best one"):
        _certified(a, b, cost, plan, f, g, np.empty_like(cost))
