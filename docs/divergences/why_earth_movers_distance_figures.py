"""Figures of the note on why the Earth Mover's Distance."""

import numpy as np

from mlnotes2.divergences import gaussian_kl, js
from mlnotes2.transport import emd_1d
from notesite import figures


def lines():
    """The two parallel lines, and what JS and W say while one moves to the other."""
    thetas = np.linspace(2, 0, 21).round(10)
    divergence = np.array([float(js([1, 0], [0, 1]) if t else js([1], [1])) for t in thetas])
    distance = np.array([emd_1d([0], [t]) for t in thetas])
    fig, (top, bottom) = figures.subplots(2, height=4.2, sharex=True, height_ratios=[1, 1.5])
    top.plot([0, 0], [0, 1], color="C0", lw=4, solid_capstyle="butt")
    top.text(-0.05, 0.5, "data", color="C0", ha="right", va="center")
    top.text(1, 1.12, "generated samples, moving to the data", color="C1", ha="center")
    top.set(ylim=(-0.05, 1.35), yticks=[0, 1], ylabel="height")
    bottom.plot([0.02, 2], [np.log(2)] * 2, color="C2")
    bottom.plot([0, 2], [0, 2], color="C3")
    bottom.plot(0, np.log(2), "o", color="C2", mfc="none", ms=6)
    bottom.text(1.98, np.log(2) - 0.07, "JS = log 2", color="C2", ha="right", va="top")
    bottom.text(1.35, 1.5, "W = θ", color="C3", ha="right")
    bottom.set(xlim=(-0.35, 2.05), ylim=(-0.1, 2.1), xticks=[0, 0.5, 1, 1.5, 2], yticks=[0, 1, 2])
    bottom.set(xlabel="distance θ between the lines", ylabel="value")
    line = [[(t, 0), (t, 1)] for t in thetas]
    arrow = [[(t, 0.5), (0, 0.5)] for t in thetas]
    slope = ["JS has slope 0, W has slope 1"] * 20 + ["both say: done"]
    return figures.Figure(
        fig,
        alt=f"Two parallel lines at distance theta. From theta = {thetas[0]:g} to {thetas[-2]:g} JS is "
        f"{divergence[0]:.4f} at every step, then jumps to {divergence[-1]:g} at theta = 0, while W falls in a "
        f"straight line from {distance[0]:g} to {distance[-1]:g}.",
        caption=r"Move the slider, or drag in the upper panel. JS is $\log 2$ at every distance and drops to 0 only when "
        r"the lines coincide. $W$ is the distance itself.",
        sliders=[figures.Slider("θ", thetas, start=10, drag=top, format="{:.1f}")],
        layers=[
            figures.Line(top, arrow, color=figures.MUTED, width=1.5, dashed=True),
            figures.Line(top, line, color=1, width=4),
            figures.Dots(bottom, np.stack([thetas, divergence], -1)[:, None], color=2, size=9),
            figures.Dots(bottom, np.stack([thetas, distance], -1)[:, None], color=3, size=9),
        ],
        readout=[
            f"θ = {t:.1f}: JS = {j:.3f}, W = {w:.3f}; {s}"
            for t, j, w, s in zip(thetas, divergence, distance, slope, strict=True)
        ],
    )


def noise():
    """JS, KL and W between N(0, sigma^2) and N(theta, sigma^2), as functions of theta."""
    sigmas = np.geomspace(1, 0.02, 14)
    thetas = np.linspace(0, 2, 41)
    x = np.linspace(-16, 16, 801)
    far = np.minimum(thetas / sigmas[:, None], 16)  # from there on JS is log 2 to 15 digits
    p, q = (np.exp(-((x + side * far[..., None] / 2) ** 2) / 2) for side in (-1, 1))
    divergence = js(p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True))
    kls = np.array([[gaussian_kl(t, s**2, 0.0, s**2) for t in thetas] for s in sigmas])
    fig, ax = figures.subplots(height=3)
    ax.plot([0, 2], [0, 2], color="C3", label="W")
    ax.plot([], [], color="C4", label="KL")
    ax.plot([], [], color="C2", label="JS")
    fig.legend(loc="outside upper center", ncols=3)
    ax.set(xlim=(0, 2), ylim=(0, 2), xticks=[0, 1, 2], yticks=[0, 1, 2], xlabel="θ", ylabel="value")

    def frames(values):
        return np.stack([np.broadcast_to(thetas, values.shape), values], -1)

    slope = (divergence[:, 21] - divergence[:, 19]) / (thetas[21] - thetas[19])
    return figures.Figure(
        fig,
        alt="KL, JS and W between N(0, sigma squared) and N(theta, sigma squared), for theta from 0 to 2. With sigma "
        f"= 1 all three rise smoothly; with sigma = {sigmas[-1]:g} KL is a wall at 0, JS is log 2 almost everywhere, "
        "and W is the absolute value of theta for every sigma.",
        caption=r"$N(0, \sigma^2)$ against $N(\theta, \sigma^2)$. As $\sigma$ falls, KL becomes a wall and JS a step: where "
        r"both are out of reach or flat, there is no slope to follow. $W = |\theta|$ for every $\sigma$.",
        sliders=[figures.Slider("σ", sigmas, start=4, format="{:.2f}")],
        layers=[
            figures.Line(ax, frames(np.minimum(kls, 4)), color=4),
            figures.Line(ax, frames(divergence), color=2),
        ],
        readout=[
            f"σ = {s:.2f}, at θ = 1: KL = {k:.3g}, slope of JS = {d:.2g}, slope of W = 1"
            for s, k, d in zip(sigmas, kls[:, 20], slope, strict=True)
        ],
    )
