"""One word names the source, its test and its page; what is exported can be found, read and imported."""

import importlib
import inspect
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from notesite.freshness import dependencies
from notesite.slices import Slice, SliceError, public_names, slice_symbols

ROOT = Path(__file__).parents[1]
SRC, DOCS, TESTS = ROOT / "src", ROOT / "docs", ROOT / "tests"
PACKAGE = SRC / "mlnotes2"
FILES = sorted(SRC.rglob("*.py"))
WORDS = [path for path in sorted(PACKAGE.rglob("_*.py")) if not path.name.startswith("__")]
EXPORTS = public_names("mlnotes2", src=SRC)
PAGES = sorted({*DOCS.rglob("*.md")} - {*(DOCS / "reference").rglob("*.md"), DOCS / "contributing.md"})
SCRIPTS = sorted([*DOCS.rglob("*_lab.py"), *DOCS.rglob("*_figures.py")])


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(what: str, items: list[str]) -> str:
    return "\n  ".join([f"{what}:", *items])


@cache
def needs(path: Path) -> frozenset[Path]:
    """The other files that `path` needs code of, save the code that runs when a package is imported."""
    files = {statement.module.path for statement in dependencies(path, src=SRC)}
    return frozenset(file for file in files if file != path and file.name != "__init__.py")


@cache
def blocks() -> tuple[Slice, ...]:
    """The code blocks of all pages that are cut from the source; the build reports those that cannot be."""
    found = []
    for page in PAGES:
        for symbols in re.findall(r'symbol="([^"]*)"', page.read_text(encoding="utf-8")):
            with suppress(SliceError):
                found.append(slice_symbols(symbols.split(), src=SRC))
    return tuple(found)


def test_each_source_file_has_a_test_of_the_same_name() -> None:
    tests = {path: TESTS / path.relative_to(PACKAGE).parent / f"test{path.name}" for path in WORDS}
    missing = [
        f"{relative(path)}: write {relative(test)}" for path, test in tests.items() if not test.is_file()
    ]
    assert not missing, lines("source files without a test", missing)


def test_each_source_file_appears_on_a_page() -> None:
    start = {
        *SCRIPTS,
        PACKAGE / "exercises/__main__.py",
        PACKAGE / "transport/_sinkhorn_triton.py",  # imported by its name where there is a GPU
        *(origin.path for block in blocks() for origin in block.origins),
    }
    shown = start.union(*(needs(path) for path in start))
    missing = [relative(path) for path in WORDS if path not in shown]
    assert not missing, lines(
        "no block, lab, figure or exercise of the site uses these; show them or delete them", missing
    )


def test_each_export_appears_on_a_page() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    code = [match[0] for match in re.finditer(r"^ *(```+).*?^ *\1|`[^`\n]+`", pages, re.M | re.S)]
    code += [block.code for block in blocks()] + [script.read_text(encoding="utf-8") for script in SCRIPTS]
    words = set(re.findall(r"\w+", "\n".join(code)))
    missing = [name for name in EXPORTS if name.rpartition(".")[2] not in words]
    assert not missing, lines("no page names these in its code; show them or stop exporting them", missing)


def test_each_export_stands_in_the_reference() -> None:
    listed = {
        name: page.stem
        for page in (DOCS / "reference").glob("*.md")
        for name in re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.M)
    }
    missing = []
    for name in EXPORTS:
        page = name.split(".")[1] if name.count(".") > 1 else listed.get(name, "<any topic>")
        if listed.get(name) != page:
            missing.append(f"docs/reference/{page}.md: add the line ::: {name}")
    assert not missing, lines("exports that are not in the reference", missing)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_resolves_and_is_documented(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    value = getattr(importlib.import_module(module), attribute)
    text = inspect.getdoc(value)
    assert text, f"{name} has no docstring"
    if inspect.isfunction(value):
        assert ">>>" in text, f"the docstring of {name} has no example; add one with >>>"


def test_source_files_are_short() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    long = [f"{path} has {length} lines" for path, length in lengths.items() if length > 400]
    assert not long, lines("split these at 400", long)


def test_no_file_is_named_for_being_useful() -> None:
    vague = re.compile(r"_?(utils?|helpers?|commons?|misc)(_.*)?$")
    paths = [path for tree in (SRC, TESTS, DOCS) for path in tree.rglob("*.py")]
    found = [relative(path) for path in paths if vague.match(path.stem.removeprefix("test_"))]
    assert found == [], "name files after what they hold"


def test_mlnotes2_never_imports_notesite() -> None:
    site = SRC / "notesite"
    found = [relative(path) for path in PACKAGE.rglob("*.py") if any(site in p.parents for p in needs(path))]
    assert found == []


def test_only_exercises_import_gan() -> None:
    gan = PACKAGE / "gan"
    others = [path for path in WORDS if path.parent not in (gan, PACKAGE / "exercises")]
    found = [relative(path) for path in others if any(gan in p.parents for p in needs(path))]
    assert found == [], "gan may use the other topics; they may not use gan"


def test_imports_are_acyclic() -> None:
    # A package's command imports the package, and nothing imports the command.
    found = {path: {other for other in needs(path) if other.name != "__main__.py"} for path in WORDS}
    circles = [relative(path) for path in WORDS if any(path in needs(other) for other in found[path])]
    assert circles == [], "these files import each other; move what they share into one that imports neither"


def test_topics_do_not_import_each_other_in_circles() -> None:
    pairs = {(path.parent.name, other.parent.name) for path in WORDS for other in needs(path)}
    assert [pair for pair in sorted(pairs) if pair[0] < pair[1] and pair[::-1] in pairs] == []
