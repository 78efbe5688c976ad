"""Records: the results of runs that are too long or too large for a build, with what made them."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from .freshness import key
from .project import Project


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and abs(value) <= sys.float_info.max


def _is_date(value: Any) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False


def _is_list(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _is_map(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and bool(value) and all(map(check, value.values()))


def _are_files(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


# For each field of a record: what it must hold, in words and as a check.
FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "command": ("the command that made it, as text", _is_text),
    "code": ("the files that ran, as a list of paths below the root", _are_files),
    "seeds": ("a list of whole numbers, empty if nothing was drawn", _is_list(lambda v: type(v) is int)),
    "versions": ('versions by distribution, as {"numpy": "2.4.0"}', _is_map(_is_text)),
    "device": ("the device it ran on, in words", _is_text),
    "date": ('the day it was made, as "2026-11-22"', _is_date),
    "duration": ("how long it took, in seconds", lambda v: _is_number(v) and v >= 0),
    "key": ("the freshness key of its code, as text", _is_text),
    "values": ('numbers by name, as {"emd_1d_ratio": 4.2}', _is_map(_is_number)),
}


@dataclass(frozen=True)
class Record:
    """A file in docs/records; its fields are those of `FIELDS`."""

    path: Path
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """The first part of the names of its values."""
        return self.path.stem

    def is_older(self, project: Project) -> bool:
        """Whether the code that made it has changed since."""
        return code_key(self.fields["code"], project) != self.fields["key"]

    def html(self, project: Project) -> str:
        """The lines that tell a reader when, where and by what it was made."""
        text = {name: html.escape(str(value)) for name, value in self.fields.items()}
        versions = ", ".join(f"{html.escape(k)} {html.escape(v)}" for k, v in self.fields["versions"].items())
        seeds = f" Seeds: {', '.join(map(str, self.fields['seeds']))}." if self.fields["seeds"] else ""
        older = ' <strong class="older">Made by older code.</strong>' if self.is_older(project) else ""
        day = f'<time datetime="{text["date"]}">{text["date"]}</time>'
        return (
            f'<p class="record" id="record-{self.name}">Measured on {day} on {text["device"]}, '
            f"in {self.fields['duration']:.0f} s, by <code>{text['command']}</code>. "
            f"Versions: {versions}.{seeds}{older}</p>"
        )


def code_key(files: list[str], project: Project) -> str:
    """The freshness key of the files that make a record; versions are not in it, for the record names them."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{key(project.root / name, src=project.src)}\0".encode())
    return digest.hexdigest()[:24]


def records(project: Project) -> dict[str, Record]:
    """All records by name.

    Raises:
        ValueError: If one is malformed, with a line for each fault: file, line and what was expected.
    """
    found, faults = dict[str, Record](), list[str]()
    for path in sorted((project.docs / "records").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        at = os.path.relpath(path, project.root)
        try:
            fields = json.loads(text, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            faults.append(f"{at}:{error.lineno}: not JSON: {error.msg}")
            continue
        except ValueError as error:  # a name that stands twice, or a number of thousands of digits
            faults.append(f"{at}:1: {error}")
            continue
        wrong = [f"{at}:{line}: {fault}" for line, fault in _faults(fields, text, project)]
        faults += wrong
        if not wrong:
            found[path.stem] = Record(path, fields)
    if faults:
        raise ValueError("\n".join(faults))
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose later values would replace earlier ones of the same name in silence."""
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise ValueError(f'"{name}" stands {count} times in one object; expected each name once')
    return dict(pairs)


def _faults(fields: Any, text: str, project: Project) -> Iterator[tuple[int, str]]:
    """Line and words of each fault of a record."""
    if not isinstance(fields, dict):
        yield 1, f"expected an object with {', '.join(FIELDS)}, got {type(fields).__name__}"
        return
    for name, (wanted, is_right) in FIELDS.items():
        if name not in fields:
            yield 1, f'"{name}" is missing; expected {wanted}'
        elif not is_right(fields[name]):
            yield _line(text, name), f'"{name}": expected {wanted}, got {json.dumps(fields[name])[:80]}'
    for name in sorted(set(fields) - set(FIELDS)):
        yield _line(text, name), f'"{name}" is no field of a record; expected {", ".join(FIELDS)}'
    for file in fields["code"] if _are_files(fields.get("code")) else []:
        if not (project.root / file).is_file():
            yield _line(text, "code"), f"{file} does not exist; expected the files whose code made the record"


def _line(text: str, name: str) -> int:
    """The line on which a field of a record begins."""
    match = re.search(rf'"{re.escape(name)}"\s*:', text)
    return text.count("\n", 0, match.start() if match else 0) + 1
