"""The version for reading agrees with the fast one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.transport import emd_points, emd_points_reference

RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@given(RANDOM)
def test_emd_points_reference_agrees_with_emd_points_and_proves_it(rng):
    n, m, d = rng.integers(1, 9, 3)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    cost, lower, used = emd_points_reference(x, y, a, b)
    assert cost == pytest.approx(emd_points(x, y, a, b).cost, abs=1e-7)  # HiGHS's tolerance
    assert lower == pytest.approx(cost, abs=1e-6)
    assert used <= n * m


def test_emd_points_reference_leaves_most_pairs_alone():
    rng = np.random.default_rng(0)
    cost, lower, used = emd_points_reference(rng.normal(size=(100, 2)), rng.normal(size=(100, 2)))
    assert lower == pytest.approx(cost, abs=1e-6)
    assert used < 100**2 / 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0]], [[0]]), "as many coordinates, got 2 and 1"),
        (([[0]], [[0]], [0.5, 0.5], [1]), "1 and 1 points need as many masses, got 2 and 1"),
        (([[0]], [[0]], [2], [1]), "normalise both"),
        (([[np.nan]], [[0]]), "x must be finite"),
    ],
)
def test_emd_points_reference_refuses_bad_clouds(arguments, message):
    with pytest.raises(ValueError, match=message):
        emd_points_reference(*arguments)
