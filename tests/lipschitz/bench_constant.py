"""A constant to nine digits, beside plain bisection, which has not got them after 100 times as many splits."""

import numpy as np
import pytest

from mlnotes2.lipschitz import _constant, lipschitz_constant
from mlnotes2.lipschitz._constant import extend
from mlnotes2.lipschitz._taylor import UNKNOWN, Taylor

SPLITS = {"ours": 23, "bisection": 2300}


def chirp(x):
    """A wave whose frequency and height grow."""
    return np.sin(x**2) * np.exp(x)


def slope_only(f, low, high):
    """What plain bisection knows of a piece: f' on it, and nothing of f''."""
    at = extend(f, low, high)
    return Taylor(at.value, at.slope, UNKNOWN)


@pytest.mark.benchmark(group="lipschitz.lipschitz_constant")
@pytest.mark.parametrize("problem", [chirp])
@pytest.mark.parametrize("library", SPLITS)
def test_lipschitz_constant_speed(benchmark, library, problem, monkeypatch):
    exact = lipschitz_constant(problem, (0, 2), max_splits=SPLITS["ours"])
    if library == "bisection":
        monkeypatch.setattr(_constant, "extend", slope_only)
    found = benchmark.pedantic(
        lipschitz_constant, (problem, (0, 2)), {"max_splits": SPLITS[library]}, rounds=1
    )
    assert exact.midpoint in found
    assert (found.width <= 1e-9 * found.lower) == (library == "ours")
