"""Every Python block, copied with the page's own button, runs alone in an empty interpreter."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page

from conftest import COUNTS, open_details, pages

BLOCKS = ".language-python.highlight, .language-py.highlight, .language-pycon.highlight"
BUTTON = "button[data-md-type=copy], .md-clipboard"
LAB = ".source-links a[download][href$='.ipynb']"
TIMEOUT = 180  # seconds for one block
COPIED = """async () => {
  for (let i = 0; i < 100; i++) {
    const text = await navigator.clipboard.readText();
    if (text) return text;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return '';
}"""
# The reason stands right above a single block, or at the head of a region without buttons.
REASON = """block => {
  const above = block.previousElementSibling, region = block.closest('.no-copy:not(.highlight)');
  const note = above?.matches('.wrong-note') ? above : region?.querySelector('.no-copy-note');
  return note?.checkVisibility() ? note.innerText.trim() : '';
}"""
# What the page shows as the output of a block.
SHOWN = """block => {
  const below = block.nextElementSibling;
  return below?.matches('.output') ? below.querySelector('code').innerText : null;
}"""


@dataclass(frozen=True)
class Run:
    """One pasted script: how it ended, what it printed, and what the page says it prints."""

    code: str
    status: int
    printed: str
    error: str
    shown: str | None = None


@pytest.fixture(scope="module")
def counts(pytestconfig: pytest.Config) -> Iterator[dict[str, tuple[int, int, int]]]:
    """Blocks copied, scripts run and scripts passed for each page, for the summary."""
    found = pytestconfig.stash[COUNTS]
    yield found
    assert len(found) < len(pages("")) or any(copied for copied, _, _ in found.values()), (
        "no block was copied"
    )


def copy(block: Locator, page: Page) -> str:
    """What the clipboard holds after the block's own button was pressed."""
    page.evaluate("navigator.clipboard.writeText('')")
    block.locator(BUTTON).first.click(force=True)
    return str(page.evaluate(COPIED))


def run(code: str, shown: str | None = None) -> Run:
    """Run a script as a reader would who knows nothing of this repository."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
        done = subprocess.run(
            [sys.executable, "-I", "-"],
            input=code, text=True, capture_output=True, cwd=folder, env=environment, timeout=TIMEOUT, check=False,
        )  # fmt: skip
    return Run(code, done.returncode, done.stdout, done.stderr, shown)


def test_every_block_runs_alone_and_prints_what_the_page_shows(
    visit: Callable[..., Page], path: str, counts: dict[str, tuple[int, int, int]]
) -> None:
    page = visit(path, permissions=["clipboard-read", "clipboard-write"])
    open_details(page)
    blocks = page.locator(BLOCKS).all()
    buttons = [block for block in blocks if block.locator(BUTTON).count()]
    silent = [block for block in blocks if block not in buttons]
    scripts = [(copy(block, page), block.evaluate(SHOWN)) for block in buttons]
    if page.locator(LAB).count():
        scripts = [("\n\n".join(code for code, _ in scripts), None)]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda script: run(*script), scripts))
    counts[path] = (len(buttons), len(runs), sum(r.status == 0 for r in runs))
    failed = [f"{r.code[:200]}\n...\n{r.error[-600:]}" for r in runs if r.status]
    assert not failed, "\n\n".join(failed)
    other = [
        (r.shown, r.printed) for r in runs if r.shown is not None and r.shown.strip() != r.printed.strip()
    ]
    assert not other, "the page shows another output than the block prints"
    unexplained = [b.inner_text()[:200] for b in silent if len(b.evaluate(REASON)) < 20]
    assert not unexplained, "Python without a copy button, and no reason above it"
