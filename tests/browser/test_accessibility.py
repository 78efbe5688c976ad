"""No violation that axe can find, in either palette; paper shows no controls."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from conftest import open_details

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
CONTROLS = """() => [...document.querySelectorAll('main button, figure.fig input, .md-header, .md-sidebar')]
  .filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_axe_finds_no_violation(visit: Callable[..., Page], path: str, palette: str) -> None:
    page = visit(path, color_scheme=palette, reduced_motion="reduce")
    scheme = page.locator("body").get_attribute("data-md-color-scheme")
    assert scheme in ({"light": "default", "dark": "slate"}[palette], None)  # source files have no switch
    open_details(page)
    results = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    found = [
        f"{v['id']}: {node['html'][:160]} {(node['any'] or node['all'] or node['none'])[0]['message'][:160]}"
        for v in results.response["violations"]
        for node in v["nodes"][:5]
    ]
    assert not found, "\n".join(found)


def test_print_shows_no_controls(visit: Callable[..., Page], path: str) -> None:
    page = visit(path)
    page.emulate_media(media="print")
    assert page.evaluate(CONTROLS) == []
