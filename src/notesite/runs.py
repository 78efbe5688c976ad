"""What a page shows that had to be computed: the output of examples, and figures. Each is run once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .figures import draw, locate, public_functions
from .freshness import key, version
from .project import PINNED, Project

_MARK = "\0values "  # between what a script prints for the reader and its values
TIMEOUT = 300  # seconds; nothing on a page should take a tenth of this


class RunError(RuntimeError):
    """Code on a page that failed."""


def environment() -> dict[str, str]:
    """One thread for each process, so that outputs do not depend on the machine's size."""
    return os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}


def write(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)


@cache
def _example_salt() -> bytes:
    return "\n".join([sys.version, *(f"{name}=={version(name)}" for name in PINNED)]).encode()


@dataclass(frozen=True)
class Example:
    """A script on a page, and the values that it publishes: for each name an expression."""

    code: str
    wrong: bool = False
    values: Mapping[str, str] = field(default_factory=dict)

    def path(self, project: Project) -> Path:
        """Where its result is kept: the name is a hash of the code, the values and all versions."""
        content = json.dumps([self.code, self.wrong, dict(self.values)]).encode()
        digest = hashlib.sha256(_example_salt() + content).hexdigest()[:24]
        return project.cache / "examples" / f"{digest}.json"


@dataclass(frozen=True)
class Result:
    """What a script printed, and its values."""

    output: str
    values: Mapping[str, float]


def run_example(example: Example, *, project: Project) -> Result:
    """Run a script alone in an empty interpreter, unless its result is kept already.

    If it is wrong on purpose it may fail; the last line of the traceback is then part of the output.

    Raises:
        RunError: If the script fails, with its traceback, or if a value cannot be computed.
    """
    path = example.path(project)
    if not path.is_file():
        write(path, json.dumps(_run(example)))
    return Result(**json.loads(path.read_text(encoding="utf-8")))


def _run(example: Example) -> dict[str, object]:
    script = example.code + (f"\n{value_script(example.values)}\n" if example.values else "")
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-I", "-"],
            input=script, text=True, capture_output=True, cwd=folder, env=environment(), timeout=TIMEOUT, check=False,
        )  # fmt: skip
    if run.returncode and (example.values or not example.wrong):
        raise RunError(f"the example failed:\n{run.stderr.strip()}")
    output = run.stdout.partition(_MARK)[0]
    if run.returncode:
        output += run.stderr.strip().splitlines()[-1]
    return {"output": output.rstrip() + "\n", "values": read_values(run.stdout) if example.values else {}}


def value_script(values: Mapping[str, str]) -> str:
    """A line of Python that prints the values as JSON, behind a mark that no page prints."""
    numbers = ", ".join(f"{name!r}: float({expression})" for name, expression in values.items())
    return f"import json as _json; print({_MARK!r} + _json.dumps({{{numbers}}}))"


def read_values(printed: str) -> dict[str, float]:
    """The values that `value_script` printed."""
    found = printed.partition(_MARK)[2]
    if not found:
        raise RunError("the code ended before its values could be computed")
    return dict(json.loads(found))


def figures_path(file: Path, *, project: Project) -> Path:
    """Where the figures of one note are kept: the name is their freshness key."""
    name = f"{file.stem}-{key(file, src=project.src, pins=PINNED)[:24]}.json"
    return project.cache / "figures" / name


def draw_all(file: Path, *, project: Project) -> Path:
    """Draw every figure of one note in a fresh process, unless they are kept already, and return where.

    Raises:
        RunError: If one of them fails, with the traceback.
    """
    path = figures_path(file, project=project)
    if not path.is_file():
        run_module("notesite.runs", file, path, project=project)
    return path


def run_module(name: str, file: Path, out: Path, *, project: Project) -> None:
    """Let `python -m name ROOT FILE OUT` compute an output in a fresh process.

    Raises:
        RunError: If it fails, with what it wrote to the standard error.
    """
    command = [sys.executable, "-m", name, str(project.root), str(file), str(out)]
    run = subprocess.run(
        command,
        text=True,
        capture_output=True,
        cwd=project.root,
        env=environment(),
        timeout=TIMEOUT,
        check=False,
    )
    if run.returncode:
        raise RunError(f"{file.relative_to(project.root)} failed:\n{run.stderr.strip()}")


def figure_html(name: str, *, project: Project) -> str:
    """The HTML of `figure="topic.note.function"`.

    Raises:
        ValueError: If there is no such figure.
        RunError: If drawing it fails.
    """
    file, function = locate(name, docs=project.docs)
    kept = draw_all(file, project=project).read_text(encoding="utf-8")
    return str(json.loads(kept)[function])


def _main() -> None:
    root, file, out = (Path(arg) for arg in sys.argv[1:])
    topic, note = file.parent.name, file.stem.removesuffix("_figures")
    html = {
        function: draw(f"{topic}.{note}.{function}", docs=root / "docs").html(
            f"{note}-{function}".replace("_", "-")
        )
        for function in public_functions(file)
    }
    write(out, json.dumps(html))


if __name__ == "__main__":
    _main()
