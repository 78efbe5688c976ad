"""Import statements written as ruff would order them."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence

from .modules import Import

LINE_LENGTH = 120


def import_line(item: Import) -> str:
    name = item.module if item.name is None else item.name
    renamed = f" as {item.asname}" if item.asname and item.asname != name else ""
    return f"import {name}{renamed}" if item.name is None else f"from {item.module} import {name}{renamed}"


def _natural(text: str) -> tuple:
    parts = re.split(r"(\d+)", text.lower())
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts), text


def _member_key(item: Import) -> tuple:
    name = item.name or ""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, _natural(name), item.asname or ""


def import_blocks(imports: Iterable[Import], *, lazy: bool) -> list[str]:
    """The imports in ruff's order: a block each for `__future__`, the standard library and the rest."""
    lines = {import_line(item): item for item in sorted(imports, key=lambda item: -item.typing_only)}
    always = {line: item for line, item in lines.items() if not item.typing_only}
    typing = {line: item for line, item in lines.items() if item.typing_only}
    if typing:
        always["from typing import TYPE_CHECKING"] = Import("typing", "TYPE_CHECKING", None, 0)
    blocks = ["from __future__ import annotations"] if lazy else []
    blocks += _sections(always.values())
    if typing:
        inner = "\n\n".join(_sections(typing.values())).replace("\n", "\n    ").replace("    \n", "\n")
        blocks.append(f"if TYPE_CHECKING:\n    {inner}")
    return blocks


def _sections(imports: Iterable[Import]) -> list[str]:
    standard = [item for item in imports if item.module.partition(".")[0] in sys.stdlib_module_names]
    other = [item for item in imports if item.module.partition(".")[0] not in sys.stdlib_module_names]
    return ["\n".join(_section(part)) for part in (standard, other) if part]


def _section(imports: Sequence[Import]) -> Iterator[str]:
    plain = [item for item in imports if item.name is None]
    for item in sorted(plain, key=lambda item: (_natural(item.module), item.asname or "")):
        yield import_line(item)
    members = sorted((item for item in imports if item.name is not None), key=_member_key)
    groups: dict[tuple[str, str], list[Import]] = {}
    for item in members:
        renamed = import_line(item) if " as " in import_line(item) else ""
        groups.setdefault((item.module, renamed), []).append(item)
    order = sorted(groups.items(), key=lambda item: (_natural(item[0][0]), _member_key(item[1][0])))
    for (module, renamed), group in order:
        names = [item.name or "" for item in group]
        line = renamed or f"from {module} import {', '.join(names)}"
        if len(line) > LINE_LENGTH:
            line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
        yield line
