"""Which values the examples, the labs and the records publish, and what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from .fences import Fence, published
from .labs import execute
from .pages import read_page
from .project import Project
from .records import records
from .runs import Example, run_example
from .slices import Slice, slice_symbols
from .values import Reference, UnknownValueError, Value, malformed, nearest, references, topic_of

_CELL = re.compile(r'\s*#\s*%%.*\bvalues="([^"]*)"')


@dataclass(frozen=True)
class Source:
    """Where a value is published, and how to get all values of that place; computed at the first call."""

    page: Path
    line: int
    anchor: str
    origin: str
    read: Callable[[], Mapping[str, float]]


def compose(piece: Slice | None, fence: Fence) -> str:
    """The code of a block: the slice, then the lines that stand inside the fence."""
    body = "\n".join(fence.body).strip("\n")
    parts = ([piece.code.rstrip("\n")] if piece else []) + ([body] if body else [])
    return "\n\n\n".join(parts) + "\n"


def example_of(fence: Fence, project: Project) -> Example | None:
    """The script that a fence runs; None if it runs nothing.

    Raises:
        SliceError: If the fence names an unknown symbol, even if it runs nothing.
        ValueError: If it publishes values, but runs nothing, or if it imports what a reader may not have.
    """
    piece = slice_symbols(fence.symbols, src=project.src) if fence.symbols else None
    if fence.runs:
        _check_imports(fence, project)
        return Example(compose(piece, fence), fence.is_wrong, fence.values)
    if fence.values:
        raise ValueError(
            f"{' and '.join(fence.values)} cannot be computed, for the block holds no lines that run"
        )
    return None


def _check_imports(fence: Fence, project: Project) -> None:
    """A reader may not have our packages, and what a kept example imports would not make it stale."""
    packages = [path.parent.name for path in project.src.glob("*/__init__.py")]
    for line in fence.body:
        for name in packages:
            if re.match(rf"\s*(from|import\b.*)\s{name}\b", line):
                raise ValueError(f'a block cannot import {name}; name what it needs, as in symbol="{name}.…"')


@cache
def sources(project: Project) -> dict[str, Source]:
    """The published values by name, found without computing any; `sources.cache_clear()` after an edit.

    Raises:
        UnknownValueError: If two places publish the same name, with a line for each.
        ValueError: If a record, or a list of values to publish, is malformed.
    """
    found, faults = dict[str, Source](), list[str]()
    for name, source in _declared(project):
        if name in found:
            first, again = (project.at(s.page, s.line) for s in (found[name], source))
            faults.append(f"{again}: value {name} is published already at {first}")
        found[name] = source
    if faults:
        raise UnknownValueError("\n".join(faults))
    return found


def _declared(project: Project) -> Iterator[tuple[str, Source]]:
    for page in project.pages:
        for fence in read_page(page).fences:
            with _at(project.at(page, fence.first + 1)):
                names, target = fence.values, anchor(fence)
            read = partial(_of_example, fence, project)
            source = Source(page, fence.first + 1, target, "an example", read)
            yield from ((f"{topic_of(page, project)}.{name}", source) for name in names)
    for lab in project.labs:
        for number, line in enumerate(lab.read_text(encoding="utf-8").splitlines(), 1):
            if match := _CELL.match(line):
                with _at(project.at(lab, number)):
                    names = published(match[1])
                source = Source(lab, number, "", "a lab", partial(_of_lab, lab, project))
                yield from ((f"{topic_of(lab, project)}.{name}", source) for name in names)
    shown = _record_pages(project)
    for record in records(project).values():
        page, first = shown.get(record.name, (record.path, 1))
        values = record.fields["values"]
        source = Source(page, first, f"record-{record.name}", "a record", partial(dict, values))
        yield from ((f"{record.name}.{name}", source) for name in values)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Tells the place of a fault."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def anchor(fence: Fence) -> str:
    """The anchor of a block that publishes values."""
    return f"value-{next(iter(fence.values), '')}".replace("_", "-")


def _of_example(fence: Fence, project: Project) -> Mapping[str, float]:
    example = example_of(fence, project)
    return run_example(example, project=project).values if example else {}


def _of_lab(lab: Path, project: Project) -> Mapping[str, float]:
    notebook = json.loads(execute(lab, project=project).read_text(encoding="utf-8"))
    return dict(notebook["metadata"]["values"])


def _record_pages(project: Project) -> dict[str, tuple[Path, int]]:
    """For each record the page and line that show what made it."""
    return {
        fence.record: (page, fence.first + 1)
        for page in project.pages
        for fence in read_page(page).fences
        if fence.record
    }


def value(name: str, project: Project) -> Value:
    """A published value.

    Raises:
        UnknownValueError: If nothing publishes it; the message names the nearest.
    """
    known = sources(project)
    if name not in known:
        raise UnknownValueError(f"no example, lab or record publishes {name}{nearest(name, known)}")
    source = known[name]
    return Value(source.read()[name.partition(".")[2]], source.page, source.anchor, source.origin)


def check_references(project: Project) -> tuple[list[Reference], list[str]]:
    """Every reference to a value, and a fault for each that nothing can fill in, found without computing any."""
    known = sources(project)
    pages = [*project.pages, *project.labs]
    found = [reference for page in pages for reference in references(page)]
    faults = [
        f'{project.at(page, line)}: cannot read "{text}"; expected {{value: name .3f unit}} or '
        "{cited: number from source}, on one line"
        for page in pages
        for line, text in malformed(page)
    ]
    for reference in found:
        at = project.at(reference.page, reference.line)
        if not reference.format:
            faults.append(
                f"{at}: {{value: {reference.name}}} needs a format, as in {{value: {reference.name} .3f}}"
            )
        if reference.name not in known:
            hint = nearest(reference.name, known)
            faults.append(f"{at}: no example, lab or record publishes {reference.name}{hint}")
        elif (page := known[reference.name].page).suffix == ".json":
            faults.append(
                f'{at}: no page shows what made record {page.stem}; put ``` {{ record="{page.stem}" }} on one'
            )
    return found, faults
