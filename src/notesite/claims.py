"""Statements on pages, which are claims and exercises, and the tests that would fail if they were false."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeGuard

from .modules import SourceError
from .pages import read_page
from .project import Project

KINDS = ("claim", "exercise")
BLOCKS = (*KINDS, "cited", "proof", "solution", "mistake", "note", "warning")
_BLOCK = re.compile(r"^(?P<indent>\s*)(?P<marks>/{3,})\s*(?P<name>[\w-]*)\s*(?:\|\s*(?P<title>.*?))?\s*$")
_ID = re.compile(r"^(?P<indent>\s*)id:\s*(?P<id>\S+)\s*$")
_VALID_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)+")

_STRAY = (
    'this mark proves nothing; expected @pytest.mark.claim("topic.name"), each id once and spelled out, '
    "above a top-level function whose name begins with test"
)


@dataclass(frozen=True)
class ClaimTest:
    """A test marked with `@pytest.mark.claim(id)` or `@pytest.mark.exercise(id)`; lines are counted from 1."""

    kind: str
    claim: str
    name: str
    path: Path
    first: int
    last: int


def claim_tests(tests: Path, *kinds: str) -> dict[str, list[ClaimTest]]:
    """The tests of each claim, or of statements of other `kinds`, read off the sources without importing them."""
    found: dict[str, list[ClaimTest]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for test in _marks_in(path)[0]:
            if test.kind in (kinds or ("claim",)):
                found.setdefault(test.claim, []).append(test)
    return found


def _marks_in(path: Path) -> tuple[list[ClaimTest], list[int]]:
    """The marked tests of one file, and the lines of marks that prove nothing."""
    status = path.stat()
    return _parse_marks(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _parse_marks(path: Path, *_stamp: int) -> tuple[list[ClaimTest], list[int]]:
    text, found = path.read_text(encoding="utf-8"), list[ClaimTest]()
    if not any(f"mark.{kind}" in text for kind in KINDS):
        return found, []
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SourceError(f"{path}:{error.lineno}: {error.msg}") from None
    stray = {node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_mark(node)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            seen = set[str]()
            for mark, ids in _ids(node):
                if ids and not seen & set(ids) and len(set(ids)) == len(ids):
                    stray.discard(mark)
                seen |= set(ids)
                last = node.end_lineno or first
                found += [ClaimTest(mark.attr, claim, node.name, path, first, last) for claim in ids]
    return found, sorted(node.lineno for node in stray)


def _is_mark(node: ast.expr) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in KINDS
        and ast.unparse(node.value) in ("pytest.mark", "mark")
    )


def _ids(function: ast.FunctionDef) -> Iterator[tuple[ast.Attribute, list[str]]]:
    """Each mark of a function with the ids that it spells out."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and _is_mark(decorator.func):
            ids = [
                a.value for a in decorator.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
            yield decorator.func, ids if len(ids) == len(decorator.args) and not decorator.keywords else []


@dataclass(frozen=True)
class ClaimBlock:
    """A `/// claim | Title` or `/// exercise | Title` on a page; the line is counted from 1, an absent id is None."""

    kind: str
    title: str
    claim: str | None
    page: Path
    line: int


def claim_blocks(page: Path) -> list[ClaimBlock]:
    """The claims and exercises of a page or lab, outside fenced code."""
    lines, blocks = read_page(page).lines, list[ClaimBlock]()
    for at, line in enumerate(lines):
        if (match := _BLOCK.match(line)) and match["name"] in KINDS:
            following = _ID.match(lines[at + 1]) if at + 1 < len(lines) else None
            is_inside = following and len(following["indent"].expandtabs(4)) >= len(match["indent"]) + 4
            claim = following["id"] if following and is_inside else None
            blocks.append(ClaimBlock(match["name"], match["title"] or "", claim, page, at + 1))
    return blocks


def check_claims(project: Project) -> list[str]:
    """What keeps the claims and exercises from being published: a line for each fault, with file and line."""
    proofs = claim_tests(project.tests, *KINDS)
    pages = [*project.pages, *project.labs]
    found = [(project.at(page, line), fault) for page in pages for line, fault in _open_blocks(page)]
    seen = dict[str, ClaimBlock]()
    for block in (b for page in pages for b in claim_blocks(page)):
        at = project.at(block.page, block.line)
        if block.claim in seen:
            first = project.at(seen[block.claim].page, seen[block.claim].line)
            found.append((at, f"{block.kind} {block.claim} stands already at {first}"))
        else:
            found += [(at, fault) for fault in _block_faults(block, proofs)]
        if block.claim is not None:
            seen.setdefault(block.claim, block)
    for test in (test for claim in sorted(proofs) for test in proofs[claim]):
        if (stated := seen.get(test.claim)) is None:
            fault = f"{test.name} tests {test.kind} {test.claim}, which no page states"
        elif stated.kind != test.kind:
            fault = f"{test.name} tests {test.kind} {test.claim}, which is stated as {stated.kind}"
        else:
            continue
        found.append((project.at(test.path, test.first), fault))
    for path in sorted(project.tests.rglob("test_*.py")):
        found += [(project.at(path, line), _STRAY) for line in _marks_in(path)[1]]
    return [f"{at}: {fault}" for at, fault in found]


def _block_faults(block: ClaimBlock, proofs: dict[str, list[ClaimTest]]) -> Iterator[str]:
    kind, claim = block.kind, block.claim
    if not block.title:
        yield f'expected a title, as in "/// {kind} | Title"'
    if claim is None or not _VALID_ID.fullmatch(claim):
        got = "nothing" if claim is None else f'"{claim}"'
        yield f'a {kind} needs a line "    id: topic.name" right below its title, got {got}'
    elif claim not in proofs:
        yield f'{kind} {claim} has no test; mark one with @pytest.mark.{kind}("{claim}")'


def _open_blocks(page: Path) -> Iterator[tuple[int, str]]:
    """Line and fault of each block that is unknown, or not closed where its marks say."""
    stack: list[tuple[str, int, str]] = []
    for number, line in enumerate(read_page(page).lines, 1):
        match = _BLOCK.match(line)
        if match and match["name"]:
            stack.append((match["marks"], number, match["name"]))
            if match["name"] not in BLOCKS:
                yield number, f'unknown block "{match["name"]}"; expected one of {", ".join(BLOCKS)}'
        elif match and match["title"] is None:
            if not stack or match["marks"] != stack[-1][0]:
                wanted = (
                    f'"{stack[-1][0]}" for the block of line {stack[-1][1]}' if stack else "an open block"
                )
                yield number, f'"{match["marks"]}" closes nothing; expected {wanted}'
                return
            stack.pop()
    yield from ((at, f'{name} is never closed; expected a line "{marks}"') for marks, at, name in stack)
