"""Best plans without the cost matrix: solve on few arcs, price all pairs, let violated ones join, idle ones leave."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64
from ot.lp.emd_wrap import emd_c_sparse
from torch import Tensor

from ._plan import staircase

FEW_PAIRS = 2**16  # up to here all pairs are used at once


def priced_plan(
    x: Float64[Tensor, "n d"],
    y: Float64[Tensor, "m d"],
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    metric: str,
    *,
    max_rounds: int,
    progress: Callable[[int, float, float], object],
) -> tuple[
    Int[np.ndarray, " s"],
    Int[np.ndarray, " s"],
    Float64[np.ndarray, " s"],
    Float64[np.ndarray, " n"],
    Float64[np.ndarray, " m"],
]:
    """Return rows, columns and masses of a best plan, and its potentials f and g; every mass must be positive.

    The first rounds are priced in float32, while the potentials are far off.
    """
    middle = x.mean(dim=0)
    rough = (x - middle).float(), (y - middle).float()
    keys, f, g = _first_arcs(*rough, a, b, metric)
    exact = len(keys) == len(x) * len(y)
    for number in range(max_rounds):
        rows, cols = np.divmod(keys, len(y))
        cost = arc_costs(metric, x[rows], y[cols])
        flow, f, g = _solve(a, b, rows, cols, cost, f, g, warm=number > 0)
        total = float(flow @ cost)
        tol = 1e-13 * total + 1e-15 * cost.max() if exact else 3e-6 * cost.max()
        lowered, nearest = _price(*((x, y) if exact else rough), f - tol, g, metric)
        gap = float(a @ (f - lowered))
        progress(len(keys), total, gap)
        settled = len(_sorted_once(keys, nearest)) == len(keys)
        if exact and (settled or gap <= 1e-11 * total):
            used = flow > 0
            return rows[used], cols[used], flow[used], lowered, g
        exact = exact or settled or gap <= 1e-5 * total or number == 4
        # A reduced price above all violations: such a pair hardly ever comes back. In the end none leaves, so it ends.
        idle = (number < 10) & (flow == 0) & (cost - f[rows] - g[cols] > (f - lowered).max())
        keys = _sorted_once(keys[~idle], nearest)
    raise RuntimeError(f"pairs are still violated after {max_rounds} rounds; raise max_rounds")


def pair_costs(metric: str, x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Return the prices of all pairs: in float64 as exact as can be, in float32 from a product of matrices."""
    if metric == "cityblock":
        return torch.cdist(x, y, p=1)
    rough = x.dtype == torch.float32
    distance = torch.cdist(
        x, y, compute_mode="use_mm_for_euclid_dist" if rough else "donot_use_mm_for_euclid_dist"
    )
    return distance if metric == "euclidean" else distance.square_()


def arc_costs(
    metric: str, x: Float64[Tensor, "arcs d"], y: Float64[Tensor, "arcs d"]
) -> Float64[np.ndarray, " arcs"]:
    """Return the prices of the pairs of a row of x and the same row of y."""
    difference = x - y
    if metric == "cityblock":
        return difference.abs().sum(dim=1).numpy()
    squares = difference.square().sum(dim=1)
    return (squares.sqrt() if metric == "euclidean" else squares).numpy()


def lowest(
    metric: str, x: Float64[Tensor, "n d"], y: Float64[Tensor, "m d"], g: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, " n"]:
    r"""Return $\min_j (c(x_i, y_j) - g_j)$ of each row, the highest f that g leaves room for."""
    price = torch.from_numpy(g)
    blocks = [(pair_costs(metric, x[rows], y) - price).amin(dim=1) for rows in row_blocks(len(x), len(y))]
    return torch.cat([*blocks, price[:0]]).numpy()


def row_blocks(n: int, m: int) -> Iterator[slice]:
    """Cut n rows of m pairs into blocks of about a quarter of a million pairs, which stay in the cache."""
    step = max(1, 2**18 // m)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def _first_arcs(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    metric: str,
) -> tuple[Int64[np.ndarray, " arcs"], Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]:
    """Return arcs i m + j that can carry all mass and are likely to be used, with approximate potentials."""
    n, m = len(x), len(y)
    if n * m <= FEW_PAIRS:
        return np.arange(n * m), np.zeros(n), np.zeros(m)
    rng = np.random.default_rng(0)  # the answer is exact whatever is drawn
    along_x, along_y = np.argsort(x[:, 0].numpy()), np.argsort(y[:, 0].numpy())
    rows, cols, _ = staircase(a[along_x], b[along_y])
    f, g, eps = _entropic_potentials(x, y, a, b, metric, rng)
    i, j = _cheap_arcs(x, y, g, metric, 50 * eps, rng)
    k, h = _cheap_arcs(y, x, f, metric, 50 * eps, rng)
    keys = along_x[rows] * m + along_y[cols], i * m + j, h * m + k
    return _sorted_once(*keys), f.double().numpy(), g.double().numpy()


