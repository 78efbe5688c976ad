"""Tests of the pairs of written and ISO dates."""

import datetime

import pytest
import torch

from mlnotes2.attention import dates


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_dates_write_the_same_day_twice() -> None:
    for text, iso in dates(200, locales=("en",), generator=generator()):
        date = datetime.date.fromisoformat(iso)
        assert text.endswith(f"{date.day}, {date.year}")
        assert date.strftime("%b") in text


def test_dates_never_repeat_a_day() -> None:
    days = [iso for _, iso in dates(1000, generator=generator())]
    assert len(set(days)) == 1000


def test_dates_can_draw_every_day_of_the_range() -> None:
    first, last = datetime.date(2020, 2, 28), datetime.date(2020, 3, 1)
    days = {iso for _, iso in dates(3, first=first, last=last, generator=generator())}
    assert days == {"2020-02-28", "2020-02-29", "2020-03-01"}


def test_dates_depend_on_the_generator_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert dates(20, generator=generator()) == dates(20, generator=generator())
    assert dates(20, generator=generator()) != dates(20, generator=generator(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_dates_use_every_locale() -> None:
    texts = [text for text, _ in dates(1000, generator=generator())]
    months = ("Juli ", "July ", "julio ", "juillet ", "luglio ")
    assert all(any(month in text for text in texts) for month in months)


@pytest.mark.parametrize("n", [0, 4])
def test_dates_reject_more_days_than_there_are_or_none(n: int) -> None:
    first, last = datetime.date(2020, 2, 28), datetime.date(2020, 3, 1)
    with pytest.raises(ValueError, match=f"the 3 days from 2020-02-28 to 2020-03-01, got {n}"):
        dates(n, first=first, last=last, generator=generator())


@pytest.mark.parametrize("name", ["xx", "not a locale"])
def test_dates_reject_a_locale_that_babel_does_not_know(name: str) -> None:
    with pytest.raises(ValueError, match=f"locales must be known to Babel, got .*{name}"):
        dates(1, locales=(name,), generator=generator())


def test_dates_reject_no_locales() -> None:
    with pytest.raises(ValueError, match="at least one locale"):
        dates(1, locales=(), generator=generator())
