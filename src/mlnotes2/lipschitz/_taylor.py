"""Automatic differentiation of NumPy code over a whole interval at once."""

from collections.abc import Callable
from math import inf, isfinite
from typing import Any, Never

import numpy as np
from flint import arb
from numpy.lib.mixins import NDArrayOperatorsMixin

from ._interval import Interval


class Taylor(NDArrayOperatorsMixin):
    """Enclosures of a function's value, its slope f' and its bend f'' over an interval of its argument.

    NumPy functions and operators applied to it follow the rules below. At a kink the slope covers both sides,
    and the bend is the whole line.
    """

    def __init__(self, value: Interval, slope: Interval, bend: Interval) -> None:
        self.value, self.slope, self.bend = value, slope, bend

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> "Taylor":
        if method == "__call__" and not options:
            operands = [lift(x) for x in inputs]
            if ufunc in RULES:
                result: Taylor = RULES[ufunc](*operands)
                return result
            if ufunc in SMOOTH:
                return apply_smooth(ufunc, *operands)
        raise TypeError(f"f uses np.{ufunc.__name__}, which has no rule for its slope; {CURE}")

    def __array_function__(self, function: Callable, *_: object) -> Never:
        raise TypeError(f"f uses np.{function.__name__}, which has no rule for its slope; {CURE}")

    def __bool__(self) -> Never:
        raise TypeError(f"f branches on its argument, which stands for a whole interval here; {CURE}")

    def __float__(self) -> Never:
        raise TypeError(f"f turns its argument into a float, as functions of math do; {CURE}")

    # `y += 1` makes a new number, as it does with floats.
    __iadd__, __isub__ = NDArrayOperatorsMixin.__add__, NDArrayOperatorsMixin.__sub__
    __imul__, __itruediv__ = NDArrayOperatorsMixin.__mul__, NDArrayOperatorsMixin.__truediv__
    __ipow__ = NDArrayOperatorsMixin.__pow__


def lift(value: object) -> Taylor:
    """Make a number a constant function, taken at its exact value."""
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, Taylor):
        return value
    if not isinstance(value, int | float):
        raise TypeError(f"f must compute one number from one number, but met {type(value).__name__}")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"f must use finite numbers, got {value}; remove it from f")
    return Taylor(Interval(arb(value), arb(value)), ZERO, ZERO)


def chain(x: Taylor, value: Interval, first: Interval, second: Interval) -> Taylor:
    """The chain rule: (g(x))' = g'(x) x' and (g(x))'' = g''(x) x'^2 + g'(x) x''."""
    return Taylor(value, first * x.slope, second * x.slope * x.slope + first * x.bend)


def apply_smooth(ufunc: np.ufunc, x: Taylor) -> Taylor:
    check_domain(ufunc.__name__, x, *DOMAINS.get(ufunc, (-inf, inf)))
    return chain(x, *(Interval.hull(ball) for ball in SMOOTH[ufunc](x.value.lower.union(x.value.upper))))


def check_domain(name: str, x: Taylor, least: float, most: float) -> None:
    if x.value.upper < least or x.value.lower > most:
        at = float(x.value.lower)
        raise ValueError(
            f"f is not defined on the whole interval: it needs {name} of about {at:.6g}; shrink it"
        )


def add(x: Taylor, y: Taylor) -> Taylor:
    return Taylor(x.value + y.value, x.slope + y.slope, x.bend + y.bend)


def negative(x: Taylor) -> Taylor:
    return Taylor(-x.value, -x.slope, -x.bend)


def multiply(x: Taylor, y: Taylor) -> Taylor:
    cross = x.slope * y.slope
    bend = x.bend * y.value + cross + cross + x.value * y.bend
    return Taylor(x.value * y.value, x.slope * y.value + x.value * y.slope, bend)


def power(x: Taylor, y: Taylor) -> Taylor:
    c = y.value.lower
    if not (c == y.value.upper and y.slope.magnitude() == 0):
        return apply_smooth(np.exp, multiply(y, apply_smooth(np.log, x)))
    if not c.is_integer():
        check_domain(f"power {float(c):g}", x, 0.0, inf)
    first, second = (
        ZERO if factor == 0 else Interval.hull(factor) * x.value.power(c - order)
        for order, factor in ((1, c), (2, c * (c - 1)))
    )
    return chain(x, x.value.power(c), first, second)


