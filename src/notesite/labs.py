"""Labs: jupytext scripts that are executed, kept, and turned into the Markdown of a page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from .fences import fenced, published
from .freshness import key
from .project import PINNED, Project
from .runs import read_values, run_module, value_script, write
from .svg import theme

# What turns an executed notebook into a page; a change here makes every lab stale.
_MACHINERY = tuple(Path(__file__).with_name(f"{name}.py") for name in ("labs", "figures", "layers", "svg"))
_SETUP = """\
from notesite.figures import use
%matplotlib inline
use()
%config InlineBackend.figure_formats = ["svg"]
%config InlineBackend.print_figure_kwargs = {"metadata": {"Date": None}, "bbox_inches": None}
%config InlineBackend.rc = {}
"""


def lab_path(lab: Path, *, project: Project) -> Path:
    """Where the executed lab is kept (as a notebook); the name is its freshness key."""
    pins = [*PINNED, "jupytext", "nbclient", "ipykernel"]
    digest = key(lab, src=project.src, data=_MACHINERY, pins=pins)[:24]
    return project.cache / "labs" / f"{lab.stem}-{digest}.ipynb"


def execute(lab: Path, *, project: Project) -> Path:
    """Run a lab from top to bottom in a fresh process, unless it is kept already, and return the executed notebook.

    Raises:
        RunError: If a cell fails, with the lab's file and line.
    """
    path = lab_path(lab, project=project)
    if not path.is_file():
        run_module("notesite.labs", lab, path, project=project)
    return path


def _execute(lab: Path, root: Path) -> nbformat.NotebookNode:
    """The executed notebook, with the same bytes whenever it ran."""
    import jupytext  # here, because a build that finds every lab fresh does not need them
    import nbclient

    notebook = jupytext.read(lab)
    notebook.cells = [nbformat.v4.new_code_cell(_SETUP), *_with_values(notebook.cells)]
    resources = {"metadata": {"path": str(root)}}
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources=resources, coalesce_streams=True
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        sys.exit(f"{_failure(lab, notebook)}: {error.ename}: {error.evalue}")
    hidden = [cell for cell in notebook.cells if "publishes" in cell.metadata]
    notebook.metadata["values"] = {k: v for cell in hidden for k, v in read_values(_printed(cell)).items()}
    notebook.cells = [cell for cell in notebook.cells[1:] if "publishes" not in cell.metadata]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = number
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
    return notebook


def _with_values(cells: list[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    """The cells of a lab, each that publishes values followed by a hidden one that prints them."""
    for cell in cells:
        yield cell
        if "values" in cell.metadata:
            script = value_script(published(cell.metadata["values"]))
            yield nbformat.v4.new_code_cell(script, metadata={"publishes": True})


def _printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def _failure(lab: Path, notebook: nbformat.NotebookNode) -> str:
    """File and line of the cell that failed."""
    failed = [any(o.output_type == "error" for o in c.get("outputs", [])) for c in notebook.cells]
    at = failed.index(True)
    cell = notebook.cells[at]
    trace = "\n".join(next(o for o in cell.outputs if o.output_type == "error").traceback)
    inside = re.findall(r"(?:line |---->? ?|-+> )(\d+)", re.sub(r"\x1b\[[0-9;]*m", "", trace))
    text = lab.read_text(encoding="utf-8")
    if "publishes" in cell.metadata:  # a hidden cell: the one before it names the values
        cell, inside = notebook.cells[at - 1], []
    start = text.count("\n", 0, max(text.find(cell.source), 0)) + 1
    return f"{lab}:{start + int(inside[0]) - 1 if inside else start}"


def markdown(notebook: nbformat.NotebookNode, name: str) -> str:
    """An executed notebook as the source of a page.

    Raises:
        ValueError: If a matplotlib figure has no text alternative.
    """
    links = f'<p class="source-links"><a href="{name}.py" download>Download the script</a> or '
    links += f'<a href="{name}.ipynb" download>the executed notebook</a>.</p>'
    parts, pictures = list[str](), 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            if len(parts) == 1:
                parts.append(links)
            continue
        parts.append(_fence(cell.source, ".python"))
        for output in cell.outputs:
            data = output.get("data", {})
            if output.output_type == "stream":
                parts.append(_fence(output.text, ".text .output .no-copy"))
            elif "text/html" in data:
                parts.append(data["text/html"])
            elif "image/svg+xml" in data:
                pictures += 1
                parts.append(_picture(data["image/svg+xml"], f"{name}-{pictures}", cell.metadata.get("alt")))
            elif "text/plain" in data:
                parts.append(_fence(data["text/plain"], ".text .output .no-copy"))
    return "\n\n".join(parts) + "\n"


def _picture(svg: str, name: str, alt: str | None) -> str:
    if not alt:
        raise ValueError(f'{name}: this figure has no text alternative; begin its cell with # %% alt="..."')
    return f'<figure class="fig">{theme(svg, name.replace("_", "-"), alt)}</figure>'


def _fence(text: str, attributes: str) -> str:
    return "\n".join(fenced(text.rstrip(), attributes))


def _main() -> None:
    root, lab, out = (Path(argument) for argument in sys.argv[1:])
    write(out, nbformat.writes(_execute(lab, root)))


if __name__ == "__main__":
    _main()
