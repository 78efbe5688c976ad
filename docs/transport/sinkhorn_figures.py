"""Figures of the note on entropic transport."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from mlnotes2.transport import emd, sinkhorn
from mlnotes2.transport._scaling import log_step, scaled, times
from notesite import figures

PLACES = np.arange(11)
P = np.exp(-((PLACES - 2.5) ** 2) / 4) + 0.6 * np.exp(-((PLACES - 7.5) ** 2) / 2)
Q = np.exp(-((PLACES - 4) ** 2) / 6) + 0.4 * np.exp(-((PLACES - 9) ** 2) / 2)
A, B = torch.tensor(P / P.sum()), torch.tensor(Q / Q.sum())
DISTANCE = torch.tensor(np.abs(PLACES[:, None] - PLACES), dtype=torch.float64)


def sharper():
    """The entropic plan for smaller and smaller eps, with both bounds of the exact cost."""
    values = [10, 3, 1, 0.3, 0.1]
    found = [sinkhorn(A, B, DISTANCE, eps=eps, tol=1e-9) for eps in values]
    lower, upper = np.array([[r.enclosure.lower, r.enclosure.upper] for r in found]).T
    exact = emd(A.numpy(), B.numpy(), DISTANCE.numpy()).cost
    fig, axes = plt.subplot_mosaic(
        [[".", "Q"], ["P", "plan"], ["cost", "cost"]],
        figsize=(figures.WIDTH, 6.1),
        width_ratios=[1, 3],
        height_ratios=[1, 3.2, 1.5],
    )
    axes["Q"].stairs(B, fill=True, facecolor=figures.shade(1, 0.5), edgecolor="C1", lw=1)
    axes["P"].stairs(
        A, fill=True, facecolor=figures.shade(0, 0.5), edgecolor="C0", lw=1, orientation="horizontal"
    )
    axes["P"].invert_xaxis()
    axes["P"].spines[["left", "bottom"]].set_visible(False)
    axes["Q"].spines["left"].set_visible(False)
    axes["Q"].set(xlim=(0, len(Q)), xticks=[], yticks=[], title="earth wanted")
    axes["P"].set(ylim=(len(P), 0), xticks=[], yticks=[], ylabel="earth now")
    steps = np.arange(len(values))
    axes["cost"].axhline(exact, color="C3", lw=1.5, ls="--")
    axes["cost"].text(0, exact + 0.1, "exact", color="C3", va="bottom")
    axes["cost"].plot(steps, upper, "o-", color=figures.MUTED, ms=3, lw=1)
    axes["cost"].plot(steps, lower, "o-", color=figures.MUTED, ms=3, lw=1)
    axes["cost"].set(
        xlabel="ε", ylabel="bounds", xticks=steps, xticklabels=values, ylim=(0, 1.1 * upper.max())
    )
    axes["cost"].grid(visible=False)
    axes["cost"].tick_params(length=0)
    bars = np.stack([np.stack([steps, lower], 1), np.stack([steps, upper], 1)], axis=1)
    return figures.Figure(
        fig,
        alt=f"The entropic plan as a matrix for {len(values)} values of eps. For eps = {values[0]} it is spread "
        f"out, and the exact cost is known to lie between {lower[0]:.3f} and {upper[0]:.3f}. For "
        f"eps = {values[-1]} it lies along a curve, and the bounds are {lower[-1]:.3f} and {upper[-1]:.3f}.",
        caption="Each cell says how much earth goes from its row to its column. Below, the bounds of the exact cost.",
        sliders=[figures.Slider("ε", values, start=1)],
        layers=[
            figures.Cells(
                axes["plan"],
                np.stack([r.plan.numpy() for r in found]) * 100,
                rows=PLACES,
                cols=PLACES,
                color=2,
                format="{:.1f} %",
                entry="from {row} to {col}: {value} of the earth",
            ),
            figures.Line(axes["cost"], bars, color=2, width=4),
        ],
        readout=[f"between {low:.3f} and {high:.3f}" for low, high in zip(lower, upper, strict=True)],
    )


def relaxed():
    """Residuals by iteration for one overrelaxation after the other."""
    omegas, eps, count = [1.0, 1.2, 1.4, 1.6, 1.7, 1.8, 1.9], 0.15, 120
    residuals = []
    for omega in omegas:
        f, _ = log_step(A, B, DISTANCE, torch.zeros_like(B), eps)
        _, K = log_step(B, A, DISTANCE.mT, f, eps)
        u, v, K = torch.ones_like(A), torch.ones_like(B), K.mT
        residuals.append([])
        for _ in range(count):
            rows = u * times(K, v)
            residuals[-1].append((rows - A).abs().sum().item())
            u = scaled(u, rows, A, torch.full_like(A[:1], omega))
            v = scaled(v, v * times(K.mT, u), B, torch.full_like(A[:1], omega))
    digits = np.log10(np.maximum(residuals, 1e-13))
    lines = np.stack([np.broadcast_to(np.arange(count), digits.shape), digits], axis=-1)
    fig, ax = figures.subplots(height=2.8)
    ax.plot(*lines[0].T, color=figures.MUTED)
    ax.text(count - 1, digits[0, -1] + 0.5, "ω = 1", color=figures.MUTED, ha="right")
    ax.set(xlabel="iterations", ylabel="wrong mass, power of 10", xlim=(0, count), ylim=(-13, 0.5))
    return figures.Figure(
        fig,
        alt=f"The mass in wrong rows over {count} iterations. With omega 1 it is {residuals[0][-1]:.1e} at the end; "
        + ", ".join(f"{omega}: {r[-1]:.1e}" for omega, r in zip(omegas[1:], residuals[1:], strict=True))
        + ".",
        caption="The two piles from above, with ε = 0.15.",
        sliders=[figures.Slider("ω", omegas, start=2)],
        layers=[figures.Line(ax, lines, color=1)],
        readout=[f"{r[-1]:.0e} after {count} iterations" for r in residuals],
    )
