"""What an output depends on, hashed: the statements that can change it, the data it reads, and versions."""

import ast
import hashlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from .modules import Definition, Import, Module, SourceError, Sources, Statement

# Names that pytest looks up in a test file.
_HOOKS = ("setup_module", "teardown_module", "setup_function", "teardown_function")


def key(
    path: Path,
    *,
    src: Path,
    names: Collection[str] | None = None,
    data: Iterable[Path] = (),
    pins: Iterable[str] = (),
) -> str:
    """Return a digest that changes when an output of the file at `path` may change.

    It covers the source of the `dependencies` and what every name in them stands for; the whole text of the file
    unless `names` are given; the bytes of the `data` files; Python's minor version; and the installed versions of
    the distributions named in `pins`. It is the same in every checkout.
    """
    path, root = path.resolve(), src.resolve().parent
    digest = hashlib.sha256()

    def add(*parts: str | bytes) -> None:
        for part in parts:
            content = part.encode() if isinstance(part, str) else part
            digest.update(b"%d\0" % len(content) + content)

    files = {_relative(file.resolve(), root): file for file in [*([path] if names is None else []), *data]}
    for name, file in sorted(files.items()):
        add(name, file.read_bytes())
    reach = _reach(path, src.resolve(), names)
    for module in sorted(reach.whole, key=lambda m: m.path):
        add(_relative(module.path, root), *sorted(reach.whole[module]))
    for statement in reach.in_source_order():
        add(_relative(statement.module.path, root), statement.code, *sorted(reach.statements[statement]))
    add(f"python=={sys.version_info.major}.{sys.version_info.minor}")
    add(*sorted({f"{name.lower()}=={version(name)}" for name in pins}))
    return digest.hexdigest()


def dependencies(path: Path, *, src: Path, names: Collection[str] | None = None) -> list[Statement]:
    """Return the statements that outputs of the Python file at `path` depend on, found without running it.

    They are those of the file (with `names`, only what defines these), and from there on whatever defines a name that
    one of them uses, through imports and re-exports. An import counts for what is used of it, also inside a function;
    all that a star import or a module passed on as an object may hold counts. Statements that act on more than the
    names of their module, such as `torch.set_num_threads(1)`, count in every module that is imported on the way, and
    the code in an `__init__.py` for all that its package holds. A test depends on its fixtures, on `pytestmark`, and on
    the hooks and autouse fixtures in the `conftest.py` files around it.

    What cannot be seen: an effect hidden in a decorator or in the value of an assignment (`x = register(f)` matters
    only to what uses `x`), and names that are made up at run time.

    Args:
        path: A lab, a file of figures, a test, or a module below `src`. Files next to it, and in the folders
            between it and the project, can be imported too.
        src: The folder that holds the packages.
        names: Functions of the file, if an output comes from these alone.

    Raises:
        SourceError: If an import names a module or a name that is not there, with file and line.
    """
    return _reach(path.resolve(), src.resolve(), names).in_source_order()


@cache
def version(name: str) -> str:
    """The installed version of a distribution, or "missing"."""
    try:
        return metadata.version(name).partition("+")[0]  # `+cpu` or `+cu130` tells the machine, not the code
    except metadata.PackageNotFoundError:
        return "missing"


