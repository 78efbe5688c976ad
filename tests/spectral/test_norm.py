"""`spectral_norm`: bounds that hold to the last digit, against 50-digit arithmetic and LAPACK."""

import inspect
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import oracles
from mlnotes2 import Enclosure
from mlnotes2.spectral import _norm, spectral_norm
from mlnotes2.spectral._norm import check_matrix

matrices = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.integers(-3, 3) | st.floats(-1e3, 1e3).map(lambda x: 0.0 if abs(x) < 1e-30 else x),
)


def gaussian(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(matrices, st.sampled_from([1e-3, 1e-6, 1e-11]))
@settings(max_examples=60)  # 50-digit singular values take 10 ms
@pytest.mark.claim("spectral.enclosure")
def test_spectral_norm_encloses_the_50_digit_value(matrix, tol):
    found = spectral_norm(torch.from_numpy(matrix), tol=tol)
    assert found.lower <= oracles.spectral_norm_mpmath(matrix) <= found.upper
    assert found.upper <= (1 + tol) * found.lower


@given(matrices, st.integers(0, 5))
@settings(max_examples=60)
@pytest.mark.claim("spectral.enclosure")
def test_spectral_norm_closes_in_from_both_sides_at_the_rate_proved(matrix, k):
    found = spectral_norm(
        torch.from_numpy(matrix), tol=1e-15, max_iter=k + 1
    )  # its first bounds use W itself
    exact = float(oracles.spectral_norm_mpmath(matrix))
    share = min(matrix.shape) ** (1 / 2 ** (k + 2))
    assert found.lower >= exact / share * (1 - 1e-12)  # what is taken off for rounding
    assert found.upper <= exact * share * (1 + 1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (64, 64), (200, 50), (50, 200)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_spectral_norm_agrees_with_lapack(shape, dtype, tol):
    W = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    exact = oracles.spectral_norm_svd(W)
    found = spectral_norm(W, tol=tol)
    assert found.lower <= exact * (1 + 1e-13)  # LAPACK's own rounding
    assert exact * (1 - 1e-13) <= found.upper <= (1 + tol) * found.lower


@given(st.integers(1, 40), st.integers(0, 1000))
@settings(max_examples=20)
@pytest.mark.claim("spectral.enclosure")
def test_spectral_norm_needs_no_gap(n, seed):
    Q = torch.linalg.qr(gaussian(n, n, seed=seed))[0]  # all singular values are 1
    found = spectral_norm(Q, tol=1e-9)
    assert found.lower <= 1 + 1e-12  # Q is orthogonal but for rounding
    assert found.upper >= 1 - 1e-12
    assert found.width <= 2e-9


@given(matrices)
@settings(max_examples=60)
@pytest.mark.claim("spectral.stretch")
def test_spectral_norm_the_witness_is_stretched_by_the_lower_bound_and_no_vector_by_more(matrix):
    W = torch.from_numpy(matrix)
    found = spectral_norm(W)
    u, v = found.witness
    assert u.norm() == pytest.approx(1)
    assert v.norm() == pytest.approx(1)
    assert float(u @ W @ v) == pytest.approx(
        found.lower, rel=1e-9
    )  # `lower` is less by the allowance for rounding
    x = gaussian(W.shape[1], 100)
    assert ((W @ x).norm(dim=0) <= found.upper * (1 + 1e-12) * x.norm(dim=0)).all()


@given(
    array_shapes(min_dims=2, max_dims=5, max_side=4),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 1000),
)
def test_spectral_norm_of_a_batch_is_that_of_each_matrix(shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randint(-2, 3, shape, generator=generator).to(dtype)  # zero matrices among them
    found = spectral_norm(weights, tol=1e-9)
    if weights.ndim == 2:
        assert isinstance(found, Enclosure)
        return
    u, v = found.witness
    assert found.lower.shape == found.upper.shape == shape[:-2]
    assert (u.shape, v.shape) == (shape[:-1], (*shape[:-2], shape[-1]))
    true = torch.linalg.matrix_norm(weights.double(), 2)
    assert (found.lower <= true * (1 + 1e-13)).all()  # LAPACK's own rounding
    assert (found.upper >= true * (1 - 1e-13)).all()
    assert (found.upper <= (1 + 1e-9) * found.lower).all()
    stretch = (u[..., None, :] @ weights.double() @ v[..., None])[..., 0, 0]
    torch.testing.assert_close(stretch, found.lower, rtol=1e-9, atol=0)
    for index in np.ndindex(shape[:-2]):
        alone = spectral_norm(weights[index], tol=1e-9)
        assert found[index].upper == pytest.approx(alone.upper, rel=2e-9)


def test_spectral_norm_of_a_batch_holds_an_enclosure_of_each_matrix():
    found = spectral_norm(torch.stack([torch.eye(2), 3 * torch.eye(2)]))
    assert [round(norm.midpoint) for norm in found] == [1, 3]
    assert all(isinstance(norm, Enclosure) for norm in found)
    assert spectral_norm(torch.ones(2, 3, 4, 5))[1].lower.shape == (3,)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spectral_norm_encloses_the_value_for_each_of_2000_random_matrices(dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    n, d = torch.randint(1, 30, (2,), generator=generator).tolist()
    weights = torch.randn(100, n, d, generator=generator).to(dtype) ** (1 + seed % 3)
    found, true = spectral_norm(weights), torch.linalg.matrix_norm(weights.double(), 2)
    assert (found.lower <= true * (1 + 1e-13)).all()  # LAPACK's own rounding
    assert (true * (1 - 1e-13) <= found.upper).all()
    assert (found.upper <= 1.001 * found.lower).all()


@given(matrices)
def test_spectral_norm_of_the_transpose_overlaps(matrix):
    first, second = (
        spectral_norm(W, tol=1e-6) for W in (torch.from_numpy(matrix), torch.from_numpy(matrix).T)
    )
    assert first.lower <= second.upper
    assert second.lower <= first.upper


@given(*[st.integers(1, 8)] * 3, st.integers(0, 1000))
@settings(max_examples=50)
@pytest.mark.claim("spectral.composition")
def test_spectral_norm_of_a_product_is_at_most_the_product_of_norms(n, k, d, seed):
    A, B = gaussian(n, k, seed=seed), gaussian(k, d, seed=seed + 1)
    assert spectral_norm(A @ B).lower <= spectral_norm(A).upper * spectral_norm(B).upper


@given(st.lists(st.booleans(), min_size=2, max_size=9).filter(lambda kept: 0 < sum(kept) < len(kept)))
@example([True, False])  # the matrices of the page
@settings(max_examples=20)
@pytest.mark.claim("spectral.loose")
def test_spectral_norm_of_a_product_can_be_zero_between_factors_of_norm_one(kept):
    A = torch.diag(torch.tensor(kept, dtype=torch.float64))
    B = torch.eye(len(kept)) - A  # it lets through what A deletes
    assert spectral_norm(A @ B).upper == 0
    assert 1.0 in spectral_norm(A)
    assert 1.0 in spectral_norm(B)


@given(st.integers(3, 9))
@settings(max_examples=7)
@pytest.mark.claim("spectral.kernel")
@pytest.mark.parametrize("mode", ["circular", "constant"], ids=["circular", "zeros"])
def test_spectral_norm_of_a_convolution_exceeds_that_of_its_reshaped_kernel(mode, size):
    kernel = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    norm = 9.0 if mode == "circular" else (1 + 2 * math.cos(math.pi / (size + 1))) ** 2
    reshaped = spectral_norm(kernel.reshape(1, 9))
    true = spectral_norm(oracles.convolution_matrix(kernel, size, mode))
    assert true.lower * (1 - 1e-13) <= norm <= true.upper * (1 + 1e-13)  # the closed form is rounded
    assert 3.0 in reshaped
    assert true.lower > 1.9 * reshaped.upper


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_spectral_norm_survives_extreme_scales(scale):
    found = spectral_norm(torch.diag(torch.tensor([3.0, 4.0], dtype=torch.float64)) * scale)
    assert found.lower <= 4 * scale <= found.upper <= 1.001 * found.lower


@pytest.mark.parametrize(
    ("entry", "true"),
    [(5e-324, "9.881312916824931e-324"), (1.7e308, "3.4e308")],
    ids=["smallest", "beyond doubles"],
)
def test_spectral_norm_stays_right_at_the_ends_of_the_doubles(entry, true):
    found = spectral_norm(torch.full((2, 2), entry, dtype=torch.float64))
    assert found.lower <= oracles.mpmath.mpf(true) <= found.upper


def test_spectral_norm_of_zero_is_exact():
    found = spectral_norm(torch.zeros(2, 3))
    assert (found.lower, found.upper) == (0, 0)
    assert [len(vector) for vector in found.witness] == [2, 3]


def test_spectral_norm_without_steps_is_the_frobenius_norm():
    assert spectral_norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), max_iter=0).upper == pytest.approx(5)


def test_spectral_norm_takes_a_weight_that_requires_a_gradient():
    assert not spectral_norm(torch.nn.Linear(3, 2).weight).witness[0].requires_grad


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.ones(3), "must be a matrix"),
        (torch.ones(0, 3), "empty"),
        (torch.ones(0, 3, 3), "empty"),
        (torch.tensor([[math.nan]]), "finite"),
        (torch.tensor([[math.inf]]), "finite"),
    ],
)
def test_spectral_norm_rejects_what_has_no_norm(weight, message):
    with pytest.raises(ValueError, match=message):
        spectral_norm(weight)


