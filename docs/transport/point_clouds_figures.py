import numpy as np
from scipy.spatial.distance import cdist

from mlnotes2.transport import emd, emd_points
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
