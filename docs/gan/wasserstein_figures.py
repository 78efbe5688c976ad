"""Figures of the page on the Wasserstein GAN."""

import numpy as np

from mlnotes2.transport import emd
from notesite import figures

DATA = np.array([[1.6, 1.9], [2.3, 1.5], [2.6, 2.1], [2.0, 2.5], [2.4, -0.8], [2.9, -1.4]])
FAKE = np.array([[-0.6, 0.3], [-1.1, 0.9], [-0.2, 1.0], [-0.9, -0.4], [0.1, -0.5], [-0.4, -1.2]])


def critic():
    """The best critic of two clouds as a landscape, and its profile from any generated to any real point."""
    distance = np.linalg.norm(DATA[:, None] - FAKE, axis=-1)
    weights = np.full(len(DATA), 1 / len(DATA))
    best = emd(weights, weights, distance)

    def height(x):  # a minimum of cones of slope 1, so 1-Lipschitz everywhere
        return (np.linalg.norm(x[..., None, :] - FAKE, axis=-1) - best.potentials[1]).min(axis=-1)

    fig, (ax, side) = figures.subplots(2, 1, height=5.4, gridspec_kw={"height_ratios": [3, 1.3]})
    _landscape(ax, height)
    t = np.linspace(0, 1, 15)[:, None]
    path = FAKE[:, None, None] + t * (DATA[:, None] - FAKE[:, None, None])  # fake, data, along, axis
    along = distance.T[..., None] * t[:, 0]
    rise = height(path) - height(FAKE)[:, None, None]
    side.plot([0, 6], [0, 6], color=figures.MUTED, lw=1, ls="--")
    side.text(3.9, 3.5, "slope 1", va="top")
    side.set(
        xlim=(0, 5.5), ylim=(-0.5, 4.5), xlabel="distance walked", ylabel="critic's rise", yticks=[0, 2, 4]
    )
    ends = np.stack(np.broadcast_arrays(FAKE[:, None], DATA), axis=-2)
    paired = best.plan.T > 1e-9
    readout = [
        f"distance {distance[j, i]:.2f}, rise {rise[i, j, -1]:.2f}"
        + (": slope 1, a pair of the best plan" if paired[i, j] else "")
        for i in range(len(FAKE))
        for j in range(len(DATA))
    ]
    names = [str(k) for k in range(1, len(DATA) + 1)]
    start = int(paired[0].argmax())
    return figures.Figure(
        fig,
        alt=f"Contours of a function that rises from {len(FAKE)} generated points on the left to {len(DATA)} data "
        f"points on the right. Along each of the {paired.sum()} pairs of the best plan it rises with slope 1, and "
        "nowhere faster. The mean height of the data exceeds that of the generated points by "
        f"{best.cost:.2f}, which is the Wasserstein distance.",
        caption="The best critic for two clouds, generated (orange) and real (blue). The stronger the blue, the "
        "higher; there is one contour line for each unit of height. Below: its profile along the line.",
        sliders=[
            figures.Slider("From generated point", names),
            figures.Slider("To data point", names, start=start),
        ],
        layers=[
            figures.Line(ax, ends, color=figures.FG),
            figures.Line(side, np.stack([along, rise], axis=-1), color=figures.FG),
        ],
        readout=readout,
    )


def _landscape(ax, height):
    x, y = np.linspace(-2.3, 3.7, 31), np.linspace(-2.1, 3.1, 27)  # beyond the limits: no edge there
    z = height(np.stack(np.meshgrid(x, y), axis=-1))
    for level in np.arange(height(FAKE).min() + 1.15, z.max()):  # one on another, so that higher is stronger
        ax.contourf(x, y, z, [level, 9], colors=[figures.shade(0, 0.1)]).set(
            edgecolor=figures.MUTED, linewidth=0.5
        )
    for cloud, color, side in ((FAKE, "C1", "right"), (DATA, "C0", "left")):
        ax.plot(*cloud.T, "o", color=color, ms=6, mec=figures.FG, mew=0.6)
        for k, (u, v) in enumerate(cloud, start=1):
            ax.text(u - 0.1 if side == "right" else u + 0.1, v, str(k), ha=side, va="bottom", fontsize=10)
    ax.set(aspect="equal", xlim=(-2.2, 3.6), ylim=(-2, 3), xticks=[], yticks=[])
    ax.spines[["top", "right"]].set_visible(True)
    ax.grid(visible=False)


def descent_ascent():
    """Simultaneous gradient steps on xy spiral outwards; alternating ones do not."""
    etas, steps = [0.05, 0.1, 0.2, 0.3], 60
    both = np.empty((2, len(etas), steps + 1, 2))
    both[:, :, 0] = 1.0, 0.0
    for k, eta in enumerate(etas):
        for t in range(steps):
            x, y = both[0, k, t]
            both[0, k, t + 1] = x - eta * y, y + eta * x
            x, y = both[1, k, t]
            x = x - eta * y
            both[1, k, t + 1] = x, y + eta * x
    radius = np.linalg.norm(both, axis=-1)
    fig, ax = figures.subplots(height=4.2)
    ax.plot([0], [0], "+", color=figures.FG, ms=9)
    ax.set(
        aspect="equal",
        xlim=(-3, 3),
        ylim=(-3, 3),
        xlabel="generator's parameter x",
        ylabel="critic's parameter y",
    )
    ax.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    ax.text(-2.9, 2.6, "at once", color="C0")
    ax.text(2.9, 2.6, "in turns", color="C1", ha="right")
    return figures.Figure(
        fig,
        alt=f"Two paths from (1, 0). Simultaneous steps of size 0.2 spiral outwards to radius {radius[0, 2, -1]:.2f} "
        f"in {steps} steps; alternating steps stay within radius {radius[1, 2].max():.2f}.",
        caption=f"{steps} gradient steps on $\\min_x \\max_y xy$ from (1, 0); the only equilibrium is the cross. "
        "Either both players move at once, or they take turns.",
        sliders=[figures.Slider("Step size η", etas, start=2)],
        layers=[figures.Line(ax, both[0], color=0), figures.Line(ax, both[1], color=1, width=1.5)],
        readout=[
            f"after {steps} steps: radius {radius[0, k, -1]:.2f} at once, at most {radius[1, k].max():.2f} in turns"
            for k in range(len(etas))
        ],
    )
