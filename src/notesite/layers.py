"""What moves in a figure: lines, dots, bars and matrices, each with one drawing per state of the sliders."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .figures import Affine

# Colours that occur nowhere else: after drawing, each becomes a CSS variable, so that both palettes share one SVG.
FG, MUTED = "#010203", "#040506"
COLORS = [f"#0a0b0{i}" for i in range(1, 7)]
VARIABLES = {FG: "fg", MUTED: "muted"} | {c: f"c{i}" for i, c in enumerate(COLORS)}

BREAK = -32768  # in place of a coordinate: lift the pen


def _encode(values: NDArray[Any], dtype: str) -> str:
    """Integers as base64; `dtype` is little-endian, as every browser's typed arrays are."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()


class Layer(Protocol):
    """Something drawn above the matplotlib figure, at each state."""

    @property
    def ax(self) -> Axes: ...
    def check(self, steps: list[int]) -> None:
        """Raise ValueError unless there is one drawing for each state."""

    def svg(self, affine: Affine, state: list[int]) -> str:
        """The element at one state, as it stands in the page without JavaScript."""

    def data(self, affine: Affine) -> dict[str, Any]:
        """What the script needs to draw the other states."""


@dataclass(frozen=True)
class Line:
    """A polyline in the data coordinates of `ax`; `frames` has shape (*steps, n_points, 2), NaN lifts the pen."""

    ax: Axes
    frames: ArrayLike
    color: int | str = 0
    width: float = 2
    dashed: bool = False
    fill: float = 0.0

    def check(self, steps: list[int]) -> None:
        """Raise ValueError unless `frames` has one polyline for each state."""
        shape = np.shape(self.frames)
        if list(shape[:-2]) != steps or shape[-1:] != (2,):
            raise ValueError(f"frames must have shape (*{tuple(steps)}, n_points, 2), got {shape}")

    def _points(self, affine: Affine) -> NDArray[np.int64]:
        """All frames in tenths of an SVG unit, as integers, BREAK for NaN."""
        points = affine(np.asarray(self.frames, dtype=float)) * 10
        lifted = np.isnan(points).any(-1, keepdims=True)
        return np.where(lifted, BREAK, np.clip(np.nan_to_num(points), -32000, 32000)).round().astype(np.int64)

    def svg(self, affine: Affine, state: list[int]) -> str:
        """The `<path>` at one state, inside a group that clips to the axes."""
        return _clipped(f'<path d="{self._d(self._points(affine)[tuple(state)])}" {self._style()}/>', affine)

    def _style(self) -> str:
        color = _color(self.color)
        dash = ' stroke-dasharray="5 4"' if self.dashed else ""
        fill = f'fill="{color}" fill-opacity="{self.fill}"' if self.fill else 'fill="none"'
        return f'{fill} stroke="{color}" stroke-width="{self.width}" stroke-linejoin="round"{dash}'

    @staticmethod
    def _d(points: NDArray[np.int64]) -> str:
        out, pen = [], "M"
        for x, y in points:
            if x == BREAK:
                pen = "M"
            else:
                out.append(f"{pen}{x / 10:g} {y / 10:g}")
                pen = "L"
        return "".join(out)

    def data(self, affine: Affine) -> dict[str, Any]:
        """The frames, as integers in base64."""
        points = self._points(affine)
        return {"kind": "line", "n": points.shape[-2], "q": _encode(points, "<i2")}


@dataclass(frozen=True)
class Dots:
    """Points in the data coordinates of `ax`, all in one path; `frames` has shape (*steps, n_points, 2)."""

    ax: Axes
    frames: ArrayLike
    color: int | str = 0
    size: float = 5
    opacity: float = 1.0

    def check(self, steps: list[int]) -> None:
        """Raise ValueError unless `frames` has one cloud for each state."""
        Line(self.ax, self.frames).check(steps)

    def svg(self, affine: Affine, state: list[int]) -> str:
        """The `<path>` of round dots at one state."""
        points = Line(self.ax, self.frames)._points(affine)[tuple(state)]
        d = "".join(f"M{x / 10:g} {y / 10:g}h0" for x, y in points if x != BREAK)
        look = f'stroke="{_color(self.color)}" stroke-width="{self.size}" stroke-linecap="round"'
        return _clipped(f'<path d="{d}" fill="none" {look} opacity="{self.opacity}"/>', affine)

    def data(self, affine: Affine) -> dict[str, Any]:
        """The frames, as integers in base64."""
        return Line(self.ax, self.frames).data(affine) | {"kind": "dots"}


