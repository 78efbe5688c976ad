"""Scale the rows and columns of a matrix in turn until their sums are right: the loop inside `sinkhorn`."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

FACTOR = 16  # from one eps to the next smaller one
EARLY = 1e-2  # the residual that is small enough for an eps that is not the last


class Balanced(NamedTuple):
    """A plan with the right column sums and its potentials: a b / total * exp((f + g - cost) / eps)."""

    plan: Tensor
    f: Tensor
    g: Tensor
    residual: Tensor  # how far the row sums are off, as a share of the mass
    iterations: int


def balance(a: Tensor, b: Tensor, cost: Tensor, eps: float, tol: float, max_iter: int) -> Balanced:
    """Balance for smaller and smaller eps, each time from the last potentials, down to the one wanted."""
    spread = (cost.amax() - cost.amin()).item()
    g, iterations = torch.zeros_like(b), 0
    for level, goal in schedule(spread, eps, tol):
        found = balance_at(a, b, cost, g, level, goal, max_iter - iterations)
        g, iterations = found.g, iterations + found.iterations
    f = found.f
    if min(a.min(), b.min()) == 0:  # nothing was scaled there
        f = torch.where(a > 0, f, log_step(a, b, cost, g, eps)[0])
        g = torch.where(b > 0, g, log_step(b, a, cost.mT, f, eps)[0])
    return found._replace(f=f, g=g, iterations=iterations)


def schedule(spread: float, eps: float, tol: float) -> list[tuple[float, float]]:
    """The values of eps, from about the spread of the costs down to the one wanted, and the residual for each."""
    levels = max(0, math.floor(math.log(spread / eps, FACTOR))) if spread else 0
    early = [(eps * FACTOR**level, max(tol, EARLY)) for level in range(levels, 0, -1)]
    return [*early, (eps, tol)]


def balance_at(
    a: Tensor, b: Tensor, cost: Tensor, g: Tensor, eps: float, tol: float, max_iter: int
) -> Balanced:
    """Balance for one eps by products of a matrix and a vector: the plan is u_i K_ij v_j.

    K is itself a plan, of the potentials f and g. They take v in, and K is made anew, when u or v leave the
    range in which K may be rounded to 0. The residual is measured after blocks of overrelaxed iterations,
    which are longer where the iteration is slow.
    """
    total = a.sum(-1)
    limit = -math.log(torch.finfo(a.dtype).tiny) / 3
    omega, before = torch.ones_like(a[..., :1]), torch.full_like(total, math.inf)
    iterations, block = 0, 1
    f, g, K = both_log_steps(a, b, cost, g, eps)
    u, v, rows = torch.ones_like(a), torch.ones_like(b), K.sum(-1)
    while True:
        log_u, log_v = u.log(), v.log()
        if not max(log_u.abs().max(), log_v.abs().max()) < limit:
            sound = log_v.isfinite().all(-1, keepdim=True)
            f, g, K = both_log_steps(a, b, cost, g + eps * torch.where(sound, log_v, 0), eps)
            u, v, rows = torch.ones_like(a), torch.ones_like(b), K.sum(-1)
            log_u, log_v = u.log(), v.log()
        residual = (rows - a).abs().sum(-1) / total
        if (residual <= tol).all() or iterations >= max_iter:
            plan = u[..., None] * K * v[..., None, :]
            return Balanced(plan, f + eps * log_u, g + eps * log_v, residual, iterations)
        omega = best_omega(omega, (residual / before)[..., None] ** (1 / block))
        before = residual
        block = min(block_length(omega), max_iter - iterations)
        for left in reversed(range(block)):
            u = scaled(u, rows, a, omega)
            relaxation = omega if left else torch.ones_like(omega)  # the last one makes the columns exact
            v = scaled(v, v * times(K.mT, u), b, relaxation)
            rows = u * times(K, v)
        iterations += block


def both_log_steps(
    a: Tensor, b: Tensor, cost: Tensor, g: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """One iteration with logarithms, which never overflow: the potentials and the plan."""
    f, _ = log_step(a, b, cost, g, eps)
    g, plan = log_step(b, a, cost.mT, f, eps)
    return f, g, plan.mT


def log_step(a: Tensor, b: Tensor, cost: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """f_i = -eps log sum_j b_j / total exp((g_j - cost_ij) / eps), and its plan, which has the row sums a."""
    unit = eps * math.log(2)  # powers of 2 are found faster than those of e, above all where they underflow
    z = (g[..., None, :] - cost).div_(unit).add_((b / b.sum(-1, keepdim=True)).log2()[..., None, :])
    top = z.amax(-1, keepdim=True)
    sums = z.sub_(top).exp2_().sum(-1, keepdim=True)
    return -unit * (top + sums.log2()).squeeze(-1), z.mul_(a[..., None] / sums)


def times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector[..., None]).squeeze(-1)


def scaled(u: Tensor, sums: Tensor, a: Tensor, omega: Tensor) -> Tensor:
    """Divide u by (sums / a)^omega, or by sums / a where the dual objective would not rise."""
    return u * torch.exp(-relaxed(torch.where(a > 0, sums / a, 1).log(), a, omega))


def relaxed(log: Tensor, a: Tensor, omega: Tensor) -> Tensor:
    """Return omega times the logarithms of sums / a, or once where the dual objective would not rise."""
    rise = (a * (log.expm1() - torch.expm1((1 - omega) * log) - omega * log)).sum(-1, keepdim=True)
    return torch.where(rise > 0, omega, 1) * log


def best_omega(omega: Tensor, rate: Tensor) -> Tensor:
    """Young's: the rate seen with omega betrays that of the plain iteration, and this the best omega.

    A rate of at most omega - 1 says that omega was too large. Steps up are limited: early rates mislead.
    """
    plain = ((rate + omega - 1) / omega) ** 2 / rate
    best = 2 / (1 + (1 - plain.clamp(max=1 - 1e-6)).sqrt())
    slow = (omega - 1 < rate) & (rate < 1)
    return torch.where(slow, torch.minimum(best, 1 + omega / 2), (1.5 * omega - 1).clamp(min=1))


def block_length(omega: Tensor) -> int:
    """How many iterations to make before the rate is measured: more where it is slow."""
    return min(max(10, int(4 / (2 - omega.max().item()))), 200)
