"""Figures of the note on why the Earth Mover's Distance."""

import numpy as np
import torch

from mlnotes2.divergences import JS, TV, gaussian_kl, js
from mlnotes2.transport import emd_1d
from notesite import figures


def lines():
    """The two parallel lines, and what JS, TV and W say while one moves to the other."""
    thetas = np.linspace(2, 0, 21).round(10)
    shares = [torch.tensor([[1, 0], [0, 1.0]] if t else [[1], [1.0]]) for t in thetas]  # on each line
    divergence, variation = ([f.divergence(p, q).item() for p, q in shares] for f in (JS, TV))
    distance = np.array([emd_1d([0], [t]) for t in thetas])
    fig, (top, bottom) = figures.subplots(2, height=4.2, sharex=True, height_ratios=[1, 1.5])
    top.plot([0, 0], [0, 1], color="C0", lw=4, solid_capstyle="butt")
    top.text(-0.05, 0.5, "data", color="C0", ha="right", va="center")
    top.text(1, 1.12, "generated samples, moving to the data", color="C1", ha="center")
    top.set(ylim=(-0.05, 1.35), yticks=[0, 1], ylabel="height")
    for value, color in ((divergence[0], "C2"), (variation[0], "C5")):
        bottom.plot([0.02, 2], [value] * 2, color=color)
        bottom.plot(0, value, "o", color=color, mfc="none", ms=6)
    bottom.plot([0, 2], [0, 2], color="C3")
    bottom.text(1.98, divergence[0] - 0.07, "JS = log 2", color="C2", ha="right", va="top")
    bottom.text(1.98, variation[0] + 0.04, "TV = 1", color="C5", ha="right", va="bottom")
    bottom.text(1.55, 1.65, "W = θ", color="C3", ha="right")
    bottom.set(xlim=(-0.35, 2.05), ylim=(-0.1, 2.1), xticks=[0, 0.5, 1, 1.5, 2], yticks=[0, 1, 2])
    bottom.set(xlabel="distance θ between the lines", ylabel="value")
    line = [[(t, 0), (t, 1)] for t in thetas]
    arrow = [[(t, 0.5), (0, 0.5)] for t in thetas]
    slope = ["slopes 0, 0, 1"] * 20 + ["all say: done"]
    return figures.Figure(
        fig,
        alt=f"Two parallel lines at distance theta. From theta = {thetas[0]:g} to {thetas[-2]:g} JS is "
        f"{divergence[0]:.4f} and TV {variation[0]:g} at every step, and both jump to 0 at theta = 0, while W falls "
        f"in a straight line from {distance[0]:g} to {distance[-1]:g}.",
        caption=r"Move the slider, or drag the line. A generator can follow a slope: for $\theta > 0$ those of JS and "
        r"TV are 0, and that of $W$ is 1.",
        sliders=[figures.Slider("θ", thetas, start=6, drag=top, format="{:.1f}")],
        layers=[
            figures.Line(top, arrow, color=figures.MUTED, width=1.5, dashed=True),
            figures.Line(top, line, color=1, width=4),
            figures.Dots(bottom, np.stack([thetas, divergence], -1)[:, None], color=2, size=9),
            figures.Dots(bottom, np.stack([thetas, variation], -1)[:, None], color=5, size=9),
            figures.Dots(bottom, np.stack([thetas, distance], -1)[:, None], color=3, size=9),
        ],
        readout=[
            f"JS = {j:.3f}, TV = {v:g}, W = {w:.1f}; {s}"
            for j, v, w, s in zip(divergence, variation, distance, slope, strict=True)
        ],
    )


def noise():
    """JS, KL and W between N(0, sigma^2) and N(theta, sigma^2), as functions of theta."""
    sigmas = np.geomspace(1, 0.02, 9)
    thetas = np.append(np.linspace(0, 0.2, 20, endpoint=False), np.linspace(0.2, 2, 37))  # fine near the step
    one = np.abs(thetas - 1).argmin()
    x = np.linspace(-16, 16, 801)
    far = np.minimum(thetas / sigmas[:, None], 16)  # from there on JS is log 2 to 15 digits
    p, q = (np.exp(-((x + side * far[..., None] / 2) ** 2) / 2) for side in (-1, 1))
    divergence = js(p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True))
    kls = np.array([[gaussian_kl(t, s**2, 0.0, s**2) for t in thetas] for s in sigmas])
    fig, ax = figures.subplots(height=3)
    ax.plot([0, 2], [0, 2], color="C3", label="W")
    ax.plot([], [], color="C1", label="KL")
    ax.plot([], [], color="C2", label="JS")
    fig.legend(loc="outside upper center", ncols=3)
    ax.set(xlim=(0, 2), ylim=(0, 2), xticks=[0, 1, 2], yticks=[0, 1, 2], xlabel="θ", ylabel="value")

    def frames(values):
        return np.stack([np.broadcast_to(thetas, values.shape), values], -1)

    slope = (divergence[:, one + 1] - divergence[:, one - 1]) / (thetas[one + 1] - thetas[one - 1])
    return figures.Figure(
        fig,
        alt="KL, JS and W between N(0, sigma squared) and N(theta, sigma squared), for theta from 0 to 2. With sigma "
        f"= 1 all three rise smoothly; with sigma = {sigmas[-1]:g} KL is a wall at 0, JS is log 2 almost everywhere, "
        "and W is the absolute value of theta for every sigma.",
        caption=r"$N(0, \sigma^2)$ against $N(\theta, \sigma^2)$. As $\sigma$ falls, KL becomes a wall, with slope "
        r"$\theta / \sigma^2$, and JS a step, flat almost everywhere. $W = |\theta|$ for every $\sigma$.",
        sliders=[figures.Slider("σ", sigmas, start=2, format="{:.2f}")],
        layers=[
            figures.Line(ax, frames(np.minimum(kls, 4)), color=1),
            figures.Line(ax, frames(divergence), color=2),
        ],
        readout=[
            f"at θ = 1: KL = {k:.4g}; slopes: JS {d:.3f}, W 1"
            for k, d in zip(kls[:, one], slope, strict=True)
        ],
    )
