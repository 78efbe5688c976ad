"""Figures of the note on mode collapse."""

import numpy as np

from mlnotes2.divergences import fit_gaussian
from notesite import figures

X = np.linspace(-7, 7, 211)


def _normal(mean, std):
    return np.exp(-(((X - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


def _price(p, q):
    """What each point adds to KL(p, q): never negative."""
    return p * np.log(p / q) - p + q


P = 0.55 * _normal(-2.5, 0.7) + 0.45 * _normal(2.5, 0.9)


def fitted():
    """The Gaussian that is best under a mixture of reverse KL and KL, and where it pays."""
    weights = [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.2, 0.5, 0.8, 1]
    fits = [fit_gaussian(X, P, weight=float(w)) for w in weights]
    qs = np.array([_normal(f.mean, f.std) for f in fits])
    jump = next(w for w, f in zip(weights, fits, strict=True) if f.std > 2 * fits[0].std)
    fig, (top, bottom) = figures.subplots(2, height=4.4, sharex=True, height_ratios=[1.2, 1])
    top.fill_between(X[::2], P[::2], facecolor=figures.shade(0, 0.25), edgecolor="C0", lw=2)
    top.text(3.7, 0.14, "data p", color="C0")
    top.plot([], [], color="C1", label="model q")
    top.legend(loc="upper right")
    top.set(ylabel="density", ylim=(0, 0.62), yticks=[0, 0.5])
    bottom.plot([], [], color="C3", label="to reverse KL")
    bottom.plot([], [], color="C2", ls=(0, (2.5, 2)), label="to KL")
    bottom.legend(loc="upper left")
    bottom.set(
        xlim=(-7, 7), xticks=[-5, 0, 5], ylim=(0, 0.9), yticks=[0, 0.5], xlabel="x", ylabel="a point adds"
    )

    def frames(values):
        return np.stack([np.broadcast_to(X, values.shape), values], -1)[:, ::2]

    def area(values):
        """The same with both ends on the axis, because a fill closes straight from the last point to the first."""
        points = frames(values)
        ends = points[:, [0, -1]] * [1, 0]
        return np.concatenate([ends[:, :1], points, ends[:, 1:]], axis=1)

    name = ["reverse KL only", *(f"{w:.2f}" for w in weights[1:-1]), "KL only"]
    return figures.Figure(
        fig,
        alt=f"Data with two modes, and the best Gaussian. Under reverse KL it has mean {fits[0].mean:.2f} and standard "
        f"deviation {fits[0].std:.2f}: it covers the left mode. From weight {jump:g} on it covers "
        f"both; under KL it has mean {fits[-1].mean:.2f} and standard deviation {fits[-1].std:.2f}, and "
        "it puts mass between the modes, where there are hardly any data.",
        caption=r"$q$ minimises $(1 - w)\,\KL(q \Vert p) + w\,\KL(p \Vert q)$ over all Gaussians. Below: what each $x$ "
        r"adds. With $q$ inside one mode, the other mode costs little under reverse KL and very much under KL.",
        sliders=[figures.Slider("weight w of KL", name)],
        layers=[
            figures.Line(top, area(qs), color=1, fill=0.15),
            figures.Line(bottom, area(np.array([_price(q, P) for q in qs])), color=3, fill=0.15),
            figures.Line(bottom, frames(np.minimum([_price(P, q) for q in qs], 2)), color=2, dashed=True),
        ],
        readout=[
            f"mean {f.mean:.2f}, standard deviation {f.std:.2f}; ".replace("-", "−")
            + f"KL(q‖p) = {f.reverse_kl:.2f}, KL(p‖q) = {f.forward_kl:.2f}"
            for f in fits
        ],
    )