def _entropic_potentials(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    metric: str,
    rng: np.random.Generator,
) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"], float]:
    """Return the potentials of smoothed transport between samples of both clouds, extended to all points."""
    x_few, y_few = (z[rng.choice(len(z), 1000, p=mass / mass.sum())] for z, mass in ((x, a), (y, b)))
    cost = pair_costs(metric, x_few, y_few)
    last = 0.005 * cost.mean().item() or 1.0
    eps, g = max(cost.max().item(), 2 * last), torch.zeros(1000)
    while eps > last:
        eps = max(eps / 2, last)
        f = _soft_minimum(cost - g, eps)
        kernel = torch.exp((f[:, None] + g - cost) / eps)
        p = torch.ones(1000)
        for _ in range(10):
            q = 1 / (p @ kernel).clamp(1e-30, 1e30)
            p = 1 / (kernel @ q).clamp(1e-30, 1e30)
        f, g = f + eps * p.log(), g + eps * q.log()
    return _extended(metric, x, y_few, g, eps), _extended(metric, y, x_few, f, eps), eps


def _extended(
    metric: str, x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], g: Float[Tensor, " m"], eps: float
) -> Float[Tensor, " n"]:
    blocks = row_blocks(len(x), len(y))
    return torch.cat([_soft_minimum(pair_costs(metric, x[rows], y) - g, eps) for rows in blocks])


def _soft_minimum(values: Float[Tensor, "n m"], eps: float) -> Float[Tensor, " n"]:
    return -eps * torch.logsumexp(values / -eps, dim=1)


def _cheap_arcs(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    g: Float[Tensor, " m"],
    metric: str,
    spread: float,
    rng: np.random.Generator,
) -> tuple[Int64[np.ndarray, " arcs"], Int64[np.ndarray, " arcs"]]:
    """Return of each row the arcs of least reduced cost, and some drawn among those within the spread.

    Those that are drawn hold the restricted problem together: without them it takes many more rounds.
    """
    m = len(y)
    few, some = min(8, m), min(12, m)
    cols = np.empty(
        (len(x), few + some), dtype=int
    )  # a list of small tensors would keep the blocks from being freed
    noise = torch.from_numpy(rng.random((max(1, 2**18 // m), m), dtype=np.float32)) * spread
    for rows in row_blocks(len(x), m):
        reduced = pair_costs(metric, x[rows], y) - g
        cols[rows, :few] = _least(reduced, few).indices
        cols[rows, few:] = _least(reduced + noise[rng.permutation(len(reduced))], some).indices
    return np.arange(len(x)).repeat(few + some), cols.ravel()


def _least(values: Float[Tensor, "n m"], count: int) -> torch.return_types.topk:
    return values.topk(count, largest=False, sorted=False)


def _sorted_once(*keys: Int64[np.ndarray, " _"]) -> Int64[np.ndarray, " arcs"]:
    """Return all keys, sorted, each of them once; `np.unique` hashes, which is slower."""
    merged = np.sort(np.concatenate(keys))
    return merged[np.diff(merged, prepend=-1) > 0]


def _solve(
    a: Float64[np.ndarray, " n"],
    b: Float64[np.ndarray, " m"],
    rows: Int[np.ndarray, " arcs"],
    cols: Int[np.ndarray, " arcs"],
    cost: Float64[np.ndarray, " arcs"],
    f: Float64[np.ndarray, " n"],
    g: Float64[np.ndarray, " m"],
    *,
    warm: bool,
) -> tuple[Float64[np.ndarray, " arcs"], Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]:
    """Return the best masses on these arcs, and new potentials.

    The solver gets reduced costs, so that it starts with the cheapest of them. `warm` tells it that f and g
    are those of a best plan on fewer arcs. (`ot.emd` keeps no potentials for sparse costs.)
    """
    start = (np.zeros_like(f), np.zeros_like(g)) if warm else ()
    reduced = cost - f[rows] - g[cols]
    unit = np.abs(reduced).max() or 1.0  # the solver compares with absolute tolerances
    arcs = rows.astype(np.uint64), cols.astype(np.uint64), reduced / unit
    i, j, mass, _, u, v, code = emd_c_sparse(a, b * (a.sum() / b.sum()), *arcs, 10**9, *start)
    if code != 1:
        raise RuntimeError(f"the network simplex gave up with code {code}")
    middle = np.median(u)  # so that one far point does not make all potentials large
    flow = np.zeros(len(rows))
    flow[np.searchsorted(rows * len(b) + cols, i.astype(int) * len(b) + j.astype(int))] = mass
    return flow, f + (u - middle) * unit, g + (v + middle) * unit


def _price(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    limit: Float64[np.ndarray, " n"],
    g: Float64[np.ndarray, " m"],
    metric: str,
) -> tuple[Float64[np.ndarray, " n"], Int64[np.ndarray, " pairs"]]:
    r"""Return $\min_j (c_{ij} - g_j)$ of each row, and the keys of the least 16 pairs of rows below their limit.

    Those of them that are not violated now often are in the next round.
    """
    least, price = torch.from_numpy(limit).to(x.dtype), torch.from_numpy(g).to(x.dtype)
    lowered, keys = torch.empty_like(least), []
    for rows in row_blocks(len(x), len(y)):
        reduced = pair_costs(metric, x[rows], y).sub_(price)
        lowered[rows] = reduced.amin(dim=1)
        bad = torch.nonzero(lowered[rows] < least[rows])
        nearest = _least(reduced[bad[:, 0]], min(16, len(y))).indices
        keys.append(((rows.start + bad) * len(y) + nearest).ravel())
    return lowered.double().numpy(), torch.cat(keys).numpy()
