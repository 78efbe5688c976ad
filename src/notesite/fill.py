"""What takes the place of a fence: a slice with its output, a figure, a record, timings, the list of claims."""

from __future__ import annotations

import re
from pathlib import Path

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from .blocks import badges
from .claims import ClaimBlock, claim_blocks
from .fences import Fence, fenced, find_fences
from .links import PageError, page_link, page_name, source_link
from .project import Project
from .prove import all_claims, proof
from .publish import anchor, compose, example_of
from .records import records
from .runs import RunError, figure_html, run_example
from .slices import Origin, Slice, SliceError, slice_stub, slice_symbols
from .timings import timings_html
from .values import nearest, topic_of

_HEADINGS = {"gan": "GANs"}  # of topics whose name is no word


class FencePreprocessor(Preprocessor):
    """Fills in the fences that name a symbol, a figure or a record before superfences sees them."""

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
                raise PageError(f"{page_name(self.project)}:{fence.first + 1}: {error}") from error
            done = fence.end
        return out + lines[done:]

    def _fill(self, fence: Fence) -> list[str]:
        """The lines that take a fence's place; none for an ordinary fence."""
        if fence.figure is not None:
            return self._stashed(figure_html(fence.figure, project=self.project))
        if fence.record is not None:
            return self._stashed(self._record(fence.record))
        if fence.timings is not None:
            return self._stashed(timings_html(fence.timings, project=self.project))
        if fence.lists_claims:
            return self._claims()
        if fence.symbols or fence.is_wrong or fence.is_right:
            return self._code(fence)
        return []

    def _stashed(self, html: str) -> list[str]:
        return [self.md.htmlStash.store(html), ""]

    def _code(self, fence: Fence) -> list[str]:
        """A block of code, with links to its source above it and its output below it."""
        if fence.is_stub:
            piece: Slice | None = slice_stub(fence.symbols[0], src=self.project.src)
        else:
            piece = slice_symbols(fence.symbols, src=self.project.src) if fence.symbols else None
        shown = self._stashed(f'<div id="{anchor(fence)}"></div>') if fence.values else []
        shown += self._stashed(self._links(piece)) if piece and not fence.is_stub else []
        if fence.is_wrong:
            shown += ['<p class="wrong-note">Wrong on purpose: no copy button.</p>', ""]
        shown += _block(compose(piece, fence), ".python", ".no-copy" if fence.is_wrong else "", fence.options)
        example = example_of(fence, self.project)
        if example is None:
            return shown
        output = run_example(example, project=self.project).output
        if output.strip():
            shown += ["", *_block(output, ".text", ".no-copy", ".output")]
        return shown

    def _record(self, name: str) -> str:
        known = records(self.project)
        if name not in known:
            raise ValueError(f"there is no docs/records/{name}.json{nearest(name, known)}")
        return known[name].html(self.project)

    def _claims(self) -> list[str]:
        """A section for each topic, in the order of its pages in mkdocs.yml, with its claims and their badges."""
        nav = (self.project.root / "mkdocs.yml").read_text(encoding="utf-8")
        project = self.project
        pages = sorted(
            [*project.pages, *project.labs],
            key=lambda page: nav.find(page.relative_to(project.docs).as_posix()),
        )
        blocks = [b for page in pages for b in claim_blocks(page) if b.kind == "claim"]
        lines, topic = list[str](), ""
        for block in blocks:
            if (here := topic_of(block.page, self.project)) != topic:
                lines += ["", f"## {_HEADINGS.get(here, here.capitalize())}", ""]
                topic = here
            lines.append(self._claim(block))
        return lines

    def _claim(self, block: ClaimBlock) -> str:
        """A line of the list: the statement's title, which leads to it, and its badges."""
        href = page_link(block.page, f"claim-{block.claim}", self.project)
        opened, closed = (self.md.htmlStash.store(tag) for tag in (f'<a href="{href}">', "</a>"))
        tests = all_claims(self.project)[block.claim or ""]
        links = badges(tests, proof(tests, project=self.project), self.project)
        stashed = "".join(self.md.htmlStash.store(f'<span class="badge">{link}</span>') for link in links)
        return f"- {opened}{block.title}{closed} {stashed}"

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
        line = _line_of(piece.origins[0], piece.code)
        return f'<p class="source-links" data-line="{line}">{text}{tested}</p>'


def _line_of(origin: Origin, code: str) -> int:
    """The line of `code`, counted from 0, on which a symbol's source begins."""
    lines = origin.path.read_text(encoding="utf-8").splitlines()
    return code.count("\n", 0, max(code.find("\n".join(lines[origin.first - 1 : origin.last])), 0))


def _block(code: str, *attributes: str) -> list[str]:
    """A superfences block; braces around options that stood on the page are dropped."""
    options = [re.sub(r"[{}]", "", attribute).strip() for attribute in attributes]
    return fenced(code.rstrip("\n"), " ".join(filter(None, options)))
