"""A table of what `nox -s bench` measured: our function beside other libraries."""

from __future__ import annotations

import html

from .links import page_link
from .project import Project
from .publish import sources
from .records import Record, records
from .values import nearest


def timings_html(name: str, project: Project) -> str:
    """The table of one function, with a line that tells when and where it was measured.

    Args:
        name: The record and the function, as in `bench-cpu.emd_1d`.
        project: The checkout whose record it is.

    Raises:
        ValueError: If there is no such record, or it does not hold the function.
    """
    of_record, _, function = name.partition(".")
    known = records(project)
    if of_record not in known:
        raise ValueError(f"there is no docs/records/{of_record}.json{nearest(of_record, known)}")
    record = known[of_record]
    measured = [entry.split(".") for entry in record.fields["values"] if entry.endswith(".ms")]
    problems = dict[str, list[str]]()
    for entry in measured:
        if entry[0] == function:
            problems.setdefault(entry[1], []).append(entry[2])
    if not problems:
        functions = sorted({entry[0] for entry in measured})
        raise ValueError(f"docs/records/{of_record}.json holds no {function}{nearest(function, functions)}")
    rows = "".join(_rows(record, function, problem, libraries) for problem, libraries in problems.items())
    page = sources(project)[f"{of_record}.{function}.{next(iter(problems))}.ours.ms"]
    day = f'<time datetime="{record.fields["date"]}">{record.fields["date"]}</time>'
    older = ' <strong class="older">Made by older code.</strong>' if record.is_older(project) else ""
    return (
        '<div class="timings"><table><thead><tr><th scope="col">problem</th><th scope="col">library</th>'
        '<th scope="col">time</th><th scope="col">ratio to ours</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f'<p class="record"><a href="{page_link(page.page, page.anchor, project)}">Measured</a> on {day} on '
        f"{html.escape(record.fields['device'])}: medians, answers compared first.{older}</p>"
    )


def _rows(record: Record, function: str, problem: str, libraries: list[str]) -> str:
    """A row for each library, ours first, the others from the fastest."""
    values = record.fields["values"]
    ours_first = sorted(libraries, key=lambda lib: (lib != "ours", values[f"{function}.{problem}.{lib}.ms"]))
    rows: list[str] = []
    for library in ours_first:
        ms, ratio = (values[f"{function}.{problem}.{library}.{unit}"] for unit in ("ms", "ratio"))
        head = f'<th scope="rowgroup" rowspan="{len(libraries)}">{_words(problem)}</th>' if not rows else ""
        rows.append(f"<tr>{head}<td>{_words(library)}</td><td>{_time(ms)}</td><td>{_short(ratio)}</td></tr>")
    return "".join(rows)


def _words(name: str) -> str:
    return html.escape(name.replace("_", " "))


def _time(ms: float) -> str:
    return f"{_short(ms / 1000)} s" if ms >= 1000 else f"{_short(ms)} ms"


def _short(number: float) -> str:
    """One decimal, none from a hundred, two digits below one."""
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 else f"{number:.2g}"
