"""A figure is whole without scripts, carries no fixed colour, and keeps its data exact to a tenth of a unit."""

import base64
import json
import re

import numpy as np
import pytest

from notesite import figures
from notesite.layers import BREAK


@pytest.fixture
def axes():
    with figures.style():
        fig, ax = figures.subplots()
        ax.set(xlim=(0, 4), ylim=(-1, 1), xlabel="position", ylabel="height")
        yield fig, ax


def slider(steps=3, **options):
    return figures.Slider("Step", list(range(steps)), **options)


def wave(steps=3, n=5):
    x = np.linspace(0, 4, n)
    return np.array([np.stack([x, np.sin(x + k)], -1) for k in range(steps)])


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])


def test_figure_uses_only_the_colours_of_the_palette(axes):
    fig, ax = axes
    ax.plot([0, 4], [0, 1])
    ax.fill_between([0, 4], [0, 1], color=figures.shade(1, 0.3))
    page = figures.Figure(fig, alt="a line").html("a")
    assert not re.search(r"#[0-9a-fA-F]{6}\b", page)
    assert "var(--fig-c0)" in page
    assert "var(--fig-c1)" in page


def test_figure_ids_and_references_carry_its_name(axes):
    fig, ax = axes
    ax.plot([0, 9], [0, 9])  # clipped, so that an id is referred to
    page = figures.Figure(fig, alt="a").html("piles")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert all(i.startswith(("piles-", "fig-piles")) for i in ids)
    for reference in re.findall(r'(?:href="#|url\(#)([^")]+)', page):
        assert reference in ids


def test_figure_has_no_style_sheet_that_reaches_the_page(axes):
    assert "<style" not in figures.Figure(axes[0], alt="a").html("a")


def test_figure_is_the_same_twice():
    def draw():
        with figures.style():
            fig, ax = figures.subplots()
            ax.plot([1, 2], [3, 4], label="x")
            ax.legend()
            return figures.Figure(fig, alt="a").html("a")

    assert draw() == draw()


def test_figure_text_alternative_is_escaped(axes):
    page = figures.Figure(axes[0], alt='a < b & "c"').html("a")
    assert 'aria-label="a &lt; b &amp; &quot;c&quot;"' in page


def test_figure_shows_the_start_state_without_scripts(axes):
    fig, ax = axes
    frames = wave()
    layer = figures.Line(ax, frames)
    page = figures.Figure(fig, alt="a", sliders=[slider(start=2)], layers=[layer]).html("a")
    drawn = [float(v) for v in re.search(r'<path d="([^"]+)" fill="none" stroke="var\(--fig-c0\)"', page)[1]
             .replace("M", " ").replace("L", " ").split()]  # fmt: skip
    stored = np.frombuffer(base64.b64decode(data_of(page)["layers"][0]["q"]), "<i2").reshape(3, 5, 2)
    np.testing.assert_allclose(np.reshape(drawn, (5, 2)), stored[2] / 10, atol=1e-9)
    assert "hidden" in re.search(r'<div class="controls"[^>]*>', page)[0]


def test_figure_positions_agree_with_matplotlib(axes):
    fig, ax = axes
    ax.plot([0, 4], [-1, 1], color=figures.COLORS[3])
    layer = figures.Line(ax, [[0, -1], [4, 1]])
    page = figures.Figure(fig, alt="a", layers=[layer]).html("a")
    theirs = re.search(r'd="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)\s*"[^>]*stroke: var\(--fig-c3\)', page)
    ours = re.search(r'd="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)" fill="none" stroke="var\(--fig-c0\)"', page)
    np.testing.assert_allclose(
        [*map(float, ours.groups())], [*map(float, theirs.groups())], atol=0.051
    )  # rounded


def test_line_lifts_the_pen_at_nan(axes):
    fig, ax = axes
    frames = np.array([[[0, 0], [1, 1], [np.nan, np.nan], [2, 0], [3, 1]]])
    page = figures.Figure(fig, alt="a", sliders=[slider(1)], layers=[figures.Line(ax, frames)]).html("a")
    stored = np.frombuffer(base64.b64decode(data_of(page)["layers"][0]["q"]), "<i2").reshape(5, 2)
    assert (stored[2] == BREAK).all()
    assert re.search(r'<path d="M[^M]+M[^M]+" fill="none" stroke="var', page)


