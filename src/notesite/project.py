"""Where the parts of a project stand."""

import os
from dataclasses import dataclass
from pathlib import Path

# An output depends on these versions: they compute it or draw it.
PINNED = ("numpy", "scipy", "torch", "POT", "python-flint", "babel", "matplotlib", "scikit-learn")

_MARKDOWN = (".md", ".markdown", ".mdown", ".mkdn", ".mkd")  # what mkdocs takes for a page


@dataclass(frozen=True)
class Project:
    """The folders of one checkout."""

    root: Path

    @property
    def src(self) -> Path:
        """The two packages."""
        return self.root / "src"

    @property
    def docs(self) -> Path:
        """Pages, labs and figures."""
        return self.root / "docs"

    @property
    def pages(self) -> list[Path]:
        """The pages that are written by hand, in the order of their paths."""
        return sorted(path for path in self.docs.rglob("*") if path.suffix in _MARKDOWN)

    @property
    def labs(self) -> list[Path]:
        """The scripts that become pages, in the order of their paths."""
        return sorted(self.docs.rglob("*_lab.py"))

    @property
    def tests(self) -> Path:
        """Tests, among them those that prove claims."""
        return self.root / "tests"

    def at(self, path: Path, line: int) -> str:
        """A place for a message, as "docs/topic/note.md:7"; lines are counted from 1."""
        return f"{Path(os.path.relpath(path, self.root)).as_posix()}:{line}"

    @property
    def cache(self) -> Path:
        """What was computed for the pages; safe to delete."""
        return self.root / ".cache" / "notesite"
