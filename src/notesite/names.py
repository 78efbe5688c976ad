"""The names in a statement: those it binds or changes, and the global ones that it reads."""

import ast
import symtable
from collections.abc import Iterator
from contextlib import suppress

Inner = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)  # scopes of their own


class Bindings(ast.NodeVisitor):
    """The names that a statement binds, changes (`f.x = 1`) or extends (`@f.register`) at module level."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.changed: set[str] = set()
        self.extended: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.bound.add(node.name)
            calls = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
            self.extended |= {root(call) for call in calls if isinstance(call, ast.Attribute)}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            self.changed.add(root(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            self.changed.add("" if isinstance(called, ast.Name) else root(called))
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self.bound.add(node.name)
            self.generic_visit(node)
        elif not isinstance(node, Inner):
            self.generic_visit(node)


def root(node: ast.expr) -> str:
    """The name at the start of `name.attribute[index](...)`, or the empty string."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def global_names(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that code reads at module level, at any depth of functions and classes."""
    for symbol in table.get_symbols():
        if table.get_type() == "module" or (table.get_type() == "class" and symbol.is_assigned()):
            used = symbol.is_referenced()  # in a class body `cost = wrap(cost)` reads the global
        else:
            used = symbol.is_global()
        if used:
            yield symbol.get_name()
    for child in table.get_children():
        yield from global_names(child)


def annotations(node: ast.AST) -> Iterator[ast.expr]:
    """The annotations of all arguments, results and variables in `node`."""
    for child in ast.walk(node):
        for note in (getattr(child, "annotation", None), getattr(child, "returns", None)):
            if isinstance(note, ast.expr):
                yield note


def annotation_names(node: ast.AST, shaped: set[str]) -> Iterator[str]:
    """The names in an annotation, also in quoted ones; no strings of literals or of `shaped` types."""
    if isinstance(node, ast.Subscript):
        kind, inside = ast.unparse(node.value).rpartition(".")[2], node.slice
        if (kind == "Annotated" or root(node.value) in shaped) and isinstance(inside, ast.Tuple):
            inside = inside.elts[0]
        for part in [node.value] if kind == "Literal" else [node.value, inside]:
            yield from annotation_names(part, shaped)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        with suppress(SyntaxError):
            yield from annotation_names(ast.parse(node.value.strip(), mode="eval").body, shaped)
    elif isinstance(node, ast.Name):
        yield node.id
    else:
        for child in ast.iter_child_nodes(node):
            yield from annotation_names(child, shaped)
