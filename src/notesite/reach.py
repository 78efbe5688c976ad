"""Which statements can change what others do: names are followed from one to the next, through imports."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from .implicit import fixtures_asked, imports_by_name, is_fixture, matters_to_pytest, paths_named
from .modules import Definition, Import, Module, Sources, Statement


def dotted(path: Path, src: Path) -> str:
    """The name by which the file is imported."""
    if not path.is_relative_to(src):
        return path.stem
    parts = path.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Reach:
    """Follows names from statement to statement; `scopes` are the modules in which a test finds its fixtures."""

    def __init__(self, sources: Sources, scopes: Sequence[Module]) -> None:
        self.sources, self.scopes = sources, scopes
        self.statements: dict[Statement, set[str]] = {}  # with what the names in each stand for
        self.whole: dict[Module, set[str]] = {}  # with what the imports stand for that it only passes on
        self.loaded: set[Module] = set()
        self.entered: set[str] = set()
        self.files: set[Path] = set()
        self.todo = [s for scope in scopes for s in scope.statements if matters_to_pytest(s)]
        for scope in scopes:
            self.load(scope)

    def in_source_order(self) -> list[Statement]:
        return sorted(self.statements, key=lambda s: (s.module.path, s.first))

    def finish(self) -> None:
        while self.todo:
            statement = self.todo.pop()
            if statement not in self.statements:
                self.statements[statement] = set(self.follow(statement))

    def follow(self, statement: Statement) -> Iterator[str]:
        """Take in what the statement needs, and tell what each name in it stands for."""
        module = statement.module
        self.enter(module.name)
        for name in statement.uses:
            items = module.imports.get(name, [])
            for item in items:
                yield from self.take_import(module, item, statement)
            found = None if items and name not in module.bindings else self.sources.resolve(module, name)
            if found is not None:  # defined here, got from a star import, or a submodule of this package
                yield from self.take(name, found, statement)
        for item in statement.imports:
            yield from self.take_import(module, item, statement)
        if imports_by_name(statement) and (package := self.sources.find(module.package)):
            yield from self.take(package.name, package, None)
        for name in fixtures_asked(statement) if module in self.scopes else ():
            yield from self.take_fixture(name, statement)
        self.files |= {path for path in paths_named(statement) if path.is_file()}

    def take_import(self, module: Module, item: Import, asking: Statement | None) -> Iterator[str]:
        if not item.typing_only:
            self.enter(item.module)
            yield from self.take(item.local, self.sources.follow(module, item), asking)

    def take(self, name: str, found: Definition | Import | Module, asking: Statement | None) -> Iterator[str]:
        """Take in what a name stands for; of a module only what `asking` reads from it, if that can be told."""
        reads = asking.reads if asking and isinstance(found, Module) else {}
        for attributes in reads.get(name, {()}):
            end, spelled = found, name
            for attribute in attributes:
                inner = self.sources.resolve(end, attribute) if isinstance(end, Module) else None
                if inner is None:
                    break
                end, spelled = inner, f"{spelled}.{attribute}"
            if isinstance(end, Definition):
                self.todo += end.module.bindings[end.name]
            if isinstance(end, Module):
                self.take_whole(end)
                yield f"{spelled}: {end.name}"
            else:
                yield f"{spelled}: {end.module.name if isinstance(end, Definition) else end.module} {end.name}"

    def take_whole(self, module: Module) -> None:
        """Take in all that a module holds or imports, and of a package also the modules in it."""
        if module in self.whole:
            return
        self.whole[module] = set()
        self.load(module)
        own = [*own_code(module), *module.main]
        self.todo += own
        used = {name for statement in own for name in statement.uses}
        unused = [item for items in module.imports.values() for item in items if item.local not in used]
        self.whole[module].update(m for item in unused for m in self.take_import(module, item, None))
        if module.name == module.package:
            folder = module.path.parent
            for path in sorted(folder.rglob("*.py")):
                if inside := self.sources.find(f"{module.name}.{dotted(path, folder)}".rstrip(".")):
                    self.take_whole(inside)

    def enter(self, name: str) -> None:
        """Take in what runs when a module is imported: effects, and the code of the packages around it."""
        if name not in self.entered:
            self.entered.add(name)
            for module in self.modules_on_the_way(name):
                self.load(module)
                self.todo += own_code(module) if module.name == module.package else []

    def take_fixture(self, name: str, asking: Statement) -> Iterator[str]:
        for scope in self.scopes:
            found = self.sources.resolve(scope, name)
            if isinstance(found, Definition):
                own = found.module.bindings[found.name]
                if asking not in own and any(is_fixture(s) for s in own):
                    yield from self.take(name, found, None)
                    return

    def load(self, module: Module) -> None:
        """Take in the effects of a module, and of those that importing it imports."""
        if module in self.loaded:
            return
        self.loaded.add(module)
        self.todo += module.effects()
        for items in module.imports.values():
            for item in items:
                if not item.typing_only and self.sources.owns(item.module):
                    for inner in self.modules_on_the_way(f"{item.module}.{item.name}"):
                        self.load(inner)

    def modules_on_the_way(self, name: str) -> Iterator[Module]:
        parts = name.split(".")
        found = (self.sources.find(".".join(parts[:end])) for end in range(1, len(parts) + 1))
        return (module for module in found if module)


def own_code(module: Module) -> Iterator[Statement]:
    """The statements of a module other than strings and metadata such as `__version__`."""
    for statement in module.statements:
        match statement.node:
            case ast.Expr(ast.Constant()):
                pass
            case ast.Assign(targets=[ast.Name(name)]) if name.startswith("__"):
                pass
            case _:
                yield statement
