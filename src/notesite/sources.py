"""The sources and tests as pages with numbered lines, so that a badge leads to the very test it speaks of."""

from __future__ import annotations

import html
from pathlib import Path

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from .project import Project

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="{up}assets/images/favicon.png">
<link rel="stylesheet" href="{up}assets/css/source.css"></head>
<body><header><a href="{up}index.html">Machine Learning Notes 2</a> / <h1>{title}</h1></header>
<main tabindex="0">{code}</main></body></html>
"""


def write_sources(project: Project, site: Path) -> int:
    """Write every Python file of src/ and tests/ to `site`/source/ and return how many there are."""
    formatter = HtmlFormatter(linespans="L", wrapcode=True)
    files = sorted([*project.src.rglob("*.py"), *project.tests.rglob("*.py")])
    for path in files:
        name = path.relative_to(project.root)
        code = highlight(path.read_text(encoding="utf-8"), PythonLexer(stripnl=False), formatter)
        target = site / "source" / f"{name}.html"
        target.parent.mkdir(parents=True, exist_ok=True)

        page = _PAGE.format(title=html.escape(str(name)), up="../" * len(name.parts), code=code)
        target.write_text(page, encoding="utf-8")
    return len(files)
