"""Intervals whose ends are rounded outwards, so that they keep every value they ought to contain."""

from __future__ import annotations

from functools import reduce

from flint import arb


class Interval:
    """All numbers between two exact ends; ends that are NaN mean that nothing is known.

    A ball `arb(mid, rad)` keeps its radius to 30 bits only, too few to bound a slope that jumps from -1 to 1.
    """

    def __init__(self, lower: arb, upper: arb) -> None:
        self.lower, self.upper = lower, upper

    @classmethod
    def hull(cls, *balls: arb) -> Interval:
        """The smallest interval that contains the balls; a NaN in one of them spoils both ends."""
        lower = reduce(arb.min, (ball.lower() for ball in balls))
        return cls(lower, reduce(arb.max, (ball.upper() for ball in balls)))

    def __add__(self, other: Interval) -> Interval:
        return Interval.hull(self.lower + other.lower, self.upper + other.upper)

    def __neg__(self) -> Interval:
        return Interval(-self.upper, -self.lower)

    def __mul__(self, other: Interval) -> Interval:
        return Interval.hull(*(x * y for x in (self.lower, self.upper) for y in (other.lower, other.upper)))

    def power(self, exponent: arb) -> Interval:
        """All `x**exponent`: monotone where x keeps its sign; a whole exponent > 0 may pass through 0."""
        if exponent == 0:
            return Interval(arb(1), arb(1))
        ends = self.lower**exponent, self.upper**exponent
        if self.lower > 0 or (self.lower >= 0 and exponent > 0) or (self.upper < 0 and exponent.is_integer()):
            return Interval.hull(*ends)
        if exponent > 0 and exponent.is_integer():
            return Interval.hull(*ends, arb(0))
        return Interval(arb.nan(), arb.nan())

    def magnitude(self) -> arb:
        """The largest `|x|`."""
        return abs(self.lower).max(abs(self.upper))
