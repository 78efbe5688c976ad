"""The sources and tests as pages with numbered lines, so that a badge leads to the very test it speaks of."""

from __future__ import annotations

import hashlib
import html
from pathlib import Path

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from .project import Project
from .runs import write

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="{up}assets/images/favicon.png">
<link rel="stylesheet" href="{up}assets/css/source.css"></head>
<body><header><a href="{up}index.html">Machine Learning Notes 2</a> / <h1>{title}</h1></header>
<main tabindex="0">{code}</main></body></html>
"""


def write_sources(project: Project, site: Path) -> int:
    """Write every Python file of src/ and tests/ to `site`/source/ and return how many there are."""
    files = sorted([*project.src.rglob("*.py"), *project.tests.rglob("*.py")])
    for path in files:
        name = path.relative_to(project.root)
        code = _highlighted(path.read_text(encoding="utf-8"), project)
        target = site / "source" / f"{name}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        page = _PAGE.format(title=html.escape(str(name)), up="../" * len(name.parts), code=code)
        target.write_text(page, encoding="utf-8")
    return len(files)


def _highlighted(code: str, project: Project) -> str:
    """The code as HTML; it is kept, because to highlight all files takes as long as to render the pages."""
    kept = project.cache / "sources" / f"{hashlib.sha256(code.encode()).hexdigest()[:24]}.html"
    if not kept.is_file():
        write(kept, highlight(code, PythonLexer(stripnl=False), HtmlFormatter(linespans="L", wrapcode=True)))
    return kept.read_text(encoding="utf-8")
