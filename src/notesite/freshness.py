"""What an output depends on, hashed: the statements that can change it, the data it reads, and versions."""

import hashlib
import os
import sys
from collections.abc import Collection, Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from .modules import SourceError, Sources, Statement
from .reach import Reach, dotted


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
    unless `names` are given; the bytes of the `data` files, and of files that the code names by a path that begins
    at `__file__`; Python's minor version; and the installed versions of
    the distributions named in `pins`. It is the same in every checkout.
    """
    path, root = path.resolve(), src.resolve().parent
    digest = hashlib.sha256()

    def add(*parts: str | bytes) -> None:
        for part in parts:
            content = part.encode() if isinstance(part, str) else part
            digest.update(b"%d\0" % len(content) + content)

    reach = _reach(path, src.resolve(), names)
    files = [*data, *reach.files, *([path] if names is None else [])]
    for name, file in sorted({_relative(file.resolve(), root): file for file in files}.items()):
        add(name, file.read_bytes())
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
    the hooks and autouse fixtures in the `conftest.py` files around it. Where `import_module` is called, the whole
    package counts, for the name may be made up at run time.

    What cannot be seen: an effect hidden in a decorator or in the value of an assignment (`x = register(f)` matters
    only to what uses `x`), and what `pkgutil.resolve_name` finds, such as a kernel for a GPU, which no page runs.

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


def _reach(path: Path, src: Path, names: Collection[str] | None) -> Reach:
    folders = [folder for folder in path.parents if folder.is_relative_to(src.parent)] or [path.parent]
    sources = Sources(*([src] if path.is_relative_to(src) else [src, *folders]))
    start = sources.read(path, dotted(path, src))
    around = [file for folder in folders if (file := folder / "conftest.py").is_file()]
    reach = Reach(sources, [start, *(sources.read(file, "conftest") for file in around)])
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
