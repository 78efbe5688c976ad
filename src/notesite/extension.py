"""The Python-Markdown extension: formulas, slices, figures, wrong code and claims."""

from __future__ import annotations

import html
import re
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from markdown import Markdown
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from pymdownx import arithmatex
from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block, type_string

from .claims import claim_tests
from .fences import Fence, fenced, find_fences
from .mathml import TexError, mathml
from .project import Project
from .runs import RunError, example_output, figure_html
from .slices import Origin, Slice, SliceError, slice_symbols

# The page that is being rendered, as its path below docs/; renderers other than ours leave it empty.
current_page: ContextVar[str] = ContextVar("current_page", default="")


class PageError(ValueError):
    """Something on a page that cannot be rendered; the message begins with page and line."""


def source_link(path: Path, first: int, project: Project) -> str:
    """The address of a line of a source, relative to the page that is rendered; a note stands two folders deep."""
    depth = len(Path(current_page.get()).parts) or 2
    if Path(current_page.get()).stem == "index":
        depth -= 1
    return f"{'../' * depth}source/{path.relative_to(project.root).as_posix()}.html#L-{first}"


class FencePreprocessor(Preprocessor):
    """Replaces the fences that name a symbol, a figure or wrong code before superfences sees them."""

    def __init__(self, md: Markdown, project: Project) -> None:
        super().__init__(md)
        self.project = project

    def run(self, lines: list[str]) -> list[str]:
        """The page with every such fence filled in."""
        out, done = list[str](), 0
        for fence in find_fences(lines):
            out += lines[done : fence.first]
            try:
                out += [fence.indent + line if line else line for line in self._fill(fence)] or lines[
                    fence.first : fence.end
                ]
            except (SliceError, RunError, ValueError) as error:
                raise PageError(f"{current_page.get() or 'page'}:{fence.first + 1}: {error}") from error
            done = fence.end
        return out + lines[done:]

    def _fill(self, fence: Fence) -> list[str]:
        """The lines that take a fence's place; none for an ordinary fence."""
        if fence.figure is not None:
            return [self.md.htmlStash.store(figure_html(fence.figure, project=self.project)), ""]
        if not fence.symbols and not fence.is_wrong:
            return []
        piece = slice_symbols(fence.symbols, src=self.project.src) if fence.symbols else None
        links = [self.md.htmlStash.store(self._links(piece)), ""] if piece else []
        code = _compose(piece, fence)
        shown = _block(code, ".python", ".no-copy" if fence.is_wrong else "", fence.options)
        if fence.is_wrong:
            shown = [
                '<p class="wrong-note">Wrong on purpose, so this block has no copy button.</p>',
                "",
                *shown,
            ]
        if not fence.runs:
            return [*links, *shown]
        output = example_output(code, project=self.project, wrong=fence.is_wrong)
        return [*links, *shown, "", *_block(output, ".text", ".no-copy", ".output")]

    def _links(self, piece: Slice) -> str:
        """Links to the lines of the source and to its tests; they know on which line of the block the symbol begins."""
        parts, tests = [], dict[Path, None]()
        for o in piece.origins:
            href = source_link(o.path, o.first, self.project)
            name = o.path.relative_to(self.project.root).as_posix()
            parts.append(f'<a href="{href}">{name}, lines {o.first} to {o.last}</a>')
            tests[self.project.tests / o.path.parent.name / f"test{o.path.stem}.py"] = None
        text = "Source: " + ", ".join(dict.fromkeys(parts))
        links = [
            f'<a href="{source_link(t, 1, self.project)}">{t.relative_to(self.project.root).as_posix()}</a>'
            for t in tests
            if t.is_file()
        ]
        tested = ". Tests: " + ", ".join(links) if links else ""
        return (
            f'<p class="source-links" data-line="{_line_of(piece.origins[0], piece.code)}">{text}{tested}</p>'
        )


def _line_of(origin: Origin, code: str) -> int:
    """The line of `code`, counted from 0, on which a symbol's source begins."""
    lines = origin.path.read_text(encoding="utf-8").splitlines()
    return code.count("\n", 0, max(code.find("\n".join(lines[origin.first - 1 : origin.last])), 0))


def _compose(piece: Slice | None, fence: Fence) -> str:
    """The code of a block: the slice, then the lines that stand inside the fence."""
    body = "\n".join(fence.body).strip("\n")
    parts = ([piece.code.rstrip("\n")] if piece else []) + ([body] if body else [])
    return "\n\n\n".join(parts) + "\n"


def example_code(fence: Fence, project: Project) -> str | None:
    """The script that a fence runs; None if it runs nothing. Unknown symbols raise SliceError even then."""
    piece = slice_symbols(fence.symbols, src=project.src) if fence.symbols else None
    return _compose(piece, fence) if fence.runs else None


