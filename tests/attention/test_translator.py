"""Tests of the decoder's step and of the date translator."""

import pytest
import torch
from torch import nn

from mlnotes2.attention import DateTranslator, decoder_step

ALPHABET = "May 0123456789,"


def untrained(seed: int = 0) -> DateTranslator:
    return DateTranslator(ALPHABET, hidden=8, generator=torch.Generator().manual_seed(seed))


def step_inputs(seed: int = 0, b: int = 2, s: int = 5):
    """State, previous output, annotations and keys; and the parameters of the step."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (b, 4), (b, 3), (b, s, 6), (b, s, 7), (7,)
    *tensors, w = (torch.randn(*shape, generator=generator) for shape in shapes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return tensors, {"query_map": nn.Linear(4, 7, bias=False), "w": w, "cell": nn.GRUCell(9, 4)}


@torch.no_grad()
def test_decoder_step_is_the_three_equations_of_the_page() -> None:
    (state, previous, annotations, key), parts = step_inputs(b=1)
    W, w, cell = parts["query_map"].weight, parts["w"], parts["cell"]
    e = torch.stack([w @ torch.tanh(W @ state[0] + key[0, s]) for s in range(5)])
    alpha = e.exp() / e.exp().sum()
    context = sum(alpha[s] * annotations[0, s] for s in range(5))
    step = decoder_step(state, previous, annotations, key, **parts)
    torch.testing.assert_close(step.weights[0], alpha)
    torch.testing.assert_close(step.context[0], context)
    torch.testing.assert_close(step.state, cell(torch.cat([previous[0], context])[None], state))


@torch.no_grad()
def test_decoder_step_scores_with_the_previous_state() -> None:
    (state, previous, annotations, key), parts = step_inputs()
    weights = decoder_step(state, previous, annotations, key, **parts).weights
    assert torch.equal(decoder_step(state, previous + 1, annotations, key, **parts).weights, weights)
    assert not torch.allclose(decoder_step(state + 1, previous, annotations, key, **parts).weights, weights)


@torch.no_grad()
def test_decoder_step_does_not_see_padding() -> None:
    (state, previous, annotations, key), parts = step_inputs()
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    step = decoder_step(state, previous, annotations, key, mask=mask, **parts)
    annotations[1, 3:], key[1, 3:] = 99.0, -99.0
    again = decoder_step(state, previous, annotations, key, mask=mask, **parts)
    assert torch.equal(step.state, again.state)


def test_date_translator_is_the_same_for_the_same_generator() -> None:
    first, second, third = untrained(0), untrained(0), untrained(1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.w, third.w)


def test_date_translator_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    untrained()
    assert torch.equal(torch.get_rng_state(), before)


@torch.no_grad()
def test_date_translator_reads_a_text_alike_alone_and_beside_a_longer_one() -> None:
    translator = untrained()
    alone, alignment = translator(translator.encode(["May 11"]))
    batch, alignments = translator(translator.encode(["May 11", "May 11, 2019"]))
    torch.testing.assert_close(batch[:1], alone)
    torch.testing.assert_close(alignments[:1, :, :6], alignment)
    assert (alignments[0, :, 6:] == 0).all()


@torch.no_grad()
def test_date_translator_told_its_own_output_repeats_itself() -> None:
    translator = untrained()
    source = translator.encode(["May 11, 2019"])
    free, _ = translator(source)
    forced, _ = translator(source, free.argmax(dim=-1))
    assert torch.equal(free, forced)


def test_date_translator_aligns_each_character_written_with_those_read() -> None:
    text, alignment = untrained().translate("May 11, 2019")
    assert (len(text), alignment.shape) == (10, (10, 12))
    torch.testing.assert_close(alignment.sum(dim=1), torch.ones(10))


def test_date_translator_reads_the_year_last_and_writes_it_first(trained) -> None:
    translation = trained[0].translate("Samstag, 11. Mai 2019")
    assert translation.text == "2019-05-11"
    year = translation.alignment[:4, -4:].sum(dim=1)
    assert (year > 0.5).all()  # most of the weight, on characters that stand after the first four


def test_date_translator_rejects_a_character_outside_its_alphabet() -> None:
    with pytest.raises(ValueError, match=r"got \['J', 'u'\] in 'Juy'"):
        untrained().translate("Juy")


def test_date_translator_rejects_an_empty_text() -> None:
    with pytest.raises(ValueError, match="text must not be empty"):
        untrained().translate("")


def test_date_translator_rejects_an_empty_alphabet() -> None:
    with pytest.raises(ValueError, match="alphabet must name the characters"):
        DateTranslator("", generator=torch.Generator())


def test_date_translator_rejects_no_hidden_units() -> None:
    with pytest.raises(ValueError, match="hidden must be at least 1, got 0"):
        DateTranslator("a", hidden=0, generator=torch.Generator())
