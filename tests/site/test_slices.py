"""A slice holds what its symbols need and nothing else, in an order that runs; the rest is refused."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesite.slices import SliceError, public_names, slice_symbols

SRC = Path(__file__).parents[2] / "src"
RUFF = Path(sys.executable).with_name("ruff")
Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_files(files: dict[str, str]) -> Path:
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / "src" / "pkg" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "src"

    return write_files


def run(code: str) -> dict[str, object]:
    assert "import pkg" not in code
    assert "from ." not in code
    space: dict[str, object] = {"__name__": "__main__"}
    exec(compile(code, "slice", "exec"), space)
    return space


def code_of(src: Path, *symbols: str) -> str:
    return slice_symbols(symbols, src=src).code


# What a slice holds.


def test_slice_symbols_writes_imports_then_constants_then_helpers_then_the_symbol(write: Write) -> None:
    src = write(
        {
            "_a.py": '''
"""Module."""
import sys
import os
from numpy import zeros, array
import numpy as np


def public(x):
    return _helper(x) + np.sum(array(LIMIT))


def unused():
    return os.sep


# Why it is so.
@staticmethod
def _helper(x):
    return x * LIMIT


LIMIT = 3  # the limit
'''
        }
    )
    assert code_of(src, "pkg._a.public") == (
        """import numpy as np
from numpy import array

LIMIT = 3  # the limit


# Why it is so.
@staticmethod
def _helper(x):
    return x * LIMIT


def public(x):
    return _helper(x) + np.sum(array(LIMIT))
"""
    )


def test_slice_symbols_follows_reexports_and_relative_imports_at_any_level(write: Write) -> None:
    src = write(
        {
            "__init__.py": "from .topic import f as f",
            "_checks.py": "def check(x):\n    return x",
            "topic/__init__.py": "from .deep._a import f as f",
            "topic/deep/__init__.py": "",
            "topic/deep/_a.py": (
                "from ..._checks import check\nfrom pkg._checks import check as same\n"
                "from .._b import ONE\n\n"
                "def f():\n    return check(ONE) + same(ONE)"
            ),
            "topic/_b.py": "ONE = 1",
        }
    )
    code = code_of(src, "pkg.f")
    assert run(code)["f"]() == 2  # type: ignore[operator]
    assert "same = check" in code
    assert code_of(src, "pkg.topic.f") == code


def test_slice_symbols_gives_an_alias_its_asked_name(write: Write) -> None:
    src = write({"__init__.py": "from ._a import f as renamed", "_a.py": "def f():\n    return 1"})
    assert code_of(src, "pkg.renamed").endswith("\n\n\nrenamed = f\n")


def test_slice_symbols_keeps_imports_under_the_name_by_which_they_are_used(write: Write) -> None:
    src = write(
        {
            "_compat.py": "import math\nimport os.path\nfrom math import floor as down",
            "_a.py": (
                "from ._compat import math as m, down as f, os\n\ndef g():\n    return m.pi, f(1.5), os.sep"
            ),
        }
    )
    code = code_of(src, "pkg._a.g")
    assert code.startswith("import math as m\nimport os.path\nfrom math import floor as f\n")
    run(code)["g"]()  # type: ignore[operator]


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


def test_slice_symbols_puts_what_a_class_body_needs_before_it(write: Write) -> None:
    src = write(
        {
            "_a.py": """
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

Pair = tuple[float, float]
T = TypeVar("T", bound="Base")


def _zero():
    return Point(0, (0, 0))


class Base:
    def twin(self: T) -> T:
        return self


class Point(NamedTuple):
    x: float
    pair: Pair


@dataclass
class Result(Base):
    point: Point = field(default_factory=_zero)
    other: "Later | None" = None


class Later(Result):
    pass
"""
        }
    )
    space = run(code_of(src, "pkg._a.Result"))
    assert space["Result"]().point.pair == (0, 0)  # type: ignore[operator]
    assert "Later" in space


def test_slice_symbols_keeps_type_checking_imports_out_of_the_run(write: Write) -> None:
    src = write(
        {
            "_a.py": """
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from not_installed import Thing
    from ._b import Other


