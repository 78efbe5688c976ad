"""A statement on a page and the tests that would fail if it were false."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .fences import find_fences

_CLAIM = re.compile(r"^\s*/{3,}\s*claim\b")
_ID = re.compile(r"^\s+id:\s*(\S+)\s*$")
_VALID_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)+")


@dataclass(frozen=True)
class ClaimTest:
    """A test marked with `@pytest.mark.claim(id)`; lines are counted from 1."""

    claim: str
    name: str
    path: Path
    first: int
    last: int


def claim_tests(tests: Path) -> dict[str, list[ClaimTest]]:
    """The tests that prove each claim, read off the sources without importing them."""
    found: dict[str, list[ClaimTest]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        status = path.stat()
        for test in _tests_in(path, status.st_mtime_ns, status.st_size):
            found.setdefault(test.claim, []).append(test)
    return found


@lru_cache(maxsize=1024)
def _tests_in(path: Path, *_stamp: int) -> list[ClaimTest]:
    """The tests of one file that prove claims; parsed again only when the file has changed."""
    text, found = path.read_text(encoding="utf-8"), list[ClaimTest]()
    if "mark.claim" not in text:
        return found
    for node in ast.walk(ast.parse(text, filename=str(path))):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            last = node.end_lineno or first
            found += [ClaimTest(claim, node.name, path, first, last) for claim in _marks(node)]
    return found


def _marks(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.claim":
            yield from (
                a.value for a in decorator.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )


@dataclass(frozen=True)
class ClaimBlock:
    """A `/// claim` block on a page; the line is counted from 1, an absent id is None."""

    claim: str | None
    page: Path
    line: int


def claim_blocks(page: Path) -> list[ClaimBlock]:
    """The claims that a page states, outside fenced code."""
    lines = page.read_text(encoding="utf-8").splitlines()
    fenced = {k for fence in find_fences(lines) for k in range(fence.first, fence.end)}
    blocks = []
    for at, line in enumerate(lines):
        if at not in fenced and _CLAIM.match(line):
            following = lines[at + 1] if at + 1 < len(lines) else ""
            match = _ID.match(following)
            blocks.append(ClaimBlock(match[1] if match else None, page, at + 1))
    return blocks


def check_claims(docs: Path, tests: Path) -> list[str]:
    """What keeps the claims from being published: one line for each fault, with file and line."""
    proofs = claim_tests(tests)
    blocks = [b for page in sorted(docs.rglob("*.md")) for b in claim_blocks(page)]
    faults, seen = [], dict[str, ClaimBlock]()
    for b in blocks:
        at = f"{b.page}:{b.line}"
        if b.claim is None or not _VALID_ID.fullmatch(b.claim):
            got = "nothing" if b.claim is None else f'"{b.claim}"'
            faults.append(f'{at}: a claim needs a line "    id: topic.fact" right below its title, got {got}')
        elif b.claim in seen:
            faults.append(
                f"{at}: claim {b.claim} stands already at {seen[b.claim].page}:{seen[b.claim].line}"
            )
        elif b.claim not in proofs:
            faults.append(f'{at}: claim {b.claim} has no test; mark one with @pytest.mark.claim("{b.claim}")')
        if b.claim is not None:
            seen.setdefault(b.claim, b)
    for claim, tests_of_claim in sorted(proofs.items()):
        if claim not in seen:
            t = tests_of_claim[0]
            faults.append(f"{t.path}:{t.first}: {t.name} proves claim {claim}, which no page states")
    return faults
