"""The fences of a page that the site fills in: a symbol's source, code that is run, a figure, a record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_OPEN = re.compile(r"^(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})(?P<info>.*)$")
_SYMBOL = re.compile(r'\bsymbol="([^"]*)"')
_FIGURE = re.compile(r'\bfigure="([^"]*)"')
_RECORD = re.compile(r'\brecord="([^"]*)"')
_TIMINGS = re.compile(r'\btimings="([^"]*)"')
_VALUES = re.compile(r'\bvalues="([^"]*)"')
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Fence:
    """One fenced block of a page; lines are counted from 0, `end` is the line after the closing marks."""

    first: int
    end: int
    indent: str
    marks: str
    info: str
    body: tuple[str, ...]
    is_closed: bool

    @property
    def _words(self) -> list[str]:
        """The words of the info line outside quotes."""
        return re.findall(r"\w+", _QUOTED.sub("", self.info))

    @property
    def is_python(self) -> bool:
        """Whether the block holds Python code that a reader may copy or run."""
        return re.match(r"\s*(\{\s*\.)?(python3?|py3?|pycon)\b", self.info) is not None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The dotted names whose source the block shows."""
        match = _SYMBOL.search(self.info)
        return tuple(match[1].split()) if match else ()

    @property
    def figure(self) -> str | None:
        """The name of the figure that stands here."""
        match = _FIGURE.search(self.info)
        return match[1] if match else None

    @property
    def is_wrong(self) -> bool:
        """Whether the code is wrong on purpose."""
        return self.is_python and "wrong" in self._words

    @property
    def is_right(self) -> bool:
        """Whether the code is a script of its own, which is run although it shows no symbol."""
        return self.is_python and "right" in self._words

    @property
    def is_stub(self) -> bool:
        """Whether the body of the symbol is left to the reader."""
        return bool(self.symbols) and "stub" in self._words

    @property
    def record(self) -> str | None:
        """The name of the record whose provenance stands here."""
        match = _RECORD.search(self.info)
        return match[1] if match else None

    @property
    def timings(self) -> str | None:
        """The record and the function, `record.function`, whose table of timings stands here."""
        match = _TIMINGS.search(self.info)
        return match[1] if match else None

    @property
    def lists_claims(self) -> bool:
        """Whether all claims of the site are listed here."""
        return re.fullmatch(r"\s*\{\s*claims\s*\}\s*", self.info) is not None

    @property
    def values(self) -> dict[str, str]:
        """The values that the block publishes: for each name an expression, `name=expression` or the name itself."""
        match = _VALUES.search(self.info)
        return published(match[1]) if match else {}

    @property
    def runs(self) -> bool:
        """Whether the block holds lines that are run and whose output is shown."""
        has_code = bool(self.symbols) or self.is_wrong or self.is_right
        return has_code and any(line.strip() for line in self.body)

    @property
    def options(self) -> str:
        """What superfences should still see of the info line, such as `hl_lines`."""
        rest = _VALUES.sub("", _SYMBOL.sub("", self.info))
        return re.sub(r'("[^"]*")|^\s*python\b|\b(wrong|right|stub)\b', r"\1", rest).strip()


def published(text: str) -> dict[str, str]:
    """Name and expression of each value in `"name=expression name"`.

    Raises:
        ValueError: If something else stands there, or a name stands there twice.
    """
    found = dict[str, str]()
    for item in text.split():
        name, _, expression = item.partition("=")
        if not name.isidentifier() or name in found:
            raise ValueError(
                f'values="{text}": expected name or name=expression, without spaces and each name once; got {item}'
            )
        found[name] = expression or name
    return found


def fenced(text: str, attributes: str) -> list[str]:
    """The lines of a block with superfences' attributes, whose marks are longer than any inside it."""
    marks = "`" * max([3, *(len(m) + 1 for m in re.findall(r"`{3,}", text))])
    return [f"{marks}{{ {attributes} }}", *text.split("\n"), marks]


def find_fences(lines: Sequence[str]) -> list[Fence]:
    """All fenced blocks of a page in order; a block that is never closed runs to the end of the page."""
    fences: list[Fence] = []
    at = 0
    while at < len(lines):
        match = _OPEN.match(lines[at])
        if not match or ("`" in match["info"] and match["marks"][0] == "`"):
            at += 1
            continue
        indent, marks = match["indent"], match["marks"]
        closing = re.compile(rf"^[ \t]*{re.escape(marks[0])}{{{len(marks)},}}[ \t]*$")
        end = next((k for k in range(at + 1, len(lines)) if closing.match(lines[k])), len(lines))
        body = tuple(line.removeprefix(indent) for line in lines[at + 1 : end])
        is_closed = end < len(lines)
        fences.append(Fence(at, end + is_closed, indent, marks, match["info"], body, is_closed))
        at = end + 1
    return fences
