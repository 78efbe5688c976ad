"""A slice has the imports that it uses, under the names it uses, in ruff's order."""

from slicing import Write, code_of, run


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
