"""Entropic transport between clouds of points, without the matrix of all prices."""

import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.autograd.function import once_differentiable

from .._enclosure import Enclosure
from ._log_sums import log_sums
from ._pricing import pair_costs
from ._scaling import best_omega, block_length, relaxed, schedule
from ._streamed_plan import StreamedPlan
from ._tensors import check_masses, check_options, check_tensors

LogSums = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, float, str], Tensor]  # such as log_sums


@dataclass(frozen=True, eq=False)
class SinkhornPointsResult:
    r"""An entropic plan between two clouds, known by its potentials.

    Args:
        entropic_cost: The least value of the entropic problem. Its gradient is, by the envelope theorem,
            $\sum_j \gamma_{ij} \nabla_x c(x_i, y_j)$ for `x`, the same for `y`, and the potentials for `a` and `b`.
        potentials: f and g with $\gamma_{ij} = \frac{1}{M} a_i b_j \exp((f_i + g_j - c(x_i, y_j)) / \varepsilon)$;
            in float64, without gradient.
        residual: The share of the mass in wrong rows, $\frac{1}{M} \sum_i |\sum_j \gamma_{ij} - a_i|$.
        converged: Whether the residual is at most `tol`.
        iterations: Of rows and columns, over all values of eps.
        plan: What the methods take their sums from, tile by tile.
    """

    entropic_cost: Float[Tensor, ""]
    potentials: tuple[Float64[Tensor, " n"], Float64[Tensor, " m"]]
    residual: float
    converged: bool
    iterations: int
    plan: StreamedPlan

    @cached_property
    def cost(self) -> float:
        r"""What the plan costs, $\sum_{ij} \gamma_{ij} c(x_i, y_j)$."""
        return self.plan.sums()[2].item()

    @cached_property
    def enclosure(self) -> Enclosure:
        r"""The exact cost $\min_\gamma \sum_{ij} \gamma_{ij} c(x_i, y_j)$ between two bounds that allow for rounding.

        The lower one is proved by potentials, of which the rows' are the witness, the upper one by a plan.
        """
        lower, upper = self.plan.bounds(_largest(self.plan.x, self.plan.y, self.plan.metric))
        return Enclosure(lower.item(), upper.item(), self.plan.f)

    def barycenters(self, values: Float[Tensor, "m k"]) -> Float[Tensor, "n k"]:
        r"""Return the mean value of where the mass of each row goes, $\sum_j \gamma_{ij} v_j / \sum_j \gamma_{ij}$.

        With the points y as values, this is a map that moves the cloud x onto y.

        Args:
            values: A row for each point of y, shape `(m, k)`.

        Returns:
            A row for each point of x, shape `(n, k)`, in the dtype of `values`; without gradient.

        Raises:
            ValueError: If there is not one row for each point of y, or a value is not finite.
            TypeError: If `values` is not a float32 or float64 tensor.
        """
        check_tensors(values=values)
        if values.ndim != 2 or len(values) != len(self.plan.y):
            raise ValueError(
                f"values must have shape (m, k) with a row for each of the m = {len(self.plan.y)} points of y, "
                f"got {tuple(values.shape)}"
            )
        return self.plan.averages(values.detach().to(self.plan.y)).to(values.dtype)


