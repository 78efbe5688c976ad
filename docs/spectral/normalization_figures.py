"""Figures of the note on spectral normalization."""

import numpy as np
import torch

from mlnotes2.spectral import power_iteration, spectral_norm
from notesite import figures

W = torch.tensor([[1.5, 0.9], [-0.2, 1.0]], dtype=torch.float64)


def ellipse():
    """The unit circle and its image, while power iteration turns a vector into the long axis."""
    found = power_iteration(W, n_steps=6, generator=torch.Generator().manual_seed(27))
    norm = spectral_norm(W, tol=1e-12)
    u, v = (vector.numpy() for vector in norm.witness)
    before = found.vectors.numpy()
    before = before * np.sign(before @ v)[:, None]
    after = before @ W.numpy().T
    angles = np.degrees(np.arccos(np.clip(before @ v, -1, 1)))
    turn = np.linspace(0, 2 * np.pi, 49)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    fig, (left, right) = figures.subplots(1, 2, height=2.3, width_ratios=[1.3, 2])
    for ax, curve, axis, reach, title in (
        (left, circle, v, 1.3, "v, of length 1"),
        (right, circle @ W.numpy().T, norm.lower * u, 2, "W v"),
    ):
        ax.fill(*curve.T, facecolor=figures.shade(0, 0.12), edgecolor="C0", lw=1.5)
        ax.plot(*np.stack([-axis, axis]).T, color=figures.MUTED, lw=1.2, ls="--")
        ax.set(
            xlim=(-reach, reach),
            ylim=(-1.3, 1.3),
            xticks=[-1, 1],
            yticks=[-1, 1],
            aspect="equal",
            title=title,
        )
    return figures.Figure(
        fig,
        alt="A unit circle and the ellipse that the matrix W makes of it, with half-axes "
        f"{norm.upper:.3f} and {abs(torch.linalg.det(W)) / norm.upper:.3f}. In {len(angles) - 1} steps of power "
        f"iteration a vector turns towards the long axis: the angle falls from {angles[0]:.0f} to {angles[-1]:.1f} "
        f"degrees, and the length of W v rises from {found.estimates[0]:.3f} to {found.estimates[-1]:.3f}.",
        caption=r"Dashed: the direction that $W$ stretches most, and the long axis that it becomes. "
        r"Its half-length is the spectral norm $\sigma_1$.",
        sliders=[figures.Slider("Step", range(len(angles)))],
        layers=[
            figures.Line(left, np.stack([_arrow(tip) for tip in before]), color=1, width=2.5),
            figures.Line(right, np.stack([_arrow(tip) for tip in after]), color=1, width=2.5),
        ],
        readout=[
            f"length of W v: {length:.4f} of {norm.lower:.4f}; v is {angle:.1f}° off"
            for length, angle in zip(found.estimates.tolist(), angles, strict=True)
        ],
    )


def _arrow(tip):
    """From 0 to the tip, with a head."""
    back = -tip / np.linalg.norm(tip) * 0.25
    side = np.array([-back[1], back[0]]) * 0.5
    return np.stack([0 * tip, tip, tip + back + side, tip, tip + back - side])


def squeeze():
    """Bounds by Gram iteration close in from both sides; power iteration comes from below only."""
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    norm = spectral_norm(weight, tol=1e-9).lower
    steps = range(9)
    bounds = [spectral_norm(weight, tol=1e-15, max_iter=k) for k in steps]
    estimates = (
        power_iteration(weight, n_steps=8, generator=torch.Generator().manual_seed(0)).estimates / norm
    )
    upper, lower = (np.array([getattr(b, side) for b in bounds]) / norm for side in ("upper", "lower"))
    fig, ax = figures.subplots(height=2.8)
    ax.fill_between(steps, lower, upper, color=figures.shade(0, 0.15), lw=0)
    ax.plot(steps, upper, "o-", color="C0", ms=4)
    ax.plot(steps, lower, "o-", color="C2", ms=4)
    ax.plot(steps, estimates, "o--", color="C1", ms=4, lw=1.5)
    ax.text(1.3, 1.57, "Gram iteration, upper bound", color="C0")
    ax.text(4.2, 1.07, "Gram iteration, lower bound", color="C2")
    ax.text(4.2, 0.73, "power iteration", color="C1")
    ax.set(xlabel="step", ylabel="relative to the norm", xlim=(0, 8), ylim=(0.4, 2), xticks=range(0, 9, 2))
    ax.set(yticks=[0.5, 1, 1.5])
    return figures.Figure(
        fig,
        alt=f"For a random 64 x 64 matrix, the upper bound of Gram iteration falls from {upper[0]:.2f} to "
        f"{upper[-1]:.4f} times the norm in {steps[-1]} steps, and its lower bound rises from {lower[0]:.2f} to "
        f"{lower[-1]:.4f}. Power iteration rises from {estimates[0]:.2f} to {estimates[-1]:.3f}.",
        caption="A random $64 \\times 64$ matrix. The norm lies in the shaded band, and the band is proved. Nothing "
        "tells power iteration how far it still has to go.",
    )
