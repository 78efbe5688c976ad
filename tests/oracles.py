"""What other libraries and written-out loops say, with their conventions noted."""

import itertools
import math
import operator

import mpmath
import numpy as np
import ot
import torch
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.linalg import sqrtm
from scipy.optimize import linprog
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr, wrightomega
from scipy.stats import norm, power_divergence, wasserstein_distance

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
        scores = [sum(c * math.tanh(a + b) for a, b, c in zip(q, k, w, strict=True)) for k in key]
        exponentials = [math.exp(e) if ok else 0.0 for e, ok in zip(scores, allowed, strict=True)]
        weights.append([e / math.fsum(exponentials) for e in exponentials])
        columns = zip(*value, strict=True)
        context.append([math.fsum(map(operator.mul, weights[-1], column)) for column in columns])
    return context, weights


def scaled_dot_product_attention(query, key, value, mask):
    """PyTorch's own; its boolean mask too is True where a query may attend, and its scale is 1 / sqrt(h)."""
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


# Divergences


def kl_scipy(p: NDArray, q: NDArray) -> float:
    """SciPy's terms p log(p/q) with the same zeros; their sum may be a rounding error below 0."""
    return float(rel_entr(p, q).sum())


def js_scipy(p: NDArray, q: NDArray) -> float:
    """SciPy returns the square root, in nats, with the halves; NaN where rounding makes the sum negative, here 0."""
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(jensenshannon(p, q))) ** 2


def chi2_scipy(p: NDArray, q: NDArray) -> float:
    """The statistic of the goodness-of-fit test, with p observed and q expected."""
    return float(power_divergence(p, q, lambda_="pearson").statistic)


def jeffreys_conjugate_scipy(t: NDArray) -> NDArray:
    """Nowozin et al. (2016): w + 1/w + t - 2 with w = W(e^(1 - t)), the Wright omega function of 1 - t."""
    w = wrightomega(1 - t)
    return np.asarray(w + 1 / w + t - 2)


def gaussian_kl_torch(mean_p: NDArray, cov_p: NDArray, mean_q: NDArray, cov_q: NDArray) -> float:
    """PyTorch's closed form, by Cholesky factors: covariances must be regular."""
    normal = torch.distributions.MultivariateNormal
    p, q = (normal(torch.as_tensor(m), torch.as_tensor(c)) for m, c in ((mean_p, cov_p), (mean_q, cov_q)))
    return float(torch.distributions.kl_divergence(p, q))


def gaussian_w2_scipy(mean_p: NDArray, cov_p: NDArray, mean_q: NDArray, cov_q: NDArray) -> float:
    """The textbook formula with matrix square roots; it loses half of the digits when both are close."""
    root = sqrtm(cov_q)
    middle = np.real(sqrtm(root @ cov_p @ root))
    square = ((mean_p - mean_q) ** 2).sum() + np.trace(cov_p + cov_q - 2 * middle)
    return math.sqrt(max(square, 0))


def gaussian_kl_quadrature(mean_p: float, std_p: float, mean_q: float, std_q: float) -> float:
    """The integral of p log(p/q) over 12 standard deviations, in one dimension."""
    p, q = norm(mean_p, std_p), norm(mean_q, std_q)
    reach = 12 * std_p
    value, _ = quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), mean_p - reach, mean_p + reach)
    return float(value)


def gaussian_divergence(name: str, mean: float, std: float) -> float:
    """The f-divergence between N(0, 1) and N(mean, std^2), by SciPy's adaptive quadrature of its textbook formula."""
    p, q = norm(0, 1), norm(mean, std)
    formulas = {
        "KL": lambda p, q: rel_entr(p, q),
        "REVERSE_KL": lambda p, q: rel_entr(q, p),
        "JEFFREYS": lambda p, q: rel_entr(p, q) + rel_entr(q, p),
        "PEARSON": lambda p, q: (p - q) ** 2 / q,
        "JS": lambda p, q: (rel_entr(p, (p + q) / 2) + rel_entr(q, (p + q) / 2)) / 2,
        "GAN": lambda p, q: rel_entr(p, p + q) + rel_entr(q, p + q),
        "HELLINGER": lambda p, q: (p**0.5 - q**0.5) ** 2 / 2,
        "TV": lambda p, q: abs(p - q) / 2,
    }
    value, _ = quad(lambda x: formulas[name](p.pdf(x), q.pdf(x)), -11, 11, limit=400, epsabs=1e-9)
    return float(value)


