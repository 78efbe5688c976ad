"""Figures of the note on Lipschitz continuity."""

import numpy as np
from flint import ctx

from mlnotes2.lipschitz import lipschitz_constant
from mlnotes2.lipschitz._constant import Sample, extend, measure
from notesite import figures


def _wave(x):
    return 0.8 * np.sin(x) + 0.4 * np.sin(3 * x)


def _wave_slope(x):
    return 0.8 * np.cos(x) + 1.2 * np.cos(3 * x)


def cone():
    """A double cone that slides along a smooth graph; what sticks out of it is marked."""
    x = np.linspace(-3, 3, 37)
    y = _wave(x)
    places = np.arange(0, 37, 4)
    constants = np.array([1, 1.5, 2])
    run, rise = np.abs(x - x[places, None]), np.abs(y - y[places, None])
    outside = rise[:, None] > constants[:, None] * run[:, None] + 1e-12
    beside = np.zeros_like(outside)
    beside[..., 1:] |= outside[..., :-1]
    beside[..., :-1] |= outside[..., 1:]
    marked = np.where((outside | (beside & (run == 0)[:, None]))[..., None], np.stack([x, y], axis=1), np.nan)
    fine = np.linspace(-3, 3, 121)
    steepest = [_steepest(tip, np.linspace(-3, 3, 2000)) for tip in x[places]]
    fig, ax = figures.subplots(height=3.1)
    ax.plot(fine, _wave(fine), color=figures.FG, lw=1.5)
    ax.set(xlim=(-3, 3), ylim=(-2, 2), xlabel="x", ylabel="f(x)", xticks=[-2, 0, 2], yticks=[-1, 0, 1])
    return figures.Figure(
        fig,
        alt="A wavy graph on the interval from -3 to 3 and a double cone with its tip on the graph. With K from 1 "
        "to 1.5, parts of the graph leave the cone when the tip is where the graph is steep. With K = 2 nothing "
        f"leaves it; the least such K is {lipschitz_constant(_wave, (-3, 3)).midpoint:.6f}.",
        caption="Lines from the tip into the cone have slopes from $-K$ to $K$. Thick: the graph outside the cone.",
        sliders=[
            figures.Slider("x", x[places].round(1), start=4, drag=ax),
            figures.Slider("K", constants, start=0),
        ],
        layers=[
            figures.Line(ax, _double_cones(x[places], y[places], constants), color=0, width=1, fill=0.15),
            figures.Line(ax, marked, color=1, width=4),
            figures.Dots(ax, _tips(x[places], y[places], len(constants)), color=0, size=9),
        ],
        readout=[
            f"slopes up to {slope:.2f}: the graph {'leaves' if out.any() else 'stays in'} the cone"
            for slope, row in zip(steepest, outside, strict=True)
            for out in row
        ],
    )


def _steepest(tip, x):
    """The least upper bound of the slopes between the tip and other points; near the tip they tend to f'."""
    x = x[x != tip]
    return max(abs(_wave_slope(tip)), np.abs((_wave(x) - _wave(tip)) / (x - tip)).max())


def _double_cones(x, y, constants):
    """The two triangles between the lines of slope K and -K through each point, as one closed path."""
    reach = np.array([-6, 6, 6, -6, -6])
    height = np.array([-6, 6, -6, 6, -6])
    return np.stack(
        np.broadcast_arrays(x[:, None, None] + reach, y[:, None, None] + constants[:, None] * height),
        axis=-1,
    )


def _tips(x, y, repeats):
    return np.stack([x, y], axis=-1)[:, None, None].repeat(repeats, axis=1)


