"""Editing one function makes stale what depends on it: all of that, and nothing else."""

import ast
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from notesite import freshness
from notesite.claims import claim_tests
from notesite.freshness import dependencies, key
from notesite.labs import lab_path
from notesite.project import Project
from notesite.runs import figures_path

ROOT = Path(__file__).parents[2]
Place = tuple[str, str]  # a file, and the name of a function or class in it


class Observed(NamedTuple):
    """What a running interpreter finds, for each output: a lab, a file of figures, or the test of a claim."""

    root: Path  # the checkout that may be edited
    reach: dict[str, set[Place]]
    calls: dict[str, set[tuple[str, int]]]  # files, and lines where the functions begin that were called


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    root = tmp_path_factory.mktemp("checkout")
    left_out = shutil.ignore_patterns("__pycache__", "browser", "site", "records", "assets")
    for part in ("src", "docs", "tests"):
        shutil.copytree(ROOT / part, root / part, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", root)
    files = {
        str(test.path.relative_to(ROOT)) for tests in claim_tests(ROOT / "tests").values() for test in tests
    }
    options = ["-q", "-p", "observed", "-p", "no:cacheprovider", "--assert=plain", "-m", "claim"]
    path = os.pathsep.join([str(root / "src"), str(Path(__file__).parent)])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--override-ini=addopts=--import-mode=importlib", *sorted(files)],
        cwd=root, env={**os.environ, "PYTHONPATH": path, "OBSERVED": "observed.json"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    reach, calls = json.loads((root / "observed.json").read_text(encoding="utf-8"))
    known = set(
        definitions(root, "src", "docs", "tests")
    )  # hypothesis gives some functions of its own our file names
    return Observed(
        root,
        {name: {(file, found) for file, found in places} & known for name, places in reach.items()},
        {name: {(file, line) for file, line in places} for name, places in calls.items()},
    )


def definitions(root: Path, *folders: str) -> list[Place]:
    """The functions and classes at the top level of every file."""
    files = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    return [
        (path.relative_to(root).as_posix(), node.name)
        for path in files
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


def dependents(place: Place, reach: dict[str, set[Place]]) -> set[str]:
    """The outputs that must become stale when a definition is edited.

    These are those that reach it. Only the code in an `__init__.py` counts for more: for whatever reaches anything in
    its package, because importing that runs this code, and the objects left behind do not show what it did.
    """
    path = Path(place[0])
    if path.name == "__init__.py":
        inside = {output: {file for file, _ in found} for output, found in reach.items()}
        return {
            output
            for output, files in inside.items()
            if any(Path(f).is_relative_to(path.parent) for f in files)
        }
    return {output for output, found in reach.items() if place in found}


def keys(root: Path, outputs: Iterable[str]) -> dict[str, str]:
    parts = {output: output.partition("::") for output in outputs}
    return {
        output: key(root / file, src=root / "src", names=[name] if name else None)
        for output, (file, _, name) in parts.items()
    }


def edited(text: str, name: str) -> str:
    """The source with one more statement at the end of a function or class."""
    node = next(n for n in ast.parse(text).body if getattr(n, "name", None) == name)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    last, lines = node.body[-1], text.split("\n")
    lines.insert(last.end_lineno or last.lineno, " " * last.col_offset + "pass")
    return "\n".join(lines)


def test_the_outputs_are_all_labs_figures_and_tests_of_claims(observed: Observed) -> None:
    kinds = [output.rpartition("_")[2] if "::" not in output else "claim" for output in observed.reach]
    tests = {(t.path, t.name) for tests in claim_tests(observed.root / "tests").values() for t in tests}
    assert kinds.count("claim") == len(tests)
    assert kinds.count("lab.py") == len([*ROOT.glob("docs/*/*_lab.py")])
    assert kinds.count("figures.py") == len([*ROOT.glob("docs/*/*_figures.py")])


def test_dependencies_are_what_a_running_interpreter_can_reach(observed: Observed) -> None:
    for output, (file, _, name) in ((output, output.partition("::")) for output in observed.reach):
        found = dependencies(observed.root / file, src=observed.root / "src", names=[name] if name else None)
        defined = {
            (statement.module.path.relative_to(observed.root).as_posix(), bound)
            for statement in found
            if isinstance(statement.node, ast.FunctionDef | ast.ClassDef)
            for bound in statement.binds
        }
        packages = {place for place in defined if Path(place[0]).name == "__init__.py"}
        assert defined - packages == observed.reach[output] - packages, output
        assert all(output in dependents(place, observed.reach) for place in packages)


def test_dependencies_hold_every_function_that_a_test_calls(observed: Observed) -> None:
    assert len(observed.calls) > 30
    for output, called in observed.calls.items():
        file, _, name = output.partition("::")
        found = dependencies(observed.root / file, src=observed.root / "src", names=[name])
        spans = [
            (s.module.path.relative_to(observed.root).as_posix(), range(s.first, s.last + 1)) for s in found
        ]
        missed = {
            (file, line) for file, line in called if not any(file == f and line in span for f, span in spans)
        }
        assert not missed, output


def test_an_edited_function_makes_exactly_its_dependents_stale(observed: Observed) -> None:
    """Tries one definition of each file of the package; `dependencies` is compared for all of them above."""
    root, reach = observed.root, observed.reach
    by_file: dict[str, list[str]] = {}
    for file, name in definitions(root, "src/mlnotes2"):
        by_file.setdefault(file, []).append(name)
    rng, before, expected = random.Random(0), keys(root, reach), dict[str, set[str]]()
    for file, name in ((file, rng.choice(names)) for file, names in by_file.items()):
        text = (root / file).read_text(encoding="utf-8")
        (root / file).write_text(edited(text, name), encoding="utf-8")
        after = keys(root, reach)
        (root / file).write_text(text, encoding="utf-8")
        expected[name] = dependents((file, name), reach)
        assert {output for output in reach if before[output] != after[output]} == expected[name], (file, name)
    assert before == keys(root, reach)
    assert (
        len({frozenset(outputs) for outputs in expected.values()}) > len(expected) / 3
    )  # so they tell much apart


# The same by hand, on a small project.

MORE_FILES = {
    "tests/conftest.py": (
        "import pytest\nfrom pkg.topic import one\n\n\n@pytest.fixture\ndef number():\n    return one()\n\n\n"
        "@pytest.fixture(autouse=True)\ndef quiet(): ...\n\n\n@pytest.fixture\ndef unused(): ...\n"
    ),
    "tests/oracles.py": "def twice(x):\n    return x + x\n\n\ndef thrice(x):\n    return 3 * x\n",
    "tests/topic/cases.json": "[1, 2]",
    "tests/topic/test_more.py": (
        "import json\nfrom pathlib import Path\n\nimport oracles\nimport pytest\n"
        "from pkg.topic import two as second\n\n"
        'FOLDER = Path(__file__).parent\nCASES = json.loads((FOLDER / "cases.json").read_text())\n'
        'pytestmark = pytest.mark.filterwarnings("error")\n\n\ndef double(x):\n    return second() * x\n\n\n'
        "def test_twice(number):\n    assert second() == oracles.twice(number)\n\n\n# Many.\n"
        '@pytest.mark.parametrize("x", CASES)\ndef test_cases(x):\n    assert double(x) == 2 * x\n'
    ),
    "docs/topic/steps.py": "def step():\n    return 1\n\n\ndef other():\n    return 2\n",
    "src/pkg/_effects.py": "import numpy as np\n\nSEED = 0\nnp.seterr(all='raise')\n",
    "src/pkg/lazy/__init__.py": "import importlib\n\n\ndef load(name):\n    return importlib.import_module(name)\n",
    "src/pkg/lazy/_a.py": "def a():\n    return 1\n",
    "docs/topic/third_lab.py": "from pkg.lazy import load\n\nload('pkg.lazy._a').a()\n",
}
ONE, TWO, TOPIC = (f"src/pkg/topic/{name}.py" for name in ("_one", "_two", "__init__"))
USERS = "first second one_is_one twice cases"
TEST, CONFTEST, ORACLES = "tests/topic/test_more.py", "tests/conftest.py", "tests/oracles.py"


@pytest.fixture
def small(project: Project) -> Project:
    for name, text in MORE_FILES.items():
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    lab = project.docs / "topic" / "second_lab.py"
    lab.write_text(
        lab.read_text(encoding="utf-8") + "\n# %%\nimport steps\n\nsteps.step()\n", encoding="utf-8"
    )
    return project


def outputs(project: Project) -> dict[str, str]:
    """The keys of the small project's outputs."""
    docs, tests = project.docs / "topic", project.tests / "topic"
    labs = {
        name: lab_path(docs / f"{name}_lab.py", project=project).stem for name in ("first", "second", "third")
    }
    proofs = {
        name: key(tests / file, src=project.src, names=[f"test_{name}"], pins=["pytest"])
        for name, file in (
            ("one_is_one", "test_one.py"),
            ("twice", "test_more.py"),
            ("cases", "test_more.py"),
        )
    }
    return {**labs, **proofs, "figures": figures_path(docs / "note_figures.py", project=project).stem}


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        (ONE, "return 1", "return 2 - 1", USERS),
        (ONE, '"""Return one."""', '"""Return 1."""', USERS),
        (ONE, '"""One."""', '"""The file."""', ""),
        (ONE, "def one", "# A comment.\n\n\ndef zero(): ...\n\n\ndef one", ""),
        (TWO, "one() + one()", "2 * one()", "second twice cases"),
        (TWO, "from ._one import one", "from numpy import pi as one", "second twice cases"),
        (TOPIC, "from ._one import one", "from ._two import two", "first one_is_one twice"),
        (TOPIC, '"""A topic."""', '"""A topic."""\n\nCOUNT = 1', USERS),
        (TOPIC, '"""A topic."""', '"""A topic."""\n\nfrom .. import _effects', USERS),
        ("src/pkg/_effects.py", "raise", "warn", ""),
        ("src/pkg/lazy/_a.py", "return 1", "return 2", "third"),
        ("docs/topic/first_lab.py", "# # First", "# # The first", "first"),
        ("docs/topic/steps.py", "return 1", "return 1.0", "second"),
        ("docs/topic/steps.py", "return 2", "return 2.0", ""),
        ("docs/topic/note_figures.py", "[0, 1], [0, 1]", "[0, 1], [0, 2]", "figures"),
        ("docs/topic/note.md", "It is", "It was", ""),
        (TEST, "double(x) ==", "double(x) is", "cases"),
        (TEST, "return second() * x", "return x * second()", "cases"),
        (TEST, "# Many.", "# Few.", ""),
        (TEST, '"error"', '"default"', "twice cases"),
        (TEST, "test_twice(number)", "test_twice(quiet, number=1)", "twice"),
        (TEST, "import oracles", "from tests import oracles", "twice"),
        ("tests/topic/cases.json", "[1, 2]", "[1, 3]", "cases"),
        (CONFTEST, "def number", "def unread(): ...\n\n\n@pytest.fixture\ndef number", ""),
        (CONFTEST, "return one()", "return 1 * one()", "twice"),
        (CONFTEST, "def quiet(): ...", "def quiet(): pass", "one_is_one twice cases"),
        (CONFTEST, "def unused(): ...", "def unused(): pass", ""),
        (CONFTEST, "import pytest\n", "import pytest\n\npytest.importorskip('numpy')\n", "one_is_one twice cases"),
        (ORACLES, "x + x", "2 * x", "twice"),
        (ORACLES, "3 * x", "x * 3", ""),
    ],
)  # fmt: skip
def test_an_edit_makes_stale(small: Project, file: str, old: str, new: str, stale: str) -> None:
    assert stale_after(small, lambda: edit(small.root / file, old, new)) == set(stale.split())


def test_effects_of_a_module_count_where_it_is_imported(small: Project) -> None:
    effects = small.src / "pkg" / "_effects.py"
    edit(small.src / "pkg" / "topic" / "__init__.py", '"""A topic."""', "from .. import _effects")
    assert stale_after(small, lambda: edit(effects, "raise", "warn")) == set(USERS.split())
    assert stale_after(small, lambda: edit(effects, "SEED = 0", "SEED = 1")) == set()


def test_a_pin_makes_stale_what_is_made_with_it(small: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"numpy": "3.0", "pytest": "9.0"}

    def stale(name: str) -> set[str]:
        with monkeypatch.context() as patch:
            patch.setattr(freshness, "version", lambda pin: versions[pin] if pin == name else "1.0")
            changed = outputs(small)
        with monkeypatch.context() as patch:
            patch.setattr(freshness, "version", lambda _: "1.0")
            return {output for output, now in outputs(small).items() if now != changed[output]}

    assert stale("numpy") == {"first", "second", "third", "figures"}
    assert stale("pytest") == {"one_is_one", "twice", "cases"}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def stale_after(project: Project, change: Callable[[], None]) -> set[str]:
    before = outputs(project)
    change()
    after = outputs(project)
    return {name for name in before if before[name] != after[name]}
