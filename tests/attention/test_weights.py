"""Tests of the softmax over keys, its mask, and the checks that every attention shares."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlnotes2.attention import attention_weights

unchecked = pytest.mark.usefixtures("unchecked")
seeds = st.integers(0, 2**32 - 1)
ROUNDING = 1e-12  # float64, fewer than 100 terms of size one


def scores_of(seed: int, *shape: int, scale: float = 3.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.claim("attention.convex")
@given(seeds, st.integers(1, 6), st.integers(1, 9))
def test_attention_weights_of_each_query_sum_to_one(seed: int, n_q: int, n_k: int) -> None:
    weights = attention_weights(scores_of(seed, n_q, n_k))
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(n_q, dtype=torch.float64), rtol=0, atol=ROUNDING)


@pytest.mark.claim("attention.convex")
@given(st.integers(1, 5), st.floats(1e-6, 1 - 1e-6))
def test_attention_weights_of_one_key_have_any_sum_between_zero_and_the_number_of_queries(
    n: int, part: float
) -> None:
    scores = torch.tensor([[0.0, math.log(part / (1 - part))]] * n, dtype=torch.float64)
    received = attention_weights(scores).sum(dim=-2)[1].item()
    assert received == pytest.approx(part * n, rel=1e-13)  # the score, at most 15, is rounded once


@pytest.mark.claim("attention.shift")
@given(seeds, st.floats(-1e3, 1e3))
def test_attention_weights_ignore_a_shift_of_all_scores_of_a_query(seed: int, shift: float) -> None:
    scores = scores_of(seed, 2, 5)
    atol = 1e-11  # the sum rounds scores of size 1000 to 1e-13
    torch.testing.assert_close(
        attention_weights(scores + shift), attention_weights(scores), rtol=0, atol=atol
    )


@pytest.mark.claim("attention.shift")
def test_attention_weights_change_when_the_scores_are_doubled() -> None:
    scores = torch.tensor([[0.0, math.log(3.0)]], dtype=torch.float64)
    torch.testing.assert_close(attention_weights(scores), torch.tensor([[0.25, 0.75]], dtype=torch.float64))
    torch.testing.assert_close(attention_weights(2 * scores), torch.tensor([[0.1, 0.9]], dtype=torch.float64))


@pytest.mark.claim("attention.softmax")
@given(seeds, st.integers(2, 9), st.sampled_from([1e-3, 1.0, 30.0]))
def test_attention_weights_move_at_most_half_as_far_as_the_scores(seed: int, n_k: int, scale: float) -> None:
    x, y = scores_of(seed, 2, n_k, scale=scale)
    moved = torch.linalg.vector_norm(attention_weights(x[None]) - attention_weights(y[None]))
    assert moved <= 0.5 * torch.linalg.vector_norm(x - y) + ROUNDING


@pytest.mark.claim("attention.softmax")
@given(st.floats(1e-3, 20))
def test_attention_weights_reach_the_slope_one_half(t: float) -> None:
    x, y = torch.tensor([[t, -t]], dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)
    moved = torch.linalg.vector_norm(attention_weights(x) - attention_weights(y))
    slope = moved / torch.linalg.vector_norm(x - y)
    assert slope.item() == pytest.approx(math.tanh(t) / (2 * t), rel=1e-9)  # two close numbers are subtracted


@pytest.mark.exercise("attention.1")
def test_attention_weights_of_logarithms_are_shares() -> None:
    scores = torch.tensor([[0.0, math.log(2), math.log(5)]], dtype=torch.float64)
    value = torch.tensor([8.0, 0.0, -8.0], dtype=torch.float64)
    mask = torch.tensor([[True, True, False]])
    hidden_before = (attention_weights(scores, mask) @ value).item()
    hidden_after = (attention_weights(scores) * mask @ value).item()
    assert (attention_weights(scores) @ value).item() == pytest.approx(-4, rel=1e-14)
    assert hidden_before == pytest.approx(8 / 3, rel=1e-14)
    assert hidden_after == pytest.approx(1, rel=1e-14)


@given(seeds)
def test_attention_weights_are_zero_where_masked(seed: int) -> None:
    mask = torch.tensor([[True, False, True], [False, False, True]])
    weights = attention_weights(scores_of(seed, 4, 2, 3), mask)
    assert (weights[:, ~mask] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(4, 2, dtype=torch.float64), rtol=0, atol=ROUNDING)


def test_attention_weights_have_exact_gradients_under_a_mask() -> None:
    mask = torch.tensor([[True, False, True], [True, True, True]])
    scores = scores_of(0, 2, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda e: attention_weights(e, mask), scores)


@pytest.mark.exercise("attention.3")
def test_attention_weights_pass_no_gradient_once_one_of_them_is_one() -> None:
    scores = torch.tensor([[0.0, 1000.0]], requires_grad=True)
    attention_weights(scores)[0, 0].backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_attention_weights_sum_half_precision_in_float32(dtype: torch.dtype) -> None:
    weights = attention_weights(torch.zeros(1, 3000, dtype=dtype))
    assert weights.dtype == dtype
    assert (weights == torch.tensor(1 / 3000, dtype=dtype)).all()  # 3000 ones added in bfloat16 stop at 256


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_attention_weights_reject_a_score_that_is_not_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="scores must be finite"):
        attention_weights(torch.tensor([[0.0, bad]]))


def test_attention_weights_name_the_first_query_that_may_attend_to_nothing() -> None:
    mask = torch.ones(2, 3, 4, dtype=torch.bool)
    mask[0, 2], mask[1, 1] = False, False
    with pytest.raises(ValueError, match=r"leave every query a key, got none for query \(0, 2\)"):
        attention_weights(torch.zeros(2, 3, 4), mask)


def test_attention_weights_reject_a_mask_that_does_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"mask must broadcast to .* = \(2, 3\), got \(3, 2\)"):
        attention_weights(torch.zeros(2, 3), torch.ones(3, 2, dtype=torch.bool))


@unchecked
def test_attention_weights_reject_a_mask_of_numbers() -> None:
    with pytest.raises(TypeError, match=r"mask must be a boolean tensor.*got torch.float32"):
        attention_weights(torch.zeros(2, 3), torch.ones(2, 3))


def test_attention_weights_reject_a_mask_on_another_device() -> None:
    with pytest.raises(ValueError, match="mask must share the device cpu, got meta"):
        attention_weights(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool, device="meta"))


@unchecked
def test_attention_weights_reject_integers() -> None:
    with pytest.raises(TypeError, match=r"scores must be a floating-point tensor, got torch.int64"):
        attention_weights(torch.zeros(2, 3, dtype=torch.int64))


@unchecked
def test_attention_weights_reject_lists() -> None:
    with pytest.raises(TypeError, match="scores must be a floating-point tensor, got list"):
        attention_weights([[0.0]])  # type: ignore[arg-type]


@unchecked
def test_attention_weights_reject_a_single_row() -> None:
    with pytest.raises(ValueError, match=r"scores must have shape \(…, q, s\), got \(3,\)"):
        attention_weights(torch.zeros(3))
