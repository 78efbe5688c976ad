"""A plan that is almost one made one, and two bounds of the exact cost from it and its potentials."""

import torch
from torch import Tensor


def rounded(plan: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Give an almost-plan the sums a and b; changes it by at most 3/2 of what was wrong in all sums."""
    rows = plan.sum(-1)
    plan = plan * torch.where(rows > a, a / rows, 1)[..., None]
    columns = plan.sum(-2)
    plan = plan * torch.where(columns > b, b / columns, 1)[..., None, :]
    missing_a, missing_b = (a - plan.sum(-1)).clamp(min=0), (b - plan.sum(-2)).clamp(min=0)
    share = missing_b / missing_b.sum(-1, keepdim=True).clamp(min=torch.finfo(b.dtype).tiny)
    return plan + missing_a[..., None] * share[..., None, :]


def bounds(a: Tensor, b: Tensor, cost: Tensor, plan: Tensor, f: Tensor) -> tuple[Tensor, Tensor]:
    """Bound the exact cost: below by potentials that f is made into, above by a plan; all are float64.

    What float64 may have rounded away, and the difference of the totals of a and b, widen the bounds.
    """
    g = (cost - torch.where(a > 0, f, -torch.inf)[..., None]).amin(-2)
    f = (cost - g[..., None, :]).amin(-1)
    largest = cost.abs().amax((-2, -1)) + f.abs().amax(-1) + g.abs().amax(-1)
    slack = largest * slack_of_masses(a, b)
    lower = (a * f).sum(-1) + (b * g).sum(-1) - slack
    return lower, (plan * cost).sum((-2, -1)) + slack


def slack_of_masses(a: Tensor, b: Tensor) -> Tensor:
    """By how much a sum over all pairs of mass times a number of at most 1 may be wrong."""
    rounding = 8 * (a.shape[-1] + b.shape[-1]) * torch.finfo(a.dtype).eps
    return rounding * a.sum(-1) + (a.sum(-1) - b.sum(-1)).abs()
