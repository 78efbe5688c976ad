"""Plans: their cost, the naive one, and its way to the best one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.transport import emd, improve_plan, naive_plan, plan_cost


@st.composite
def balanced_problems(draw):
    """Whole-number masses with one total, some of them zero, and whole-number costs: all sums are exact."""
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    total = draw(st.integers(1, 40))
    a, b = (np.diff([0, *sorted(draw(st.lists(st.integers(0, total), min_size=k, max_size=k))), total])
            for k in (n - 1, m - 1))  # fmt: skip
    costs = st.lists(st.integers(-9, 9), min_size=n * m, max_size=n * m)
    return a, b, np.array(draw(costs)).reshape(n, m)


def improved_to_the_end(plan, cost):
    """Every plan on the way, the first and the best among them."""
    plans = [plan]
    while not np.array_equal(better := improve_plan(plans[-1], cost), plans[-1]):
        plans.append(better)
    return plans


def test_plan_cost_is_the_sum_of_mass_times_price():
    assert plan_cost([[1, 2], [0, 3]], [[5, 1], [7, 2]]) == 1 * 5 + 2 * 1 + 3 * 2


def test_plan_cost_with_mass_one_is_the_average_distance_of_single_grains():
    rng = np.random.default_rng(0)
    grains = rng.integers(0, 5, (1000, 2))
    plan = np.zeros((5, 5))
    np.add.at(plan, tuple(grains.T), 1 / 1000)
    distance = np.abs(np.arange(5)[:, None] - np.arange(5))
    average = np.abs(grains[:, 0] - grains[:, 1]).mean()
    assert plan_cost(plan, distance) == pytest.approx(average, rel=1e-12)  # 1000 additions of 1/1000 round


@given(balanced_problems())
def test_naive_plan_moves_a_to_b(problem):
    a, b, _ = problem
    plan = naive_plan(a, b)
    np.testing.assert_array_equal(plan.sum(axis=1), a)
    np.testing.assert_array_equal(plan.sum(axis=0), b)
    assert plan.min() >= 0


@given(balanced_problems())
def test_naive_plan_uses_at_most_n_plus_m_minus_1_cells(problem):
    a, b, _ = problem
    assert np.count_nonzero(naive_plan(a, b)) <= len(a) + len(b) - 1


def test_naive_plan_agrees_with_the_rule_done_by_hand():
    rng = np.random.default_rng(1)
    a, b = rng.multinomial(50, np.full(7, 1 / 7)), rng.multinomial(50, np.full(5, 1 / 5))
    by_hand, left_a, left_b, i, j = np.zeros((7, 5)), a.copy(), b.copy(), 0, 0
    while i < 7 and j < 5:
        by_hand[i, j] = amount = min(left_a[i], left_b[j])
        left_a[i] -= amount
        left_b[j] -= amount
        i, j = (i + 1, j) if left_a[i] == 0 else (i, j + 1)
    np.testing.assert_array_equal(naive_plan(a, b), by_hand)


def test_naive_plan_has_no_negative_mass_when_totals_round_apart():
    a = np.concatenate([np.full(10, 0.1), np.zeros(3)])  # ten tenths add up to 1 - 1.1e-16
    assert naive_plan(a, [1.0]).min() >= 0
    assert naive_plan([1.0], a).min() >= 0


@given(balanced_problems())
def test_improve_plan_keeps_the_sums_and_lowers_the_cost(problem):
    a, b, cost = problem
    plans = improved_to_the_end(naive_plan(a, b), cost)
    for plan in plans:
        np.testing.assert_array_equal(plan.sum(axis=1), a)
        np.testing.assert_array_equal(plan.sum(axis=0), b)
        assert plan.min() >= 0
    assert (np.diff([plan_cost(plan, cost) for plan in plans]) < 0).all()


@pytest.mark.claim("transport.improvement")
@given(balanced_problems())
def test_improve_plan_ends_at_the_least_cost(problem):
    a, b, cost = problem
    last = improved_to_the_end(naive_plan(a, b), cost)[-1]
    assert plan_cost(last, cost) == emd(a, b, cost).cost  # whole numbers: no rounding


@pytest.mark.parametrize("seed", range(5))
def test_improve_plan_ends_at_the_least_cost_for_real_masses(seed):
    rng = np.random.default_rng(seed)
    a, b, cost = rng.dirichlet(np.ones(20)), rng.dirichlet(np.ones(15)), rng.random((20, 15))
    plans = improved_to_the_end(naive_plan(a, b), cost)
    costs = [plan_cost(plan, cost) for plan in plans]
    assert (np.diff(costs) < 0).all()
    assert costs[-1] == pytest.approx(emd(a, b, cost).cost, rel=1e-10)  # savings below 1e-12 are left


@pytest.mark.claim("transport.improvement")
@given(balanced_problems())
def test_improve_plan_leaves_a_best_plan_as_it_is(problem):
    a, b, cost = problem
    plan = emd(a, b, cost).plan
    np.testing.assert_array_equal(improve_plan(plan, cost), plan)


def test_improve_plan_leaves_its_argument_alone():
    plan = np.eye(2)
    improve_plan(plan, [[5, 1], [1, 5]])
    np.testing.assert_array_equal(plan, np.eye(2))


def test_improve_plan_finds_a_cycle_that_needs_three_rows():
    cost = np.array(
        [[1, 0, 9], [9, 1, 0], [0, 9, 1]]
    )  # a swap of two rows costs 9 - 2; all three together save 3
    np.testing.assert_array_equal(improve_plan(np.eye(3), cost), np.eye(3)[[1, 2, 0]])


@pytest.mark.parametrize("function", [plan_cost, improve_plan])
@pytest.mark.parametrize(
    ("plan", "cost", "message"),
    [
        ([[1, 0]], [[1], [2]], r"plan and cost must have one shape, got \(1, 2\) and \(2, 1\); transpose"),
        ([[1, -1]], [[1, 1]], "plan must not be negative, got -1.0"),
        ([1, 0], [[1, 1]], "plan must have 2 dimension"),
        ([[1, np.nan]], [[1, 1]], "plan must be finite"),
        ([[1, 0]], [[1, np.inf]], "cost must be finite"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "plan must not be empty"),
    ],
)
def test_plan_functions_refuse_what_is_no_plan(function, plan, cost, message):
    with pytest.raises(ValueError, match=message):
        function(plan, cost)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0.5, 0.6], [1.0], "same total mass, got 1.1 and 1.0, which differ by 0.1.*; normalise both"),
        ([2, -1], [1], "a must not be negative, got -1.0"),
        ([1], [2, -1], "b must not be negative, got -1.0"),
        ([0, 0], [0], "a must hold some mass, got only zeros"),
        ([1], [0, 0], "b must hold some mass, got only zeros"),
        ([], [1], "a must not be empty"),
        ([[1]], [1], r"a must have 1 dimension\(s\), got shape \(1, 1\)"),
        ([np.nan], [1], "a must be finite"),
        ([1], [np.inf], "b must be finite"),
    ],
)
@pytest.mark.parametrize("function", [naive_plan, lambda a, b: emd(a, b, np.ones((len(a), len(b))))])
def test_piles_that_cannot_be_matched_are_refused(function, a, b, message):
    with pytest.raises(ValueError, match=message):
        function(a, b)


@pytest.mark.parametrize("mass", [1e-200, 1e-12, 1e12, 1e200])
def test_masses_are_compared_in_proportion_to_their_total(mass):
    assert naive_plan([mass], [mass * (1 + 1e-10)]) == pytest.approx(mass, rel=1e-9, abs=0)
    with pytest.raises(ValueError, match="same total mass"):
        naive_plan([mass], [mass * (1 + 1e-8)])


@pytest.mark.parametrize("mass", [1e-200, 1, 1e200])
@pytest.mark.parametrize("price", [1e-200, 1, 1e200])
def test_improve_plan_works_at_every_scale(mass, price):
    crumb, dust = 1e-10, 1e-14  # a crumb is worth moving, dust is not
    plan, cost = np.diag([1, crumb]), np.array([[5.0, 1.0], [1.0, 5.0]])
    wanted = [[1 - crumb, crumb], [crumb, 0]]
    np.testing.assert_allclose(improve_plan(mass * plan, price * cost) / mass, wanted, rtol=1e-12)
    np.testing.assert_array_equal(
        improve_plan(mass * np.diag([1, dust]), price * cost), mass * np.diag([1, dust])
    )
    np.testing.assert_array_equal(improve_plan(mass * plan, price * np.diag([1e-14, 0]) + price), mass * plan)
