"""An enclosure is an interval that knows what it holds and refuses to be empty."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2 import Enclosure

numbers = st.floats(allow_nan=False)


@given(numbers, numbers, numbers)
def test_enclosure_contains_what_lies_between_its_bounds(x: float, y: float, z: float) -> None:
    lower, value, upper = sorted([x, y, z])
    assert value in Enclosure(lower, upper)
    assert (math.nextafter(upper, math.inf) in Enclosure(lower, upper)) == (upper == math.inf)
    assert (math.nextafter(lower, -math.inf) in Enclosure(lower, upper)) == (lower == -math.inf)


@pytest.mark.parametrize(
    ("lower", "upper", "width", "midpoint"),
    [(1.0, 4.0, 3.0, 2.5), (2.0, 2.0, 0.0, 2.0), (0.0, math.inf, math.inf, math.inf)],
)
def test_enclosure_width_and_midpoint(lower: float, upper: float, width: float, midpoint: float) -> None:
    enclosure = Enclosure(lower, upper)
    assert (enclosure.width, enclosure.midpoint) == (width, midpoint)


def test_enclosure_that_is_attained_at_infinity_has_no_width() -> None:
    assert Enclosure(math.inf, math.inf).width == 0


def test_enclosure_never_contains_nan() -> None:
    assert math.nan not in Enclosure(-math.inf, math.inf)


def test_enclosure_refuses_swapped_bounds() -> None:
    with pytest.raises(ValueError, match=r"lower must not exceed upper, got \[2.0, 1.0\]"):
        Enclosure(2.0, 1.0)


@pytest.mark.parametrize("bounds", [(math.nan, 1.0), (0.0, math.nan)])
def test_enclosure_refuses_nan(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="bounds must be numbers"):
        Enclosure(*bounds)


def test_enclosure_cannot_be_changed() -> None:
    enclosure = Enclosure(0.0, 1.0, witness="why")
    with pytest.raises(AttributeError):
        enclosure.lower = 2.0  # type: ignore[misc]
    assert enclosure.witness == "why"
