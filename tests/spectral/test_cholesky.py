"""Large matrices: Lanczos iteration finds the norm, and one Cholesky factorisation proves it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import oracles
from mlnotes2.spectral import _cholesky, spectral_norm


def gaussian(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.claim("spectral.cholesky")
@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.floats(0.9, 1.1).filter(lambda share: abs(share - 1) > 1e-4),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 1000),
)
@settings(max_examples=60)
def test_bound_above_is_infinite_just_where_the_level_is_no_bound(n, d, share, dtype, seed):
    W = gaussian(n, d, seed=seed).to(dtype)
    norm = oracles.spectral_norm_svd(W)
    bound = _cholesky.bound_above(W, share * norm)
    assert bound >= norm
    assert (share > 1) == math.isfinite(bound)


@pytest.mark.claim("spectral.cholesky")
@pytest.mark.parametrize(("n", "d"), [(300, 20), (20, 300), (700, 300), (300, 512)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("signed", [True, False])
def test_bound_above_holds_as_close_to_the_norm_as_rounding_allows(n, d, dtype, signed):
    W = gaussian(n, d).to(dtype)
    W = W if signed else W.abs()
    norm, eps = oracles.spectral_norm_svd(W), torch.finfo(dtype).eps
    for share in (-1e3, -10, -1, -0.1, 0.1, 1, 10, 1e3):
        assert _cholesky.bound_above(W, (1 + share * eps) * norm) >= norm * (
            1 - 1e-14
        )  # LAPACK's own rounding
    assert _cholesky.bound_above(W, (1 + 1e5 * eps) * norm) <= (1 + 3e5 * eps) * norm


@pytest.mark.parametrize(("n", "d"), [(300, 20), (700, 300), (700, 520)])
def test_bound_above_factorises_what_is_wanted_but_for_what_it_pays_for_rounding(n, d, monkeypatch):
    W, seen, magnitude = gaussian(n, d).float(), [], _cholesky.magnitude
    monkeypatch.setattr(_cholesky, "magnitude", lambda M: seen.append(M.clone()) or magnitude(M))
    level = 1.01 * oracles.spectral_norm_svd(W)
    bound = _cholesky.bound_above(W, level)
    L, exact = seen[1].mT.double(), W.double()
    assert torch.equal(L, L.tril())
    error = L @ L.mT - (level**2 * torch.eye(d).double() - exact.mT @ exact)
    assert torch.linalg.matrix_norm(error, 2) <= bound**2 - level**2


@pytest.mark.parametrize("shape", [(256, 256), (300, 700), (700, 300)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("decay", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_spectral_norm_of_a_large_matrix_takes_one_factorisation(shape, dtype, decay, tol, monkeypatch):
    W = gaussian(*shape, dtype=dtype) * torch.arange(1, shape[1] + 1, dtype=dtype) ** -decay
    monkeypatch.setattr("mlnotes2.spectral._norm.root_bound", None)  # no Gram iteration
    found, exact = spectral_norm(W, tol=tol), oracles.spectral_norm_svd(W)
    assert found.lower <= exact * (1 + 1e-13)  # LAPACK's own rounding
    assert exact * (1 - 1e-13) <= found.upper <= (1 + tol) * found.lower
    u, v = found.witness
    assert float(u @ W.double() @ v) == pytest.approx(found.lower, rel=1e-9)


@pytest.mark.parametrize("digits", [True, False])
def test_spectral_norm_does_without_float32_where_pytorch_drops_digits(digits, monkeypatch):
    monkeypatch.setattr(_cholesky, "keeps_digits", lambda *_: digits)
    used, bound_above = [], _cholesky.bound_above
    monkeypatch.setattr(
        _cholesky, "bound_above", lambda W, level: used.append(W.dtype) or bound_above(W, level)
    )
    W = gaussian(300, 300)
    found = spectral_norm(W, tol=1e-2)
    assert found.lower <= oracles.spectral_norm_svd(W) <= found.upper <= 1.01 * found.lower
    assert used == [torch.float32 if digits else torch.float64]


def test_keeps_digits_sees_a_product_of_fewer_digits(monkeypatch):
    assert _cholesky.keeps_digits(torch.device("cpu"))
    product = torch.Tensor.__matmul__
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda a, b: product(a.bfloat16(), b.bfloat16()).float())
    assert not _cholesky.keeps_digits(torch.device("cpu"))
    seen = []
    monkeypatch.setattr(
        torch.Tensor, "__matmul__", lambda a, b: seen.append((a.dtype, b.dtype)) or product(a, b)
    )
    torch.set_default_dtype(torch.float64)
    try:
        assert _cholesky.keeps_digits(torch.device("cpu"))
    finally:
        torch.set_default_dtype(torch.float32)
    assert seen == [(torch.float32, torch.float32)]


@pytest.mark.parametrize("Q", [torch.eye(300), torch.eye(400)[:300], torch.linalg.qr(gaussian(300, 300))[0]])
def test_spectral_norm_of_a_large_orthogonal_matrix_is_1(Q):
    found = spectral_norm(Q)  # Lanczos iteration ends after its first step: there is nothing to add
    assert found.lower <= 1 + 1e-12
    assert 1 - 1e-12 <= found.upper <= 1.001 * found.lower


def test_spectral_norm_falls_back_on_gram_iteration_where_lanczos_misses_the_direction():
    W = torch.eye(300, dtype=torch.float64)
    W[:100, :100] = 0.011  # of norm 1.1, with short rows: a start from the longest row sees nothing of it
    found, exact = spectral_norm(W), oracles.spectral_norm_svd(W)
    assert found.lower <= exact * (1 + 1e-13)
    assert exact * (1 - 1e-13) <= found.upper <= 1.001 * found.lower


def test_spectral_norm_of_a_batch_of_large_matrices_is_that_of_each():
    weights = gaussian(3, 260, 256)
    found = spectral_norm(weights, tol=1e-2)
    for W, norm in zip(weights, found, strict=True):
        assert norm.lower <= oracles.spectral_norm_svd(W) <= norm.upper <= 1.01 * norm.lower
    assert math.isfinite(found.upper.max())
