"""An entropic plan between two clouds that is never stored: sums over it are taken tile by tile."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from ._log_sums import tiles
from ._pricing import pair_costs
from ._rounding import slack_of_masses


class StreamedPlan(NamedTuple):
    r"""The plan $\gamma_{ij} = \frac{1}{M} a_i b_j \exp((f_i + g_j - c(x_i, y_j)) / \varepsilon)$, in float64."""

    x: Float64[Tensor, "n d"]
    y: Float64[Tensor, "m d"]
    a: Float64[Tensor, " n"]
    b: Float64[Tensor, " m"]
    f: Float64[Tensor, " n"]
    g: Float64[Tensor, " m"]
    eps: float
    metric: str

    def prices(self) -> Iterator[tuple[slice, slice, Tensor]]:
        """Rows, columns and prices of each tile."""
        for i in tiles(self.x):
            for j in tiles(self.y):
                yield i, j, pair_costs(self.metric, self.x[i], self.y[j])

    def shares(self) -> Iterator[tuple[slice, slice, Tensor, Tensor]]:
        """The same, and how much of the mass of each row goes to each column; also defined without mass."""
        unit = self.eps * math.log(2)
        left, right = self.f / unit, self.g / unit + (self.b / self.b.sum()).log2()
        for i, j, cost in self.prices():
            yield i, j, cost, (left[i, None] + right[j] - cost / unit).exp2_()

    def averages(self, values: Float64[Tensor, "m k"]) -> Float64[Tensor, "n k"]:
        """Return the mean of the values of where each row goes."""
        sums, total = values.new_zeros(len(self.x), values.shape[1]), torch.zeros_like(self.f)
        for i, j, _, share in self.shares():
            sums[i] += share @ values[j]
            total[i] += share.sum(1)
        return sums / total[:, None]

    def slopes(self) -> tuple[Float64[Tensor, "n d"], Float64[Tensor, "m d"]]:
        r"""Return $\sum_j \gamma_{ij} \nabla_x c(x_i, y_j)$ for all i, and the same for y."""
        for_x, for_y = torch.zeros_like(self.x), torch.zeros_like(self.y)
        for i, j, cost, share in self.shares():
            moved = self.a[i, None] * share
            # The slope of a price is this weight times x - y; where a distance is 0, it counts as 0.
            weight = 2 * moved if self.metric == "sqeuclidean" else torch.where(cost > 0, moved / cost, 0)
            for_x[i] += weight.sum(1, keepdim=True) * self.x[i] - weight @ self.y[j]
            for_y[j] += weight.sum(0)[:, None] * self.y[j] - weight.T @ self.x[i]
        return for_x, for_y

    def sums(
        self, rows: Float64[Tensor, " n"] | float = 1.0, columns: Float64[Tensor, " m"] | float = 1.0
    ) -> tuple[Float64[Tensor, " n"], Float64[Tensor, " m"], Float64[Tensor, ""]]:
        """Return the sums and the cost of the plan with its rows and columns multiplied by these numbers."""
        scale_a, scale_b = self.a * rows, torch.ones_like(self.b) * columns
        row_sums, column_sums, total = (
            torch.zeros_like(self.a),
            torch.zeros_like(self.b),
            self.a.new_zeros(()),
        )
        for i, j, cost, share in self.shares():
            moved = share.mul_(scale_a[i, None]).mul_(scale_b[j])
            row_sums[i] += moved.sum(1)
            column_sums[j] += moved.sum(0)
            total += (moved * cost).sum()
        return row_sums, column_sums, total

    def bounds(self, largest: float) -> tuple[Float64[Tensor, ""], Float64[Tensor, ""]]:
        """Bound the exact cost by feasible potentials and by a plan with the right sums; no price exceeds `largest`."""
        f, g = torch.full_like(self.f, math.inf), torch.full_like(self.g, math.inf)
        for i, j, cost in self.prices():
            with_mass = torch.where(self.a[i] > 0, self.f[i], -math.inf)
            g[j] = torch.minimum(g[j], (cost - with_mass[:, None]).amin(0))
        for i, j, cost in self.prices():
            f[i] = torch.minimum(f[i], (cost - g[j]).amin(1))
        # As in `rounded`: scale rows and columns down where they have too much, then add what is missing.
        rows = _at_most_one(self.a, self.sums()[0])
        columns = _at_most_one(self.b, self.sums(rows)[1])
        row_sums, column_sums, total = self.sums(rows, columns)
        missing_a, missing_b = (self.a - row_sums).clamp(min=0), (self.b - column_sums).clamp(min=0)
        share = missing_b / missing_b.sum().clamp(min=torch.finfo(self.b.dtype).tiny)
        for i, j, cost in self.prices():
            total += missing_a[i] @ cost @ share[j]
        slack = (largest + f.abs().max() + g.abs().max()) * slack_of_masses(self.a, self.b)
        return self.a @ f + self.b @ g - slack, total + slack


def _at_most_one(wanted: Tensor, found: Tensor) -> Tensor:
    return torch.where(found > wanted, wanted / found, 1)
