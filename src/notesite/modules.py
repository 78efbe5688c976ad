"""Python source read without running it: what a module binds, imports and uses, and whence a name comes."""

import ast
import os
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeGuard

from .names import Bindings, annotation_names, annotations, global_names

Reads = dict[str, set[tuple[str, ...]]]  # `a.b.c` and `a` give {"a": {("b", "c"), ()}}


class SourceError(ValueError):
    """Source that cannot be followed; the message names the file and the line."""


@dataclass(frozen=True)
class Import:
    """One name of an import statement: `from module import name`, or `import module` where `name` is None."""

    module: str
    name: str | None
    asname: str | None
    line: int
    typing_only: bool = False

    @property
    def local(self) -> str:
        return self.asname or self.name or self.module.partition(".")[0]


@dataclass(frozen=True)
class Definition:
    """A name bound by the statements of a module itself."""

    module: "Module"
    name: str


class Statement:
    """A top-level statement: its text with the comments above it, the names it binds and those it uses."""

    def __init__(self, module: "Module", node: ast.stmt) -> None:
        self.module, self.node = module, node
        self.first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        self.last = node.end_lineno or node.lineno
        scan = Bindings()
        scan.visit(node)
        self.binds, self.changes, self.extends = scan.bound, scan.changed, scan.extended

    @property
    def code(self) -> str:
        return "\n".join(self.module.lines[self.first - 1 : self.last])

    @property
    def text(self) -> str:
        first = self.first
        while first > 1 and self.module.lines[first - 2].startswith("#"):
            first -= 1
        return "\n".join(self.module.lines[first - 1 : self.last])

    @property
    def brief(self) -> str:
        """The text with each docstring cut to its first line, for a helper that is shown beside what it helps."""
        lines = self.text.split("\n")
        start = self.last - len(lines) + 1
        defined = [n for n in ast.walk(self.node) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        for node in sorted(defined, key=lambda n: n.lineno, reverse=True):
            text = node.body[0]
            if ast.get_docstring(node) and isinstance(text, ast.Expr) and text.end_lineno != text.lineno:
                first, last = text.lineno - start, (text.end_lineno or text.lineno) - start
                lines[first : last + 1] = [lines[first] + lines[last].strip()[-3:]]
        return "\n".join(lines)

    @cached_property
    def uses(self) -> frozenset[str]:
        """The global names that running the statement, or a function in it, may look up."""
        return frozenset(global_names(symtable.symtable(self.code, str(self.module.path), "exec")))

    @cached_property
    def mentions(self) -> frozenset[str]:
        """The names in annotations, also in quoted ones; the shapes of jaxtyping are no names."""
        shaped = {name for name, imports in self.module.imports.items() if imports[-1].module == "jaxtyping"}
        return frozenset(name for note in annotations(self.node) for name in annotation_names(note, shaped))

    @cached_property
    def reads(self) -> Reads:
        """The attributes that the statement reads from each name, be it global or local."""
        found: Reads = {}
        for node, chain in _chains(self.node):
            found.setdefault(node.id, set()).add(chain)
        return found

    @cached_property
    def imports(self) -> list[Import]:
        """The imports inside the statement, at any depth."""
        return [
            item
            for node in (ast.walk(self.node) if "import" in self.code else ())
            if isinstance(node, ast.Import | ast.ImportFrom)
            for item in _import_names(node, self.module)
        ]


class Module:
    """A source file: its imports, its other top-level statements, and which of them make up each name."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self.path = name, path
        self.lines = text.split("\n")
        try:
            self.tree = ast.parse(text, str(path))
        except SyntaxError as error:
            raise SourceError(f"{path}:{error.lineno}: {error.msg}") from None
        self.imports: dict[str, list[Import]] = {}
        self.statements: list[Statement] = []
        self.main: list[Statement] = []  # what runs only if the file is run as a script
        self._read(self.tree.body)
        self.bindings: dict[str, list[Statement]] = {}
        bound = {name for statement in self.statements for name in statement.binds}
        for statement in self.statements:
            for item in statement.binds | ((statement.changes | statement.extends) & bound):
                self.bindings.setdefault(item, []).append(statement)

    @property
    def package(self) -> str:
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    @property
    def lazy_annotations(self) -> bool:
        return any(item.module == "__future__" for item in self.imports.get("annotations", []))

    def effects(self) -> Iterator[Statement]:
        """The statements that do something other than bind or change a name of this module."""
        for statement in self.statements:
            if not statement.changes <= self.bindings.keys():
                yield statement

    def _read(self, body: list[ast.stmt], typing_only: bool = False) -> None:
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for item in _import_names(node, self, typing_only):
                    self.imports.setdefault(item.local, []).append(item)
            elif _imports_for_types(node):
                self._read(node.body, typing_only=True)
            elif _documents(node, self.statements):
                self.statements[-1].last = node.end_lineno or node.lineno
            else:
                is_main = isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
                (self.main if is_main else self.statements).append(Statement(self, node))


class Sources:
    """The packages below `roots`, as they are now; parsed files are kept as long as they do not change."""

    _parsed: dict[tuple[Path, str], tuple[tuple[int, int], Module]] = {}  # noqa: RUF012 - shared on purpose

    def __init__(self, *roots: Path) -> None:
        self.roots = roots
        self._found: dict[str, Module | None] = {}
        self._tops = {file.partition(".")[0] for root in roots if root.is_dir() for file in os.listdir(root)}

    def read(self, path: Path, name: str) -> Module:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._parsed.get((path, name))
        if known is None or known[0] != stamp:
            known = self._parsed[path, name] = (stamp, Module(name, path, path.read_text(encoding="utf-8")))
        return known[1]

    def find(self, name: str) -> Module | None:
        """The module with this dotted name, or None."""
        if name not in self._found:
            above, _, last = name.rpartition(".")
            if not _is_dotted(name) or name.partition(".")[0] not in self._tops:
                stems = []
            elif parent := self.find(above) if above else None:
                stems = [f"{parent.path.parent}/{last}"] if parent.name == parent.package else []
            else:
                stems = [f"{root}/{name.replace('.', '/')}" for root in self.roots]
            paths = [path for stem in stems for path in (f"{stem}/__init__.py", f"{stem}.py")]
            path = next((path for path in paths if os.path.isfile(path)), None)
            self._found[name] = self.read(Path(path), name) if path else None
        return self._found[name]

    def owns(self, module: str) -> bool:
        """Whether `module` or its top package stands below the roots."""
        return (self.find(module.partition(".")[0]) or self.find(module)) is not None

    def resolve(
        self, module: Module, name: str, seen: frozenset[str] = frozenset()
    ) -> Definition | Import | Module | None:
        """Where `name` in `module` comes from, through re-exports; an `Import` if from outside the roots."""
        key = f"{module.name}.{name}"
        if key not in seen:
            if name in module.bindings:
                return Definition(module, name)
            if name in module.imports:
                return self.follow(module, module.imports[name][-1], seen | {key})
            for star in module.imports.get("*", []):
                source = self.find(star.module)
                found = source and not name.startswith("_") and self.resolve(source, name, seen | {key})
                if found:
                    return found
        return self.find(key) if module.package == module.name else None

    def follow(
        self, module: Module, item: Import, seen: frozenset[str] = frozenset()
    ) -> Definition | Import | Module:
        """What an import of `module` stands for; an import from outside the roots stands for itself."""
        if not self.owns(item.module):
            return item
        source = self.find(item.module)
        if source is None:
            raise SourceError(f"{module.path}:{item.line}: there is no module `{item.module}`")
        if item.name is None and item.asname is None:
            return self.find(item.local) or source
        if item.name is None or item.name == "*":
            return source
        found = self.resolve(source, item.name, seen)
        if found is None:
            raise SourceError(f"{module.path}:{item.line}: `{item.module}` has no name `{item.name}`")
        return found


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _imports_for_types(node: ast.stmt) -> TypeGuard[ast.If]:
    return (
        isinstance(node, ast.If)
        and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        and not node.orelse
        and all(isinstance(child, ast.Import | ast.ImportFrom) for child in node.body)
    )


def _documents(node: ast.stmt, before: list[Statement]) -> bool:
    """Whether `node` is the string below a constant that documents it."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and bool(before)
        and before[-1].last == node.lineno - 1
        and isinstance(before[-1].node, ast.Assign | ast.AnnAssign)
    )


def _chains(node: ast.AST, chain: tuple[str, ...] = ()) -> Iterator[tuple[ast.Name, tuple[str, ...]]]:
    """The names that are read below `node`, with the attributes that are read from each."""
    if isinstance(node, ast.Attribute):
        yield from _chains(node.value, (node.attr, *chain))
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            yield node, chain
    else:
        for child in ast.iter_child_nodes(node):
            yield from _chains(child)


def _import_names(
    node: ast.Import | ast.ImportFrom, module: Module, typing_only: bool = False
) -> list[Import]:
    if isinstance(node, ast.Import):
        return [Import(alias.name, None, alias.asname, node.lineno, typing_only) for alias in node.names]
    base = node.module or ""
    if node.level:
        package = module.package.split(".")
        if not module.package or node.level > len(package):
            raise SourceError(f"{module.path}:{node.lineno}: a relative import leads out of the package")
        base = ".".join(package[: len(package) - node.level + 1] + ([node.module] if node.module else []))
    return [Import(base, alias.name, alias.asname, node.lineno, typing_only) for alias in node.names]
