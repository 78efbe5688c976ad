"""What statements need without reading its name."""

from pathlib import Path

import pytest

from notesite.implicit import fixtures_asked, is_fixture, matters_to_pytest, paths_named
from notesite.modules import Module, Statement


def last_statement(code: str) -> Statement:
    return Module("test_x", Path("/checkout/tests/topic/test_x.py"), code).statements[-1]


@pytest.mark.parametrize(
    ("code", "paths"),
    [
        ("x = Path(__file__)", set()),
        ("x = Path(__file__).with_name('a.json')", {"tests/topic/a.json"}),
        ("x = pathlib.Path(__file__).resolve().with_suffix('.csv').read_text()", {"tests/topic/test_x.csv"}),
        ("x = [Path(__file__).parents[2] / 'docs' / 'a.md']", {"docs/a.md"}),
        (
            "ROOT = Path(__file__).parents[2]\nDOCS = ROOT / 'docs'\ndef f():\n    open(DOCS / 'a.md')",
            {"docs/a.md"},
        ),
        ("def f():\n    open(HERE / 'a.md')\nHERE = Path(__file__).parent\ndef g(): ...", set()),
        ("x = Path(__file__).parent / name / 'a.md'", set()),
        ("x = Path(__file__).parents[99] / 'a.md'", set()),
        ("x = __file__ and Path('a.md')", set()),
        ("x = x / 'a'  # __file__", set()),
    ],
)
def test_paths_named_are_those_that_begin_at_the_file(code: str, paths: set[str]) -> None:
    folders = {"/", "/checkout", "/checkout/docs", "/checkout/tests", "/checkout/tests/topic"}
    found = {str(path) for path in paths_named(last_statement(code))} - folders
    assert found == {f"/checkout/{path}" for path in paths}


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("def test(a, /, b, *, c=1): ...", {"a", "b", "c"}),
        ("class Test:\n    def test(self, a):\n        def inner(b): ...", {"self", "a"}),
        ("@pytest.mark.usefixtures('a', 'b')\ndef test(): ...", {"a", "b"}),
        ("pytestmark = pytest.mark.usefixtures('a')", {"a"}),
        ("def test(request):\n    request.getfixturevalue('a')", {"request", "a"}),
        ("a = usefixture('b')", set()),
    ],
)
def test_fixtures_asked_are_arguments_and_names_spelled_out(code: str, asked: set[str]) -> None:
    assert fixtures_asked(last_statement(code)) == asked


@pytest.mark.parametrize(
    ("code", "fixture", "matters"),
    [
        ("@pytest.fixture\ndef a(): ...", True, False),
        ("@fixture(scope='module')\ndef a(): ...", True, False),
        ("@pytest.fixture(autouse=True)\ndef a(): ...", True, True),
        ("@pytest.mark.slow\ndef a(): ...", False, False),
        ("pytestmark = 1", False, True),
        ("def pytest_configure(config): ...", False, True),
        ("def setup_module(): ...", False, True),
        ("def setup(): ...", False, False),
    ],
)
def test_what_pytest_looks_at(code: str, fixture: bool, matters: bool) -> None:
    statement = last_statement(code)
    assert (is_fixture(statement), matters_to_pytest(statement)) == (fixture, matters)