@pytest.mark.parametrize(
    "weight",
    [
        torch.ones(2, 2, dtype=torch.int64),
        torch.ones(2, 2).half(),
        torch.eye(2).to_sparse(),
        torch.eye(2, device="meta"),
    ],
)
def test_spectral_norm_rejects_other_types(weight):
    with pytest.raises(TypeError, match=r"dense float32 or float64 tensor, got torch\.\w+ on"):
        spectral_norm(weight)


def test_spectral_norm_rejects_an_array():
    with pytest.raises(TypeError, match="float32 or float64 tensor, got ndarray"):
        inspect.unwrap(check_matrix)(np.eye(2))  # without the type checks of the tests


@pytest.mark.parametrize("options", [{"tol": 0.0}, {"tol": math.nan}, {"max_iter": -1}])
def test_spectral_norm_rejects_options_out_of_range(options):
    with pytest.raises(ValueError, match="tol must be > 0 and max_iter >= 0"):
        spectral_norm(torch.eye(2), **options)


def vectors():
    """Rows of integers, with the square of their length."""
    rng = np.random.default_rng(0)
    for n in range(2, 402):
        row = rng.integers(1, 2**25, n % 20 + 2)
        yield torch.from_numpy(row[None].astype(np.float64)), int(sum(int(x) ** 2 for x in row))


