"""A built site on a local server, and Chromium to read it with."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

SITE = Path(os.environ.get("SITE") or Path(__file__).parents[2] / "site").resolve()
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # another host is never reached, only noted
]


# What a page must hold for a test that asks for this argument.
ARGUMENTS = {
    "path": "",
    "path_with_figure": '<figure class="fig"',
    "path_with_slider": 'type="range"',
    "path_with_matrix": 'class="cells"',
}


def html(path: str) -> str:
    """The page as the server sends it."""
    return file_of(path).read_text(encoding="utf-8")


def file_of(path: str) -> Path:
    """The file that the server sends for a path below the site."""
    return SITE / path / "index.html" if path.endswith("/") or not path else SITE / path


@cache
def pages(part: str) -> list[str]:
    """The paths of all pages that hold a piece of HTML; of the many source files, the longest stands for all."""
    *_, longest = sorted(SITE.glob("source/**/*.html"), key=lambda file: file.stat().st_size)
    files = [f for f in SITE.rglob("*.html") if SITE / "source" not in f.parents or f == longest]
    found = sorted(file.relative_to(SITE).as_posix().removesuffix("index.html") for file in files)
    paths = [path for path in found if part in html(path)]
    if not paths:
        raise pytest.UsageError(
            f"no page with {part or 'anything'} in {SITE}; build the site with: nox -s docs"
        )
    return paths


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each page that it is about."""
    for argument, part in ARGUMENTS.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, pages(part), ids=lambda path: path or "home")


# For each page: Python blocks copied, scripts run, scripts that passed.
COUNTS = pytest.StashKey[dict[str, tuple[int, int, int]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[COUNTS] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many blocks were copied, run and passed."""
    counts = config.stash[COUNTS]
    total = tuple(sum(column) for column in zip(*counts.values(), strict=True))
    for path, (copied, run, passed) in [*counts.items(), *([("in total", total)] if total else [])]:
        if copied or path == "in total":
            line = f"{copied:4} blocks copied, {run:3} scripts run, {passed:3} passed: {path or 'home'}"
            terminalreporter.write_line(line)


class Server(SimpleHTTPRequestHandler):
    """A plain static server that writes no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """The address of the site's home page, with a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, started once."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail(
            "these tests need Chromium, and there is none in PATH; on Debian: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


class Visit:
    """Opens pages in a context of its own, and keeps what no page of the site may do."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context, self.base = context, base
        self.faults: list[str] = []

    def open(self, path: str) -> Page:
        """The page when it has loaded and its scripts have run."""
        page = self.context.new_page()
        page.on("request", lambda request: self._note_foreign(request.url))
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", lambda m: self.faults.append(f"console: {m.text}") if m.type == "error" else None)
        page.goto(self.base + path, wait_until="load")
        return page

    def _note_foreign(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:")):
            self.faults.append(f"request to another host: {url}")


@pytest.fixture
def visit(browser: Browser, base: str) -> Iterator[Callable[..., Page]]:
    """`visit(path, **options)` opens a page in a fresh browser context; faults of any page fail the test."""
    visits: list[Visit] = []

    def open_page(path: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        visits.append(Visit(context, base))
        return visits[-1].open(path)

    yield open_page
    faults = [fault for v in visits for fault in v.faults]
    cookies = [c["name"] for v in visits for c in v.context.cookies()]
    for v in visits:
        v.context.close()
    assert not faults
    assert not cookies


def open_details(page: Page) -> None:
    """Unfold everything that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