def f(x: Thing, y: Other) -> int:
    return 1
""",
            "_b.py": "from ._a import f\n\n\nclass Other:\n    call = f",
        }
    )
    code = code_of(src, "pkg._a.f")
    assert code.startswith(
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from not_installed import Thing\n"
    )
    assert run(code)["f"](1, 2) == 1  # type: ignore[operator]


def test_slice_symbols_imports_once_what_is_needed_for_types_and_in_the_run(write: Write) -> None:
    typing = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from math import pi\n\n"
    src = write(
        {
            "_a.py": f"from ._b import g\n{typing}\ndef f(x: 'pi'):\n    return g()",
            "_b.py": "from math import pi\n\n\ndef g():\n    return pi",
        }
    )
    assert code_of(src, "pkg._a.f").startswith("from math import pi\n\n\ndef g")


def test_slice_symbols_keeps_both_branches_of_a_type_checking_block(write: Write) -> None:
    text = """
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from not_installed import Thing
else:
    Thing = int


def f(x: Thing) -> Thing:
    return Thing(x)
"""
    code = code_of(write({"_a.py": text}), "pkg._a.f")
    assert run(code)["f"]("1") == 1  # type: ignore[operator]
    assert code.startswith("from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from not_installed")


def test_slice_symbols_imports_each_submodule_that_shares_a_name(write: Write) -> None:
    src = write({"_a.py": "import os\nimport os.path\nimport sys\n\n\ndef f():\n    return os.path.sep"})
    assert code_of(src, "pkg._a.f").startswith("import os\nimport os.path\n\n\ndef f")


def test_slice_symbols_wraps_and_orders_imports_as_ruff_does(write: Write) -> None:
    names = [f"name_{k}_with_a_rather_long_tail" for k in (10, 9, 1)]
    used = ", ".join(["Class", "CONSTANT", *names])
    text = f"from lib import {used}\nfrom lib import x as y\n\n\ndef f():\n    return {used}, y"
    assert code_of(write({"_a.py": text}), "pkg._a.f").splitlines()[:8] == [
        "from lib import (",
        "    CONSTANT,",
        "    Class,",
        *(f"    {name}," for name in reversed(names)),
        ")",
        "from lib import x as y",
    ]


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


def test_slice_symbols_keeps_mutual_recursion_and_constants_with_their_docstrings(write: Write) -> None:
    src = write(
        {
            "_a.py": '''
def even(n):
    return n == START or odd(n - 1)


def odd(n):
    return n != START and even(n - 1)


START = 0
"""Where it starts."""
'''
        }
    )
    code = code_of(src, "pkg._a.odd")
    assert code.startswith('START = 0\n"""Where it starts."""\n\n\ndef even')
    assert run(code)["odd"](5)  # type: ignore[operator]


def test_slice_symbols_puts_constants_before_helpers(write: Write) -> None:
    src = write({"_a.py": "def _g():\n    return 1\n\n\ndef f():\n    return _g() + X\n\n\nX = 1"})
    assert code_of(src, "pkg._a.f").startswith("X = 1\n\n\ndef _g")


def test_slice_symbols_shows_symbols_in_the_asked_order(write: Write) -> None:
    src = write({"_a.py": "def a():\n    return c()\n\ndef b():\n    return c()\n\ndef c():\n    return 1"})
    for asked in (["a", "b"], ["b", "a"], ["b", "c"]):
        code = code_of(src, *(f"pkg._a.{name}" for name in asked))
        expected = ["c", *(name for name in asked if name != "c")]
        assert [line[4] for line in code.splitlines() if line.startswith("def")] == expected


def test_slice_symbols_keeps_the_asked_order_also_where_one_is_recursive(write: Write) -> None:
    text = "def a():\n    return g()\n\n\ndef g():\n    return a()\n\n\ndef b():\n    return 1"
    code = code_of(write({"_a.py": text}), "pkg._a.b", "pkg._a.a")
    assert re.findall(r"^def (\w)", code, re.M) == ["b", "a", "g"]


def test_slice_symbols_leaves_out_the_module_guard_and_metadata(write: Write) -> None:
    src = write(
        {
            "_a.py": "__all__ = ['f']\n__version__ = '1'\n\ndef f():\n    return 1\n\n"
            "if __name__ == '__main__':\n    f()"
        }
    )
    assert code_of(src, "pkg._a.f") == "def f():\n    return 1\n"


def test_slice_symbols_gives_the_lines_of_the_asked_symbols(write: Write) -> None:
    src = write(
        {"__init__.py": "from ._a import f", "_a.py": "X = 1\n\n# Why.\n@staticmethod\ndef f():\n    pass\n"}
    )
    (origin,) = slice_symbols(["pkg.f"], src=src).origins
    assert (origin.symbol, origin.path, origin.first, origin.last) == ("pkg.f", src / "pkg" / "_a.py", 4, 6)


def test_slice_symbols_sees_an_edit(write: Write) -> None:
    src = write({"_a.py": "def f():\n    return 1"})
    assert "return 1" in code_of(src, "pkg._a.f")
    write({"_a.py": "def f():\n    return 1234"})
    assert "return 1234" in code_of(src, "pkg._a.f")


def test_slice_symbols_never_runs_the_package(write: Write) -> None:
    src = write(
        {"__init__.py": "raise SystemExit", "_a.py": "import not_installed\n\n\ndef f():\n    return 1"}
    )
    assert code_of(src, "pkg._a.f") == "def f():\n    return 1\n"


# What a slice refuses.


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("pkg.topic.emd_2d", r"unknown symbol `pkg\.topic\.emd_2d`; did you mean `pkg\.topic\.emd_1d`"),
        ("pkg.other.emd_1d", r"did you mean `pkg\.topic\.emd_1d`"),
        ("pkg.topic._a._hepler", r"did you mean `pkg\.topic\._a\._helper`"),
        ("nopkg.f", r"has no package `nopkg`"),
        ("pkg.topic", r"`pkg\.topic` is a module; name a symbol in it"),
        ("pkg.topic.Result.cost", r"cannot be shown alone; ask for `pkg\.topic\.Result`"),
        ("pkg.topic._a.np", r"`pkg\.topic\._a\.np` comes from `numpy`"),
        ("pkg..topic.emd_1d", r"unknown symbol"),
        ("pkg.topic/_a.emd_1d", r"unknown symbol"),
    ],
)
def test_slice_symbols_names_what_is_wrong_with_a_symbol(write: Write, symbol: str, message: str) -> None:
    src = write(
        {
            "topic/__init__.py": "from ._a import emd_1d, Result",
            "topic/_a.py": "import numpy as np\n\ndef emd_1d(): ...\n\ndef _helper(): ...\n\n"
            "class Result:\n    cost = 1",
        }
    )
    with pytest.raises(SliceError, match=message):
        slice_symbols([symbol], src=src)


CHECK = "def _check(): ...\n\ndef {}():\n    return _check(){}"


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("from ._b import g\n\n" + CHECK.format("f", ", g()"), CHECK.format("g", ""),
         r"`_check` would stand for two things in one block, `pkg\._\w\._check` and `pkg\._\w\._check`"),
        ("import numpy as lib\nfrom ._b import g\n\ndef f():\n    return lib, g()",
         "import math as lib\n\ndef g():\n    return lib", r"`lib` would stand .* `import math as lib`"),
        ("from ._b import g\n\ndef f():\n    return max(g())", "def max(): ...\n\ndef g():\n    return max()",
         r"`max` would stand for two things .*the builtin max"),
        ("from . import _b\n\ndef f():\n    return _b.g()", "def g(): ...",
         r"_a\.py:3: `_b` is the module `pkg\._b`.*from pkg\._b import"),
        ("import pkg._b as b\n\ndef f():\n    return b.g()", "def g(): ...", r"`b` is the module `pkg\._b`"),
        ("def f():\n    from ._b import g\n    return g()", "def g(): ...",
         r"_a\.py:2: .*import of `pkg\._b` inside a statement; move it to the top"),
        ("from ._c import g\n\ndef f():\n    return g()", "", r"_a\.py:1: there is no module `pkg\._c`"),
        ("from ._b import h\n\ndef f():\n    return h()", "", r"_a\.py:1: `pkg\._b` has no name `h`"),
        ("from ... import h\n\ndef f():\n    return h()", "", r"_a\.py:1: a relative import leads out"),
        ("def f():\n    return nowhere", "", r"_a\.py:1: `nowhere` is neither defined nor imported"),
        ("from math import *\n\ndef f():\n    return sin(1)", "", r"`sin` is neither defined nor imported"),
        ("def f():\n    return __file__", "", r"`__file__` is neither"),
        ("import warnings\nwarnings.simplefilter('error')\n\ndef f():\n    return 1", "",
         r"_a\.py:2: a slice cannot carry this statement"),
        ("def f():\n    return 1\n\nprint(f())", "", r"_a\.py:4: a slice cannot carry this statement"),
        ("def f():\n    return 1\n\ndef act(x): ...\n\nact(f)", "",
         r"_a\.py:6: a slice cannot carry this statement"),
        ("from ._b import *\n\ndef f():\n    return _g()", "def _g(): ...", r"`_g` is neither defined nor"),
        ("from ._b import g\n\nx, y = 1, 2\n\ndef f():\n    return g(), x", "def y(): ...\n\ng = y",
         r"`y` would stand for two things"),
        ("from math import pi\npi = 3\n\ndef f():\n    return pi", "", r"`pi` is imported and defined"),
        ("def f(:\n", "", r"_a\.py:1: invalid syntax"),
        ("from ._b import g\n\ndef f():\n    return g()", "from ._a import f\n\ndef g():\n    return f()",
         r"import each other"),
    ],
)  # fmt: skip
def test_slice_symbols_refuses_what_cannot_stand_alone(write: Write, a: str, b: str, message: str) -> None:
    with pytest.raises(SliceError, match=message):
        slice_symbols(["pkg._a.f"], src=write({"_a.py": a, "_b.py": b}))


# Any package.


@st.composite
def packages(draw: st.DrawFn) -> tuple[dict[str, str], list[int], list[set[int]]]:
    """Three modules of symbols that use each other, with local decoys; the values; what each needs."""
    n = draw(st.integers(2, 9))
    home = sorted(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    lines: list[list[str]] = [[], [], []]
    imports: list[set[str]] = [set(), set(), set()]
    values: list[int] = []
    needs: list[set[int]] = []
    for i in range(n):
        uses = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set()
        terms = ["1"]
        for j in sorted(uses):
            name = f"s{j}"
            if home[j] != home[i]:
                name = draw(st.sampled_from([name, f"other{home[i]}_{j}"]))
                source = draw(st.sampled_from([f"._m{home[j]}", f"pkg._m{home[j]}", "."]))
                imports[home[i]].add(f"from {source} import s{j} as {name}")
            terms.append(f"{name}()")
        total, decoy = " + ".join(terms), draw(st.sampled_from(sorted(set(range(n)) - uses)))
        kinds = [
            f"def s{i}():\n    return [s{decoy} for s{decoy} in [{total}]][0]",
            f"class s{i}(int):\n    def __new__(cls, s{decoy}=0):\n        return {total}",
            f"_c{i} = {total}\n\n\ndef s{i}(s{decoy}=_c{i}):\n    return s{decoy}",
            f"def _d{i}(f):\n    return lambda: f() + {total}\n\n\n@_d{i}\ndef s{i}():\n    return 0",
        ]
        lines[home[i]].append(draw(st.sampled_from(kinds)))
        values.append(1 + sum(values[j] for j in uses))
        needs.append({i}.union(*(needs[j] for j in uses)))
    files = {f"_m{k}.py": "\n\n\n".join([*sorted(imports[k]), *lines[k]]) for k in range(3)}
    files["__init__.py"] = "\n".join(f"from ._m{home[i]} import s{i} as s{i}" for i in range(n))
    return files, values, needs


@given(packages())
def test_slice_symbols_computes_what_the_package_computes_with_no_more_than_it_needs(
    tmp_path_factory: pytest.TempPathFactory, package: tuple[dict[str, str], list[int], list[set[int]]]
) -> None:
    files, values, needs = package
    src = tmp_path_factory.mktemp("any")
    (src / "pkg").mkdir()
    for name, text in files.items():
        (src / "pkg" / name).write_text(text, encoding="utf-8")
    for i, value in enumerate(values):
        code = code_of(src, f"pkg.s{i}")
        assert run(code)[f"s{i}"]() == value  # type: ignore[operator]
        assert {int(j) for j in re.findall(r"^(?:def|class) s(\d)", code, re.M)} == needs[i]


# The real package.

RUNNER = """
import json, sys, traceback
failures = {}
for symbol, code in json.load(sys.stdin).items():
    try:
        space = {"__name__": "__main__"}
        exec(compile(code, symbol, "exec"), space)
        space[symbol.rpartition(".")[2]]
    except Exception:
        failures[symbol] = traceback.format_exc()
