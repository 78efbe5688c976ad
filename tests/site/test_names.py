"""A slice takes the names that a statement reads from its module, and leaves out those that are local."""

import pytest

from slicing import Write, code_of, run


@pytest.mark.parametrize(
    "body",
    [
        "def f(cost):\n    return cost",
        "def f():\n    cost = 1\n    return cost",
        "def f():\n    return [cost for cost in range(3)]",
        "def f():\n    for cost in range(3):\n        pass\n    return lambda: cost",
        "def f():\n    def g():\n        nonlocal cost\n        cost = 2\n    cost = 1\n    return g",
        "def f():\n    with open('x') as cost:\n        return {cost: cost}",
        "def f():\n    try:\n        pass\n    except ValueError as cost:\n        return cost",
        "def f(x):\n    match x:\n        case [cost, *_]:\n            return cost",
        "def f(x):\n    return x.cost(cost=1)",
        "def f():\n    if (cost := 1):\n        return cost",
        "class f:\n    cost: int = 0\n    def g(self):\n        return self.cost",
        "class f:\n    @property\n    def cost(self):\n        return 1",
    ],
)
def test_slice_symbols_leaves_out_a_name_that_is_local(write: Write, body: str) -> None:
    src = write({"_a.py": f"def cost():\n    return 'global'\n\n\n{body}"})
    assert "global" not in code_of(src, "pkg._a.f")


@pytest.mark.parametrize(
    "body",
    [
        "def f(x=cost()):\n    return x",
        "def f():\n    global cost\n    cost = 1",
        "def f():\n    def cost2(cost):\n        return cost\n    return cost2(cost)",
        "def f():\n    return [x for x in cost()]",
        "class f:\n    cost = staticmethod(cost)",
        "class f(cost):\n    pass",
        "class f:\n    def g(self):\n        return cost",
        "@cost\ndef f():\n    pass",
        "f = lambda: cost",
        "f = f'{cost}'",
        "def f(x: cost):\n    pass",
        "def f(x: 'cost'):\n    pass",
        "def f(x) -> 'list[cost] | None':\n    pass",
        "class f:\n    x: 'cost | int'",
    ],
)
def test_slice_symbols_takes_a_name_that_is_global(write: Write, body: str) -> None:
    src = write({"_a.py": f"def cost():\n    return 'global'\n\n\n{body}"})
    assert "global" in code_of(src, "pkg._a.f")


def test_slice_symbols_takes_no_shape_and_no_literal_for_a_name(write: Write) -> None:
    src = write(
        {
            "_a.py": """
import jaxtyping as jt
from typing import Annotated, Literal
from jaxtyping import Float
from numpy import ndarray

n = "wrong"
d = "wrong"


def f(x: Float[ndarray, "n"], y: jt.Int[ndarray, " d"], z: Literal["n"], u: "Annotated[int, 'd']"):
    return x
"""
        }
    )
    code = code_of(src, "pkg._a.f")
    assert "wrong" not in code
    assert run(code)["f"]


def test_slice_symbols_leaves_out_a_statement_that_only_loops_over_the_name(write: Write) -> None:
    src = write({"_a.py": "def f():\n    return 1\n\n\nunused = [f for f in range(3)], lambda: (f := 2)"})
    assert "unused" not in code_of(src, "pkg._a.f")


def test_slice_symbols_keeps_compound_statements_whole(write: Write) -> None:
    src = write(
        {
            "_a.py": """
try:
    import not_installed as fast
except ImportError:
    fast = None

low, (high, *rest) = 1, (2, 3)
table = {}
for key in ("a", "b"):
    table[key] = _double(low) if False else high
table["c"] = low
table.update(d=4)
low += 10


def _double(x):
    return 2 * x


def f():
    return fast, low, table, rest
"""
        }
    )
    space = run(code_of(src, "pkg._a.f"))
    assert space["f"]() == (None, 11, {"a": 2, "b": 2, "c": 1, "d": 4}, [3])  # type: ignore[operator]


def test_slice_symbols_brings_what_is_registered_by_a_decorator(write: Write) -> None:
    src = write(
        {
            "_a.py": """
from functools import singledispatch


@singledispatch
def f(x):
    return "any"


@f.register
def _(x: int):
    return "int"


@f.register
def _(x: str):
    return "str"
"""
        }
    )
    f = run(code_of(src, "pkg._a.f"))["f"]
    assert [f(x) for x in (1, "a", 1.0)] == ["int", "str", "any"]  # type: ignore[operator]


def test_slice_symbols_leaves_out_what_only_shares_a_decorator(write: Write) -> None:
    src = write(
        {
            "_a.py": """
def _times(n):
    return lambda f: lambda: n * f()


@_times(2)
def f():
    return 1


@_times(3)
def g():
    return 1
"""
        }
    )
    assert set(run(code_of(src, "pkg._a.f"))) - {"__builtins__", "__name__"} == {"_times", "f"}
