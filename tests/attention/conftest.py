"""Fixtures of the attention tests: a translator trained once, and calls that reach the value checks."""

from collections.abc import Iterator

import jaxtyping
import pytest
import torch

from mlnotes2.attention import DateTranslator, dates, train_translator


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Without jaxtyping, so that a wrong shape meets the package's own checks, as it does for users."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture(scope="session")
def trained() -> tuple[DateTranslator, list[tuple[str, str]]]:
    """A translator trained on 4000 dates, and 500 days that it has not seen."""
    generator = torch.Generator().manual_seed(0)
    pairs = dates(4500, generator=generator)
    return train_translator(pairs[500:], batch=64, lr=6e-3, generator=generator), pairs[:500]
