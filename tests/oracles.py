"""What other libraries and written-out loops say, with their conventions noted."""

import math

import numpy as np
import ot
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import wasserstein_distance

# Transport


def pot_emd(a: NDArray, b: NDArray, cost: NDArray) -> float:
    """POT's network simplex; it rescales b to the mass of a without a word."""
    return float(ot.emd2(a, b, cost))


def linprog_emd(a: NDArray, b: NDArray, cost: NDArray) -> float:
    """SciPy's HiGHS on the primal linear program; the last equation, which the others imply, is left out."""
    n, m = cost.shape
    sums = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return float(linprog(cost.ravel(), A_eq=sums[:-1], b_eq=np.concatenate([a, b])[:-1]).fun)


def scipy_wasserstein(x: NDArray, y: NDArray, a: NDArray | None, b: NDArray | None) -> float:
    """SciPy's area between the two distribution functions; it normalises a and b each to mass 1."""
    return float(wasserstein_distance(x, y, a, b))


# Attention


def additive_attention_loops(query, key, value, w, mask):
    """Additive attention of one problem in Python floats: lists in, lists (context, weights) out."""
    context, weights = [], []
    for q, allowed in zip(query, mask, strict=True):
        exponentials = [
            math.exp(sum(c * math.tanh(a + b) for a, b, c in zip(q, k, w, strict=True))) if ok else 0.0
            for k, ok in zip(key, allowed, strict=True)
        ]
        weights.append([e / math.fsum(exponentials) for e in exponentials])
        context.append(
            [
                math.fsum(a * v for a, v in zip(weights[-1], column, strict=True))
                for column in zip(*value, strict=True)
            ]
        )
    return context, weights


def scaled_dot_product_attention(query, key, value, mask):
    """PyTorch's own; its boolean mask too is True where a query may attend, and its scale is 1 / sqrt(h)."""
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
