"""Figures: matplotlib drawings as SVG in the site's colours, with sliders and matrices that work from the keyboard."""

from __future__ import annotations

import ast
import html
import importlib.util
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .layers import COLORS, FG, MUTED, Bars, Cells, Dots, Layer, Line
from .mathml import inline_formulas
from .svg import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

__all__ = [
    "COLORS", "FG", "MUTED", "Bars", "Cells", "Dots", "Figure", "Line", "Slider",
    "draw", "shade", "style", "subplots", "theme", "use",
]  # fmt: skip

WIDTH = 5.0  # inches; every figure is as wide as the text
MAX_BYTES = 70_000

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "notesite",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": FG,
    "axes.labelcolor": FG,
    "axes.titlecolor": FG,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": FG,
    "ytick.labelcolor": FG,
    "grid.color": MUTED,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "patch.edgecolor": FG,
    "hatch.color": MUTED,
    "lines.color": COLORS[0],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "lines.linewidth": 2,
    "figure.figsize": (WIDTH, 2.8),
    "figure.constrained_layout.use": True,
}


def use() -> None:
    """Make the site's style matplotlib's default, as the labs' kernels do."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(_STYLE | {"axes.prop_cycle": cycler(color=COLORS)})


@contextmanager
def style() -> Iterator[None]:
    """Draw in the site's style inside a `with` block."""
    import matplotlib as mpl

    with mpl.rc_context():
        use()
        yield


def shade(color: int, opacity: float) -> tuple[float, float, float, float]:
    """Colour number `color` of the cycle with an opacity in [0, 1], for fills and contours."""
    from matplotlib.colors import to_rgba

    return to_rgba(COLORS[color], opacity)


def subplots(
    rows: int = 1, cols: int = 1, *, height: float = 2.8, **options: Any
) -> tuple[MatplotlibFigure, Any]:
    """`plt.subplots` at the width of the text and `height` inches; `options` are those of matplotlib."""
    import matplotlib.pyplot as plt

    return plt.subplots(rows, cols, figsize=(WIDTH, height), **options)


@dataclass(frozen=True)
class Slider:
    """One control: its name, and what it says at each step.

    Args:
        label: The name beside the slider.
        values: One text or number for each step.
        start: The step that is shown first, and without JavaScript.
        drag: Axes in which the reader may drag as well; `values` are then x-coordinates there.
        format: How numbers are written.
    """

    label: str
    values: Sequence[Any]
    start: int = 0
    drag: Axes | None = None
    format: str = "{:g}"

    def text(self, step: int) -> str:
        """What the slider says at `step`."""
        value = self.values[step]
        return value if isinstance(value, str) else self.format.format(value)


@dataclass
class Figure:
    """A drawing with a text alternative, a caption, and what moves in it.

    Args:
        fig: The matplotlib figure; it is saved and closed.
        alt: The text alternative, made from the data.
        caption: One or two sentences below the picture; `$formulas$` are rendered.
        sliders: The controls; their sizes are the leading axes of every layer that moves.
        layers: What is drawn above the matplotlib figure, at each step.
        readout: One text for each state, flat in C order of the sliders; empty for none.

    Raises:
        ValueError: If a layer or the readout does not have one entry per state, or if the figure is too large.
    """

    fig: MatplotlibFigure
    alt: str
    caption: str = ""
    sliders: Sequence[Slider] = ()
    layers: Sequence[Layer] = ()
    readout: Sequence[str] = ()
    _svg: str = field(init=False, repr=False)
    _boxes: dict[Any, Affine] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import matplotlib.pyplot as plt

        states = int(np.prod([len(s.values) for s in self.sliders], dtype=int))
        for layer in self.layers:
            layer.check([len(s.values) for s in self.sliders])
        if self.readout and len(self.readout) != states:
            raise ValueError(
                f"readout must have one text for each of the {states} states, got {len(self.readout)}"
            )
        with style():
            self.fig.canvas.draw()
            self.fig.set_layout_engine("none")  # the axes must not move between measuring and saving
            axes = {x.ax for x in self.layers} | {s.drag for s in self.sliders if s.drag is not None}
            self._boxes = {ax: Affine.of(self.fig, ax) for ax in axes}
            buffer = io.StringIO()
            self.fig.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(self.fig)
        self._svg = buffer.getvalue()

    def __repr__(self) -> str:
        return f"Figure({self.alt!r})"

    def _repr_html_(self) -> str:
        return self.html("figure-" + re.sub(r"\W+", "-", self.alt.lower())[:30].strip("-"))

    def html(self, name: str) -> str:
        """The `<figure>` element; `name` makes its ids unique in the page."""
        svg = theme(self._svg, name, self.alt)
        state = [s.start for s in self.sliders]
        drawn = "".join(x.svg(self._boxes[x.ax], state) for x in self.layers)
        svg = svg.replace("</svg>", f'<g class="layers">{drawn}</g></svg>')
        page = f'<figure class="fig" id="fig-{name}">{svg}{self._controls()}{self._data()}'
        page += f"<figcaption>{inline_formulas(self.caption)}</figcaption></figure>"
        if len(page) > MAX_BYTES:
            raise ValueError(
                f"figure {name} has {len(page)} bytes, at most {MAX_BYTES} are allowed; use fewer steps or points"
            )
        return page

    def _controls(self) -> str:
        """Sliders and the readout; hidden until the script wakes them, so that no dead control is ever shown."""
        rows = [
            f'<label><span>{html.escape(s.label)}</span><input type="range" min="0" max="{len(s.values) - 1}" '
            f'value="{s.start}" aria-valuetext="{html.escape(s.text(s.start))}"><span class="value">'
            f"{html.escape(s.text(s.start))}</span></label>"
            for s in self.sliders
        ]
        cells = any(isinstance(x, Cells) for x in self.layers)
        if not rows and not cells:
            return ""
        start = 0
        for s in self.sliders:
            start = start * len(s.values) + s.start
        text = html.escape(self.readout[start]) if self.readout else ""
        hint = "Point at a cell, or focus the matrix and use the arrow keys."
        state = f'<output aria-live="polite">{text}</output>' if self.readout else ""
        cell = f'<output class="cell" aria-live="polite">{hint}</output>' if cells else ""
        return f'{state}<div class="controls" hidden>{"".join(rows)}{cell}</div>'

    def _data(self) -> str:
        """What the script needs to move the layers, as JSON."""
        if not self.sliders and not self.layers:
            return ""
        data = {
            "sliders": [
                {"texts": [s.text(i) for i in range(len(s.values))]}
                | ({"at": self._boxes[s.drag].x(s.values)} if s.drag is not None else {})
                for s in self.sliders
            ],
            "layers": [x.data(self._boxes[x.ax]) for x in self.layers],
            "readout": list(self.readout),
        }
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        return f'<script type="application/json">{text}</script>'