json.dump(failures, sys.stdout)
"""


@pytest.fixture(scope="module")
def real() -> dict[str, str]:
    """The slice of each public symbol, or the reason why it has none."""
    slices = {}
    for symbol in public_names("mlnotes2", src=SRC):
        try:
            slices[symbol] = code_of(SRC, symbol)
        except SliceError as error:
            slices[symbol] = f"raise RuntimeError({str(error)!r})"
    return slices


def test_slice_symbols_of_mlnotes2_run_alone(real: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-c", RUNNER],
        input=json.dumps(real),
        capture_output=True,
        text=True,
        check=True,
    )
    failures = json.loads(result.stdout)
    assert not failures, "\n".join(failures.values())


def test_slice_symbols_of_mlnotes2_import_no_part_of_it(real: dict[str, str]) -> None:
    own = re.compile(r"^\s*(from|import) (mlnotes2|notesite|\.)", re.M)
    assert [symbol for symbol, code in real.items() if own.search(code)] == []


@pytest.mark.skipif(not RUFF.exists(), reason="ruff is not installed beside this Python")
def test_slice_symbols_of_mlnotes2_look_as_if_ruff_had_written_them(
    real: dict[str, str], tmp_path: Path
) -> None:
    for symbol, code in real.items():
        (tmp_path / f"{symbol.replace('.', '_')}.py").write_text(code, encoding="utf-8")
    rules = "I,F,E301,E302,E303,E305,E306,W"  # the order of imports, unused names, blank lines
    options = ["--preview", "--isolated", "--no-cache", "--select", rules, "--ignore", "F722,F821"]
    command = [RUFF, "check", "--line-length", "120", *options, tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_main_prints_the_slice() -> None:
    command = [sys.executable, "-m", "notesite.slices", "mlnotes2.Enclosure"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == code_of(SRC, "mlnotes2.Enclosure")


def test_main_says_what_is_unknown() -> None:
    command = [sys.executable, "-m", "notesite.slices", "mlnotes2.Enclosur"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "did you mean `mlnotes2.Enclosure`" in result.stderr


def test_public_names_lists_reexports_of_all_public_packages(write: Write) -> None:
    src = write(
        {
            "__init__.py": "from . import topic as topic\nfrom ._a import f as g\nimport math\nONE = 1\n_TWO = 2",
            "_a.py": "def f(): ...",
            "topic/__init__.py": "from ._b import *\nfrom ._c import broken",
            "topic/_b.py": "from .._a import f\n\ndef h(): ...\n\ndef _private(): ...",
            "_inner/__init__.py": "ONE = 1",
        }
    )
    names = ["pkg.ONE", "pkg.g", "pkg.topic.broken", "pkg.topic.f", "pkg.topic.h"]
    assert public_names("pkg", src=src) == names
