"""Addresses on the site, relative to the page that is being rendered."""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path, PurePosixPath

from .project import Project

# The page that is being rendered, as its path below docs/; renderers other than ours leave it empty.
current_page: ContextVar[str] = ContextVar("current_page", default="")


class PageError(ValueError):
    """Something on a page that cannot be rendered; the message begins with page and line."""


def page_name(project: Project) -> str:
    """The page that is being rendered, as a message names it; "page" if a renderer does not tell."""
    page = current_page.get()
    return (project.docs / page).relative_to(project.root).as_posix() if page else "page"


def source_link(path: Path, first: int, project: Project) -> str:
    """The address of a line of a source."""
    return f"{_relative('source')}/{path.relative_to(project.root).as_posix()}.html#L-{first}"


def page_link(page: Path, anchor: str, project: Project) -> str:
    """The address of an anchor on a page or lab of docs/."""
    return f"{_relative(folder(page.relative_to(project.docs).as_posix()))}/#{anchor}"


def folder(page: str) -> str:
    """The folder on the site of a page's index.html."""
    path = PurePosixPath(page)
    return str(path.parent if path.stem == "index" else path.with_suffix(""))


def _relative(target: str) -> str:
    """A path below the site, seen from the current page; an unknown page counts as one that stands two folders deep."""
    return Path(os.path.relpath(target, folder(current_page.get() or "topic/note.md"))).as_posix()
