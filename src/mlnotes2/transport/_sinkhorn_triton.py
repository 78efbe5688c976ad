"""The sums of `log_sums` as one Triton kernel; only the implementation "triton" imports this file.

Not yet tested on a GPU; tested with Triton's interpreter, and compiled for compute capability 9.0, on 2026-11-22.
So the shape of a tile is a guess, chosen only so that ptxas reports no spilled registers, and nothing is said about
speed. Each program takes 32 rows, so few rows leave a large GPU idle. Prices come from differences of coordinates,
not from a product of matrices as in `log_sums`: in float32 the squares of far points would cancel, and both orders
of the clouds must give the same bits. That takes about 2 d operations and one power for each pair.
"""

import math
import os

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS, COLUMNS = 32, 64  # of a tile


def log_sums_by_kernel(
    x: Tensor,
    y: Tensor,
    f: Tensor,
    g: Tensor,
    log_b: Tensor,
    eps: float,
    metric: str,
    *,
    dtype: torch.dtype,
) -> Tensor:
    """Return what `log_sums` does, with pairs computed in `dtype`; all tensors are float64, on one GPU.

    What `dtype` drops of a potential is not lost: of g it goes with the logarithm of the mass, of f to the end.

    Raises:
        ValueError: If the tensors are not on a GPU, and the kernel is not interpreted.
    """
    if x.device.type != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        raise ValueError(
            f"implementation='triton' needs tensors on a GPU, got {x.device}; take 'torch', or set TRITON_INTERPRET=1 "
            "before Python starts to try the kernel out"
        )
    unit = eps * math.log(2)
    near_f, near_g = f.to(dtype), g.to(dtype)
    weights = ((g - near_g) / unit + log_b / math.log(2)).to(dtype)
    per_unit = near_f.new_full((1,), 1 / unit)  # as a number it would be rounded to float32
    found = torch.empty_like(near_f)
    coordinates = x.T.to(dtype).contiguous(), y.T.to(dtype).contiguous()  # neighbours in memory are points
    _log_sums_kernel[(triton.cdiv(len(x), ROWS),)](
        *coordinates, near_f, near_g, weights, per_unit, found, *(len(x), len(y), x.shape[1]),
        SQUARED=metric == "sqeuclidean", ROWS=ROWS, COLUMNS=COLUMNS,
    )  # fmt: skip
    return found.double() * math.log(2) + (f - near_f) / eps


@triton.jit  # type: ignore[untyped-decorator]
def _log_sums_kernel(  # type: ignore[no-untyped-def]
    x, y, f, g, weights, per_unit, found, n, m, d,
    SQUARED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Each program takes a block of rows through all columns, with a running maximum and a running sum."""
    i = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    f_i, scale = tl.load(f + i, mask=i < n, other=0.0), tl.load(per_unit)
    top = tl.full([ROWS], -1e38, f_i.dtype)
    total = tl.zeros([ROWS], f_i.dtype)
    for start in range(0, m, COLUMNS):
        j = start + tl.arange(0, COLUMNS)
        g_j = tl.load(g + j, mask=j < m, other=0.0)
        weight = tl.load(weights + j, mask=j < m, other=-float("inf"))
        cost = tl.zeros([ROWS, COLUMNS], f_i.dtype)
        x_k, y_k = x, y
        for _ in range(d):
            difference = tl.load(x_k + i, mask=i < n, other=0.0)[:, None]
            difference -= tl.load(y_k + j, mask=j < m, other=0.0)[None, :]
            cost += difference * difference
            x_k += n
            y_k += m
        if not SQUARED:
            cost = tl.sqrt(cost)
        z = (f_i[:, None] + g_j[None, :] - cost) * scale + weight[None, :]
        higher = tl.maximum(top, tl.max(z, 1))
        total = total * tl.exp2(top - higher) + tl.sum(tl.exp2(z - higher[:, None]), 1)
        top = higher
    tl.store(found + i, top + tl.log2(total), mask=i < n)
