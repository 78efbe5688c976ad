"""A symbol of the package as self-contained code: the block that a reader copies."""

import ast
import builtins
import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .imports import import_blocks, import_line
from .modules import Definition, Import, Module, SourceError, Sources, Statement


class SliceError(ValueError):
    """A symbol that has no slice; the message says why and how to mend it."""


@dataclass(frozen=True)
class Origin:
    """Where an asked symbol is defined: an absolute path and its lines, decorators included."""

    symbol: str
    path: Path
    first: int
    last: int


@dataclass(frozen=True)
class Slice:
    """Code that runs alone, and where each asked symbol in it comes from."""

    code: str
    origins: tuple[Origin, ...]


def slice_symbols(symbols: Sequence[str], *, src: Path) -> Slice:
    """Return the source of `symbols` with all that it needs, found without importing anything.

    Imports come first, then constants, helpers before their users, and the asked symbols last and in the
    asked order, unless one of them needs another. The docstrings of helpers are cut to their first line.

    Args:
        symbols: Dotted names such as `"mlnotes2.transport.emd_1d"`; private ones are allowed.
        src: The folder that holds the packages.

    Raises:
        SliceError: If a symbol is unknown, or if its source cannot stand alone.
    """
    slicer = _Slicer(Sources(src.resolve()))
    try:
        return slicer.slice(symbols)
    except SourceError as error:
        raise SliceError(str(error)) from None


def slice_stub(symbol: str, *, src: Path) -> Slice:
    """Return signature and docstring of a function for a reader to fill in.

    Above them stand the imports that its body uses, and what its decorators, defaults and annotations need.

    Raises:
        SliceError: If the symbol is unknown, or no function with a docstring.
    """
    slicer = _Slicer(Sources(src.resolve()))
    try:
        return slicer.stub(symbol)
    except SourceError as error:
        raise SliceError(str(error)) from None


def public_names(package: str, *, src: Path) -> list[str]:
    """Return the dotted names that `package` and its public subpackages export from their `__init__`."""
    return sorted(_public_names(package, Sources(src.resolve())))


def _public_names(package: str, sources: Sources) -> Iterator[str]:
    module = sources.find(package)
    if module is None or module.package != module.name:
        return
    stars = [sources.find(star.module) for star in module.imports.get("*", [])]
    for name in {n for source in [module, *stars] if source for n in [*source.bindings, *source.imports]}:
        if not name.startswith(("_", "*")) and _exports(sources, module, name):
            yield f"{package}.{name}"
    for path in module.path.parent.glob("[!_]*/__init__.py"):
        yield from _public_names(f"{package}.{path.parent.name}", sources)


def _exports(sources: Sources, module: Module, name: str) -> bool:
    try:
        return isinstance(sources.resolve(module, name), Definition)
    except SourceError:
        return True  # exported, though broken: slicing it says what is missing