def test_spectral_norm_of_a_row_of_integers_is_never_on_the_wrong_side_of_its_length():
    for W, square in vectors():
        found = spectral_norm(W, tol=1e-15, max_iter=3)
        assert Fraction(found.lower) ** 2 <= square <= Fraction(found.upper) ** 2


def test_spectral_norm_pays_for_the_rounding_of_its_scaling(monkeypatch):
    def exact_bounds(unit, *_):
        square = sum(Fraction(x) ** 2 for x in unit.flatten().tolist())
        with oracles.mpmath.workdps(50):
            length = oracles.mpmath.sqrt(oracles.mpmath.mpf(square.numerator) / square.denominator)
        yield torch.ones_like(unit[:, 0]), torch.tensor([float(length)], dtype=torch.float64)

    monkeypatch.setattr(_norm, "bounds", exact_bounds)
    for W, square in vectors():
        assert square <= Fraction(spectral_norm(W).upper) ** 2


@pytest.mark.parametrize("slack", [1e-15, 1e-10])
def test_root_bound_holds_if_every_square_was_rounded_down_by_the_slack(slack):
    factors = [torch.tensor([1 - slack], dtype=torch.float64)] * 6  # of the matrix 1, which squares to itself
    assert _norm.root_bound(factors, 1, slack).item() >= 1
