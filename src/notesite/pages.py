"""A page or lab as it is written: its fences, and its prose line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .fences import Fence, find_fences

_CELL = re.compile(r"\s*#\s*%%")
_MARKDOWN_CELL = re.compile(r"\s*#\s*%%.*\[(markdown|md)\]")
# As Markdown reads it: over the end of a line, but not into another paragraph, heading, item, row or block.
_CODE_SPAN = re.compile(r"(?<!\\)(`+)((?:(?!\n\s*(?:\n|[-*+#|>]|\d+\.\s|/{3})).)+?)(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What stands on a page, or in the Markdown cells of a lab.

    Attributes:
        fences: The fenced blocks in order; their lines are counted from 0.
        lines: All lines, those in fences and those in a lab's code empty.
        prose: The same, code spans blanked out.
    """

    fences: tuple[Fence, ...]
    lines: tuple[str, ...]
    prose: tuple[str, ...]


def read_page(path: Path) -> Page:
    """A page or lab; it is read again only when the file has changed."""
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _read(path: Path, *_stamp: int) -> Page:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".py":
        lines = list(_markdown_cells(lines))
    fences = find_fences(lines)
    for fence in fences:
        lines[fence.first : fence.end] = [""] * (fence.end - fence.first)
    prose = _CODE_SPAN.sub(lambda span: re.sub(r"[^\n]", " ", span[0]), "\n".join(lines))
    return Page(tuple(fences), tuple(lines), tuple(prose.split("\n")))


def _markdown_cells(lines: list[str]) -> Iterator[str]:
    """The lines of a lab's Markdown cells without their comment marks, and an empty line for every other."""
    in_prose = False
    for line in lines:
        is_head = _CELL.match(line)
        if is_head:
            in_prose = _MARKDOWN_CELL.match(line) is not None
        yield re.sub("^# ?", "", line) if in_prose and not is_head else ""


def fence_faults(path: Path) -> Iterator[tuple[int, str]]:
    """Line, counted from 1, and fault of each fence that is never closed, or shows Python that nothing runs."""
    for fence in read_page(path).fences:
        if not fence.is_closed:
            yield fence.first + 1, f"this fence is never closed; expected a line {fence.marks}"
        elif fence.is_python and not (fence.symbols or fence.is_wrong or fence.is_right):
            yield (
                fence.first + 1,
                'nothing runs this Python; say ```python right, ```python wrong or symbol="…"',
            )