class _Slicer:
    """Collects the statements and imports that the asked symbols need, and puts them in order."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.needs: dict[Statement, set[Statement]] = {}  # what must stand before each statement
        self.meaning: dict[str, str] = {}  # what each global name of the slice stands for
        self.aliases: dict[str, Statement] = {}
        self.imports: set[Import] = set()

    def slice(self, symbols: Sequence[str]) -> Slice:
        asked, origins = [], []
        for symbol in symbols:
            module, name, found = self.locate(symbol)
            asked += self.require(module, name)
            own = found.module.bindings[found.name]
            span = (min(s.first for s in own), max(s.last for s in own))
            origins.append(Origin(symbol, found.module.path, *span))
        self.keep_source_order()
        body = self.ordered(asked)
        lazy = any(statement.module.lazy_annotations for statement in body)
        return Slice(_join(import_blocks(self.imports, lazy=lazy), body, set(asked)), tuple(origins))

    def stub(self, symbol: str) -> Slice:
        _, _, found = self.locate(symbol)
        module, statement = found.module, found.module.bindings[found.name][0]
        node = statement.node
        if not isinstance(node, ast.FunctionDef) or ast.get_docstring(node) is None:
            raise SliceError(f"`{symbol}` has no stub: it is not a function with a docstring")
        head = "\n".join(module.lines[statement.first - 1 : node.body[0].end_lineno])
        stub = Module(module.name, module.path, f"{head}\n    raise NotImplementedError").statements[0]
        shown = stub.uses | statement.mentions
        for name in sorted(statement.uses | statement.mentions):
            source = self.sources.resolve(module, name)
            if isinstance(source, Import):
                if name in shown or source.name is None:  # `from x import y` would give the solution away
                    self.add_import(module, name, source)
            elif source is not None and name in shown:
                self.require(module, name, statement.first)
        imports = import_blocks(self.imports, lazy=module.lazy_annotations)
        code = _join(imports, [*self.ordered([]), stub], {stub})
        return Slice(code, (Origin(symbol, module.path, statement.first, statement.last),))

    def locate(self, symbol: str) -> tuple[Module, str, Definition]:
        """The module and name that `symbol` spells out, and the definition behind it."""
        top, *parts = symbol.split(".")
        module = self.sources.find(top)
        if module is None:
            raise SliceError(f"unknown symbol `{symbol}`: {self.sources.roots[0]} has no package `{top}`")
        for position, part in enumerate(parts, start=1):
            found = self.sources.resolve(module, part)
            if isinstance(found, Module):
                module = found
                continue
            if found is None:
                raise SliceError(f"unknown symbol `{symbol}`{self.nearest(symbol, top, module)}")
            if isinstance(found, Import):
                raise SliceError(f"`{symbol}` comes from `{found.module}`, not from {self.sources.roots[0]}")
            if position < len(parts):
                whole = ".".join([top, *parts[:position]])
                raise SliceError(f"`{symbol}` cannot be shown alone; ask for `{whole}`")
            return module, part, found
        raise SliceError(f"`{symbol}` is a module; name a symbol in it{self.nearest(symbol, top, module)}")

    def nearest(self, symbol: str, top: str, module: Module) -> str:
        private = [f"{module.name}.{name}" for name in module.bindings]
        names = {*_public_names(top, self.sources), *(private if module.package != module.name else [])}
        last = symbol.rpartition(".")[2]

        def likeness(name: str) -> float:
            pairs = [(symbol, name), (last, name.rpartition(".")[2])]
            return max(difflib.SequenceMatcher(None, *pair).ratio() for pair in pairs)

        near = sorted(sorted(name for name in names if likeness(name) > 0.6), key=likeness, reverse=True)[:3]
        return f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""

    def require(self, module: Module, name: str, line: int = 1) -> list[Statement]:
        """Take in what `name` means in `module`; return the statements that make it so."""
        found = self.sources.resolve(module, name)
        if isinstance(found, Definition):
            self.claim(found.name, f"{found.module.name}.{found.name}")
            own = found.module.bindings[found.name]
            for statement in own:
                self.include(statement)
            return own if found.name == name else [self.alias(module, name, found)]
        if isinstance(found, Import):
            return self.add_import(module, name, found)
        if isinstance(found, Module):
            raise SliceError(
                f"{module.path}:{line}: `{name}` is the module `{found.name}`, which a slice cannot carry; "
                f"import the names directly: from {found.name} import ..."
            )
        if not hasattr(builtins, name):
            raise SliceError(
                f"{module.path}:{line}: `{name}` is neither defined nor imported by name in the file"
            )
        self.claim(name, f"the builtin {name}")
        return []

    def add_import(self, module: Module, name: str, found: Import) -> list[Statement]:
        """Import `name` from outside the packages."""
        if name != found.local:
            top = found.module if found.name or found.asname else found.local
            found = replace(found, module=top, asname=name)
        dotted = found.name is None and found.asname is None
        self.claim(name, f"import {name}" if dotted else import_line(found))
        self.imports.add(found)
        if dotted:  # `import torch` and `import torch.nn` bind one name
            same = [item for item in module.imports[name] if item.name is None and item.asname is None]
            self.imports.update(same)
        return []

    def claim(self, name: str, meaning: str) -> None:
        other = self.meaning.setdefault(name, meaning)
        if other != meaning:
            raise SliceError(
                f"`{name}` would stand for two things in one block, `{other}` and `{meaning}`; rename one"
            )

    def include(self, statement: Statement) -> None:
        if statement in self.needs:
            return
        module = statement.module
        self.needs[statement] = set()
        self.check(statement)
        for name in statement.binds:
            self.claim(name, f"{module.name}.{name}")
        for name in sorted(statement.uses | (statement.mentions & {*module.bindings, *module.imports})):
            if name in statement.binds and len(module.bindings[name]) == 1:
                continue
            needed = self.require(module, name, statement.first)
            if name in statement.uses and not _typing_only(module, name):
                self.needs[statement].update(other for other in needed if other is not statement)

    def check(self, statement: Statement) -> None:
        module = statement.module
        for effect in module.effects():
            raise SliceError(
                f"{module.path}:{effect.first}: a slice cannot carry this statement, which acts on something "
                "other than a name of its module; move it into a function"
            )
        for item in statement.imports:
            if self.sources.owns(item.module):
                raise SliceError(
                    f"{module.path}:{item.line}: a slice cannot carry an import of `{item.module}` inside a "
                    "statement; move it to the top of the file"
                )
        for name in statement.binds & set(module.imports):
            raise SliceError(f"{module.path}:{statement.first}: `{name}` is imported and defined; rename one")

    def alias(self, module: Module, name: str, found: Definition) -> Statement:
        """The statement `name = found.name`, for a helper that was imported under another name."""
        self.claim(name, f"{found.module.name}.{found.name}")
        if name not in self.aliases:
            text = f"{name} = {found.name}"
            statement = Module(module.name, module.path, text).statements[0]
            self.aliases[name] = statement
            self.needs[statement] = set(found.module.bindings[found.name])
        return self.aliases[name]

    def keep_source_order(self) -> None:
        """Tie the statements of a module together where a name is bound twice: none overtakes another."""
        taken = set(self.needs)
        for module in {statement.module for statement in taken}:
            own = [statement for statement in module.statements if statement in taken]
            if any(len(set(module.bindings[name]) & taken) > 1 for s in own for name in s.binds):
                for one, other in zip(own, own[1:] + own[:1], strict=True):
                    self.needs[one].add(other)

    def ordered(self, asked: Sequence[Statement]) -> list[Statement]:
        done: list[Statement] = []

        def place(statement: Statement) -> None:
            if statement in done:
                return
            circle = {s for s in self.reach(statement) if statement in self.reach(s)} | {statement}
            if len({s.module for s in circle}) > 1:
                files = sorted({str(s.module.path) for s in circle})
                raise SliceError(
                    f"these files import each other: {', '.join(files)}; move what they share to one"
                )
            for other in _in_source_order({n for s in circle for n in self.needs[s]} - circle):
                place(other)
            done.extend(sorted(circle, key=lambda s: s.first))

        rest = _in_source_order(set(self.needs) - set(asked))
        for statement in sorted(rest, key=_is_definition):
            if not self.reach(statement) & set(asked):
                place(statement)
        for statement in asked:
            place(statement)
        for statement in rest:
            place(statement)
        return done

    def reach(self, statement: Statement) -> set[Statement]:
        found: set[Statement] = set()
        todo = [statement]
        while todo:
            new = self.needs[todo.pop()] - found
            found |= new
            todo += new
        return found


def _in_source_order(statements: Iterable[Statement]) -> list[Statement]:
    return sorted(statements, key=lambda s: (s.module.name, s.first))


def _is_definition(statement: Statement) -> bool:
    return isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _typing_only(module: Module, name: str) -> bool:
    return name in module.imports and module.imports[name][-1].typing_only


def _join(imports: Sequence[str], body: Sequence[Statement], asked: set[Statement]) -> str:
    """The blocks with two blank lines around definitions and one around imports and long statements."""
    code = "\n\n".join(imports)
    for before, statement in zip([None, *body], body, strict=False):
        if _is_definition(statement) or (before and _is_definition(before)):
            code += "\n\n\n"
        else:
            code += "\n" if before and "\n" not in before.text + statement.text else "\n\n"
        code += statement.text if statement in asked else statement.brief
    return code.lstrip("\n") + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("usage: python -m notesite.slices SYMBOL...")
    try:
        sys.stdout.write(slice_symbols(sys.argv[1:], src=Path(__file__).parents[1]).code)
    except SliceError as error:
        sys.exit(str(error))
