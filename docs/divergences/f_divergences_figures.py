"""Figures of the note on f-divergences."""

import numpy as np
import torch

from mlnotes2.divergences import JS, KL, REVERSE_KL
from notesite import figures


def tangent():
    """A convex f and its tangent, which meets the vertical axis at minus the conjugate of its slope."""
    u = torch.linspace(0, 3**0.5, 31).square()  # finer near 0
    touching = torch.tensor([0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 1.75, 2, 2.5])
    curves, tangents, points, crossings, readout = [], [], [], [], []
    for f in (KL, REVERSE_KL, JS):
        slopes = f.derivative(touching)
        conjugates = f.conjugate(slopes)
        curves.append([np.stack([u, f.generator(u).clamp(max=9)], -1)] * len(touching))
        tangents.append([[(0, -c), (3, 3 * t - c)] for t, c in zip(slopes, conjugates, strict=True)])
        points.append([[(v, f.generator(v))] for v in touching])
        crossings.append([[(0, -c)] for c in conjugates])
        readout += [f"slope t = {t:.2f}, f*(t) = {c:.2f}" for t, c in zip(slopes, conjugates, strict=True)]
    fig, ax = figures.subplots(height=3.2)
    ax.axhline(0, color=figures.MUTED, lw=0.8)
    ax.set(xlim=(-0.12, 3), ylim=(-2.6, 2.2), xlabel="u", ylabel="f(u)", xticks=[0, 1, 2, 3])
    ax.set(yticks=[-2, -1, 0, 1, 2])
    return figures.Figure(
        fig,
        alt="The generator f of KL, reverse KL or JS, and a tangent that lies below it, touches it at u and meets "
        f"the vertical axis at minus the conjugate. For KL at u = 1: {readout[4]}.",
        caption="Choose $f$ and where the tangent touches. Its slope is $t = f'(u)$; it meets the axis at $-f^*(t)$.",
        sliders=[
            figures.Slider("f", ["KL", "reverse KL", "JS"]),
            figures.Slider("u", touching.numpy().round(2), start=7, drag=ax),
        ],
        layers=[
            figures.Line(ax, np.array(curves), color=0),
            figures.Line(ax, np.array(tangents), color=1),
            figures.Dots(ax, np.array(points), color=0, size=8),
            figures.Dots(ax, np.array(crossings), color=1, size=8),
        ],
        readout=readout,
    )