# Lipschitz


def steepest_slope_of_polynomial(coefficients: list[int], low: float, high: float) -> float:
    """The largest |f'| on [low, high], at an end or where f'' = 0; coefficients begin with the constant."""
    slope = np.polynomial.Polynomial(coefficients).deriv()
    turns = slope.deriv().roots()
    real = turns.real[abs(turns.imag) < 1e-6]  # a double root splits into a pair this close to the axis
    return float(abs(slope(np.array([low, high, *np.clip(real, low, high)]))).max())


# Spectral


def spectral_norm_mpmath(matrix: NDArray) -> mpmath.mpf:
    """The largest singular value to 50 digits, by mpmath's own singular value decomposition."""
    with mpmath.workdps(50):
        return max(mpmath.svd_r(mpmath.matrix(matrix.tolist()), compute_uv=False))


def spectral_norm_svd(matrix: torch.Tensor) -> float:
    """LAPACK in float64; its rounding error is a few units of 1e-16 times the norm and the root of the size."""
    return float(torch.linalg.matrix_norm(matrix.detach().double(), 2))


def convolution_matrix(kernel: torch.Tensor, size: int, mode: str) -> torch.Tensor:
    """The matrix of a stride-1 convolution on size x size images, padded to keep the size, a column a pixel."""
    channels, reach = kernel.shape[1], kernel.shape[2] // 2
    images = torch.eye(channels * size * size, dtype=kernel.dtype).reshape(-1, channels, size, size)
    padded = torch.nn.functional.pad(images, (reach,) * 4, mode=mode)
    return torch.nn.functional.conv2d(padded, kernel).flatten(1).T


def convolution_operator(
    kernel: torch.Tensor, size, mode: str, stride=1, dilation=1, groups: int = 1
) -> torch.Tensor:
    """The matrix of PyTorch's convolution of images of any size, padded as by its padding="same", a column a pixel."""
    axes = kernel.ndim - 2
    spread = (dilation,) * axes if isinstance(dilation, int) else dilation
    reach = [e * (k - 1) for e, k in zip(spread, kernel.shape[2:], strict=True)]
    sides = [side for r in reversed(reach) for side in (r // 2, r - r // 2)]
    channels = kernel.shape[1] * groups
    images = torch.eye(channels * math.prod(size), dtype=kernel.dtype).reshape(-1, channels, *size)
    padded = torch.nn.functional.pad(images, sides, mode="circular" if mode == "circular" else "constant")
    convolve = torch.nn.functional.conv1d if axes == 1 else torch.nn.functional.conv2d
    return convolve(padded, kernel, None, stride, 0, dilation, groups).flatten(1).T


# Lipschitz constants of networks


def relu_layer_constant(W: NDArray, b: NDArray, V: NDArray) -> float:
    """The constant of V relu(W x + b): the largest norm of V D W over those patterns D that some x has."""
    largest = 0.0
    for on in itertools.product([0, 1], repeat=len(W)):
        sign = 2.0 * np.array(on) - 1
        # the largest margin t, at most 1, with sign * (W x + b) >= t
        margin = linprog(
            [0.0] * W.shape[1] + [-1.0],
            A_ub=np.column_stack([-sign[:, None] * W, np.ones(len(W))]),
            b_ub=sign * b,
            bounds=[(None, None)] * W.shape[1] + [(None, 1)],
        )
        if margin.status == 0 and margin.x[-1] > 1e-9:
            largest = max(largest, float(np.linalg.norm((V * on) @ W, 2)))
    return largest


def eclipse_fast(weights: list[NDArray]) -> float:
    """Xu and Sivaranjani (2024) for slopes from 0 to 1, with the inverses X of the ellipsoids, as they write it."""
    X = np.eye(weights[0].shape[1])
    for W in weights[:-1]:
        M = W @ np.linalg.inv(X) @ W.T
        multiplier = 2 / np.linalg.norm(M, 2)
        X = multiplier * np.eye(len(W)) - multiplier**2 / 4 * M
    return float(np.linalg.norm(weights[-1] @ np.linalg.inv(X) @ weights[-1].T, 2)) ** 0.5
