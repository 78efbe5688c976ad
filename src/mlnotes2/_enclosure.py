"""A number known to lie between two proved bounds."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Enclosure:
    """A closed interval that is proved to contain a value, with what shows the lower bound.

    Args:
        lower: A proved lower bound; may be `-inf`.
        upper: A proved upper bound; may be `inf`.
        witness: What attains the lower bound (a pair of points, a vector), or `None`.

    Raises:
        ValueError: If `lower > upper`, or if either bound is NaN.

    Example:
        >>> pi = Enclosure(3.1415, 3.1416)
        >>> 3.14159265 in pi
        True
        >>> round(pi.width, 6)
        0.0001
    """

    lower: float
    upper: float
    witness: object | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.lower) or math.isnan(self.upper):
            raise ValueError(
                f"bounds must be numbers, got [{self.lower}, {self.upper}]; look for a NaN upstream"
            )
        if self.lower > self.upper:
            raise ValueError(
                f"lower must not exceed upper, got [{self.lower}, {self.upper}]; were they swapped?"
            )

    @property
    def width(self) -> float:
        """`upper - lower`: how much is still unknown; 0 for a bound that is attained, also at infinity."""
        return 0.0 if self.lower == self.upper else self.upper - self.lower

    @property
    def midpoint(self) -> float:
        """The centre of the interval; infinite or NaN where a bound is infinite."""
        return self.lower + self.width / 2

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper
