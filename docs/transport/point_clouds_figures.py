import numpy as np
import torch
from scipy.spatial.distance import cdist

from mlnotes2.transport import emd, emd_points, sinkhorn_points
from notesite import figures

FORBIDDEN = 100.0  # far above every distance: what a pair costs that is not in use


def rounds():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 2)), rng.normal([0.8, 0.4], 0.8, size=(20, 2))
    states = _pricing(cdist(x, y), np.argsort(x[:, 0]), np.argsort(y[:, 0]))
    least = emd_points(x, y).cost
    fig, ax = figures.subplots(height=3.4)
    ax.scatter(*x.T, s=14, color="C0", zorder=3, label="x")
    ax.scatter(*y.T, s=14, color="C1", zorder=3, label="y")
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)
    ax.legend(loc="upper left")
    used = [_segments(x, y, used) for used, _, _ in states]
    moved = [_segments(x, y, best.plan > 1e-9) for _, best, _ in states]
    steps = range(1, len(states) + 1)
    return figures.Figure(
        fig,
        alt=f"Two clouds of 20 points. After {len(states)} rounds {states[-1][0].sum()} of 400 pairs are in use, "
        f"and the plan among them is a best one, of cost {least:.3f}.",
        caption="Thin: the pairs in use. Thick: the best plan among them.",
        sliders=[figures.Slider("Round", steps, start=0)],
        layers=[
            figures.Line(ax, _padded(used), color=2, width=0.5),
            figures.Line(ax, _padded(moved), color=3, width=2),
        ],
        readout=[
            f"{used.sum()} of 400 pairs in use, cost {best.cost:.3f}, {violated} pairs violated, "
            f"{'so this is the least cost' if violated == 0 else f'the least cost is {least:.3f}'}"
            for used, best, violated in states
        ],
    )


def mapped():
    """Where each point of a disc goes on a spiral, on the mean, for one eps after the other."""
    rng = np.random.default_rng(0)
    n, shares = 60, [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
    angle, turn = rng.uniform(0, 2 * np.pi, n), np.sqrt(np.linspace(0.1, 1, n))
    x = np.sqrt(rng.random(n))[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    y = 2 * (turn * [np.cos(12 * turn), np.sin(12 * turn)]).T
    largest = cdist(x, y, "sqeuclidean").max()
    points = torch.from_numpy(x), torch.from_numpy(y)
    found = [sinkhorn_points(*points, eps=share * largest) for share in shares]
    images = [result.barycenters(points[1]).numpy() for result in found]
    off = [cdist(image, y).min(axis=1).mean() for image in images]
    fig, ax = figures.subplots(height=3.4)
    ax.scatter(*x.T, s=8, color="C0", zorder=3, label="x")
    ax.scatter(*y.T, s=8, color="C1", zorder=3, label="y")
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)
    ax.legend(loc="upper right")
    ways = [_segments(x, image, np.eye(n, dtype=bool)) for image in images]
    return figures.Figure(
        fig,
        alt=f"A disc of {n} points is mapped to a spiral around it. With a large eps all go near its middle, "
        "with a small one onto its points.",
        caption="Lines lead from each x to the mean of where its mass goes.",
        sliders=[figures.Slider("ε / largest price", shares, start=2)],
        layers=[figures.Line(ax, ways, color=2, width=0.7), figures.Dots(ax, images, color=3)],
        readout=[
            f"cost {result.cost:.3f}; the means are {distance:.3f} away from y"
            for result, distance in zip(found, off, strict=True)
        ],
    )


def _pricing(cost, along_x, along_y):
    """Each round: which pairs are in use, the best plan among them, and how many pairs it violates."""
    n, states, violated = len(cost), [], True
    used = np.zeros_like(cost, dtype=bool)
    used[along_x, along_y] = True
    while np.any(violated):
        best = emd(np.full(n, 1 / n), np.full(n, 1 / n), np.where(used, cost, FORBIDDEN))
        f, g = best.potentials
        reduced = cost - f[:, None] - g
        violated = reduced < -1e-9
        states.append((used.copy(), best, int(violated.sum())))
        rows = np.flatnonzero(violated.any(axis=1))
        used[rows, reduced[rows].argmin(axis=1)] = True
    return states


def _segments(x, y, pairs):
    """The lines of all pairs, with a gap after each."""
    rows, cols = np.nonzero(pairs)
    return np.stack([x[rows], y[cols], np.full((len(rows), 2), np.nan)], axis=1).reshape(-1, 2)


def _padded(frames):
    longest = max(map(len, frames))
    return [np.pad(frame, ((0, longest - len(frame)), (0, 0)), constant_values=np.nan) for frame in frames]
