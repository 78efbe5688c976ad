"""The blocks `/// claim`, `/// exercise` and `/// cited` of a page."""

from __future__ import annotations

import html
from typing import Any, ClassVar
from xml.etree import ElementTree

from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block, type_string

from .claims import ClaimTest
from .links import PageError, page_name, source_link
from .project import Project
from .prove import all_claims, proof
from .runs import RunError


def badges(tests: list[ClaimTest], record: dict[str, Any], project: Project) -> list[str]:
    """A link to each test of a claim; the first says how many cases were tried."""
    results = list(record["tests"].values())
    cases = sum(result["cases"] for result in results)
    text = "tested" if cases == 1 else f"tested, {cases} cases"
    made = f"{record['date']}, commit {record['commit']}"
    links = []
    for number, (test, result) in enumerate(zip(tests, results, strict=True), 1):
        title = html.escape(f"{test.name}: {result['cases']} cases, {made}")
        href = source_link(test.path, test.first, project)
        links.append(f'<a href="{href}" title="{title}">{text if number == 1 else number}</a>')
    return links


class StatementBlock(Block):
    """A box with a title, whose badges lead to the tests of the statement."""

    ARGUMENT = True
    OPTIONS: ClassVar = {"id": ("", type_string)}
    project: Project

    def on_create(self, parent: ElementTree.Element) -> ElementTree.Element:
        """The box, its title and its badges."""
        claim, kind = self.options["id"], self.NAME
        tests = all_claims(self.project).get(claim, [])
        if not tests:
            raise PageError(f'{page_name(self.project)}: {kind} "{claim}" has no test')
        try:
            record = proof(tests, project=self.project)
        except RunError as error:
            raise PageError(f"{page_name(self.project)}: {error}") from error
        box = ElementTree.SubElement(parent, "div", {"class": kind})
        # the id stands on the title: from that of a box the theme would make ids of the blocks inside
        title = ElementTree.SubElement(box, "p", {"class": f"{kind}-title", "id": f"{kind}-{claim}"})
        title.text = self.heading(claim)
        for link in badges(tests, record, self.project):
            # stashed, because mkdocs checks links against docs/ and the sources are not there
            ElementTree.SubElement(title, "span", {"class": "badge"}).text = self.md.htmlStash.store(link)
        return box

    def heading(self, claim: str) -> str:
        """The title as the reader sees it."""
        del claim
        return str(self.argument)


class ClaimBlock(StatementBlock):
    """`/// claim | Title` with `id: topic.fact`."""

    NAME = "claim"


class ExerciseBlock(StatementBlock):
    """`/// exercise | Title` with `id: topic.2`; the badge leads to the test of the solution."""

    NAME = "exercise"

    def heading(self, claim: str) -> str:
        """The title with the exercise's name, which the checker is called with."""
        return f"{claim}: {self.argument}"


class CitedBlock(Block):
    """`/// cited | source`: numbers that were taken over and not computed here."""

    NAME = "cited"
    ARGUMENT = True

    def on_create(self, parent: ElementTree.Element) -> ElementTree.Element:
        """The box, and a line that names the source."""
        box = ElementTree.SubElement(parent, "div", {"class": "cited"})
        source = ElementTree.SubElement(box, "p", {"class": "cited-source"})
        source.text = f"Cited, not reproduced: {self.argument}"
        return box


class Blocks(BlocksExtension):
    """Registers the blocks for one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        super().__init__()

    def extendMarkdownBlocks(self, md: Any, manager: Any) -> None:  # noqa: N802 - pymdownx's name
        """Called by pymdownx."""
        del md
        for block in (ClaimBlock, ExerciseBlock):
            manager.register(type(block.__name__, (block,), {"project": self.project}), {})
        manager.register(CitedBlock, {})
