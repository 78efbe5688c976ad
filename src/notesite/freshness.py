"""What an output depends on, hashed: its file, the code it imports, the data it reads, and versions."""

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from .modules import Definition, Import, Module, Sources

Attributes = dict[str, set[tuple[str, ...]]]


def dependencies(path: Path, *, src: Path) -> frozenset[Path]:
    """Return the files that the Python file at `path` depends on through imports, found without running it.

    Imports count anywhere in the file. A re-export leads to the module that defines the name, so
    `from mlnotes2.transport import emd` depends on `transport/_emd.py` and what that imports, and on nothing
    else of the package. A package used as a whole (a star import, or the package passed on as an object)
    counts with all its files. An `__init__.py` counts only if it holds code of its own.

    Args:
        path: A lab, a file of figures, a test, or a module below `src`. Files next to it, and in the folders
            between it and the project, can be imported too.
        src: The folder that holds the packages.

    Raises:
        SourceError: If an import names a module or a name that is not there, with file and line.
    """
    path, src = path.resolve(), src.resolve()
    sources = Sources(*_roots(path, src))
    start = sources.read(path, _dotted(path, src))
    found, todo = {start}, [start]
    while todo:
        module = todo.pop()
        new = set(_direct(module, sources, reexports=module is start)) - found
        found |= new
        todo += new
    return frozenset(module.path for module in found) - {path}


def key(path: Path, *, src: Path, data: Iterable[Path] = (), pins: Iterable[str] = ()) -> str:
    """Return a digest that changes when an output of the file at `path` may change.

    It covers the file, its `dependencies`, the bytes of the `data` files, Python's minor version, and the
    installed versions of the distributions named in `pins`. It is the same in every checkout.
    """
    root = src.resolve().parent
    digest = hashlib.sha256()
    for group in ([path.resolve()], dependencies(path, src=src), [file.resolve() for file in data]):
        names = {Path(os.path.relpath(file, root)).as_posix(): file for file in group}
        for name, file in sorted(names.items()):
            content = file.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        digest.update(b"\0")
    python = f"python=={sys.version_info.major}.{sys.version_info.minor}"
    versions = sorted({f"{name.lower()}=={version(name)}" for name in pins})
    digest.update("\n".join([python, *versions]).encode())
    return digest.hexdigest()


@cache
def version(name: str) -> str:
    """The installed version of a distribution, or "missing"."""
    try:
        return metadata.version(name).partition("+")[0]  # `+cpu` or `+cu130` tells the machine, not the code
    except metadata.PackageNotFoundError:
        return "missing"


def _roots(path: Path, src: Path) -> list[Path]:
    """The folders in which the imports of a file are looked up."""
    if path.is_relative_to(src):
        return [src]
    above = [folder for folder in path.parents if folder.is_relative_to(src.parent)]
    return [src, *(above or [path.parent])]


def _dotted(path: Path, src: Path) -> str:
    if not path.is_relative_to(src):
        return path.stem
    parts = path.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _direct(module: Module, sources: Sources, *, reexports: bool) -> Iterator[Module]:
    """The modules that `module` uses itself; names that an `__init__` only passes on count if `reexports`."""
    used = _attributes(module)
    passes_on = module.name == module.package and not reexports
    for item in module.all_imports:
        if not sources.owns(item.module) or (passes_on and item.name and item.local not in used):
            continue
        found = sources.follow(module, item)
        for reached in _reached(found, item, used, sources):
            yield reached
            yield from _packages(reached.name, sources)
        yield from _packages(item.module, sources)


def _reached(
    found: Definition | Import | Module, item: Import, used: Attributes, sources: Sources
) -> Iterator[Module]:
    """The modules behind what an import found: its definition, or what is used of a module."""
    if isinstance(found, Definition):
        yield found.module
    elif isinstance(found, Module):
        for attributes in used.get(item.local, {()}):
            yield from _behind(found, attributes, sources)


def _behind(module: Module, attributes: tuple[str, ...], sources: Sources) -> Iterator[Module]:
    """The modules behind `module.first.second…`; all of the package if that cannot be told."""
    for attribute in attributes:
        found = sources.resolve(module, attribute)
        if isinstance(found, Definition):
            yield found.module
        if isinstance(found, Definition | Import):
            return
        if found is None:
            break
        module = found
    yield from _whole(module, sources)


def _whole(module: Module, sources: Sources) -> Iterator[Module]:
    if module.name != module.package:
        yield module
        return
    folder = module.path.parent
    for path in sorted(folder.rglob("*.py")):
        inside = _dotted(path, folder)
        found = sources.find(f"{module.name}.{inside}" if inside else module.name)
        if found and (found.name != found.package or _holds_code(found)):
            yield found


def _packages(name: str, sources: Sources) -> Iterator[Module]:
    """The packages around a module that run code of their own when it is imported."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        module = sources.find(".".join(parts[:end]))
        if module and module.name == module.package and _holds_code(module):
            yield module


def _holds_code(module: Module) -> bool:
    """Whether a module holds more than imports, strings, and metadata such as `__version__`."""
    return any(
        not all(name.startswith("__") for name in statement.binds or {""})
        for statement in module.statements
        if not (isinstance(statement.node, ast.Expr) and isinstance(statement.node.value, ast.Constant))
    )


@lru_cache(maxsize=1024)
def _attributes(module: Module) -> Attributes:
    """For each name that the module reads, the chains of attributes read from it; `()` for the bare name."""
    found: Attributes = {}

    def visit(node: ast.AST, chain: tuple[str, ...] = ()) -> None:
        if isinstance(node, ast.Attribute):
            visit(node.value, (node.attr, *chain))
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                found.setdefault(node.id, set()).add(chain)
        else:
            for child in ast.iter_child_nodes(node):
                visit(child)

    visit(module.tree)
    return found
