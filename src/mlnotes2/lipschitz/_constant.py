"""The Lipschitz constant of a function of one variable, proved by interval arithmetic."""

from __future__ import annotations

import heapq
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx

from .._checks import real_array
from .._enclosure import Enclosure
from ._interval import Interval
from ._taylor import UNKNOWN, ZERO, Taylor, lift


def lipschitz_constant(
    f: Callable[[Any], Any], interval: Sequence[float | int], *, tol: float = 1e-9, max_splits: int = 10_000
) -> Enclosure:
    r"""Enclose the Lipschitz constant of $f$ on $[a, b]$, which is $\sup |f'|$ where $f$ is differentiable.

    The interval is halved where $|f'|$ may still be largest. On each piece the slope between its ends is a
    lower bound, and $|f'|$ over the whole piece, by automatic differentiation in interval arithmetic, an
    upper bound.

    Args:
        f: A function of one number in ordinary NumPy code, such as `lambda x: np.sin(x) * x`. It may have
            kinks (`np.abs`, `np.maximum`) but no branches. A float in it, such as `0.1`, stands for the
            number it stores.
        interval: The ends `(a, b)`, finite, with a < b.
        tol: Stop when the width is at most `tol * max(1, lower)`.
        max_splits: Stop after so many halvings. The bounds still hold; they are only wider.

    Returns:
        An enclosure whose witness is a pair (x, y) with slope at least `lower`. `upper` is `inf` where no
        bound was found, as it must be at a pole and for the square root at 0.

    Raises:
        ValueError: If the interval is not two finite numbers in order, if `f` uses NaN or is found to be
            undefined somewhere on the interval, or if an option is out of range.
        TypeError: If `f` uses an operation that has no rule here, or does not return one number.

    Source:
        R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis, SIAM 2009.

    Example:
        >>> lipschitz_constant(abs, (-1, 2))
        Enclosure(lower=1.0, upper=1.0, witness=(0.5, 2.0))
    """
    ends = real_array("interval", np.asarray(interval), ndim=1).tolist()
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise ValueError(f"interval must be two numbers (a, b) with a < b, got {ends}; put the smaller first")
    if not (tol > 0 and max_splits >= 0):
        raise ValueError(f"tol must be > 0 and max_splits >= 0, got {tol} and {max_splits}")
    with ctx.workprec(128):  # the slope of a short pair cancels; doubles would leave nothing of it
        heap = [measure(f, *(Sample(x, extend(f, x, x)) for x in ends))]
        best = heap[0]
        for _ in range(max_splits):
            left, right = heap[0].left, heap[0].right
            middle = left.x / 2 + right.x / 2
            missing = heap[0].upper - best.lower
            solved = missing <= tol * max(1.0, best.lower) or best.lower == sys.float_info.max
            if solved or not left.x < middle < right.x:
                break
            sample = Sample(middle, extend(f, middle, middle))
            halves = measure(f, left, sample), measure(f, sample, right)
            heapq.heapreplace(heap, halves[0])
            heapq.heappush(heap, halves[1])
            best = max(best, *halves, key=lambda piece: piece.lower)
    return Enclosure(best.lower, heap[0].upper, (best.left.x, best.right.x))


class Sample(NamedTuple):
    """A point, with f and its derivatives there."""

    x: float
    f: Taylor


@dataclass(frozen=True)
class Piece:
    """Part of the interval with bounds on its steepest slope; a heap serves the steepest first."""

    left: Sample
    right: Sample
    lower: float
    upper: float

    def __lt__(self, other: Piece) -> bool:
        return (self.upper, self.right.x - self.left.x) > (other.upper, other.right.x - other.left.x)


def extend(f: Callable[[Any], Any], low: float, high: float) -> Taylor:
    """Evaluate f and its derivatives over all of [low, high] at once; of f'' nothing is known at a point."""
    bend = ZERO if low < high else UNKNOWN
    return lift(f(Taylor(Interval(arb(low), arb(high)), Interval(arb(1), arb(1)), bend)))


def measure(f: Callable[[Any], Any], left: Sample, right: Sample) -> Piece:
    run = arb(right.x) - arb(left.x)
    rise = right.f.value + -left.f.value
    slope = Interval.hull(rise.lower / run, rise.upper / run)
    whole = extend(f, left.x, right.x)
    at_ends = left.f.slope.magnitude().max(right.f.slope.magnitude())
    if not (whole.bend.lower >= 0 or whole.bend.upper <= 0):
        # f' is not known to be monotone: between the ends |f'| may be larger, by at most this.
        at_ends += whole.bend.magnitude() * run / 2
    upper = min(round_up(whole.slope.magnitude()), round_up(at_ends))
    return Piece(left, right, max(0.0, round_down(slope.lower.max(-slope.upper))), upper)


def round_up(bound: arb) -> float:
    near = float(bound.upper())
    if math.isnan(near):
        return math.inf
    return near if bound <= near else math.nextafter(near, math.inf)


def round_down(bound: arb) -> float:
    near = float(bound.lower())
    if math.isnan(near):
        return 0.0
    return near if bound >= near else math.nextafter(near, -math.inf)