def _reach(path: Path, src: Path, names: Collection[str] | None) -> "_Reach":
    folders = [folder for folder in path.parents if folder.is_relative_to(src.parent)] or [path.parent]
    sources = Sources(*([src] if path.is_relative_to(src) else [src, *folders]))
    start = sources.read(path, _dotted(path, src))
    around = [file for folder in folders if (file := folder / "conftest.py").is_file()]
    reach = _Reach(sources, [start, *(sources.read(file, "conftest") for file in around)])
    if names is None:
        reach.take_whole(start)
    for name in names or ():
        if name not in start.bindings:
            raise SourceError(f"{path}: there is no function `{name}` at the top level")
        reach.todo += start.bindings[name]
    reach.finish()
    return reach


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _dotted(path: Path, src: Path) -> str:
    if not path.is_relative_to(src):
        return path.stem
    parts = path.relative_to(src).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class _Reach:
    """Follows names from statement to statement; `scopes` are the modules in which a test finds its fixtures."""

    def __init__(self, sources: Sources, scopes: Sequence[Module]) -> None:
        self.sources, self.scopes = sources, scopes
        self.statements: dict[Statement, set[str]] = {}  # with what the names in each stand for
        self.whole: dict[
            Module, set[str]
        ] = {}  # with what those imports stand for that it does not use itself
        self.loaded: set[Module] = set()
        self.entered: set[str] = set()
        self.todo = [s for scope in scopes for s in scope.statements if _always_matters(s)]
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
        for name in _fixtures_asked(statement) if module in self.scopes else ():
            yield from self.take_fixture(name, statement)

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
        own = [*_own_code(module), *module.main]
        self.todo += own
        used = {name for statement in own for name in statement.uses}
        unused = [item for items in module.imports.values() for item in items if item.local not in used]
        self.whole[module].update(m for item in unused for m in self.take_import(module, item, None))
        if module.name == module.package:
            folder = module.path.parent
            for path in sorted(folder.rglob("*.py")):
                if inside := self.sources.find(f"{module.name}.{_dotted(path, folder)}".rstrip(".")):
                    self.take_whole(inside)

    def enter(self, name: str) -> None:
        """Take in what runs when a module is imported: effects, and the code of the packages around it."""
        if name not in self.entered:
            self.entered.add(name)
            for module in self.modules_on_the_way(name):
                self.load(module)
                self.todo += _own_code(module) if module.name == module.package else []

    def take_fixture(self, name: str, asking: Statement) -> Iterator[str]:
        for scope in self.scopes:
            found = self.sources.resolve(scope, name)
            if isinstance(found, Definition):
                own = found.module.bindings[found.name]
                if asking not in own and any(_is_fixture(s) for s in own):
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


def _own_code(module: Module) -> Iterator[Statement]:
    """The statements of a module other than strings and metadata such as `__version__`."""
    for statement in module.statements:
        is_metadata = isinstance(statement.node, ast.Assign) and all(
            n.startswith("__") for n in statement.binds
        )
        is_string = isinstance(statement.node, ast.Expr) and isinstance(statement.node.value, ast.Constant)
        if not (is_metadata or is_string):
            yield statement


def _always_matters(statement: Statement) -> bool:
    """Whether pytest looks at a statement in a test file or a `conftest.py` without being asked to."""
    autouse = "autouse" in {
        k.arg for d in _decorators(statement) if isinstance(d, ast.Call) for k in d.keywords
    }
    return autouse or any(name.startswith("pytest") or name in _HOOKS for name in statement.binds)


def _is_fixture(statement: Statement) -> bool:
    calls = [d.func if isinstance(d, ast.Call) else d for d in _decorators(statement)]
    return "fixture" in {getattr(c, "attr", getattr(c, "id", None)) for c in calls}


def _decorators(statement: Statement) -> list[ast.expr]:
    return getattr(statement.node, "decorator_list", [])


@lru_cache(maxsize=4096)
def _fixtures_asked(statement: Statement) -> frozenset[str]:
    """The names of arguments, which pytest may take for fixtures, and those that `usefixtures` spells out."""
    node = statement.node
    functions = node.body if isinstance(node, ast.ClassDef) else [node]
    arguments = [f.args for f in functions if isinstance(f, ast.FunctionDef)]
    asked = {a.arg for args in arguments for a in [*args.posonlyargs, *args.args, *args.kwonlyargs]}
    if "fixture" in statement.code:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in (
                "usefixtures",
                "getfixturevalue",
            ):
                asked |= {str(a.value) for a in call.args if isinstance(a, ast.Constant)}
    return frozenset(asked)
