"""Figures speak, and move from the keyboard."""

import re
from collections.abc import Callable

from playwright.sync_api import Page

from conftest import html

FIGURES = "figure.fig"
# What a reader sees of a figure's state.
STATE = (
    "figure => [figure.querySelector('g.layers').innerHTML, figure.querySelector('output:not(.cell)')?.value]"
)
# Names of the rows and columns of the first matrix, and the text for an entry, as the script reads them.
NAMES = """figure => {
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const { rows, cols, entry } = data.layers.find(layer => layer.kind === 'cells');
  return [rows, cols, entry];
}"""
SAID = "output => output.value"


def test_figures_have_a_text_alternative(path_with_figure: str) -> None:
    pictures = re.findall(r'<figure class="fig"[^>]*><svg ([^>]*)>', html(path_with_figure))
    assert len(pictures) == html(path_with_figure).count('<figure class="fig"')
    silent = [p for p in pictures if 'role="img"' not in p or not re.search(r'aria-label="[^"]{20,}"', p)]
    assert not silent


def test_sliders_move_the_figure(visit: Callable[..., Page], path_with_slider: str) -> None:
    for figure in visit(path_with_slider).locator(f"{FIGURES}:has(input[type=range])").all():
        for slider in figure.locator("input[type=range]").all():
            steps = int(slider.get_attribute("max") or 0)
            forward = int(slider.input_value()) < steps
            before, said = figure.evaluate(STATE), slider.get_attribute("aria-valuetext")
            slider.press("ArrowRight" if forward else "ArrowLeft")
            name = f"{figure.get_attribute('id')}: {slider.get_attribute('aria-valuetext')}"
            assert figure.evaluate(STATE) != before, f"{name}: nothing moves"
            assert slider.get_attribute("aria-valuetext") != said, f"{name}: the slider says the same"
            assert slider.evaluate("s => s.labels[0]?.innerText.trim()"), f"{name}: the slider has no label"


def test_matrices_work_from_the_keyboard(visit: Callable[..., Page], path_with_matrix: str) -> None:
    page = visit(path_with_matrix)
    for figure in page.locator(f"{FIGURES}:has(g.cells)").all():
        rows, cols, entry = figure.evaluate(NAMES)
        figure.locator("g.cells").first.focus()
        said = [figure.locator("output.cell").evaluate(SAID)]
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
            page.keyboard.press(key)
            said.append(figure.locator("output.cell").evaluate(SAID))
        # once around a square of four cells
        for text, (row, col) in zip(said, [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)], strict=True):
            before, after = entry.format(row=rows[row], col=cols[col], value="|").split("|")
            assert text.startswith(before)
            assert text.endswith(after)
            assert any(c.isdigit() for c in text.removeprefix(before).removesuffix(after)), (
                f"no value: {text}"
            )
