"""Entropic optimal transport by Sinkhorn's iteration, with bounds of the exact cost."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor
from torch.autograd.function import once_differentiable

from .._enclosure import Enclosure
from ._rounding import bounds, rounded
from ._scaling import balance, log_step
from ._tensors import check_masses, check_options, check_tensors


@dataclass(frozen=True, eq=False)
class SinkhornResult:
    r"""An entropic plan, and what it says about the exact cost; leading axes are those of the inputs.

    Args:
        plan: Column sums `b`, row sums `a` but for the residual. Its gradient is that of the minimiser, by
            implicit differentiation.
        cost: What this plan costs, $\sum_{ij} \gamma_{ij} c_{ij}$.
        entropic_cost: The least value of the entropic problem. Its gradient is, by the envelope theorem, the
            plan for `cost` and the potentials for `a` and `b`.
        potentials: f and g with $\gamma_{ij} = \frac{1}{M} a_i b_j \exp((f_i + g_j - c_{ij}) / \varepsilon)$; without
            gradient.
        residual: The share of the mass in wrong rows, $\frac{1}{M} \sum_i |\sum_j \gamma_{ij} - a_i|$.
        converged: Whether the residual is at most `tol`.
        iterations: Of rows and columns, over all values of eps.
        problem: The masses `a` and `b` and the costs, without gradient.
    """

    plan: Float[Tensor, "*batch n m"]
    cost: Float[Tensor, "*batch"]
    entropic_cost: Float[Tensor, "*batch"]
    potentials: tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch m"]]
    residual: Float[Tensor, "*batch"]
    converged: Bool[Tensor, "*batch"]
    iterations: int

    problem: tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch m"], Float[Tensor, "*batch n m"]]

    @cached_property
    def rounded_plan(self) -> Float64[Tensor, "*batch n m"]:
        """A plan close by with both sums right, to the precision of float64."""
        a, b, _ = self.problem
        return rounded(self.plan.detach().double(), a.double(), b.double())

    @cached_property
    def bounds(self) -> tuple[Float64[Tensor, "*batch"], Float64[Tensor, "*batch"]]:
        r"""Two bounds of the exact cost $\min_\gamma \sum_{ij} \gamma_{ij} c_{ij}$ that allow for rounding.

        The lower one is proved by potentials, the upper one is what `rounded_plan` costs.
        """
        a, b, cost = (part.double() for part in self.problem)
        return bounds(a, b, cost, self.rounded_plan, self.potentials[0].double())

    @property
    def enclosure(self) -> Enclosure:
        """The bounds of a single problem; the witness is the lower one's potential of the rows."""
        lower, upper = self.bounds
        if lower.ndim:
            raise ValueError(
                f"an enclosure is of one problem, got a batch of shape {tuple(lower.shape)}; use bounds"
            )
        return Enclosure(lower.item(), upper.item(), self.potentials[0])


