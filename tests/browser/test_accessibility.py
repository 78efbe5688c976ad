"""No violation that axe can find, in either palette."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from conftest import open_details

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_axe_finds_no_violation(visit: Callable[..., Page], path: str, palette: str) -> None:
    page = visit(path, color_scheme=palette, reduced_motion="reduce")
    scheme = page.locator("body").get_attribute("data-md-color-scheme")
    assert scheme in ({"light": "default", "dark": "slate"}[palette], None)  # source files have no switch
    open_details(page)
    # formulas have the colour of the text around them, so the second palette need not visit their parts again
    context = {"exclude": ["math"]} if palette == "dark" else None
    results = Axe().run(page, context, {"runOnly": TAGS, "resultTypes": ["violations"], "preload": False})
    found = [
        f"{v['id']}: {node['html'][:160]} {(node['any'] or node['all'] or node['none'])[0]['message'][:160]}"
        for v in results.response["violations"]
        for node in v["nodes"][:5]
    ]
    assert not found, "\n".join(found)
