"""What a page shows that had to be computed: the output of examples, and figures. Each is run once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from .figures import draw, locate, public_functions
from .freshness import key, version
from .project import PINNED, Project

TIMEOUT = 300  # seconds; nothing on a page should take a tenth of this


class RunError(RuntimeError):
    """Code on a page that failed."""


def environment() -> dict[str, str]:
    """One thread for each process, so that outputs do not depend on the machine's size."""
    return os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}


def write(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)


@cache
def _example_salt() -> bytes:
    return "\n".join([sys.version, *(f"{name}=={version(name)}" for name in PINNED)]).encode()


def example_path(code: str, *, wrong: bool, project: Project) -> Path:
    """Where the output of an example is kept: the name is a hash of the code and of all versions."""
    digest = hashlib.sha256(_example_salt() + bytes([wrong]) + code.encode()).hexdigest()[:24]
    return project.cache / "examples" / f"{digest}.txt"


def example_output(code: str, *, project: Project, wrong: bool = False) -> str:
    """What `code` prints when it is run alone in an empty interpreter.

    Args:
        code: A whole script.
        project: Where outputs are kept.
        wrong: Whether the code may fail; the last line of the traceback is then part of the output.

    Raises:
        RunError: If the script fails, with its traceback.
    """
    path = example_path(code, wrong=wrong, project=project)
    if path.is_file():
        return path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-I", "-"],
            input=code, text=True, capture_output=True, cwd=folder, env=environment(), timeout=TIMEOUT, check=False,
        )  # fmt: skip
    if run.returncode and not wrong:
        raise RunError(f"the example failed:\n{run.stderr.strip()}")
    output = run.stdout + (run.stderr.strip().splitlines()[-1] if run.returncode else "")
    write(path, output.rstrip() + "\n")
    return path.read_text(encoding="utf-8")


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
