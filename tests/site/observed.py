"""A pytest plugin that writes down what tests, labs and figures depend on, as a running interpreter sees it.

`notesite.freshness` reads sources; this walks through the objects in memory, and watches what tests call.
"""

import __future__

import ast
import dis
import functools
import gc
import importlib
import json
import os
import random
import sys
import types
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import Phase, settings

ROOT = Path.cwd()
EXAMPLES = 2  # of each property; to be called once is enough
TRACED = 3  # tests of each file
CONTAINERS = (
    dict, list, tuple, set, frozenset, property, staticmethod, classmethod, functools.partial,
    functools.cached_property, types.MappingProxyType, types.CellType, types.MethodType, types.GenericAlias,
    pytest.MarkDecorator, pytest.Mark,
)  # fmt: skip


class Walk:
    """Collects the functions and classes of the checkout that can be reached from some objects."""

    def __init__(self):
        self.found, self.seen, self.todo = set(), {}, []

    def visit(self, *objects):
        self.todo += objects
        while self.todo:
            item = self.todo.pop()
            if id(item) not in self.seen:
                self.seen[id(item)] = item  # kept alive, so that no other object gets its id
                self.look_into(item)
        return self.found

    def look_into(self, item):
        if isinstance(item, types.FunctionType):
            self.todo += [
                item.__closure__,
                item.__defaults__,
                item.__kwdefaults__,
                item.__annotations__,
                vars(item),
            ]
            if is_ours(item.__code__.co_filename):
                self.todo += unread_annotations(item, item.__globals__)
                self.read(item.__code__, item.__globals__)
        elif isinstance(item, types.ModuleType):
            self.todo += vars(item).values() if is_ours(getattr(item, "__file__", None)) else []
        elif isinstance(item, type):
            if is_ours(file := home(item)):
                self.found.add((file, item.__qualname__.partition(".")[0]))
                self.todo += [*vars(item).values(), *item.__bases__, type(item)]
                self.todo += unread_annotations(item, vars(sys.modules[item.__module__]))
        else:
            kind = type(item)
            self.todo += [kind, getattr(item, "__wrapped__", None)]
            inner = isinstance(item, CONTAINERS) or kind.__module__.startswith(("hypothesis.", "typing"))
            self.todo += gc.get_referents(item) if inner or is_ours(home(kind)) else []

    def read(self, code, names):
        """Look up the global names of a code object, and of those in it."""
        self.found.add((code.co_filename, code.co_qualname.partition(".")[0]))
        steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
        for at, step in enumerate(steps):
            if (
                step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
                and step.argval in names
            ):
                value, after = names[step.argval], at + 1
                while isinstance(value, types.ModuleType) and steps[after].opname in (
                    "LOAD_ATTR",
                    "LOAD_METHOD",
                ):
                    value, after = getattr(value, steps[after].argval), after + 1
                self.todo.append(value)
            elif step.opname == "IMPORT_NAME":
                level, wanted = (before.argval for before in steps[at - 2 : at])
                module = importlib.import_module("." * level + step.argval, names.get("__package__"))
                values = [getattr(module, name) for name in wanted or ()]
                self.todo += [
                    v for v in values if not isinstance(v, types.ModuleType)
                ]  # those are read where used
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self.read(inner, names)


def unread_annotations(item, names):
    """What the annotations mean that `from __future__ import annotations` left as text; they count all the same."""
    for note in item.__annotations__.values() if names.get("annotations") is __future__.annotations else ():
        with suppress(NameError):  # imported for type checkers only
            yield eval(getattr(note, "__forward_arg__", note), names)


def home(kind):
    return getattr(sys.modules.get(kind.__module__), "__file__", None)


def is_ours(file):
    return file is not None and any(
        Path(file).is_relative_to(ROOT / part) for part in ("src", "tests", "docs")
    )


def reach_of_test(item):
    """From its function with all decorators, its marks, and the fixtures that pytest gives it."""
    fixtures = [definitions[-1].func for definitions in item._fixtureinfo.name2fixturedefs.values()]
    return Walk().visit(item.function, list(item.iter_markers()), fixtures)


def reach_of_script(path):
    """From the code of a lab or a file of figures, of which only the imports are run."""
    tree, names, walk = ast.parse(path.read_text(encoding="utf-8")), {}, Walk()
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), str(path), "exec"), names)
    walk.read(
        compile(tree, str(path), "exec"), {name: names[name] for name in names if name != "__builtins__"}
    )
    return walk.visit()


class Observer:
    """Collects, for each output, what it can reach, and for a sample of the tests what they call."""

    def __init__(self):
        self.reach, self.calls = {}, {}

    def pytest_collection_finish(self, session):
        for item in session.items:
            self.reach.setdefault(name_of(item), set()).update(reach_of_test(item))
        for path in [*ROOT.glob("docs/*/*_lab.py"), *ROOT.glob("docs/*/*_figures.py")]:
            self.reach[path.relative_to(ROOT).as_posix()] = reach_of_script(path)
        by_file = {}
        for item in session.items:
            by_file.setdefault(item.path, []).append(item)
        rng = random.Random(0)
        session.items[:] = [
            item for items in by_file.values() for item in rng.sample(items, min(TRACED, len(items)))
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        codes = set()
        sys.settrace(lambda frame, *_: codes.add(frame.f_code))
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.calls[name_of(item)] = {(code.co_filename, code.co_firstlineno) for code in codes}

    def pytest_sessionfinish(self):
        found = [{name: local(places) for name, places in kind.items()} for kind in (self.reach, self.calls)]
        Path(os.environ["OBSERVED"]).write_text(json.dumps(found), encoding="utf-8")


def name_of(item):
    return f"{item.path.relative_to(ROOT).as_posix()}::{item.originalname}"


def local(places):
    return sorted((Path(file).relative_to(ROOT).as_posix(), place) for file, place in places if is_ours(file))


def pytest_configure(config):
    config.pluginmanager.register(Observer())
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("few", max_examples=EXAMPLES, derandomize=True, database=None, phases=phases)
    settings.load_profile("few")
