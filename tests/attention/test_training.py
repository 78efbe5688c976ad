"""Tests of the training of the date translator."""

import pytest
import torch

from mlnotes2.attention import accuracy, train_translator

PAIRS = [("May 11, 2019", "2019-05-11"), ("11 mai 2018", "2018-05-11")]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_train_translator_gets_days_right_that_it_has_not_seen(trained) -> None:
    assert accuracy(*trained) > 0.95  # all of them were right when this was written


def test_train_translator_depends_on_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (train_translator(PAIRS, hidden=4, generator=generator()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_train_translator_reports_every_step_from_the_untrained_state_on() -> None:
    steps: list[int] = []
    train_translator(
        PAIRS, hidden=4, epochs=3, batch=1, generator=generator(), on_step=lambda step, _: steps.append(step)
    )
    assert steps == [0, 1, 2, 3, 4, 5, 6]


def test_accuracy_counts_whole_dates(trained) -> None:
    translator, _ = trained
    right, wrong = ("May 11, 2019", "2019-05-11"), ("May 11, 2019", "2019-05-12")
    assert accuracy(translator, [right, wrong, right, right]) == 0.75


def test_accuracy_rejects_no_pairs(trained) -> None:
    with pytest.raises(ValueError, match="pairs must hold at least one date"):
        accuracy(trained[0], [])


def test_train_translator_rejects_no_pairs() -> None:
    with pytest.raises(ValueError, match="pairs must hold at least one date"):
        train_translator([], generator=generator())


@pytest.mark.parametrize("option", [{"hidden": 0}, {"epochs": 0}, {"batch": 0}, {"lr": 0.0}])
def test_train_translator_rejects_an_option_that_is_not_positive(option: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(option))} must be positive, got 0"):
        train_translator(PAIRS, **option, generator=generator())


@pytest.mark.parametrize("iso", ["2019-5-11", "2019/05/11"])
def test_train_translator_rejects_a_target_that_is_not_iso(iso: str) -> None:
    with pytest.raises(ValueError, match=f"must be YYYY-MM-DD, got '{iso}'"):
        train_translator([("May 11, 2019", iso)], generator=generator())