def sinkhorn_points(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    a: Float[Tensor, " n"] | None = None,
    b: Float[Tensor, " m"] | None = None,
    *,
    eps: float,
    metric: str = "sqeuclidean",
    tol: float = 1e-5,
    max_iter: int = 10_000,
    implementation: str = "auto",
) -> SinkhornPointsResult:
    r"""Find the potentials of the entropic plan between two clouds, with memory for the points only.

    The problem is that of `sinkhorn` with the prices $c(x_i, y_j)$. Each half-step needs a sum over all pairs,
    $f_i = -\varepsilon \log \sum_j \frac{1}{M} b_j e^{(g_j - c(x_i, y_j)) / \varepsilon}$. Here the prices are made
    tile by tile and are gone after use: memory for $O((n + m) d)$ numbers, at the price of making them anew.
    It starts with a large eps and is overrelaxed.

    Args:
        x: Points to take mass from, shape `(n, d)`, float32 or float64.
        y: Points to bring it to, shape `(m, d)`.
        a: Masses of x, shape `(n,)`; 1/n each if `None`. Zeros are exact.
        b: Masses of y, shape `(m,)`, with the same total; 1/m each if `None`. Nothing is normalised.
        eps: The price of information, in the unit of the prices. Smaller values need more iterations.
        metric: The price of one unit of mass: `"sqeuclidean"`, the squared distance, or `"euclidean"`.
        tol: Stop when the residual is at most this.
        max_iter: Stop after so many iterations. The enclosure still holds, and `converged` is False.
        implementation: "torch" computes in float64. "triton" is one GPU kernel, which computes in the dtype of
            the inputs. "auto" takes "triton" for CUDA tensors where it is installed, and "torch" elsewhere.

    Returns:
        The potentials, the entropic cost with its gradients, and how far the iteration got; on request the
        cost of the plan, an enclosure of the exact cost, and the plan applied to values.

    Raises:
        ValueError: If a mass is negative, all are zero, totals differ (by more than 1e-9 of the mass, 1e-6 in
            float32), shapes do not fit, an entry is not finite, an option is out of range, or "triton" is
            asked for on a device that it does not run on.
        TypeError: If an input is not a float32 or float64 tensor, or dtypes or devices are mixed.
        ImportError: If "triton" is asked for and not installed.

    Source:
        J. Feydy, Geometric data analysis, beyond convolutions, PhD thesis, 2020, for sums over pairs without
        their matrix; M. Milakov and N. Gimelshein, Online normalizer calculation for softmax, 2018, for the
        running maximum; those of `sinkhorn`.

    Example:
        >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [3.0]])
        >>> result = sinkhorn_points(x, y, eps=0.1)
        >>> print(f"{result.cost:.4f}, from {result.enclosure.lower:.4f} to {result.enclosure.upper:.4f}")
        4.0000, from 4.0000 to 4.0000
        >>> result.barycenters(y)
        tensor([[2.0000],
                [3.0000]])
    """
    x, y, a, b = _checked_clouds(x, y, a, b)
    check_options(eps, tol, max_iter)
    if metric not in ("sqeuclidean", "euclidean"):
        raise ValueError(f"metric must be 'sqeuclidean' or 'euclidean', got {metric!r}")
    with torch.no_grad():
        middle = torch.cat([x, y]).double().mean(0)
        points_x, points_y = x.double() - middle, y.double() - middle
        largest = _largest(points_x, points_y, metric)
        if not largest <= torch.finfo(x.dtype).max:
            raise ValueError(f"prices up to {largest} overflow; divide x and y by a common factor")
        masses = a.detach().double(), b.detach().double()
        sums = _implementation(implementation, x.dtype, x.device)
        levels = schedule(largest, eps, tol)
        found = balance_points(points_x, points_y, *masses, metric, levels, max_iter, sums)
    plan = StreamedPlan(points_x, points_y, *masses, found.f, found.g, eps, metric)
    return SinkhornPointsResult(
        entropic_cost=_StreamedValue.apply(x, y, a, b, plan),  # type: ignore[no-untyped-call]
        potentials=(found.f, found.g),
        residual=found.residual,
        converged=found.residual <= tol,
        iterations=found.iterations,
        plan=plan,
    )


