"""Pairs of a date as people write it, in several languages, and the same date in ISO 8601."""

import datetime

import torch
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

FORMATS = ("medium", "long", "full")


def dates(
    n: int,
    *,
    locales: tuple[str, ...] = ("de", "en", "es", "fr", "it"),
    first: datetime.date = datetime.date(1950, 1, 1),
    last: datetime.date = datetime.date(2049, 12, 31),
    generator: torch.Generator,
) -> list[tuple[str, str]]:
    """Draw `n` different days, each written in a random locale and a random length.

    Babel's short format is left out: it writes two-digit years, and the text does not tell day from month.
    No day comes twice, so what is held out of the result shares no day with the rest.

    Args:
        n: How many days to draw.
        locales: Locales to write them in, as Babel names them.
        first: The earliest day.
        last: The latest day.
        generator: Where the randomness comes from.

    Returns:
        Pairs such as `("samedi 11 mai 2019", "2019-05-11")`.

    Raises:
        ValueError: If there are fewer than `n` days, `n` is not positive, or Babel does not know a locale.

    Example:
        >>> for text, iso in dates(3, generator=torch.Generator().manual_seed(0)):
        ...     print(iso, text)
        2036-10-10 Oct 10, 2036
        1988-08-13 13 août 1988
        2007-09-05 5 set 2007
    """
    available = (last - first).days + 1
    if not 1 <= n <= available:
        raise ValueError(
            f"n must be between 1 and the {available} days from {first} to {last}, got {n}; widen the range"
        )
    if not locales:
        raise ValueError("locales must name at least one locale, got none; try ('en', 'de')")
    try:
        parsed = [Locale.parse(name) for name in locales]
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"locales must be known to Babel, got {locales}: {error}") from error
    days = torch.randperm(available, generator=generator)[:n].tolist()
    places = torch.randint(len(locales), (n,), generator=generator).tolist()
    lengths = torch.randint(len(FORMATS), (n,), generator=generator).tolist()
    pairs = []
    for day, place, length in zip(days, places, lengths, strict=True):
        date = first + datetime.timedelta(days=day)
        pairs.append((format_date(date, format=FORMATS[length], locale=parsed[place]), date.isoformat()))
    return pairs
