"""The distance on the line as the page shows it: what it refuses; test_emd_1d.py tells what it gives."""

import pytest

from mlnotes2.transport import emd_1d_reference


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [1]), "x must not be empty"),
        (([[1]], [1]), r"x must have 1 dimension\(s\)"),
        (([1, 2], [1], [1]), "a must hold one mass for each point, got 1 masses for 2 points"),
        (([1, 2], [3], [3, 1]), "same total mass, got 4.0 and 1.0, which differ by 3.0; normalise both"),
    ],
)
def test_emd_1d_reference_refuses_what_are_no_piles(arguments, message):
    with pytest.raises(ValueError, match=message):
        emd_1d_reference(*arguments)


def test_emd_1d_reference_refuses_a_power_below_one():
    with pytest.raises(ValueError, match="p must be a finite number of at least 1, got"):
        emd_1d_reference([1], [2], p=0.5)


def test_emd_1d_reference_leaves_its_arguments_alone():
    x = [3.0, 1.0]
    assert emd_1d_reference(x, [2, 0]) == 1
    assert x == [3, 1]
