"""Every page is quiet, fits phones and paper, stays small, is whole without scripts, and links to what exists."""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from playwright.sync_api import Page

from conftest import file_of, html, open_details

MAX_BYTES = 150_000
WIDTHS = (320, 390, 768)
# What is wider than the window and stands in nothing that scrolls.
WIDEST = """() => {
  const scrolls = e => e !== document.body && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement));
  return [...document.querySelectorAll('body *:not(svg *)')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
    .slice(0, 3).map(e => e.outerHTML.slice(0, 120));
}"""
# What is of no use on paper.
CONTROLS = """() => [...document.querySelectorAll('main button, figure.fig input, .md-header, .md-sidebar')]
  .filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 120))"""
INVISIBLE = """selector => [...document.querySelectorAll(selector)].filter(e => !e.closest('.controls')).filter(e => {
  const box = e.getBoundingClientRect();
  return !(box.width > 0 && box.height > 0 && e.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
}).map(e => e.outerHTML.slice(0, 120))"""
# Controls that do nothing without scripts; a link, or the checkbox that opens the menu, needs none.
DEAD = """() => [...document.querySelectorAll('button, select, [role=button], label, input:not([type=checkbox])')]
  .filter(e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter(e => e.getBoundingClientRect().width > 0)
  .filter(e => !(e.matches('label') && e.control?.matches('.md-toggle, .md-nav__toggle')))
  .map(e => e.outerHTML.slice(0, 120))"""


@cache
def ids(file: Path) -> list[str]:
    """The ids of a page, in order."""
    text = re.sub(r"<script.*?</script>", "", file.read_text(encoding="utf-8"), flags=re.S)
    return [unescape(name) for name in re.findall(r'<[^>]*?\sid="([^"]*)"', text)]


def test_page_is_quiet(visit: Callable[..., Page], path: str) -> None:
    """No request to another host, no cookie, no error: `visit` fails the test if there is one."""
    page = visit(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.cookie") == ""


def test_page_fits_phones_and_paper(visit: Callable[..., Page], path: str) -> None:
    page = visit(path)
    open_details(page)
    wide = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.scrollingElement.scrollWidth") > width:
            wide[width] = page.evaluate(WIDEST)
    assert not wide
    page.emulate_media(media="print")
    assert page.evaluate(CONTROLS) == []


def test_page_is_small(path: str) -> None:
    size = len(html(path).encode())
    assert size < MAX_BYTES, f"{size} bytes"


def test_page_is_whole_without_scripts(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, java_script_enabled=False)
    open_details(page)
    sent = html(path)
    assert page.locator("math").count() == sent.count("<math")
    assert page.locator("figure.fig > svg").count() == sent.count('<figure class="fig"')
    assert page.evaluate(INVISIBLE, "main math, figure.fig > svg, main p, main pre") == []
    assert page.evaluate(DEAD) == []


def test_ids_are_unique(path: str) -> None:
    twice = [name for name, count in Counter(ids(file_of(path))).items() if count > 1]
    assert not twice


def test_links_lead_somewhere(path: str) -> None:
    broken = []
    for link in {unescape(a) for a in re.findall(r'\s(?:href|src)="([^"]*)"', html(path))}:
        target, fragment = urldefrag(urljoin(f"http://site/{path}", link))
        if not target.startswith("http://site/"):
            continue
        file = file_of(unquote(target.removeprefix("http://site/").partition("?")[0]))
        anchored = not fragment or fragment == "__skip" or unquote(fragment) in ids(file)
        if not file.is_file() or not anchored:
            broken.append(link)
    assert not broken
