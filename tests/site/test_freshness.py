"""A key changes when, and only when, something that the file depends on changes."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesite import freshness
from notesite.freshness import dependencies, key
from notesite.modules import SourceError

SRC = Path(__file__).parents[2] / "src"

FILES = {
    "src/pkg/__init__.py": '"P"\nfrom . import topic\nfrom .busy import b as b\n__version__ = "1"\n__all__ = ["b"]',
    "src/pkg/_checks.py": "def check(x):\n    return x",
    "src/pkg/topic/__init__.py": (
        "import math as math\nfrom ._emd import emd as emd\n"
        "from ._one import ONE as ONE\nfrom ._lazy import lazy as lazy"
    ),
    "src/pkg/topic/_emd.py": "from .._checks import check\n\ndef emd():\n    return check(1)",
    "src/pkg/topic/_one.py": "import math\n\nONE = math.pi",
    "src/pkg/topic/_lazy.py": "def lazy():\n    from ._one import ONE\n    return ONE",
    "src/pkg/busy/__init__.py": (
        "from ..topic import ONE as ONE\nfrom ._a import a as a\nfrom ._b import b as b\n\nCOUNT = a()"
    ),
    "src/pkg/busy/_a.py": "def a():\n    return 1",
    "src/pkg/busy/_b.py": "def b():\n    return 2",
    "docs/topic/helper.py": "from pkg.topic import ONE\n\nTWO = 2 * ONE",
    "tests/oracles.py": "def oracle():\n    return 1",
    "docs/topic/lab.py": "",
}
TOPIC = {"pkg/topic/_emd.py", "pkg/topic/_one.py", "pkg/topic/_lazy.py", "pkg/_checks.py"}
BUSY = {"pkg/busy/__init__.py", "pkg/busy/_a.py", "pkg/busy/_b.py"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def files_behind(path: Path) -> set[str]:
    root = path.parents[2]
    found = {s.module.path for s in dependencies(path, src=root / "src")} - {path}
    return {p.relative_to(root).as_posix().removeprefix("src/") for p in found}


@pytest.mark.parametrize(
    ("lab", "expected"),
    [
        ("import numpy", set()),
        ("from pkg.topic import emd", {"pkg/topic/_emd.py", "pkg/_checks.py"}),
        ("from pkg.topic import ONE as one", {"pkg/topic/_one.py"}),
        ("from pkg.topic import lazy", {"pkg/topic/_lazy.py", "pkg/topic/_one.py"}),
        ("def f():\n    from pkg.topic import ONE", {"pkg/topic/_one.py"}),
        ("from pkg.topic._one import math", set()),
        ("from pkg.topic import _one\n_one.ONE", {"pkg/topic/_one.py"}),
        ("from pkg import topic\ntopic.ONE + topic.emd()", TOPIC - {"pkg/topic/_lazy.py"}),
        ("import pkg.topic\npkg.topic.ONE", {"pkg/topic/_one.py"}),
        ("import pkg.topic as t\nt.ONE.real", {"pkg/topic/_one.py"}),
        ("import pkg.topic as helper\nhelper.emd()", {"pkg/topic/_emd.py", "pkg/_checks.py"}),
        ("import pkg\npkg.topic.ONE", {"pkg/topic/_one.py"}),
        ("from pkg import topic\nvars(topic)", TOPIC),
        ("from pkg import topic\ntopic.unknown", TOPIC),
        ("import pkg.topic as unused", TOPIC),
        ("from pkg.topic import *", TOPIC),
        ("import pkg\nprint(pkg)", TOPIC | BUSY),
        ("from pkg import __version__", {"pkg/__init__.py"}),
        ("from pkg.busy import b", {"pkg/busy/__init__.py", "pkg/busy/_a.py", "pkg/busy/_b.py"}),
        ("from pkg.busy._b import b", {"pkg/busy/__init__.py", "pkg/busy/_a.py", "pkg/busy/_b.py"}),
        ("from pkg import b", {"pkg/busy/__init__.py", "pkg/busy/_a.py", "pkg/busy/_b.py"}),
        ("from pkg.busy import ONE", {"pkg/busy/__init__.py", "pkg/busy/_a.py", "pkg/topic/_one.py"}),
        ("import pkg.topic as t\nt.math.pi", set()),
        ("import helper", {"docs/topic/helper.py", "pkg/topic/_one.py"}),
        ("from tests.oracles import oracle", {"tests/oracles.py"}),
    ],
)
def test_dependencies_are_the_files_behind_the_imports(root: Path, lab: str, expected: set[str]) -> None:
    path = root / "docs" / "topic" / "lab.py"
    path.write_text(lab, encoding="utf-8")
    assert files_behind(path) == expected


@pytest.mark.parametrize(
    ("lab", "message"),
    [
        ("\nimport pkg.nowhere", r"lab\.py:2: there is no module `pkg\.nowhere`"),
        ("from pkg.nowhere import x", r"lab\.py:1: there is no module `pkg\.nowhere`"),
        ("from pkg.nowhere import *", r"lab\.py:1: there is no module `pkg\.nowhere`"),
        ("from pkg.topic import nothing", r"lab\.py:1: `pkg\.topic` has no name `nothing`"),
        ("import", r"lab\.py:1: "),
    ],
)
def test_dependencies_name_the_line_of_a_missing_import(root: Path, lab: str, message: str) -> None:
    path = root / "docs" / "topic" / "lab.py"
    path.write_text(lab, encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        dependencies(path, src=root / "src")


def test_dependencies_of_a_package_are_all_that_it_exports(root: Path) -> None:
    found = dependencies(root / "src/pkg/topic/__init__.py", src=root / "src")
    assert {s.module.path.relative_to(root / "src").as_posix() for s in found} == TOPIC


def test_dependencies_may_go_round_in_circles(root: Path) -> None:
    a, b = root / "src/pkg/topic/_emd.py", root / "src/pkg/topic/_one.py"
    a.write_text("def emd():\n    from ._one import ONE", encoding="utf-8")
    b.write_text("from ._emd import emd\nONE = emd", encoding="utf-8")
    assert {s.module.path for s in dependencies(a, src=root / "src")} == {a, b}


def test_key_is_the_same_in_another_checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab = Path("docs/topic/lab.py")
    (root / lab).write_text("import helper\nfrom pkg.topic import emd", encoding="utf-8")
    other = tmp_path_factory.mktemp("other") / "deeper" / "checkout"
    shutil.copytree(root, other)
    one, two = (
        key(r / lab, src=r / "src", data=[r / "tests/oracles.py"], pins=["numpy"]) for r in (root, other)
    )
    assert one == two


def test_key_changes_with_the_file_the_data_and_the_pins(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, record = root / "docs/topic/lab.py", root / "docs/records.json"
    record.write_text("{}", encoding="utf-8")

    def now(*pins: str) -> str:
        return key(lab, src=root / "src", data=[record], pins=pins)

    keys = [now(), now("numpy"), now("numpy", "pytest"), now("not-installed")]
    monkeypatch.setattr(freshness, "version", lambda _: "0.0.1")
    keys.append(now("numpy"))
    monkeypatch.setattr(freshness.sys, "version_info", SimpleNamespace(major=3, minor=99))
    keys.append(now())
    record.write_text("{ }", encoding="utf-8")
    keys.append(now())
    lab.write_text("1", encoding="utf-8")
    keys.append(now())
    assert len(set(keys)) == len(keys)


def test_key_takes_pins_in_any_order_and_leaves_out_the_build(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, src = root / "docs/topic/lab.py", root / "src"
    assert key(lab, src=src, pins=["numpy", "pytest"]) == key(lab, src=src, pins=["pytest", "NumPy", "numpy"])
    monkeypatch.setattr(freshness.metadata, "version", lambda _: "2.13.0+cpu")
    cpu = key(lab, src=src, pins=["torch"])
    monkeypatch.setattr(freshness.metadata, "version", lambda _: "2.13.0+cu130")
    assert key(lab, src=src, pins=["torch"]) == cpu


# Editing one function makes exactly the outputs that depend on it stale.


WAYS = [  # an import above the function, and how its body then calls it
    ("from ._m{k} import f{j}", "f{j}"),
    ("from . import f{j} as other{j}", "other{j}"),
    ("from pkg import f{j}", "f{j}"),
    ("import pkg", "pkg.f{j}"),
    ("import pkg as p", "p._m{k}.f{j}"),
    ("import pkg._m{k}", "pkg._m{k}.f{j}"),
    ("from . import _m{k}", "_m{k}.f{j}"),
    ("from ._m{k} import *", "f{j}"),
]
FORMS = [
    "def f{i}():\n    {call}()",
    "def f{i}(x={call}()):\n    pass",
    "@{call}\ndef f{i}():\n    pass",
    "def f{i}():\n    return [{call}(x) for x in range(3)]",
    "class f{i}({call}):\n    pass",
    "class f{i}:\n    def method(self):\n        return {call}",
    "f{i} = {call}",
]


@st.composite
def packages(draw: st.DrawFn) -> tuple[str, dict[str, list[str]], list[set[int]]]:
    """The exports of a package, its three files with functions that use others, and what each function needs."""
    n = draw(st.integers(2, 7))
    home = [draw(st.integers(0, 2)) for _ in range(n)]
    files: dict[str, list[str]] = {f"_m{k}.py": [] for k in range(3)}
    exports = "\n".join(f"from ._m{home[i]} import f{i} as f{i}" for i in range(n))
    needs: list[set[int]] = []
    for i in range(n):
        parts = [f"f{i} = 1"]
        uses = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set()
        for j in sorted(uses):
            line, call = (part.format(j=j, k=home[j]) for part in draw(st.sampled_from(WAYS)))
            if home[j] == home[i]:
                line, call = "", f"f{j}"
            parts += [line, draw(st.sampled_from(FORMS)).format(i=i, call=call)]
        files[f"_m{home[i]}.py"].append("\n".join(parts))
        needs.append({i}.union(*(needs[j] for j in uses)))
    return exports, files, needs


@given(packages(), st.booleans())
def test_key_changes_exactly_for_the_dependents_of_an_edit(
    tmp_path_factory: pytest.TempPathFactory,
    package: tuple[str, dict[str, list[str]], list[set[int]]],
    by_name: bool,
) -> None:
    exports, files, needs = package
    root = tmp_path_factory.mktemp("any")
    folder = root / "src" / "pkg"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(exports, encoding="utf-8")
    several = root / "test_all.py"
    uses = [f"def test_{i}():\n    f{i}()" for i in range(len(needs))]
    several.write_text("\n".join(["from pkg import *", *uses]), encoding="utf-8")
    for i in range(len(needs)):
        (root / f"lab{i}.py").write_text(f"from pkg import f{i}", encoding="utf-8")

    def keys(change: Callable[[str], str]) -> list[str]:
        for name, parts in files.items():
            (folder / name).write_text("\n".join(map(change, parts)), encoding="utf-8")
        if by_name:
            return [key(several, src=root / "src", names=[f"test_{i}"]) for i in range(len(needs))]
        return [key(root / f"lab{i}.py", src=root / "src") for i in range(len(needs))]

    before = keys(lambda text: text)
    assert keys(lambda text: f"# A comment.\n\n{text}\n\n\ndef another(): ...\n") == before
    for j in range(len(needs)):
        after = keys(lambda text: text.replace(f"f{j} = 1", f"f{j} = 10"))  # noqa: B023
        stale = {i for i in range(len(needs)) if after[i] != before[i]}
        assert stale == {i for i in range(len(needs)) if j in needs[i]}


def test_key_of_mlnotes2_changes_for_the_lab_that_imports_the_edited_file(tmp_path: Path) -> None:
    shutil.copytree(SRC / "mlnotes2", tmp_path / "src" / "mlnotes2")
    labs = {
        "emd": "from mlnotes2.transport import emd",
        "emd_attribute": "import mlnotes2.transport as transport\ntransport.emd([1], [1], [[0]])",
        "emd_1d": "from mlnotes2 import transport\ntransport.emd_1d([0], [1])",
        "kl": "from mlnotes2.divergences import kl",
        "enclosure": "import mlnotes2\nmlnotes2.Enclosure(0, 1)",
    }
    for name, text in labs.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

    def keys() -> dict[str, str]:
        return {name: key(tmp_path / f"{name}.py", src=tmp_path / "src") for name in labs}

    before = keys()
    edited = tmp_path / "src/mlnotes2/transport/_emd.py"
    edited.write_text(edited.read_text(encoding="utf-8").replace("return", "return  ", 1), encoding="utf-8")
    after = keys()
    assert {name for name in labs if before[name] != after[name]} == {"emd", "emd_attribute"}