def _block(code: str, *attributes: str) -> list[str]:
    """A superfences block; braces around options that stood on the page are dropped."""
    options = [re.sub(r"[{}]", "", attribute).strip() for attribute in attributes]
    return fenced(code.rstrip("\n"), " ".join(filter(None, options)))


class _LightHighlight(Postprocessor):
    """Drops the highlighter's marks from what keeps the colour of text anyway: they are half of a page's bytes."""

    PLAIN = re.compile(r'<span class="(?:n|p|w|o|nb|nn|nc|ne|fm|bp|sa|si|vm)">([^<]*)</span>')

    def run(self, text: str) -> str:
        """The page with its plain tokens bare."""
        return self.PLAIN.sub(r"\1", text)


class _InlineFormula(arithmatex.InlineArithmatexPattern):
    """Inline TeX as MathML."""

    def handleMatch(self, m: re.Match[str], data: str) -> Any:  # noqa: N802 - Markdown's name
        groups = m.groups()
        if groups[0] or (len(groups) > 3 and groups[3]):  # an escaped dollar sign or bracket
            return super().handleMatch(m, data)
        formula, end = _formula(groups[2] or groups[5], block=False), m.end(0)
        if end < len(data) and data[end] in ".,;:?!)":  # browsers would put it alone on the next line
            formula, end = f'<span class="keep">{formula}{data[end]}</span>', end + 1
        return self.md.htmlStash.store(formula), m.start(0), end


class _BlockFormula(arithmatex.BlockArithmatexProcessor):
    """Displayed TeX as MathML."""

    md: Markdown

    def run(self, parent: ElementTree.Element, blocks: list[str]) -> bool:
        blocks.pop(0)
        groups = self.match.groupdict()
        tex = groups.get("math") or groups.get("math2") or groups.get("math3")
        element = ElementTree.SubElement(parent, "div", {"class": "math", "tabindex": "0"})
        element.text = self.md.htmlStash.store(_formula(tex, block=True))
        return True


def _formula(tex: str, *, block: bool) -> str:
    try:
        return mathml(tex, block=block)
    except TexError as error:
        raise PageError(f"{_position(tex)}: {error}") from error


def _position(text: str) -> str:
    """Page and line on which a piece of source text stands; the page alone where it comes from elsewhere."""
    page = Path("docs", current_page.get())
    first = text.strip().splitlines()[0]
    lines = page.read_text(encoding="utf-8").splitlines() if page.is_file() else []
    at = next((k for k, line in enumerate(lines, 1) if first in line), None)
    return str(page) if at is None else f"{page}:{at}"


class ClaimBlock(Block):
    """`/// claim | Title` with `id: topic.fact`; a link to its tests is the badge."""

    NAME = "claim"
    ARGUMENT = True
    OPTIONS = {"id": ("", type_string)}  # noqa: RUF012 - pymdownx wants a class attribute
    project: Project

    def on_create(self, parent: ElementTree.Element) -> ElementTree.Element:
        """The box, its title and its badge."""
        claim = self.options["id"]
        box = ElementTree.SubElement(parent, "div", {"class": "claim", "id": f"claim-{claim}"})
        title = ElementTree.SubElement(box, "p", {"class": "claim-title"})
        title.text = self.argument
        tests = claim_tests(self.project.tests).get(claim, [])
        if not tests:
            raise PageError(f'{current_page.get() or "page"}: claim "{claim}" has no test')
        for number, test in enumerate(tests, 1):
            href = source_link(test.path, test.first, self.project)
            text = "tested" if number == 1 else f"{number}"
            link = f'<a href="{href}" title="{html.escape(test.name)}">{text}</a>'
            # stashed, because mkdocs checks links against docs/ and the sources are not there
            ElementTree.SubElement(title, "span", {"class": "badge"}).text = self.md.htmlStash.store(link)
        return box


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
        inline.md = md
        md.inlinePatterns.register(inline, "arithmatex-inline", 189.9)
        block = _BlockFormula(md.parser.blockprocessors["arithmatex-block"].pattern.pattern, config, md)
        block.md = md
        md.parser.blockprocessors.register(block, "arithmatex-block", 79.9)
        md.preprocessors.register(FencePreprocessor(md, project), "notes-fences", 28)
        md.postprocessors.register(
            _LightHighlight(md), "notes-light-highlight", 5
        )  # after all html is in place
        claims = type("ProjectClaimBlock", (ClaimBlock,), {"project": project})
        _ClaimExtension(claims).extendMarkdown(md)


class _ClaimExtension(BlocksExtension):
    def __init__(self, block: type[Block]) -> None:
        self.block = block
        super().__init__()

    def extendMarkdownBlocks(self, md: Markdown, manager: Any) -> None:  # noqa: N802 - pymdownx's name
        del md
        manager.register(self.block, {})


def makeExtension(**kwargs: Any) -> NotesExtension:  # noqa: N802 - Markdown's name
    """What `markdown_extensions: [notesite.extension]` calls."""
    return NotesExtension(**kwargs)
