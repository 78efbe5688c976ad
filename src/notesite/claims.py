"""Statements on pages, which are claims and exercises, and the tests that would fail if they were false."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .fences import find_fences
from .modules import SourceError
from .project import Project

KINDS = ("claim", "exercise")
BLOCKS = (*KINDS, "cited", "proof", "solution", "mistake", "note", "warning")
_BLOCK = re.compile(r"^\s*(?P<marks>/{3,})\s*(?P<name>[a-z]*)\s*(?:\|\s*(?P<title>.*?))?\s*$")
_ID = re.compile(r"^\s+id:\s*(\S+)\s*$")
_VALID_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)+")


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
        status = path.stat()
        for test in _tests_in(path, status.st_mtime_ns, status.st_size):
            if test.kind in (kinds or ("claim",)):
                found.setdefault(test.claim, []).append(test)
    return found


@lru_cache(maxsize=1024)
def _tests_in(path: Path, *_stamp: int) -> list[ClaimTest]:
    """The marked tests of one file; parsed again only when the file has changed."""
    text, found = path.read_text(encoding="utf-8"), list[ClaimTest]()
    if "pytest.mark" not in text:
        return found
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SourceError(f"{path}:{error.lineno}: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            last = node.end_lineno or first
            found += [ClaimTest(kind, claim, node.name, path, first, last) for kind, claim in _marks(node)]
    return found


def _marks(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            base, _, kind = ast.unparse(decorator.func).rpartition(".")
            if base == "pytest.mark" and kind in KINDS:
                yield from ((kind, str(a.value)) for a in decorator.args if isinstance(a, ast.Constant))


@dataclass(frozen=True)
class ClaimBlock:
    """A `/// claim | Title` or `/// exercise | Title` on a page; the line is counted from 1, an absent id is None."""

    kind: str
    title: str
    claim: str | None
    page: Path
    line: int


def claim_blocks(page: Path) -> list[ClaimBlock]:
    """The claims and exercises of a page, outside fenced code."""
    lines, blocks = _without_fences(page), list[ClaimBlock]()
    for at, line in enumerate(lines):
        if (match := _BLOCK.match(line)) and match["name"] in KINDS:
            following = _ID.match(lines[at + 1]) if at + 1 < len(lines) else None
            claim = following[1] if following else None
            blocks.append(ClaimBlock(match["name"], match["title"] or "", claim, page, at + 1))
    return blocks


def _without_fences(page: Path) -> list[str]:
    """The lines of a page, those in fenced code empty."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for fence in find_fences(lines):
        lines[fence.first : fence.end] = [""] * (fence.end - fence.first)
    return lines


def check_claims(project: Project) -> list[str]:
    """What keeps the claims and exercises from being published: a line for each fault, with file and line."""
    proofs = claim_tests(project.tests, *KINDS)
    pages = sorted(project.docs.rglob("*.md"))
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
    for number, line in enumerate(_without_fences(page), 1):
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