@dataclass(frozen=True)
class Affine:
    """The map from the data coordinates of linear axes to SVG units, and the axes' box in those units."""

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    box: tuple[float, float, float, float]

    @staticmethod
    def of(fig: MatplotlibFigure, ax: Axes) -> Affine:
        """Read the map off a figure that has been laid out."""
        if (ax.get_xscale(), ax.get_yscale()) != ("linear", "linear"):
            raise ValueError("moving layers need linear axes; plot the logarithm instead")
        points_per_pixel, height = 72 / fig.dpi, fig.get_figheight() * 72
        origin, unit = ax.transData.transform([(0, 0), (1, 1)]) * points_per_pixel
        box = ax.get_window_extent()
        left, right = box.x0 * points_per_pixel, box.x1 * points_per_pixel
        top, bottom = height - box.y1 * points_per_pixel, height - box.y0 * points_per_pixel
        flip = np.array([1.0, -1.0])
        return Affine(
            (unit - origin) * flip, np.array([0, height]) + origin * flip, (left, top, right, bottom)
        )

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(points, dtype=float) * self.scale + self.shift

    def x(self, values: ArrayLike) -> list[float]:
        """Horizontal SVG positions of x-coordinates."""
        return [round(float(v), 1) for v in np.asarray(values, dtype=float) * self.scale[0] + self.shift[0]]


def draw(name: str, *, docs: Path) -> Figure:
    """Call the function behind `figure="topic.note.function"`, which stands in docs/topic/note_figures.py.

    Raises:
        ValueError: If there is no such file or function, naming those that exist.
    """
    path, function = locate(name, docs=docs)
    spec = importlib.util.spec_from_file_location(f"figures_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with style():
        spec.loader.exec_module(module)
        figure = getattr(module, function)()
    if not isinstance(figure, Figure):
        raise TypeError(
            f"{path}: {function}() must return a notesite.figures.Figure, got {type(figure).__name__}"
        )
    return figure


def locate(name: str, *, docs: Path) -> tuple[Path, str]:
    """The file and the function that a figure's name means, found without running anything."""
    parts = name.split(".")
    if len(parts) != 3:
        raise ValueError(f'figure must be named "topic.note.function", got "{name}"')
    topic, note, function = parts
    path = docs / topic / f"{note}_figures.py"
    if not path.is_file():
        known = sorted(
            f"{p.parent.name}.{p.stem.removesuffix('_figures')}" for p in docs.glob("*/*_figures.py")
        )
        raise ValueError(
            f'no file {path} for figure "{name}"; there are figures for {", ".join(known) or "no note"}'
        )
    functions = public_functions(path)
    if function not in functions:
        raise ValueError(
            f'no function {function} in {path} for figure "{name}"; it has {", ".join(functions)}'
        )
    return path, function


def public_functions(path: Path) -> list[str]:
    """The figures of a file: its functions without a leading underscore."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]


def _main() -> None:
    """Draw one figure into a standalone page: python -m notesite.figures topic.note.function out.html."""
    root = Path(__file__).resolve().parents[2]
    name, out = sys.argv[1:]
    css, js = (root / "docs/assets" / p for p in ("css/notes.css", "js/figures.js"))
    body = draw(name, docs=root / "docs").html(name.rsplit(".", 1)[1])
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><style>{css.read_text()}</style>"
    page = f"<!doctype html>{head}<body class=md-typeset>{body}<script>{js.read_text()}</script>"
    Path(out).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    from notesite.figures import _main as main  # the classes of the imported module, not of __main__

    main()
