"""The norm of a large matrix: found by Lanczos iteration, and proved by one Cholesky factorisation."""

import math

import torch
from torch import Tensor

CHUNK = 256


def by_cholesky(unit: Tensor, tol: float) -> tuple[Tensor, float]:
    """A unit vector that the matrix stretches much, and a bound that is a little more, or inf."""
    single = unit.float()
    v = ritz_vector(single, tol).double()
    v = v / torch.linalg.vector_norm(v)
    stretch = torch.linalg.vector_norm(unit @ v).item()
    level, bound = (1 + tol / 3) * stretch, math.inf
    if gram_rounding(single, magnitude(single)) <= tol * stretch**2 and keeps_digits(single.device):
        bound = bound_above(single, level)  # the tolerance pays for float32
    return v, bound if bound <= (1 + 0.99 * tol) * stretch else bound_above(unit, level)


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
            if ended or values[-1] <= (1 + tol / 10) * best:
                longest: Tensor = Q.mT @ vectors[:, -1]
                return longest
            best = values[-1].item()
        Q, images = torch.cat([Q, v[None] / rest]), torch.cat([images, (W @ v / rest)[None]])
        v = W.mT @ images[-1]


def bound_above(W: Tensor, level: float) -> float:
    """`level` and what was rounded away, if level^2 I - W'W has a Cholesky factorisation L L'; else inf.

    By Higham's lemma 8.4 what is computed is exact but for a matrix that is nowhere larger than a few roundings of
    |W|'|W| + |L| |L'| + level^2 I: as many as a number takes part in, so it pays to add up `CHUNK` numbers at a time.
    """
    d = W.shape[1]
    L = W.new_zeros(d, d)
    for start in range(0, d, CHUNK):
        own = slice(start, start + CHUNK)
        block = L[start:, own]
        for rows in W.split(CHUNK):
            block -= rows[:, start:].mT @ rows[:, own]
        block.diagonal().add_(level**2)
        for done in L[:, :start].split(CHUNK, dim=1):
            block -= done[start:] @ done[own].mT
        corner, failed = torch.linalg.cholesky_ex(block[:CHUNK])
        if failed:
            return math.inf
        block[:CHUNK] = corner
        block[CHUNK:] = torch.linalg.solve_triangular(corner.mT, block[CHUNK:], upper=True, left=False)
    return math.sqrt(level**2 + gram_rounding(W, magnitude(W) + magnitude(L.mT) + level**2))


def gram_rounding(W: Tensor, sum_of_sizes: float) -> float:
    """At most so much is rounded away from numbers of this total size."""
    return (CHUNK + sum(W.shape) // CHUNK + 8) * torch.finfo(W.dtype).eps / 2 * sum_of_sizes


def magnitude(W: Tensor) -> float:
    """A bound on the norm of |W|'|W|: the largest sum of a row."""
    size = W.abs()
    return 1.01 * (size.mT @ size.sum(1)).max().item()


def keeps_digits(device: torch.device) -> bool:
    """Whether products of float32 keep all digits: PyTorch can be told to drop some (TF32, bfloat16)."""
    probe = torch.full((64, 64), 1 + 2**-20, dtype=torch.float32, device=device)
    return torch.equal(probe @ torch.eye(64, dtype=torch.float32, device=device), probe)
