"""A small project of its own for the tests of the site's machinery."""

import shutil
from pathlib import Path

import pytest

from notesite.build import build
from notesite.project import Project
from slicing import Write

FILES = {
    "mkdocs.yml": """
site_name: Small
strict: true
exclude_docs: "*_figures.py"
theme: { name: material, font: false }
validation:
  nav: { omitted_files: warn, not_found: warn }
  links: { not_found: warn, anchors: warn, unrecognized_links: warn }
plugins: [labs]
markdown_extensions:
  - attr_list
  - notesite.extension
  - pymdownx.highlight: { pygments_lang_class: true }
  - pymdownx.superfences
nav: [index.md, topic/note.md, topic/first_lab.py, topic/second_lab.py, claims.md]
""",
    "pyproject.toml": '[tool.pytest.ini_options]\nmarkers = ["claim(id): on a page", "exercise(id): on a page"]\n',
    "src/pkg/__init__.py": '"""A package."""\n',
    "src/pkg/topic/__init__.py": '"""A topic."""\n\nfrom ._one import one as one\nfrom ._two import two as two\n',
    "src/pkg/topic/_one.py": '"""One."""\n\n\ndef one() -> int:\n    """Return one."""\n    return 1\n',
    "src/pkg/topic/_two.py": (
        '"""Two."""\n\nfrom ._one import one\n\n\ndef two() -> int:\n    """Return two."""\n    return one() + one()\n'
    ),
    "tests/topic/test_one.py": """import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.topic import one


@pytest.mark.claim("topic.one")
@given(st.integers())
def test_one_is_neutral(n):
    assert one() * n == n


@pytest.mark.claim("topic.one")
def test_one_is_one():
    assert one() == 1
""",
    "tests/topic/test_two.py": """import pytest

from pkg.topic import two


@pytest.mark.exercise("topic.1")
@pytest.mark.parametrize("n", range(3))
def test_solution_two_is_even(n):
    assert n * two() % 2 == 0
""",
    "docs/index.md": "# Home\n\nSee [the note](topic/note.md#claims).\n",
    "docs/topic/note.md": """# Note

``` { figure="topic.note.line" }
```

Inline $x^2$.

## Claims

/// claim | One is one
    id: topic.one

It is $1$.
///

```python symbol="pkg.topic.two" values="double=two()"
print(two())
```

Two is {value: topic.double d}, half of it is {value: topic.half .1f}, and the run took {value: run.seconds .2f s}.

``` { record="run" }
```

/// exercise | Even or odd
    id: topic.1

Is two even?
///

```python wrong
print(1 / 0)
```
""",
    "docs/claims.md": "# Claims\n\n``` { claims }\n```\n",
    "docs/records/run.json": """{
  "command": "nox -s run",
  "code": ["src/pkg/topic/_one.py"],
  "seeds": [0, 1],
  "versions": {"numpy": "2.0.0"},
  "device": "a small machine",
  "date": "2026-01-31",
  "duration": 12.5,
  "key": "of older code",
  "values": {"seconds": 12.5}
}
""",
    "docs/topic/note_figures.py": (
        "from notesite import figures\n\n\ndef line():\n    fig, ax = figures.subplots()\n"
        '    ax.plot([0, 1], [0, 1])\n    return figures.Figure(fig, alt="A line.")\n'
    ),
    "docs/topic/first_lab.py": (
        "# %% [markdown]\n# # First\n\n# %%\nfrom pkg.topic import one\n\nprint(one())\n"
        '\n# %% alt="A point."\nimport matplotlib.pyplot as plt\n\nfig, ax = plt.subplots()\nax.plot([1], [1], "o")\n'
        "plt.show()\n"
    ),
    "docs/topic/second_lab.py": (
        "# %% [markdown]\n# # Second\n#\n# Two is {value: topic.double d}.\n\n"
        '# %% values="half=two()/2"\nfrom pkg.topic import two\n\nprint(two())\n'
    ),
}


def _lay(root: Path) -> Project:
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Project(root)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout with one topic, one note and two labs; the tests may edit it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))  # the labs' kernels import pkg
    return _lay(tmp_path)


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(root / "src"))
        build(_lay(root), root / "site", lambda _: None)
    return root


@pytest.fixture
def built_project(_built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the same checkout with its site and everything that was computed for it."""
    shutil.copytree(_built, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    return Project(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into a package `pkg`, and returns the folder that holds it."""

    def write_files(files: dict[str, str]) -> Path:
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / "src" / "pkg" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "src"

    return write_files