def above(x: Taylor, y: Taylor) -> bool:
    """Whether x >= y on the whole interval. Where they meet at an end of it, f is smooth up to there."""
    # At a point, which may be a kink, no bend is known.
    if x.bend.magnitude() + y.bend.magnitude() < arb.pos_inf():
        return bool(x.value.lower >= y.value.upper)
    return bool(x.value.lower > y.value.upper)


def absolute(x: Taylor) -> Taylor:
    if above(x, lift(0)):
        return x
    if above(lift(0), x):
        return negative(x)
    reach = x.value.lower.neg().max(x.value.upper)
    return Taylor(Interval.hull(arb(0), reach), Interval(arb(-1), arb(1)) * x.slope, UNKNOWN)


def maximum(x: Taylor, y: Taylor) -> Taylor:
    if above(x, y):
        return x
    if above(y, x):
        return y
    value = Interval(x.value.lower.max(y.value.lower), x.value.upper.max(y.value.upper))
    slope = Interval.hull(x.slope.lower, x.slope.upper, y.slope.lower, y.slope.upper)
    return Taylor(value, slope, UNKNOWN)


def logaddexp(x: Taylor, y: Taylor) -> Taylor:
    difference = add(y, negative(x))
    v = difference.value.lower.union(difference.value.upper)
    sigmoid, rest = 1 / (1 + (-v).exp()), 1 / (1 + v.exp())
    softplus = chain(difference, *map(Interval.hull, (v.exp().log1p(), sigmoid, sigmoid * rest)))
    return add(x, softplus)


CURE = "use + - * / **, np.abs, np.maximum, np.minimum and smooth functions such as np.exp, on one number"
ZERO = Interval(arb(0), arb(0))
UNKNOWN = Interval(arb.neg_inf(), arb.pos_inf())

# Value, first and second derivative over a ball.
SMOOTH: dict[np.ufunc, Callable[[arb], tuple[arb, arb, arb]]] = {
    np.exp: lambda v: (v.exp(), v.exp(), v.exp()),
    np.expm1: lambda v: (v.expm1(), v.exp(), v.exp()),
    np.log: lambda v: (v.log(), (r := 1 / v), -r * r),
    np.log1p: lambda v: (v.log1p(), (r := 1 / (1 + v)), -r * r),
    np.sin: lambda v: (v.sin(), v.cos(), -v.sin()),
    np.cos: lambda v: (v.cos(), -v.sin(), -v.cos()),
    np.tan: lambda v: ((t := v.tan()), 1 + t * t, 2 * t * (1 + t * t)),
    np.arcsin: lambda v: (v.asin(), (r := (1 - v * v).rsqrt()), v * r * r * r),
    np.arccos: lambda v: (v.acos(), -(r := (1 - v * v).rsqrt()), -v * r * r * r),
    np.arctan: lambda v: (v.atan(), (d := 1 / (1 + v * v)), -2 * v * d * d),
    np.sinh: lambda v: (v.sinh(), v.cosh(), v.sinh()),
    np.cosh: lambda v: (v.cosh(), v.sinh(), v.cosh()),
    np.tanh: lambda v: ((t := v.tanh()), 1 - t * t, -2 * t * (1 - t * t)),
}
DOMAINS: dict[object, tuple[float, float]] = {
    np.log: (0.0, inf),
    np.log1p: (-1.0, inf),
    np.arcsin: (-1.0, 1.0),
    np.arccos: (-1.0, 1.0),
}
RULES: dict[np.ufunc, Callable[..., Any]] = {
    np.add: add,
    np.subtract: lambda x, y: add(x, negative(y)),
    np.negative: negative,
    np.positive: lambda x: x,
    np.multiply: multiply,
    np.divide: lambda x, y: x * y**-1,
    np.power: power,
    np.float_power: power,
    np.square: lambda x: x**2,
    np.reciprocal: lambda x: x**-1,
    np.sqrt: lambda x: x**0.5,
    np.absolute: absolute,
    np.fabs: absolute,
    np.maximum: maximum,
    np.minimum: lambda x, y: negative(maximum(negative(x), negative(y))),
    np.logaddexp: logaddexp,
}
