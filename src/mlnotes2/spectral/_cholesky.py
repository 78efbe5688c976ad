"""The norm of a large matrix: found by Lanczos iteration, and proved by one Cholesky factorisation."""

import torch
from torch import Tensor


def by_cholesky(unit: Tensor, tol: float, slack: float) -> tuple[Tensor, Tensor]:
    """A unit vector that the matrix stretches much, and a little more than that, or inf if that is no bound."""
    v = ritz_vector(unit.float(), tol).double()
    v = v / torch.linalg.vector_norm(v)
    top = (1 + 0.9 * tol) * torch.linalg.vector_norm(unit @ v)
    return v, top if is_bound(unit, top.item(), tol, slack) else torch.full_like(top, torch.inf)


def ritz_vector(W: Tensor, tol: float) -> Tensor:
    """Lanczos: of all combinations of v, W'W v, (W'W)^2 v, ... the one that W stretches most."""
    v = W[torch.linalg.vector_norm(W, dim=1).argmax()]
    Q, images, best = W.new_empty(0, W.shape[1]), W.new_empty(0, W.shape[0]), 0.0
    while True:
        length = torch.linalg.vector_norm(v).item()
        for _ in range(2):  # once more, for what rounding has left
            v = v - Q.mT @ (Q @ v)
        rest = torch.linalg.vector_norm(v).item()
        ended = rest <= 1e-6 * length or len(Q) == 128  # W maps what is spanned to itself, or it is enough
        if ended or (len(Q) and len(Q) % 8 == 0):
            values, vectors = torch.linalg.eigh(images @ images.mT)
            if ended or values[-1] <= (1 + tol / 2) * best:
                longest: Tensor = Q.mT @ vectors[:, -1]
                return longest
            best = values[-1].item()
        Q, images = torch.cat([Q, v[None] / rest]), torch.cat([images, (W @ v / rest)[None]])
        v = W.mT @ images[-1]


def is_bound(unit: Tensor, top: float, tol: float, slack: float) -> bool:
    """Whether top^2 I - W'W, less what rounding may amount to, has a Cholesky factorisation; d >= 1 columns."""
    d, size = unit.shape[1], 256
    room = slack + 4 * d * (d + 8) * torch.finfo(torch.float64).eps * top**2
    single = unit.float()
    rounded = single_slack(single, size)
    if rounded <= tol * top**2 / 2 and keeps_digits(single, size):  # the tolerance pays for float32
        unit, room = single, room + rounded
    matrix = unit.new_zeros(d, d)
    for start in range(0, d, size):  # the upper triangle is not needed
        for rows in unit.split(size):
            block = rows[:, start : start + size]
            matrix[start:, start : start + size].addmm_(rows[:, start:].mT, block, alpha=-1)
    matrix = matrix.double()
    matrix.diagonal().add_(top**2 - room)
    return not torch.linalg.cholesky_ex(matrix).info.item()


def single_slack(W: Tensor, size: int) -> float:
    """What float32 may round in W'W, in the spectral norm, if `size` rows at a time are multiplied and added up."""
    terms, magnitude = size + len(W) // size + 8, W.abs()
    return terms * torch.finfo(W.dtype).eps / 2 * 1.001 * (magnitude.mT @ magnitude.sum(1)).max().item()


def keeps_digits(W: Tensor, size: int) -> bool:
    """Whether products of float32 keep all digits: PyTorch can be told to drop some (TF32, bfloat16)."""
    probe = torch.full_like(W[:size, :size], 1 + 2**-20)
    return torch.equal(probe @ torch.eye(probe.shape[1]).to(W), probe)
