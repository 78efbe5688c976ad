"""The Python-Markdown extension: formulas, values, cited numbers, and what `fill` and `blocks` render."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.postprocessors import Postprocessor
from pymdownx import arithmatex

from .blocks import Blocks
from .fill import FencePreprocessor
from .links import PageError, current_page, page_link, page_name
from .mathml import TexError, mathml
from .project import Project
from .publish import value
from .runs import RunError
from .values import CITED, REFERENCE, Value


class _LightHighlight(Postprocessor):
    """Drops the highlighter's marks from what keeps the colour of text anyway: they are half of a page's bytes."""

    PLAIN = re.compile(r'<span class="(?:n|p|w|o|nb|nn|nc|ne|fm|bp|sa|si|vm)">([^<]*)</span>')

    def run(self, text: str) -> str:
        """The page with its plain tokens bare."""
        return self.PLAIN.sub(r"\1", text)


class _InlineFormula(arithmatex.InlineArithmatexPattern):
    """Inline TeX as MathML."""

    project: Project

    def handleMatch(self, m: re.Match[str], data: str) -> Any:  # noqa: N802 - Markdown's name
        groups = m.groups()
        if groups[0] or (len(groups) > 3 and groups[3]):  # an escaped dollar sign or bracket
            return super().handleMatch(m, data)
        formula, end = _formula(groups[2] or groups[5], self.project, block=False), m.end(0)
        if end < len(data) and data[end] in ".,;:?!)":  # browsers would put it alone on the next line
            formula, end = f'<span class="keep">{formula}{data[end]}</span>', end + 1
        return self.md.htmlStash.store(formula), m.start(0), end


class _BlockFormula(arithmatex.BlockArithmatexProcessor):
    """Displayed TeX as MathML."""

    md: Markdown
    project: Project

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> bool:
        blocks.pop(0)
        groups = self.match.groupdict()
        tex = groups.get("math") or groups.get("math2") or groups.get("math3")
        element = ElementTree.SubElement(parent, "div", {"class": "math", "tabindex": "0"})
        element.text = self.md.htmlStash.store(_formula(tex, self.project, block=True))
        return True


def _formula(tex: str, project: Project, *, block: bool) -> str:
    """A formula as MathML, references to values in it filled in."""
    try:
        return mathml(REFERENCE.sub(lambda m: _value_text(m, project, tex=True)[1], tex), block=block)
    except TexError as error:
        raise PageError(f"{_position(tex, project)}: {error}") from error


def _position(text: str, project: Project) -> str:
    """Page and line on which a piece of source text stands; the page alone where it comes from elsewhere."""
    page, name = project.docs / current_page.get(), page_name(project)
    first = text.strip().splitlines()[0]
    lines = page.read_text(encoding="utf-8").splitlines() if page.is_file() else []
    return next((f"{name}:{k}" for k, line in enumerate(lines, 1) if first in line), name)


class _ValueInline(InlineProcessor):
    """`{value: name .3f unit}` as the number, which leads to where it was computed."""

    def __init__(self, md: Markdown, project: Project) -> None:
        super().__init__(REFERENCE.pattern, md)
        self.project = project

    def handleMatch(self, m: re.Match[str], data: str) -> Any:  # noqa: N802 - Markdown's name
        del data
        found, text = _value_text(m, self.project, tex=False)
        title = html.escape(f"{found.number!r}, computed by {found.origin}")
        href = page_link(found.page, found.anchor, self.project) if found.page.suffix != ".json" else ""
        link = f'<a class="value" href="{href}" title="{title}">{text}</a>'
        return self.md.htmlStash.store(link), m.start(0), m.end(0)


class _CitedInline(InlineProcessor):
    """`{cited: number from source}` as the number."""

    def handleMatch(self, m: re.Match[str], data: str) -> Any:  # noqa: N802 - Markdown's name
        del data
        element = ElementTree.Element("span", {"class": "cited", "title": f"cited from {m['source']}"})
        element.text = m["text"]
        return element, m.start(0), m.end(0)


def _value_text(m: re.Match[str], project: Project, *, tex: bool) -> tuple[Value, str]:
    """The value that a reference names, and the number in its format."""
    try:
        found = value(m["name"], project)
        return found, found.text(m["format"] or "", m["unit"] or "", tex=tex)
    except (ValueError, RunError) as error:
        raise PageError(f"{_position(m[0], project)}: {error}") from error


class NotesExtension(arithmatex.ArithmatexExtension):
    """Everything above; `root` is the folder that holds src/, docs/ and tests/."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.root = Path(kwargs.pop("root", ".")).resolve()
        super().__init__(*args, **kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name
        """Register the handlers; the fences come after whitespace is normalised (30) and before superfences (25)."""
        super().extendMarkdown(md)
        project, config = Project(self.root), self.getConfigs()
        inline = _InlineFormula(md.inlinePatterns["arithmatex-inline"].pattern, config)
        inline.md, inline.project = md, project
        md.inlinePatterns.register(inline, "arithmatex-inline", 189.9)
        block = _BlockFormula(md.parser.blockprocessors["arithmatex-block"].pattern.pattern, config, md)
        block.md, block.project = md, project
        md.parser.blockprocessors.register(block, "arithmatex-block", 79.9)
        md.preprocessors.register(FencePreprocessor(md, project), "notes-fences", 28)
        # after all html is in place
        md.postprocessors.register(_LightHighlight(md), "notes-light-highlight", 5)
        # after code (190), in which it is text
        md.inlinePatterns.register(_ValueInline(md, project), "notes-value", 175)
        md.inlinePatterns.register(_CitedInline(CITED.pattern, md), "notes-cited", 174)
        Blocks(project).extendMarkdown(md)


def makeExtension(**kwargs: Any) -> NotesExtension:  # noqa: N802 - Markdown's name
    """What `markdown_extensions: [notesite.extension]` calls."""
    return NotesExtension(**kwargs)
