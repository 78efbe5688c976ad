"""Common mistakes about the Earth Mover's Distance."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mistakes.page import right, wrong
from oracles import linprog_emd, pot_emd

SIZES, SEEDS = st.integers(2, 4), st.integers(0, 2**32 - 1)
few = settings(max_examples=40)  # each solves several linear programs


def problem(seed, n, m):
    """Two piles of mass 1 and a cost."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.random((n, m))


def on_a_line(seed, n):
    """Two piles on the same places, and their distances."""
    rng = np.random.default_rng(seed)
    place = np.sort(rng.random(n))
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n)), abs(place[:, None] - place)


@pytest.mark.claim("mistakes.dual-program")
@few
@given(SEEDS, SIZES)
def test_without_free_unknowns_piles_on_the_same_places_are_at_distance_0(seed, n):
    a, b, cost = on_a_line(seed, n)
    assert wrong("mistakes.dual-program").distance(a, b, cost, transposed=True) == pytest.approx(0, abs=1e-9)
    assert pot_emd(a, b, cost) > 0


@pytest.mark.claim("mistakes.dual-program")
@few
@given(SEEDS)
def test_without_the_transpose_two_places_give_another_number(seed):
    a, b, cost = on_a_line(seed, 2)
    assume(abs(b[0] - abs(a[0] - b[0])) > 1e-6)
    found = wrong("mistakes.dual-program").distance(a, b, cost, transposed=False)
    assert abs(found - pot_emd(a, b, cost)) > 1e-7 * cost.max()
    assert found == pytest.approx(b[0] * cost.max(), rel=1e-6, abs=1e-9)


@pytest.mark.claim("mistakes.dual-program")
@few
@given(SEEDS, SIZES, SIZES)
def test_the_dual_with_transpose_and_free_unknowns_is_the_distance(seed, n, m):
    a, b, cost = problem(seed, n, m)
    assert right("mistakes.dual-program").distance(a, b, cost) == pytest.approx(pot_emd(a, b, cost), abs=1e-7)


@pytest.mark.claim("mistakes.axes")
@few
@given(SEEDS, SIZES)
def test_swapped_sums_move_the_earth_backwards(seed, n):
    a, b, cost = problem(seed, n, n)
    there, back = linprog_emd(a, b, cost), linprog_emd(b, a, cost)
    assume(abs(there - back) > 1e-3)
    found = wrong("mistakes.axes").least_cost(a, b, cost)
    assert found == pytest.approx(back, abs=1e-7)
    assert abs(found - there) > 9e-4


@pytest.mark.claim("mistakes.axes")
@few
@given(SEEDS, SIZES)
def test_a_symmetric_cost_hides_swapped_sums(seed, n):
    a, b, cost = on_a_line(seed, n)
    found = [block("mistakes.axes").least_cost(a, b, cost) for block in (wrong, right)]
    assert found == pytest.approx([pot_emd(a, b, cost)] * 2, abs=1e-7)


@pytest.mark.claim("mistakes.axes")
@few
@given(SEEDS, SIZES, SIZES)
def test_rows_belong_to_the_first_pile(seed, n, m):
    a, b, cost = problem(seed, n, m)
    assert right("mistakes.axes").least_cost(a, b, cost) == pytest.approx(pot_emd(a, b, cost), abs=1e-7)


@pytest.mark.claim("mistakes.mass")
@few
@given(SEEDS, SIZES, SIZES, st.floats(0.1, 10))
def test_work_grows_with_the_mass_and_a_normalised_distance_does_not(seed, n, m, mass):
    a, b, _ = problem(seed, n, m)
    x, y = np.random.default_rng(seed + 1).random((2, 4))
    x, y = x[:n], y[:m]
    true = linprog_emd(mass * a, mass * b, abs(x[:, None] - y))
    normalised = wrong("mistakes.mass").work(x, y, mass * a, mass * b)
    assert mass * normalised == pytest.approx(true, abs=1e-6)
    assert right("mistakes.mass").work(x, y, mass * a, mass * b) == pytest.approx(true, abs=1e-6)


@pytest.mark.claim("mistakes.mass")
@few
@given(SEEDS, SIZES, st.floats(1.001, 10))
def test_unequal_masses_get_a_number_from_the_wrong_block_and_an_error_from_the_right_one(seed, n, mass):
    a, b, _ = problem(seed, n, n)
    x = np.arange(n)
    assert wrong("mistakes.mass").work(x, x, a, mass * b) > 0
    with pytest.raises(ValueError, match="masses differ"):
        right("mistakes.mass").work(x, x, a, mass * b)


@pytest.mark.claim("mistakes.ground-distance")
@few
@given(SEEDS, SIZES)
def test_heights_alone_put_every_reordered_pile_at_distance_0(seed, n):
    P, place = np.random.default_rng(seed).dirichlet(np.ones(n)), np.arange(n)
    true = pot_emd(P, P[::-1].copy(), abs(place[:, None] - place).astype(float))
    assume(true > 1e-6)
    assert wrong("mistakes.ground-distance").distance(P, P[::-1], place) == pytest.approx(0, abs=1e-12)


@pytest.mark.claim("mistakes.ground-distance")
@few
@given(SEEDS, SIZES, st.floats(0.001, 1000))
def test_positions_give_the_distance_in_their_unit(seed, n, unit):
    P, Q, distance = on_a_line(seed, n)
    place = unit * distance[0]
    found = right("mistakes.ground-distance").distance(P, Q, place)
    assert found == pytest.approx(unit * pot_emd(P, Q, distance), rel=1e-9, abs=1e-9 * unit)


@st.composite
def shelves(draw):
    """Books moved one place: their distances, the two plans of the page, and a mixture of them."""
    n, share = draw(st.integers(2, 7)), draw(st.floats(0.01, 1))
    book, each = np.arange(n), np.eye(n)
    mixture = (1 - share) * each + share * np.roll(each, -1, axis=1)
    return abs(book[:, None] - (book + 1)).astype(float), each, mixture


@pytest.mark.claim("mistakes.plans")
@few
@given(shelves())
def test_two_best_plans_differ_and_cost_the_same(drawn):
    cost, each, mixture = drawn
    for plan in (each, mixture):
        assert np.vdot(plan, cost) == pytest.approx(pot_emd(*np.ones((2, len(cost))), cost))
    assert not wrong("mistakes.plans").equally_good(each, mixture, cost)
    assert right("mistakes.plans").equally_good(each, mixture, cost)


@pytest.mark.claim("mistakes.plans")
@few
@given(shelves())
def test_a_dearer_plan_and_one_for_other_piles_are_not_equally_good(drawn):
    cost, each, _ = drawn
    equally_good = right("mistakes.plans").equally_good
    if len(cost) > 2:
        assert not equally_good(each, np.roll(each, 1, axis=1), cost)  # all but the last move by two
    cheap = np.zeros_like(each)
    cheap[0, 0] = len(cost)  # all earth lies at the first place
    assert np.vdot(cheap, cost) == np.vdot(each, cost)
    assert not equally_good(each, cheap, cost)
