"""The blocks of the page of common mistakes: taken from its source and run, so that tests ask the page's own code."""

import warnings
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

from notesite.claims import claim_blocks
from notesite.fences import find_fences

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"


def wrong(claim):
    """The names that a claim's wrong block defines; `printed` is its output, with the last line of an error."""
    return _run(claim, "wrong")


def right(claim):
    """The names that a claim's right block defines; `printed` is its output. It must not fail."""
    return _run(claim, "right")


@cache
def _run(claim, kind):
    names, out = {"__name__": "block"}, StringIO()
    try:
        with redirect_stdout(out), warnings.catch_warnings(action="ignore"):
            exec(compile(_code(claim, kind), f"{claim} ({kind})", "exec"), names)
    except Exception as error:
        if kind == "right":
            raise AssertionError(f"the right block of {claim} fails") from error
        print(f"{type(error).__name__}: {error}", file=out)
    return SimpleNamespace(**names, printed=out.getvalue())


def _code(claim, kind):
    """The block of a claim: its only fence of this kind before the next claim."""
    starts = [(b.claim, b.line) for b in claim_blocks(PAGE)]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    at = [name for name, _ in starts].index(claim)
    first = starts[at][1]
    last = starts[at + 1][1] if at + 1 < len(starts) else len(lines)
    found = [f for f in find_fences(lines) if first < f.first < last and f.info.strip() == f"python {kind}"]
    assert len(found) == 1, f"{claim} has {len(found)} blocks ```python {kind}, wanted one"
    return "\n".join(found[0].body)
