"""A slice holds what its symbols need and nothing else, in an order that runs; the rest is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesite.slices import SliceError, public_names, slice_stub, slice_symbols
from slicing import Write, code_of, run

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


def test_slice_symbols_gives_an_alias_its_asked_name(write: Write) -> None:
    src = write({"__init__.py": "from ._a import f as renamed", "_a.py": "def f():\n    return 1"})
    assert code_of(src, "pkg.renamed").endswith("\n\n\nrenamed = f\n")


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


def test_slice_symbols_cuts_the_docstrings_of_helpers_only(write: Write) -> None:
    helper = 'class Helper:\n    r"""A helper.\n\n    More.\n    """\n\n    x: int = 1\n\n'
    method = '    def f(self):\n        """Give.\n\n        More."""\n        return self.x\n\n\n'
    asked = 'def asked():\n    """Ask.\n\n    All of it.\n    """\n    return Helper().f()\n'
    code = slice_symbols(["pkg.asked"], src=write({"__init__.py": helper + method + asked})).code
    assert 'r"""A helper."""' in code
    assert '"""Give."""' in code
    assert "More." not in code
    assert "All of it." in code
    namespace = {}
    exec(code, namespace)
    assert namespace["asked"]() == 1


# A stub: what is left to the reader.


def stub_of(src, symbol: str) -> str:
    return slice_stub(symbol, src=src).code


STUBBED = '''"""Module."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ._b import _helper


def f(x: ArrayLike, *, scale: float = 1.0) -> float:
    """Return the sum of x.

    Args:
        x: Shape (n,).
    """
    rows = np.asarray(x)
    return math.fsum(rows) * _helper(scale)
'''


def test_slice_stub_is_the_signature_and_the_whole_docstring_below_the_imports(write: Write) -> None:
    src = write({"_a.py": STUBBED, "_b.py": "def _helper(x):\n    return x"})
    assert stub_of(src, "pkg._a.f") == (
        '''import math

import numpy as np
from numpy.typing import ArrayLike


def f(x: ArrayLike, *, scale: float = 1.0) -> float:
    """Return the sum of x.

    Args:
        x: Shape (n,).
    """
    raise NotImplementedError
'''
    )


def test_slice_stub_runs_and_waits_for_the_reader(write: Write) -> None:
    src = write({"_a.py": STUBBED, "_b.py": "def _helper(x):\n    return x"})
    f = run(stub_of(src, "pkg._a.f"))["f"]
    with pytest.raises(NotImplementedError):
        f([1.0], scale=2.0)  # type: ignore[operator]


def test_slice_stub_follows_a_re_export_to_the_source(write: Write) -> None:
    src = write({"__init__.py": "from ._a import f as f", "_a.py": 'def f():\n    """F."""\n    return 1'})
    stub = slice_stub("pkg.f", src=src)
    assert stub.code == 'def f():\n    """F."""\n    raise NotImplementedError\n'
    (origin,) = stub.origins
    assert (origin.path.name, origin.first, origin.last) == ("_a.py", 1, 3)


def test_slice_stub_keeps_decorators_and_what_they_come_from(write: Write) -> None:
    src = write({"_a.py": 'import functools\n\n\n@functools.cache\ndef f(x):\n    """F."""\n    return x\n'})
    code = stub_of(src, "pkg._a.f")
    assert "@functools.cache\ndef f(x):" in code
    assert hasattr(run(code)["f"], "cache_clear")


@pytest.mark.parametrize(
    "function",
    [
        'def f(x=LIMIT):\n    """F."""\n    return x',
        '@_twice\ndef f(x=3):\n    """F."""\n    return x',
        'def f(x: Point) -> "list[Point]":\n    """F."""\n    return x',
    ],
)
def test_slice_stub_brings_what_its_signature_needs(write: Write, function: str) -> None:
    before = "LIMIT = 3\n\n\ndef _twice(g):\n    return g\n\n\nclass Point:\n    pass\n\n\n"
    f = run(stub_of(write({"_a.py": before + function}), "pkg._a.f"))["f"]
    with pytest.raises(NotImplementedError):
        f(3)  # type: ignore[operator]


def test_slice_stub_gives_no_part_of_the_solution_away(write: Write) -> None:
    text = (
        "from math import fsum\n\nLIMIT = 3\n\n\ndef _secret(x, g):\n    return x\n\n\n"
        'def f():\n    """F."""\n    return _secret(LIMIT, fsum)\n'
    )
    code = stub_of(write({"_a.py": text}), "pkg._a.f")
    assert [name for name in ("_secret", "LIMIT", "fsum") if name in code] == []


def test_slice_stub_keeps_annotations_lazy_where_they_are(write: Write) -> None:
    text = 'def f(x: Later):\n    """F."""\n    return x\n\n\nclass Later:\n    pass\n'
    text = f"from __future__ import annotations\n\n\n{text}"
    assert run(stub_of(write({"_a.py": text}), "pkg._a.f"))["f"]


@pytest.mark.parametrize(
    ("text", "symbol", "message"),
    [
        (
            'class F:\n    """F."""',
            "pkg._a.F",
            "`pkg._a.F` has no stub: it is not a function with a docstring",
        ),
        ("LIMIT = 3", "pkg._a.LIMIT", "`pkg._a.LIMIT` has no stub"),
        ("def f():\n    return 1", "pkg._a.f", "`pkg._a.f` has no stub"),
        ("def f():\n    return 1", "pkg._a.ff", "unknown symbol `pkg._a.ff`; did you mean `pkg._a.f`"),
        ("from math import sin", "pkg._a.sin", "`pkg._a.sin` comes from `math`"),
        ("x = 1", "pkg._a", "`pkg._a` is a module"),
        ("x = 1", "nopkg.f", "has no package `nopkg`"),
    ],
)
def test_slice_stub_refuses_what_has_no_stub(write: Write, text: str, symbol: str, message: str) -> None:
    with pytest.raises(SliceError, match=re.escape(message)):
        slice_stub(symbol, src=write({"_a.py": text}))
