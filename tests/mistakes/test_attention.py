"""Common mistakes about attention."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mistakes.page import right, wrong
from oracles import additive_attention_loops

SEEDS, SIZES = st.integers(0, 2**32 - 1), st.integers(2, 5)


@pytest.mark.claim("mistakes.decoder-step")
@given(SEEDS, SIZES)
def test_the_first_output_has_no_choice_among_the_first_annotation(seed, n):
    state, w, annotations = np.split(np.random.default_rng(seed).standard_normal((n + 2, 3)), [1, 2])
    assert wrong("mistakes.decoder-step").weights(1, state[0], annotations, w[0]).tolist() == [1]
    with pytest.raises(UnboundLocalError):
        wrong("mistakes.decoder-step").step(1, state[0], annotations, w[0])


@pytest.mark.claim("mistakes.decoder-step")
def test_a_score_cannot_wait_for_the_state_that_it_makes():
    assert wrong("mistakes.decoder-step").printed.splitlines()[-1].startswith("UnboundLocalError")


@pytest.mark.claim("mistakes.decoder-step")
@given(SEEDS, SIZES)
def test_a_step_scores_every_annotation_with_the_previous_state(seed, n):
    previous, w, annotations = np.split(np.random.default_rng(seed).standard_normal((n + 2, 3)), [1, 2])
    state, weights = right("mistakes.decoder-step").step(previous[0], annotations, w[0])
    context, wanted = additive_attention_loops(previous, annotations, annotations, w[0], [[True] * n])
    assert weights == pytest.approx(wanted[0])
    assert state == pytest.approx(np.tanh(previous[0] + context[0]))


@pytest.mark.claim("mistakes.tanh")
@given(SEEDS, SIZES)
def test_with_the_tanh_outside_every_query_ranks_the_keys_alike(seed, n):
    queries, keys, w = (np.random.default_rng(seed).uniform(-1, 1, shape) for shape in ((9, 3), (n, 3), 3))
    order = np.argsort(keys @ w)
    for query in queries:
        scores = wrong("mistakes.tanh").scores(query, keys, w)
        assert (np.diff(scores[order]) >= -1e-12).all()  # rounding


@pytest.mark.claim("mistakes.tanh")
@given(SEEDS, SIZES)
def test_with_the_tanh_inside_the_scores_are_those_of_the_loop(seed, n):
    query, w, keys = np.split(np.random.default_rng(seed).standard_normal((n + 2, 3)), [1, 2])
    scores = right("mistakes.tanh").scores(query[0], keys, w[0])
    _, weights = additive_attention_loops(query, keys, keys, w[0], [[True] * n])
    assert np.exp(scores) / np.exp(scores).sum() == pytest.approx(weights[0])


@pytest.mark.claim("mistakes.tanh")
@given(st.floats(2, 4))
def test_with_the_tanh_inside_a_query_chooses_the_best_key(size):
    shown = right("mistakes.tanh")
    best = {np.argmax(shown.scores(np.array(q), shown.keys, shown.w)) for q in ([0, size], [size, 0])}
    assert best == {0, 1}


@st.composite
def hidden(draw):
    """Scores, and a mask that hides some keys, but not all."""
    scores = np.array(draw(st.lists(st.floats(-5, 5), min_size=2, max_size=6)))
    n_allowed = draw(st.integers(1, len(scores) - 1))
    return scores, np.array(draw(st.permutations(np.arange(len(scores)) < n_allowed)))


@pytest.mark.claim("mistakes.mask")
@given(hidden())
def test_a_mask_after_the_softmax_is_not_deletion_and_before_it_is(drawn):
    scores, allowed = drawn
    alone = np.exp(scores[allowed]) / np.exp(scores[allowed]).sum()
    late, early = (block("mistakes.mask").weights(scores, allowed) for block in (wrong, right))
    assert late.sum() < 1 - 1e-6
    assert early[allowed] == pytest.approx(alone)
    assert (early[~allowed] == 0).all()


@pytest.mark.claim("mistakes.mask")
@given(hidden(), st.floats(-5, 5))
def test_only_a_mask_before_the_softmax_forgets_the_hidden_scores(drawn, other):
    scores, allowed = drawn
    changed = np.where(allowed, scores, scores + 1 + abs(other))
    before, after = (right("mistakes.mask").weights(s, allowed) for s in (scores, changed))
    assert before == pytest.approx(after)
    before, after = (wrong("mistakes.mask").weights(s, allowed) for s in (scores, changed))
    assert after.sum() < before.sum()


@pytest.mark.claim("mistakes.empty-row")
@given(hidden())
def test_a_large_negative_score_attends_evenly_to_what_is_hidden(drawn):
    scores, nothing = torch.tensor(drawn[0]), torch.zeros(len(drawn[0]), dtype=torch.bool)
    shown = wrong("mistakes.empty-row")
    assert shown.weights(scores, nothing, -torch.inf).isnan().all()
    assert shown.weights(scores, nothing, -1e9).tolist() == pytest.approx([1 / len(scores)] * len(scores))


@pytest.mark.claim("mistakes.empty-row")
@given(hidden())
def test_a_row_with_every_key_hidden_raises_and_others_are_right(drawn):
    scores, allowed = (torch.tensor(part) for part in drawn)
    weights = right("mistakes.empty-row").weights
    alone = np.exp(drawn[0][drawn[1]])
    assert weights(scores, allowed)[allowed].numpy() == pytest.approx(alone / alone.sum())
    with pytest.raises(ValueError, match="allowed a key"):
        weights(torch.stack([scores, scores]), torch.stack([allowed, torch.zeros_like(allowed)]))