def test_bars_stand_on_zero(axes):
    _, ax = axes
    bars = figures.Bars(ax, [1.0, 0.5], [0, 2], width=1)
    np.testing.assert_allclose(bars.frames[:4], [[-0.5, 0], [-0.5, 1], [0.5, 1], [0.5, 0]])


def test_cells_start_with_the_value_of_their_state(axes):
    fig, ax = axes
    values = np.zeros((2, 2, 3))
    values[1, 0, 2] = 4.0
    cells = figures.Cells(ax, values, ["a", "b"], ["x", "y", "z"])
    page = figures.Figure(fig, alt="a", sliders=[slider(2, start=1)], layers=[cells]).html("a")
    assert re.findall(r'fill-opacity="([^"]+)"/>', page) == ["0", "0", "1", "0", "0", "0"]
    layer = data_of(page)["layers"][0]
    assert layer["texts"][np.frombuffer(base64.b64decode(layer["at"]), "<i2")[6 + 2]] == "4"


def test_slider_can_be_dragged_at_its_own_coordinates(axes):
    fig, ax = axes
    control = figures.Slider("x", [0.0, 2.0, 4.0], drag=ax)
    frames = np.array([[[v, -1], [v, 1]] for v in control.values])
    page = figures.Figure(fig, alt="a", sliders=[control], layers=[figures.Line(ax, frames)]).html("a")
    data = data_of(page)
    stored = np.frombuffer(base64.b64decode(data["layers"][0]["q"]), "<i2").reshape(3, 2, 2)
    np.testing.assert_allclose(
        data["sliders"][0]["at"], stored[:, 0, 0] / 10, atol=0.051
    )  # rounded to a tenth


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"readout": ["one"]}, "one text for each of the 3 states, got 1"),
        ({"layers": "wrong steps"}, r"frames must have shape \(\*\(3,\), n_points, 2\), got \(2, 5, 2\)"),
        ({"layers": "negative"}, "finite and nonnegative"),
    ],
)
def test_figure_refuses_what_does_not_match_its_sliders(axes, options, message):
    fig, ax = axes
    layers = {
        "wrong steps": lambda: [figures.Line(ax, wave(2))],
        "negative": lambda: [figures.Cells(ax, -np.ones((3, 1, 1)), ["a"], ["b"])],
    }
    if "layers" in options:
        options = {"layers": layers[options["layers"]]()}
    with pytest.raises(ValueError, match=message):
        figures.Figure(fig, alt="a", sliders=[slider()], **options)


def test_figure_refuses_other_colours(axes):
    fig, ax = axes
    figure = figures.Figure(fig, alt="a", layers=[figures.Line(ax, [[0, 0], [1, 1]], color="red")])
    with pytest.raises(ValueError, match="colour 'red' is not one of the site's"):
        figure.html("a")


def test_figure_refuses_to_be_too_large(axes):
    fig, ax = axes
    figure = figures.Figure(fig, alt="a", sliders=[slider(200)], layers=[figures.Line(ax, wave(200, 200))])
    with pytest.raises(ValueError, match="use fewer steps or points"):
        figure.html("a")


def test_draw_names_the_figures_that_exist(tmp_path):
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "note_figures.py").write_text("def one(): ...\ndef _two(): ...\n")
    with pytest.raises(ValueError, match=r"there are figures for topic.note"):
        figures.locate("topic.other.one", docs=tmp_path)
    with pytest.raises(ValueError, match=r"no function two .*; it has one"):
        figures.locate("topic.note.two", docs=tmp_path)
    with pytest.raises(ValueError, match="must be named"):
        figures.locate("one", docs=tmp_path)
    with pytest.raises(TypeError, match="got NoneType"):
        figures.draw("topic.note.one", docs=tmp_path)
