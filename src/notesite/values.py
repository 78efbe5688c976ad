"""Numbers in prose: each is a reference to a value that an example, a lab or a record gave, or is cited."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .pages import read_page
from .project import Project

REFERENCE = re.compile(
    r"\{value:\s*(?P<name>[\w.-]+)(?:\s+(?P<format>[^\s}]+))?(?:\s+(?P<unit>[^}]*[^}\s]))?\s*\}"
)
CITED = re.compile(r"\{cited:\s*(?P<text>[^}]+?)\s+from\s+(?P<source>[^}]+?)\s*\}")
_ANY = re.compile(r"\{\s*(value|cited)\s*:[^}]*\}?")  # also what only looks like one of the two
_FORMAT = re.compile(r",?(d|(\.\d+)?[f%e])")
# Text whose decimals are no numbers of the page: code, addresses, cited numbers, references, places in other texts.
_OTHER = re.compile(
    r"\]\((?![\d.,\s]*\))[^)]*\)|https?:[^\s>]*|\{(cited|value):[^}]*\}|(arXiv|doi):\s*\S+"
    r"|(?<!for )\b(section|theorem|proposition|lemma|corollary|equation|figure|table|chapter|example|version|python)s?"
    r"\s+[A-Z]?[1-9]\S*",
    re.IGNORECASE,
)
_POINT = r"(?:\.|&#46;|&#x2e;|&period;)"
_DECIMAL = re.compile(
    rf"(?<![\w.])\d*{_POINT}\d+(?!\.?\d)|(?<![\w.])\d+(?:{_POINT}\d*)?e[-+]?\d+", re.IGNORECASE
)


class UnknownValueError(ValueError):
    """A reference that cannot be filled in; the message says why."""


@dataclass(frozen=True)
class Value:
    """A published number: where it was computed, and how a reader gets there."""

    number: float
    page: Path
    anchor: str
    origin: str

    def text(self, spec: str, unit: str = "", *, tex: bool = False) -> str:
        """The number in the format of a reference, with its unit, as HTML or as TeX.

        Raises:
            UnknownValueError: If the number is not finite, or the format none such as `d`, `.3f`, `.1%`, `.2e` or `,d`.
        """
        if not math.isfinite(self.number):
            raise UnknownValueError(f"expected a finite number, got {self.number}")
        if not _FORMAT.fullmatch(spec):
            raise UnknownValueError(f'unknown format "{spec}"; expected one such as d, .3f, .1%, .2e or ,d')
        if spec.endswith("d") and self.number != round(self.number):
            raise UnknownValueError(
                f'format "{spec}" is for whole numbers, and this one is {self.number}; say .3f'
            )
        plain = format(round(self.number), spec) if spec.endswith("d") else format(self.number, f"z{spec}")
        mantissa, _, exponent = plain.partition("e")
        space = "\\, " if tex else "\u202f"
        shown = mantissa.replace("-", "-" if tex else "\u2212").replace(",", space)
        shown = shown.replace("%", f"{space}\\%" if tex else f"{space}%")
        if exponent:
            power = int(exponent)
            shown += rf" \times 10^{{{power}}}" if tex else f" × 10<sup>{power}</sup>".replace("-", "\u2212")
        if unit:
            shown += rf"\, \mathrm{{{unit}}}" if tex else f"\u00a0{unit}"
        return shown


def topic_of(page: Path, project: Project) -> str:
    """The first part of the names of the values of a page: its folder, or its own name beside index.md."""
    path = page.relative_to(project.docs)
    return path.parent.name or path.stem


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the names that look like an unknown one."""
    near = difflib.get_close_matches(name, list(names), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


@dataclass(frozen=True)
class Reference:
    """A `{value: …}` on a page or in a lab; the line is counted from 1."""

    page: Path
    line: int
    name: str
    format: str
    unit: str


def references(page: Path) -> list[Reference]:
    """The references in the prose of a page or lab."""
    return [
        Reference(page, number, match["name"], match["format"] or "", match["unit"] or "")
        for number, line in enumerate(read_page(page).prose, 1)
        for match in REFERENCE.finditer(line)
    ]


def malformed(page: Path) -> list[tuple[int, str]]:
    """Line and text of what looks like a reference or a cited number, but would stay text on the page."""
    return [
        (number, match[0])
        for number, line in enumerate(read_page(page).prose, 1)
        for match in _ANY.finditer(line)
        if not REFERENCE.fullmatch(match[0]) and not CITED.fullmatch(match[0])
    ]


def typed_decimals(page: Path, project: Project) -> list[str]:
    """The decimals typed in the prose of a page or lab, outside blocks of cited numbers: a fault for each line."""
    cited, faults = "", list[str]()
    for number, line in enumerate(read_page(page).prose, 1):
        marks = re.match(r"\s*(/{3,})\s*(cited\s*\|\s*\S)?", line)
        if marks and marks[2]:
            cited = marks[1]
        elif marks and line.strip() == cited:
            cited = ""
        found = _DECIMAL.findall(_OTHER.sub(" ", line)) if not cited else []
        if found:
            faults.append(
                f"{project.at(page, number)}: {', '.join(found)} typed in prose; write {{value: name .3f}} for a "
                "computed number, {cited: number from source} for a cited one, or a fraction"
            )
    return faults