def sinkhorn(
    a: Float[Tensor, "*#batch n"],
    b: Float[Tensor, "*#batch m"],
    cost: Float[Tensor, "*#batch n m"],
    *,
    eps: float,
    tol: float = 1e-5,
    max_iter: int = 10_000,
) -> SinkhornResult:
    r"""Find the entropic plan, $\argmin_\gamma \sum_{ij} \gamma_{ij} c_{ij} + \varepsilon \KL(\gamma \| a b^\top / M)$.

    The plans $\gamma$ have row sums a and column sums b, of total mass M, and
    $\KL(\gamma \| \pi) = \sum_{ij} \gamma_{ij} \log(\gamma_{ij} / \pi_{ij})$. Sinkhorn's iteration scales the rows and
    the columns of $\frac{1}{M} a_i b_j e^{-c_{ij} / \varepsilon}$ in turn until their sums are right. Here it starts
    with a large eps, is overrelaxed, and the potentials take the scalings in before one overflows.

    Args:
        a: Masses to take away, shape `(*batch, n)`, float32 or float64. Zeros are exact.
        b: Masses to put down, shape `(*batch, m)`, with the same total; nothing is normalised.
        cost: Price per unit of mass, shape `(*batch, n, m)`. All leading axes are broadcast.
        eps: The price of information, in the unit of `cost`. Smaller values need more iterations.
        tol: Stop when the residual of all problems is at most this.
        max_iter: Stop after so many iterations. The bounds still hold, and `converged` is False.

    Returns:
        The plan, its costs, and how far the iteration got, with device and dtype of the inputs; on request
        the bounds of the exact cost. Gradients are first derivatives only.

    Raises:
        ValueError: If a mass is negative, all are zero, totals differ (by more than 1e-9 of the mass, 1e-6 in
            float32), shapes do not fit, an entry is not finite, or an option is out of range.
        TypeError: If an input is not a float32 or float64 tensor, or dtypes or devices are mixed.

    Source:
        M. Cuturi, Sinkhorn Distances, NeurIPS 2013; B. Schmitzer, Stabilized Sparse Scaling Algorithms for
        Entropy Regularized Transport Problems, SIAM J. Sci. Comput. 41, 2019; A. Thibault et al.,
        Overrelaxed Sinkhorn-Knopp Algorithm for Regularized Optimal Transport, Algorithms 14, 2021.

    Example:
        >>> a, b = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
        >>> result = sinkhorn(a, b, torch.tensor([[0.0, 1.0], [1.0, 0.0]]), eps=0.1)
        >>> print(f"{result.cost:.4f}, from {result.enclosure.lower:.4f} to {result.enclosure.upper:.4f}")
        0.2500, from 0.2327 to 0.2500
    """
    a, b, cost = checked(a, b, cost)
    check_options(eps, tol, max_iter)
    with torch.no_grad():
        plan, f, g, residual, iterations = balance(a, b, cost, eps, tol, max_iter)
    entropic_cost = _Value.apply(a, b, cost, f, g, plan)  # type: ignore[no-untyped-call]
    plan = _Plan.apply(a, b, cost, f, g, plan, eps)  # type: ignore[no-untyped-call]
    return SinkhornResult(
        plan=plan,
        cost=(plan * cost).sum((-2, -1)),
        entropic_cost=entropic_cost,
        potentials=(f, g),
        residual=residual,
        converged=residual <= tol,
        iterations=iterations,
        problem=(a.detach(), b.detach(), cost.detach()),
    )


class _Value(torch.autograd.Function):
    """The entropic cost, whose derivatives are the potentials and the plan."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, _: Tensor, f: Tensor, g: Tensor, plan: Tensor) -> Tensor:
        ctx.save_for_backward(f, g, plan)
        return (a * f).sum(-1) + (b * g).sum(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        f, g, plan = ctx.saved_tensors
        return grad[..., None] * f, grad[..., None] * g, grad[..., None, None] * plan, None, None, None


class _Plan(torch.autograd.Function):
    """The plan, whose derivatives follow from the equations for its sums: one linear system."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, cost: Tensor, f: Tensor, g: Tensor, plan: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(a, b, cost, f, g, plan)
        ctx.eps = eps
        return plan.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        a, b, cost, f, g, plan = ctx.saved_tensors
        # Shares of each row, and of each column; they are defined without mass too.
        rows = log_step(torch.ones_like(a), b, cost, g, ctx.eps)[1]
        columns = log_step(torch.ones_like(b), a, cost.mT, f, ctx.eps)[1]
        alpha, beta = (rows * grad).sum(-1), (columns * grad.mT).sum(-1)
        # alpha + rows @ beta and columns @ alpha + beta are known; a constant may move from one to the other.
        matrix = torch.eye(b.shape[-1]).to(b) - columns @ rows + (b / b.sum(-1, keepdim=True))[..., None, :]
        beta = torch.linalg.solve(matrix, beta - (columns @ alpha[..., None]).squeeze(-1))
        alpha = alpha - (rows @ beta[..., None]).squeeze(-1)
        slope = plan * (alpha[..., None] + beta[..., None, :] - grad) / ctx.eps
        return alpha, beta, slope, None, None, None, None


def checked(a: Tensor, b: Tensor, cost: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the inputs with one batch shape, or say what is wrong with them."""
    check_tensors(a=a, b=b, cost=cost)
    shapes = tuple(a.shape), tuple(b.shape), tuple(cost.shape)
    if not (a.ndim and b.ndim) or shapes[2][-2:] != (shapes[0][-1], shapes[1][-1]):
        raise ValueError(
            f"cost must have shape (..., n, m) for a of (..., n) and b of (..., m), got {shapes}"
        )
    try:
        batch = torch.broadcast_shapes(a.shape[:-1], b.shape[:-1], cost.shape[:-2])
    except RuntimeError:
        raise ValueError(f"the leading axes of a, b and cost must fit, got the shapes {shapes}") from None
    check_masses(a, b)
    n, m = cost.shape[-2:]
    return a.expand(*batch, n), b.expand(*batch, m), cost.expand(*batch, n, m)