def Bars(  # noqa: N802 - reads as a layer, and is a Line
    ax: Axes,
    heights: ArrayLike,
    positions: ArrayLike,
    *,
    width: float = 0.8,
    color: int | str = 0,
    fill: float = 0.5,
) -> Line:
    """Bars of `heights` (*steps, n) that stand on 0 at `positions` (n,)."""
    h = np.asarray(heights, dtype=float)
    x = np.broadcast_to(np.asarray(positions, dtype=float), h.shape)
    gap, zero = np.full_like(h, np.nan), np.zeros_like(h)
    left, right = x - width / 2, x + width / 2
    corners = [(left, zero), (left, h), (right, h), (right, zero), (left, zero), (gap, gap)]
    frames = np.stack([np.stack(c, -1) for c in corners], -2)
    return Line(ax, frames.reshape(*h.shape[:-1], -1, 2), color=color, width=1, fill=fill)


@dataclass(frozen=True)
class Cells:
    """A matrix to explore with the pointer and the arrow keys; row 0 stands on top and fills `ax` evenly.

    Args:
        ax: Empty axes; their ticks and limits are set here.
        values: Nonnegative entries, shape (*steps, n_rows, n_cols); the darkest cell is the largest of all steps.
        rows: Names of the rows.
        cols: Names of the columns.
        color: The colour of the cells.
        format: How a value is written when its cell is chosen.
        entry: The text for a chosen cell.
    """

    ax: Axes
    values: ArrayLike
    rows: Sequence[str]
    cols: Sequence[str]
    color: int | str = 0
    format: str = "{:.3g}"
    entry: str = "{row} → {col}: {value}"

    def __post_init__(self) -> None:
        n, m = len(self.rows), len(self.cols)
        self.ax.set(xlim=(0, m), ylim=(n, 0))
        self.ax.set_xticks(np.arange(m) + 0.5, [str(c) for c in self.cols])
        self.ax.set_yticks(np.arange(n) + 0.5, [str(r) for r in self.rows])
        self.ax.tick_params(length=0)
        self.ax.grid(visible=False)

    def check(self, steps: list[int]) -> None:
        """Raise ValueError unless `values` has one nonnegative matrix for each state."""
        values, want = np.asarray(self.values), (*steps, len(self.rows), len(self.cols))
        if values.shape != want:
            raise ValueError(f"values must have shape {want}, got {values.shape}")
        if not np.isfinite(values).all() or values.min() < 0:
            raise ValueError("values must be finite and nonnegative; plot the sign separately")

    def _levels(self) -> NDArray[np.int64]:
        """Opacity of each cell in percent."""
        values = np.asarray(self.values, dtype=float)
        return np.asarray((100 * values / max(values.max(), 1e-300)).round(), dtype=np.int64)

    def svg(self, affine: Affine, state: list[int]) -> str:
        """One `<rect>` per cell, in row order; the script makes the group focusable."""
        left, top, right, bottom = affine.box
        n, m = len(self.rows), len(self.cols)
        w, h = (right - left) / m, (bottom - top) / n
        level = self._levels()[tuple(state)]
        cells = "".join(
            f'<rect x="{left + j * w:.1f}" y="{top + i * h:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'fill-opacity="{level[i, j] / 100:g}"/>'
            for i in range(n)
            for j in range(m)
        )
        return f'<g class="cells" fill="{_color(self.color)}">{cells}</g>'

    def data(self, affine: Affine) -> dict[str, Any]:
        """Opacities as bytes, and the texts of the entries."""
        del affine
        values = np.asarray(self.values, dtype=float)
        texts = [self.format.format(v) for v in values.ravel()]
        names = sorted(set(texts))
        index = {t: k for k, t in enumerate(names)}
        return {
            "kind": "cells",
            "rows": [str(r) for r in self.rows],
            "cols": [str(c) for c in self.cols],
            "entry": self.entry,
            "q": _encode(self._levels(), "u1"),
            "texts": names,
            "at": _encode(np.array([index[t] for t in texts]), "<i2"),
        }


def _color(color: int | str) -> str:
    """A CSS colour from a number of the cycle, or from the names of the style."""
    name = COLORS[color] if isinstance(color, int) else color
    if name.startswith("C") and name[1:].isdigit():
        name = COLORS[int(name[1:])]
    if name not in VARIABLES:
        raise ValueError(
            f"colour {color!r} is not one of the site's; use 0 to {len(COLORS) - 1}, FG or MUTED"
        )
    return f"var(--fig-{VARIABLES[name]})"


def _clipped(path: str, affine: Affine) -> str:
    """Keep a path inside its axes without an id: a nested SVG clips to its own box."""
    left, top, right, bottom = affine.box
    w, h = right - left, bottom - top
    view = f"{left:.1f} {top:.1f} {w:.1f} {h:.1f}"
    box = f'x="{left:.1f}" y="{top:.1f}" width="{w:.1f}" height="{h:.1f}" viewBox="{view}"'
    return f"<svg {box}>{path}</svg>"
