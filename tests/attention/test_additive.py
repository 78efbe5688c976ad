"""Tests of additive attention: the loop, the batched code, their gradients and bounds."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import oracles
from mlnotes2.attention import Attention, additive_attention, additive_attention_reference, additive_scores

unchecked = pytest.mark.usefixtures("unchecked")
seeds = st.integers(0, 2**32 - 1)
ROUNDING = 1e-12  # float64, sums of fewer than 100 terms of size ten


def problem(seed: int, *batch: int, n_q: int = 3, n_k: int = 4, h: int = 5, d: int = 2, scale: float = 1.0):
    """Query, key, value and w with standard normal entries, the keys times `scale`."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (*batch, n_q, h), (*batch, n_k, h), (*batch, n_k, d), (h,)
    query, key, value, w = (torch.randn(*s, dtype=torch.float64, generator=generator) for s in shapes)
    return query, scale * key, value, w


def random_mask(seed: int, *shape: int) -> torch.Tensor:
    """A mask that leaves each query its first key."""
    mask = torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[..., 0] = True
    return mask


@given(seeds, st.integers(1, 4), st.integers(1, 6), st.integers(1, 5), st.integers(1, 4))
def test_additive_attention_reference_agrees_with_loops_over_numbers(
    seed: int, n_q: int, n_k: int, h: int, d: int
) -> None:
    query, key, value, w = (x.tolist() for x in problem(seed, n_q=n_q, n_k=n_k, h=h, d=d))
    mask = random_mask(seed, n_q, n_k).tolist()
    context, weights = additive_attention_reference(query, key, value, w=w, mask=mask)
    expected = oracles.additive_attention_loops(query, key, value, w, mask)
    np.testing.assert_allclose(context, expected[0], rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(weights, expected[1], rtol=0, atol=ROUNDING)


@given(seeds, st.lists(st.integers(1, 3), max_size=2), st.booleans())
def test_additive_attention_agrees_with_its_reference(seed: int, batch: list[int], masked: bool) -> None:
    query, key, value, w = problem(seed, *batch)
    mask = random_mask(seed, *batch, 3, 4) if masked else None
    fast = additive_attention(query, key, value, w=w, mask=mask)
    slow = additive_attention(query, key, value, w=w, mask=mask, implementation="reference")
    torch.testing.assert_close(fast, slow, rtol=0, atol=ROUNDING)


def test_additive_attention_takes_torch_unless_told_otherwise() -> None:
    query, key, value, w = problem(0)
    auto, chosen = (additive_attention(query, key, value, w=w, implementation=i) for i in ("auto", "torch"))
    assert torch.equal(auto.context, chosen.context)


def test_additive_attention_returns_context_and_weights_by_name() -> None:
    query, key, value, w = problem(0, 7)
    answer = additive_attention(query, key, value, w=w)
    assert isinstance(answer, Attention)
    assert (answer.context.shape, answer.weights.shape) == ((7, 3, 2), (7, 3, 4))


@given(seeds)
def test_additive_scores_is_the_score_that_the_attention_uses(seed: int) -> None:
    query, key, value, w = problem(seed)
    weights = torch.softmax(additive_scores(query, key, w=w), dim=-1)
    expected = additive_attention(query, key, value, w=w).weights
    torch.testing.assert_close(weights, expected, rtol=0, atol=ROUNDING)


def test_additive_scores_puts_the_tanh_inside_the_product_with_w() -> None:
    one = torch.ones(1, 1, dtype=torch.float64)
    score = additive_scores(one, one, w=torch.tensor([3.0], dtype=torch.float64))
    assert score.item() == pytest.approx(3 * math.tanh(2), rel=1e-15)


@pytest.mark.parametrize("masked", [False, True])
def test_additive_attention_has_exact_gradients(masked: bool) -> None:
    inputs = [x.requires_grad_() for x in problem(1, 2)]
    mask = random_mask(1, 2, 3, 4) if masked else None
    assert torch.autograd.gradcheck(lambda q, k, v, w: additive_attention(q, k, v, w=w, mask=mask), inputs)


def test_additive_attention_has_exact_second_gradients() -> None:
    inputs = [x.requires_grad_() for x in problem(2, n_q=2, n_k=2, h=2)]
    assert torch.autograd.gradgradcheck(lambda q, k, v, w: additive_attention(q, k, v, w=w), inputs)


@pytest.mark.claim("attention.convex")
@given(seeds, st.sampled_from([1.0, 100.0]))
def test_additive_attention_keeps_the_context_in_the_convex_hull(seed: int, scale: float) -> None:
    query, key, value, w = problem(seed, n_k=6, scale=scale)
    context = additive_attention(query, key, value, w=w).context
    directions = torch.randn(2, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert ((context @ directions) <= (value @ directions).max(dim=0).values + ROUNDING).all()
    largest = torch.linalg.vector_norm(value, dim=-1).max()
    assert (torch.linalg.vector_norm(context, dim=-1) <= largest + ROUNDING).all()


@pytest.mark.claim("attention.permutation")
@given(seeds)
def test_additive_attention_ignores_the_order_of_keys_with_their_values(seed: int) -> None:
    query, key, value, w = problem(seed)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    shuffled = additive_attention(query, key[order], value[order], w=w)
    straight = additive_attention(query, key, value, w=w)
    torch.testing.assert_close(shuffled.context, straight.context, rtol=0, atol=ROUNDING)
    torch.testing.assert_close(shuffled.weights, straight.weights[:, order], rtol=0, atol=ROUNDING)


@pytest.mark.claim("attention.permutation")
def test_additive_attention_notices_when_only_the_values_are_permuted() -> None:
    query, key, value, w = problem(0)
    straight, moved = (additive_attention(query, key, v, w=w).context for v in (value, value.flip(0)))
    assert not torch.allclose(straight, moved, atol=0.1)


@pytest.mark.claim("attention.mask")
@given(seeds)
def test_additive_attention_with_a_mask_is_attention_without_the_hidden_keys(seed: int) -> None:
    query, key, value, w = problem(seed, n_q=1)
    mask = random_mask(seed, 1, 4)
    masked = additive_attention(query, key, value, w=w, mask=mask)
    removed = additive_attention(query, key[mask[0]], value[mask[0]], w=w)
    torch.testing.assert_close(masked.context, removed.context, rtol=0, atol=ROUNDING)


@pytest.mark.claim("attention.mask")
@given(seeds)
def test_additive_attention_masked_after_the_softmax_loses_weight(seed: int) -> None:
    query, key, value, w = problem(seed)
    mask = random_mask(seed, 3, 4)
    late = additive_attention(query, key, value, w=w).weights * mask
    assert (late.sum(-1)[~mask.all(-1)] < 1 - ROUNDING).all()


@pytest.mark.claim("attention.additive")
@given(seeds, st.sampled_from([0.1, 1.0, 10.0]), st.sampled_from([1.0, 1e3]))
def test_additive_scores_move_at_most_by_the_norm_of_w(seed: int, step: float, scale: float) -> None:
    query, key, _, w = problem(seed, n_q=2, scale=scale)
    query[1] = query[0] + step * query[1]
    moved = additive_scores(query, key, w=w).diff(dim=0).abs().max()
    bound = torch.linalg.vector_norm(w) * torch.linalg.vector_norm(query[1] - query[0])
    assert moved <= bound + ROUNDING


@pytest.mark.claim("attention.additive")
@given(seeds, st.sampled_from([1e-3, 1.0, 10.0]), st.sampled_from([0.1, 1.0, 1e3]), st.sampled_from([2, 50]))
def test_additive_attention_moves_the_context_at_most_by_radius_times_norm_of_w(
    seed: int, step: float, scale: float, n_k: int
) -> None:
    query, key, value, w = problem(seed, n_q=2, n_k=n_k, scale=scale)
    query[1] = query[0] + step * query[1]
    moved = torch.linalg.vector_norm(additive_attention(query, key, value, w=w).context.diff(dim=0))
    radius = torch.linalg.vector_norm(value - value.mean(dim=0), dim=-1).max()
    bound = radius * torch.linalg.vector_norm(w) * torch.linalg.vector_norm(query[1] - query[0])
    assert moved <= bound + ROUNDING


@pytest.mark.claim("attention.self")
@given(st.floats(1, 1e6))
def test_additive_attention_of_a_sequence_to_itself_has_slopes_without_bound(far: float) -> None:
    sequences = torch.tensor([[[0.0], [far]], [[1.0], [far]]], dtype=torch.float64)  # one apart
    one = torch.ones(1, dtype=torch.float64)
    context = additive_attention(sequences, sequences, sequences, w=one).context
    assert torch.linalg.vector_norm(context[1] - context[0]) >= far / 6 - 0.5


@pytest.mark.parametrize(
    ("dtype", "atol"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)]
)  # a few roundings
def test_additive_attention_in_half_precision_rounds_only_at_the_end(dtype: torch.dtype, atol: float) -> None:
    low = [x.to(dtype) for x in problem(3, n_k=64, h=64)]
    query, key, value, w = low
    answer = additive_attention(query, key, value, w=w)
    query, key, value, w = (x.double() for x in low)
    exact = additive_attention(query, key, value, w=w)
    assert answer.context.dtype == answer.weights.dtype == dtype
    torch.testing.assert_close(answer.context.double(), exact.context, rtol=0, atol=atol)


def test_additive_attention_rejects_an_unknown_implementation() -> None:
    query, key, value, w = problem(0)
    with pytest.raises(ValueError, match="must be 'auto', 'reference' or 'torch', got 'triton'"):
        additive_attention(query, key, value, w=w, implementation="triton")


def test_additive_attention_by_reference_refuses_to_lose_a_gradient() -> None:
    query, key, value, w = problem(0)
    with pytest.raises(ValueError, match="'reference' has no gradient"):
        additive_attention(query.requires_grad_(), key, value, w=w, implementation="reference")


def test_additive_attention_by_reference_takes_parameters_where_no_gradient_is_kept() -> None:
    query, key, value, w = problem(0)
    with torch.no_grad():
        slow = additive_attention(query, key, value, w=torch.nn.Parameter(w), implementation="reference")
    torch.testing.assert_close(slow, additive_attention(query, key, value, w=w), rtol=0, atol=ROUNDING)


def test_additive_attention_rejects_mixed_dtypes() -> None:
    query, key, value, w = problem(0)
    with pytest.raises(TypeError, match=r"key must share the dtype torch.float64, got torch.float32"):
        additive_attention(query, key.float(), value, w=w)


def test_additive_attention_rejects_mixed_devices() -> None:
    query, key, value, w = problem(0)
    with pytest.raises(ValueError, match="value must share the device cpu, got meta"):
        additive_attention(query, key, value.to("meta"), w=w)


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_additive_attention_rejects_numbers_that_are_not_finite(position: int, bad: float) -> None:
    inputs = list(problem(0))
    inputs[position].view(-1)[-1] = bad
    name = ("query", "key", "value", "w")[position]
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        additive_attention(*inputs[:3], w=inputs[3])


def test_additive_attention_rejects_an_empty_sequence_of_keys() -> None:
    query, key, value, w = problem(0)
    with pytest.raises(ValueError, match=r"key must not be empty, got shape \(0, 5\)"):
        additive_attention(query, key[:0], value[:0], w=w)


@unchecked
@pytest.mark.parametrize(
    "shapes",
    [
        ((5,), (4, 5), (4, 2)),  # no axis of queries
        ((3, 5), (4, 6), (4, 2)),  # units differ
        ((3, 5), (4, 5), (3, 2)),  # fewer values than keys
        ((2, 3, 5), (4, 5), (4, 2)),  # leading axes differ
    ],
)
def test_additive_attention_rejects_shapes_that_do_not_fit(shapes: tuple) -> None:
    query, key, value = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError, match=re.escape(f"got {shapes[0]}, {shapes[1]} and {shapes[2]}")):
        additive_attention(query, key, value, w=torch.zeros(5))


@unchecked
def test_additive_scores_rejects_w_of_another_size() -> None:
    query, key, _, _ = problem(0)
    with pytest.raises(ValueError, match=r"w must have shape \(5,\), one weight per hidden unit, got \(4,\)"):
        additive_scores(query, key, w=torch.zeros(4, dtype=torch.float64))


def test_additive_attention_reference_rejects_a_mask_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"mask must be boolean of shape \(1, 2\), got bool \(2, 1\)"):
        additive_attention_reference([[0.0]], [[0.0], [1.0]], [[1.0], [2.0]], w=[1.0], mask=[[True], [True]])


def test_additive_attention_reference_names_the_query_without_a_key() -> None:
    mask = [[True, True], [False, False]]
    with pytest.raises(ValueError, match="got none for query 1"):
        additive_attention_reference([[0.0], [1.0]], [[0.0], [1.0]], [[1.0], [2.0]], w=[1.0], mask=mask)