class _StreamedValue(torch.autograd.Function):
    """The entropic cost, whose derivatives are sums over the plan and the potentials."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, _y: Tensor, _a: Tensor, _b: Tensor, plan: StreamedPlan) -> Tensor:
        ctx.plan, ctx.dtype = plan, x.dtype
        return (plan.a @ plan.f + plan.b @ plan.g).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        slopes = *ctx.plan.slopes(), ctx.plan.f, ctx.plan.g
        return *(grad * slope.to(ctx.dtype) for slope in slopes), None


class BalancedPoints(NamedTuple):
    """Potentials of a plan with the right column sums."""

    f: Tensor
    g: Tensor
    residual: float  # how far the row sums are off, as a share of the mass
    iterations: int


def balance_points(
    x: Tensor,
    y: Tensor,
    a: Tensor,
    b: Tensor,
    metric: str,
    levels: list[tuple[float, float]],
    max_iter: int,
    sums: LogSums,
) -> BalancedPoints:
    """Balance for each eps and residual of the levels, each time from the last potentials.

    For one eps the potentials f and g stand still, and u and v, which begin at 0, are the logarithms of what
    rows and columns are multiplied by. So rounding in the exponents stays the same, and does no harm.
    """
    share_a, share_b = a / a.sum(), b / b.sum()
    log_a, log_b = share_a.log(), share_b.log()
    g, iterations = torch.zeros_like(b), 0
    for eps, tol in levels:
        f = -eps * sums(x, y, torch.zeros_like(a), g, log_b, eps, metric)
        g = -eps * sums(y, x, torch.zeros_like(b), f, log_a, eps, metric)
        u, v, rows = torch.zeros_like(a), torch.zeros_like(b), sums(x, y, f, g, log_b, eps, metric)
        omega, before, block = torch.ones_like(a[:1]), math.inf, 1
        while True:
            residual = ((log_a + rows).exp() - share_a).abs().sum()
            if residual <= tol or iterations >= max_iter:
                break
            omega = best_omega(omega, (residual / before) ** (1 / block))
            before, block = residual.item(), min(block_length(omega), max_iter - iterations)
            for left in reversed(range(block)):
                u = u - relaxed(rows, share_a, omega)
                columns = v + sums(y, x, g, f, log_a + u, eps, metric)
                relaxation = omega if left else torch.ones_like(omega)  # the last one makes the columns exact
                v = v - relaxed(columns, share_b, relaxation)
                rows = u + sums(x, y, f, g, log_b + v, eps, metric)
            iterations += block
        f, g = f + eps * torch.where(a > 0, u, u - rows), g + eps * v  # rows without mass are made exact
    return BalancedPoints(f, g, residual.item(), iterations)


def _implementation(name: str, dtype: torch.dtype, device: torch.device) -> LogSums:
    """Choose what computes the sums; Triton is imported only where it is asked for, or there is a GPU for it."""
    if name not in ("auto", "torch", "triton"):
        raise ValueError(f"implementation must be 'auto', 'torch' or 'triton', got {name!r}")
    if name == "torch" or (name == "auto" and device.type != "cuda"):
        return log_sums
    try:
        by_kernel = pkgutil.resolve_name("mlnotes2.transport._sinkhorn_triton:log_sums_by_kernel")
    except ImportError as error:
        if name == "auto":
            return log_sums
        raise ImportError(
            "implementation='triton' needs mlnotes2 and triton, pip install triton; or take 'torch'"
        ) from error
    return partial(by_kernel, dtype=dtype)


def _checked_clouds(x: Any, y: Any, a: Any | None, b: Any | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return points and masses, equal ones if none are given, or say what is wrong with them."""
    check_tensors(x=x, y=y)
    if not x.ndim == y.ndim == 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            f"x and y must have shapes (n, d) and (m, d), got {tuple(x.shape)} and {tuple(y.shape)}; "
            "for a batch call once for each pair of clouds"
        )
    a = x.new_full((len(x),), 1 / len(x)) if a is None else a
    b = y.new_full((len(y),), 1 / len(y)) if b is None else b
    check_tensors(x=x, a=a, b=b)
    if a.shape != x.shape[:1] or b.shape != y.shape[:1]:
        raise ValueError(
            f"a and b must have a mass for each point, shapes ({len(x)},) and ({len(y)},), "
            f"got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    check_masses(a, b)
    return x, y, a, b


def _largest(x: Tensor, y: Tensor, metric: str) -> float:
    """The price across the box that holds all points."""
    corners = torch.cat([x, y]).aminmax(dim=0)
    return pair_costs(metric, corners.min[None], corners.max[None]).item()
