"""Addresses are relative to the page that is rendered, so the site works in any folder."""

import posixpath

import pytest

from notesite.links import current_page, page_link, source_link
from notesite.project import Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def on():
    """Makes a page the one that is rendered."""
    tokens = []
    yield lambda page: tokens.append(current_page.set(page))
    for token in reversed(tokens):
        current_page.reset(token)


# Pages, and the folder on the site that their index.html stands in.
FOLDERS = {
    "index.md": "/",
    "claims.md": "/claims/",
    "topic/index.md": "/topic/",
    "topic/note.md": "/topic/note/",
    "topic/some_lab.py": "/topic/some_lab/",
    "deep/er/page.md": "/deep/er/page/",
}


def target(page: str, link: str) -> str:
    """The path on the site that a browser opens from a page."""
    path, _, anchor = link.partition("#")
    assert not path.startswith("/")
    return posixpath.normpath(posixpath.join(FOLDERS[page], path)) + f"#{anchor}"


@pytest.mark.parametrize("other", FOLDERS)
@pytest.mark.parametrize("page", FOLDERS)
def test_page_link_leads_from_every_page_to_every_page(project, on, page, other):
    on(page)
    link = page_link(project.docs / other, "value-x", project)
    assert target(page, link) == f"{FOLDERS[other].rstrip('/') or '/'}#value-x"
    assert link.split("#")[0].endswith("/")  # a folder, so that no server has to redirect


@pytest.mark.parametrize("page", FOLDERS)
def test_source_link_leads_from_every_page_to_the_line(project, on, page):
    on(page)
    link = source_link(project.root / "src/pkg/topic/_one.py", 7, project)
    assert target(page, link) == "/source/src/pkg/topic/_one.py.html#L-7"


def test_links_of_an_unknown_page_are_those_of_a_note(project, on):
    link = page_link(project.docs / "index.md", "a", project)
    on("topic/note.md")
    assert link == page_link(project.docs / "index.md", "a", project)
