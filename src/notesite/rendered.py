"""The pages as a reader gets them: every statement once and where it was written, and no markup left over."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .claims import claim_blocks
from .links import folder
from .project import Project

_LITERAL = re.compile(r"<(code|pre|script|style)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_STATEMENT = re.compile(r'\bid="((?:claim|exercise)-[^"]*)"')
_LEFT_OVER = re.compile(
    r"\{\s*(?:value|cited)\s*:[^}<]*\}?"  # in raw HTML, where Markdown is not read
    r"|^(?:<[a-z]+>)*\s*(?:/{3,}|`{3,}|~{3,})[^<\n]*"  # a block or fence that was not seen as one
    r'|(?<==")[^"<>]*<a class="value"',  # a value inside an attribute such as `alt`
    re.MULTILINE,
)


def check_rendered(project: Project, site: Path) -> list[str]:
    """What is wrong with rendered pages: a line for each fault, with the place on the page where it comes from."""
    pages = {site / folder(path.relative_to(project.docs).as_posix()): path
             for path in [*project.pages, *project.labs]}  # fmt: skip
    texts = {
        file: _LITERAL.sub("", file.read_text(encoding="utf-8"))
        for file in sorted(site.rglob("*.html"))
        if site / "source" not in file.parents
    }
    shown = Counter(
        (file.parent, found) for file, text in texts.items() for found in _STATEMENT.findall(text)
    )
    faults = []
    for target, path in pages.items():
        for block in claim_blocks(path):
            if (times := shown.pop((target, f"{block.kind}-{block.claim}"), 0)) != 1:
                place = project.at(path, block.line)
                faults.append(f"{place}: {block.kind} {block.claim} is shown {times} times; expected once")
    for target, name in shown:
        place = project.at(pages.get(target, target), 1)
        faults.append(f"{place}: shows {name.replace('-', ' ', 1)}, which is not stated there")
    for file, text in texts.items():
        for left in _left_over(text):
            path = pages.get(file.parent, file)
            faults.append(
                f'{project.at(path, _line_of(path, left))}: "{left}" would stand on the page as it is'
            )
    return faults


def _left_over(text: str) -> Iterator[str]:
    for match in _LEFT_OVER.finditer(text):
        yield html.unescape(re.sub("^(<[a-z]+>)*", "", match[0]).strip())


def _line_of(path: Path, text: str) -> int:
    """The line of a page, counted from 1, on which a text stands; 1 if it stands nowhere."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = re.sub("<.*", "", text)
    return next((number for number, line in enumerate(lines, 1) if start in line), 1)
