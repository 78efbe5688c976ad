"""What a statement needs without reading its name: pytest's fixtures, modules imported by name, and files."""

import ast
from contextlib import suppress
from functools import lru_cache
from math import inf
from pathlib import Path

from .modules import Module, Statement

# Names that pytest looks up in a test file.
_HOOKS = ("setup_module", "teardown_module", "setup_function", "teardown_function")
_ASKING = ("usefixtures", "getfixturevalue")


def matters_to_pytest(statement: Statement) -> bool:
    """Whether pytest looks at a statement in a test file or a `conftest.py` without being asked to."""
    calls = [decorator for decorator in _decorators(statement) if isinstance(decorator, ast.Call)]
    is_used = any(keyword.arg == "autouse" for call in calls for keyword in call.keywords)
    return is_used or any(name.startswith("pytest") or name in _HOOKS for name in statement.binds)


def is_fixture(statement: Statement) -> bool:
    calls = [d.func if isinstance(d, ast.Call) else d for d in _decorators(statement)]
    return "fixture" in {getattr(c, "attr", getattr(c, "id", None)) for c in calls}


def _decorators(statement: Statement) -> list[ast.expr]:
    return getattr(statement.node, "decorator_list", [])


@lru_cache(maxsize=4096)
def fixtures_asked(statement: Statement) -> frozenset[str]:
    """The names of arguments, which pytest may take for fixtures, and those that `usefixtures` spells out."""
    node = statement.node
    functions = node.body if isinstance(node, ast.ClassDef) else [node]
    arguments = [f.args for f in functions if isinstance(f, ast.FunctionDef)]
    asked = {a.arg for args in arguments for a in [*args.posonlyargs, *args.args, *args.kwonlyargs]}
    if "fixture" in statement.code:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", None) in _ASKING:
                asked |= {str(a.value) for a in call.args if isinstance(a, ast.Constant)}
    return frozenset(asked)


def imports_by_name(statement: Statement) -> bool:
    """Whether it may import any module; a package's `__getattr__` does so to find submodules, which are known."""
    return "import_module(" in statement.code and "__getattr__" not in statement.binds


@lru_cache(maxsize=4096)
def paths_named(statement: Statement) -> frozenset[Path]:
    """The paths in a statement that begin at `__file__`, such as `Path(__file__).with_name("dates.json")`."""
    module = statement.module
    if not _speaks_of_its_file(module):
        return frozenset()
    return frozenset(path for node in ast.walk(statement.node) if (path := _path(node, module))) - {
        module.path
    }


@lru_cache(maxsize=1024)
def _speaks_of_its_file(module: Module) -> bool:
    return any("__file__" in line for line in module.lines)


def _path(node: ast.AST, module: Module, before: float = inf) -> Path | None:
    """The path that an expression stands for, if it can be told; names must be bound above line `before`."""
    match node:
        case ast.Name("__file__"):
            return module.path
        case ast.Name(name):
            for own in module.bindings.get(name, []):
                if isinstance(own.node, ast.Assign) and own.first < before:
                    return _path(own.node.value, module, own.first)
        case ast.Call(ast.Name("Path") | ast.Attribute(attr="Path"), [inner]):
            return _path(inner, module, before)
        case ast.Call(ast.Attribute(inner, "resolve" | "absolute"), []):
            return _path(inner, module, before)
        case ast.Call(ast.Attribute(inner, "with_name" | "with_suffix" as change), [ast.Constant(str(text))]):
            path = _path(inner, module, before)
            return path and getattr(path, change)(text)
        case ast.Attribute(inner, "parent"):
            path = _path(inner, module, before)
            return path and path.parent
        case ast.Subscript(ast.Attribute(inner, "parents"), ast.Constant(int(count))):
            path = _path(inner, module, before)
            with suppress(IndexError):
                return path and path.parents[count]
        case ast.BinOp(inner, ast.Div(), ast.Constant(str(text))):
            path = _path(inner, module, before)
            return path and path / text
    return None