def root():
    """The square root next to zero: it leaves every cone, and magnified the picture is always the same."""
    constants = np.array([1.5, 2, 3, 4, 6, 8])
    t = np.linspace(0, 1, 21)
    fig, (whole, glass) = figures.subplots(1, 2, height=2.8)
    fig.get_layout_engine().set(wspace=0.1)
    x = t**2
    whole.plot(x, t, color=figures.FG, lw=1.5)
    whole.set(xlim=(0, 1.1), ylim=(0, 1.1), xlabel="x", ylabel="√x", xticks=[0, 1], yticks=[0, 1])
    glass.fill_between([0, 2], [0, 2], color=figures.shade(0, 0.15), lw=0)
    glass.plot([0, 2], [0, 2], color="C0", lw=1)
    glass.plot(2 * x, np.sqrt(2) * t, color=figures.FG, lw=1.5)
    glass.plot(t**2, t, color="C1", lw=4)
    glass.set(xlim=(0, 2), ylim=(0, 2), xticks=[0, 1], yticks=[0, 1])
    glass.set(xlabel="x, in units of 1/K²", ylabel="√x, in units of 1/K", title="magnified: never changes")
    cones = np.stack(
        [np.broadcast_to([0, 2, 2, 0], (len(constants), 4)), constants[:, None] * np.array([0, 2, -2, 0])],
        axis=-1,
    )
    return figures.Figure(
        fig,
        alt="The graph of the square root from 0 to 1 with a cone whose tip is at 0. For each K, here from 1.5 to 8, "
        "the graph is outside the cone between 0 and 1/K². Magnified K² times across and K times up, the picture "
        "is the same for every K.",
        caption=r"Thick: the graph outside the cone. However steep the cone, $\sqrt{x} > K x$ for $0 < x < 1/K^2$.",
        sliders=[figures.Slider("K", constants, start=1)],
        layers=[
            figures.Line(whole, cones, color=0, width=1, fill=0.15),
            figures.Line(
                whole,
                np.stack([t**2 / constants[:, None] ** 2, t / constants[:, None]], axis=-1),
                color=1,
                width=4,
            ),
        ],
        readout=[f"outside the cone for 0 < x < {1 / K**2:.4g}" for K in constants],
    )


def closing():
    """The pieces of the interval with their upper bounds, after each halving, above the true derivative."""
    x = np.linspace(0, 10, 91)
    states = list(_halvings(lambda x: np.sin(x) * x, 0, 10, steps=9))
    uppers = np.full((len(states), 3 * len(states), 2), np.nan)
    for frame, (pieces, _) in zip(uppers, states, strict=True):
        for i, piece in enumerate(pieces):
            frame[3 * i : 3 * i + 2] = [(piece.left.x, piece.upper), (piece.right.x, piece.upper)]
    bounds = [(best.lower, max(piece.upper for piece in pieces)) for pieces, best in states]
    fig, ax = figures.subplots(height=2.8)
    ax.plot(x, np.abs(np.sin(x) + x * np.cos(x)), color=figures.FG, lw=1.5)
    ax.set(xlim=(0, 10), ylim=(0, 13), xlabel="x", ylabel="size of the slope", yticks=[0, 5, 10])
    lower, upper = bounds[-1]
    return figures.Figure(
        fig,
        alt="The size of the derivative of x sin x from 0 to 10: hills that grow to the right. Above them the upper "
        "bounds of the pieces of the interval, as steps, and as a line the best lower bound. Each halving lowers the "
        f"highest step. After {len(states) - 1} the constant lies between {lower:.4f} and {upper:.4f}.",
        caption="Thin: $|f'|$. Thick: a bound for each piece. Dashed: the steepest slope between two ends.",
        sliders=[figures.Slider("Halvings", range(len(states)), start=5)],
        layers=[
            figures.Line(ax, uppers, color=1, width=3),
            figures.Line(ax, [[(0, lower), (10, lower)] for lower, _ in bounds], color=0, dashed=True),
        ],
        readout=[f"between {lower:.4f} and {upper:.4f}" for lower, upper in bounds],
    )


def _halvings(f, a, b, steps):
    """The pieces from left to right, and the one with the best lower bound, before and after each halving."""
    with ctx.workprec(128):
        pieces = [measure(f, *(Sample(x, extend(f, x, x)) for x in (a, b)))]
        for _ in range(steps + 1):
            yield pieces, max(pieces, key=lambda piece: piece.lower)
            i, piece = min(enumerate(pieces), key=lambda pair: pair[1])
            middle = (piece.left.x + piece.right.x) / 2
            sample = Sample(middle, extend(f, middle, middle))
            pieces = [
                *pieces[:i],
                measure(f, piece.left, sample),
                measure(f, sample, piece.right),
                *pieces[i + 1 :],
            ]
