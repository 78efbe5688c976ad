"""Tests of scaled dot-product attention: PyTorch's own agrees, and its slopes have no bound."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import oracles
from mlnotes2.attention import dot_product_attention

unchecked = pytest.mark.usefixtures("unchecked")
seeds = st.integers(0, 2**32 - 1)


def problem(seed: int, *batch: int, dtype: torch.dtype = torch.float64):
    generator = torch.Generator().manual_seed(seed)
    shapes = (*batch, 3, 5), (*batch, 4, 5), (*batch, 4, 2)
    return [torch.randn(*shape, dtype=dtype, generator=generator) for shape in shapes]


@given(seeds, st.lists(st.integers(1, 3), max_size=2), st.booleans())
def test_dot_product_attention_agrees_with_pytorch(seed: int, batch: list[int], masked: bool) -> None:
    query, key, value = problem(seed, *batch)
    mask = (
        torch.tensor([[True, True, False, False], [True] * 4, [False, False, True, False]])
        if masked
        else None
    )
    context = dot_product_attention(query, key, value, mask=mask).context
    expected = oracles.scaled_dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(context, expected, rtol=0, atol=1e-13)  # float64, a dozen roundings


@given(seeds)
def test_dot_product_attention_weights_reproduce_its_context(seed: int) -> None:
    query, key, value = problem(seed, 2)
    context, weights = dot_product_attention(query, key, value)
    torch.testing.assert_close(weights @ value, context, rtol=0, atol=0)


def test_dot_product_attention_has_exact_gradients() -> None:
    inputs = [x.requires_grad_() for x in problem(0, 2)]
    assert torch.autograd.gradcheck(dot_product_attention, inputs)


@pytest.mark.exercise("attention.2")
@pytest.mark.parametrize("h", [1, 2, 4])
def test_dot_product_of_random_signs_has_variance_h(h: int) -> None:
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=h)), dtype=torch.float64)
    products = signs @ signs.T  # every query with every key, each pair equally likely
    assert products.mean() == 0
    assert products.square().mean() == h


@pytest.mark.claim("attention.keys")
@given(st.floats(0.1, 100), st.floats(-2, 2))
def test_dot_product_attention_to_two_opposite_keys_is_a_tanh_as_steep_as_they_are_long(
    size: float, q: float
) -> None:
    query = torch.tensor([[q]], dtype=torch.float64)
    key, value = (torch.tensor([[x], [-x]], dtype=torch.float64) for x in (size, 1.0))
    context = dot_product_attention(query, key, value).context
    assert context.item() == pytest.approx(math.tanh(size * q), abs=1e-14)  # one rounding of a weight


@pytest.mark.exercise("attention.4")
@given(seeds, st.sampled_from([1e-3, 1.0, 10.0]))
def test_dot_product_attention_moves_the_context_at_most_by_radius_times_longest_key(
    seed: int, step: float
) -> None:
    query, key, value = problem(seed)
    query[1] = query[0] + step * query[1]
    moved = torch.linalg.vector_norm(dot_product_attention(query[:2], key, value).context.diff(dim=0))
    radius, longest = (torch.linalg.vector_norm(x, dim=-1).max() for x in (value - value.mean(dim=0), key))
    bound = radius * longest / math.sqrt(5) * torch.linalg.vector_norm(query[1] - query[0])
    assert moved <= bound + 1e-12  # float64, a dozen roundings of numbers of size ten


@pytest.mark.claim("attention.self")
@given(st.floats(1, 1e3))
def test_dot_product_attention_of_a_sequence_to_itself_has_slopes_without_bound(far: float) -> None:
    sequences = torch.tensor([[[0.0], [far], [-far]], [[1 / far], [far], [-far]]], dtype=torch.float64)
    context = dot_product_attention(sequences, sequences, sequences).context
    slope = torch.linalg.vector_norm(context[1] - context[0]) * far  # the inputs are 1 / far apart
    assert slope >= 0.4 * far**2


@pytest.mark.claim("attention.self")
@given(st.floats(1, 1e3))
def test_dot_product_attention_of_a_sequence_to_itself_has_the_derivative_of_the_proof(far: float) -> None:
    others = torch.tensor([[far], [-far]], dtype=torch.float64)

    def first(x: torch.Tensor) -> torch.Tensor:
        sequence = torch.cat([x, others])
        return dot_product_attention(sequence, sequence, sequence).context[0, 0]

    derivative = torch.autograd.functional.jacobian(first, torch.zeros(1, 1, dtype=torch.float64))
    assert derivative.item() == pytest.approx(1 / 3 + 2 * far**2 / 3, rel=1e-12)  # float64


@pytest.mark.parametrize(
    ("dtype", "atol"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)]
)  # a few roundings
def test_dot_product_attention_in_half_precision_rounds_only_at_the_end(
    dtype: torch.dtype, atol: float
) -> None:
    low = problem(1, dtype=dtype)
    exact = dot_product_attention(*(x.double() for x in low))
    answer = dot_product_attention(*low)
    assert answer.context.dtype == dtype
    torch.testing.assert_close(answer.context.double(), exact.context, rtol=0, atol=atol)


def test_dot_product_attention_rejects_scores_that_overflow() -> None:
    huge = torch.full((1, 2), 1e30)
    with pytest.raises(ValueError, match="scores must be finite"):
        dot_product_attention(huge, huge, huge)


def test_dot_product_attention_rejects_mixed_dtypes() -> None:
    query, key, value = problem(0)
    with pytest.raises(TypeError, match=r"value must share the dtype torch.float64, got torch.float16"):
        dot_product_attention(query, key, value.half())


@unchecked
def test_dot_product_attention_rejects_keys_of_another_size() -> None:
    query, key, value = problem(0)
    with pytest.raises(ValueError, match=r"must have shapes .* got \(3, 5\), \(4, 4\) and \(4, 2\)"):
        dot_product_attention(query, key[:, :4], value)


def test_dot_product_attention_rejects_nan() -> None:
    query, key, value = problem(0)
    query[0, 0] = math.nan
    with pytest.raises(ValueError, match="query must be finite"):
        dot_product_attention(query, key, value)
