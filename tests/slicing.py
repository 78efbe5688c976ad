"""Slices of packages that the tests make up: cut and run."""

from collections.abc import Callable
from pathlib import Path

from notesite.slices import slice_symbols

Write = Callable[[dict[str, str]], Path]


def code_of(src: Path, *symbols: str) -> str:
    return slice_symbols(symbols, src=src).code


def run(code: str) -> dict[str, object]:
    assert "import pkg" not in code
    assert "from ." not in code
    space: dict[str, object] = {"__name__": "__main__"}
    exec(compile(code, "slice", "exec"), space)
    return space
