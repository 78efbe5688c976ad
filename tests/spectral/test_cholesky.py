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
    st.floats(0.9, 1.1).filter(lambda share: abs(share - 1) > 1e-6),
    st.sampled_from([1e-9, 1e-1]),  # in float64, and in float32 where that is precise enough
    st.integers(0, 1000),
)
@settings(max_examples=60)
def test_is_bound_just_where_the_level_is_above_the_norm(n, d, share, tol, seed):
    W = gaussian(n, d, seed=seed)
    unit = W / W.norm()
    norm = oracles.spectral_norm_svd(unit)
    spare = 1e-4 if tol > 1e-2 else 0  # rounded away in float32
    proved = _cholesky.is_bound(unit, share * norm, tol, 1e-14)
    assert proved == (share > 1) or abs(share - 1) < spare


@pytest.mark.claim("spectral.cholesky")
@pytest.mark.parametrize("shape", [(1, 1), (300, 20), (700, 300), (1030, 512)])
def test_single_slack_is_more_than_float32_rounds(shape):
    W, size = gaussian(*shape).float(), 256
    product = sum(rows.mT @ rows for rows in W.split(size)).double()
    error = torch.linalg.matrix_norm(product - W.double().mT @ W.double(), 2)
    assert error <= _cholesky.single_slack(W, size)
    assert _cholesky.single_slack(W, size) <= 300 * torch.finfo(torch.float32).eps * W.abs().norm() ** 2


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
    used, factorise = [], torch.Tensor.addmm_
    monkeypatch.setattr(
        torch.Tensor,
        "addmm_",
        lambda self, *args, **kw: used.append(self.dtype) or factorise(self, *args, **kw),
    )
    W = gaussian(300, 300)
    found = spectral_norm(W, tol=1e-2)
    assert found.lower <= oracles.spectral_norm_svd(W) <= found.upper <= 1.01 * found.lower
    assert set(used) == {torch.float32 if digits else torch.float64}


def test_keeps_digits_sees_a_product_of_fewer_digits(monkeypatch):
    W = gaussian(300, 300).float()
    assert _cholesky.keeps_digits(W, 256)
    product = torch.Tensor.__matmul__
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda a, b: product(a.bfloat16(), b.bfloat16()).float())
    assert not _cholesky.keeps_digits(W, 256)


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
