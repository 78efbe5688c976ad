"""Training of the date translator, and its accuracy on dates that it has not seen."""

from collections.abc import Callable

import torch
from torch import nn

from ._translator import TARGET_ALPHABET, TARGET_LENGTH, DateTranslator


def train_translator(
    pairs: list[tuple[str, str]],
    *,
    hidden: int = 64,
    epochs: int = 2,
    batch: int = 128,
    lr: float = 3e-3,
    generator: torch.Generator,
    on_step: Callable[[int, DateTranslator], None] | None = None,
) -> DateTranslator:
    """Train a `DateTranslator` to write each date of `pairs` as its ISO form, by Adam on the cross-entropy.

    Args:
        pairs: Texts and their ISO forms, for example from `dates`.
        hidden: Units of each GRU and of the scoring network.
        epochs: How often every pair is seen.
        batch: Pairs in one step.
        lr: Step size of Adam.
        generator: Where initial weights and the order of the pairs come from.
        on_step: Called with the number of steps done and the translator, first with 0 steps.

    Returns:
        The trained translator.

    Raises:
        ValueError: If there is no pair, an option is not positive, or an ISO form is not YYYY-MM-DD.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> translator = train_translator([("May 11, 2019", "2019-05-11")], epochs=40, generator=generator)
        >>> translator.translate("May 11, 2019").text
        '2019-05-11'
    """
    if not pairs:
        raise ValueError("pairs must hold at least one date, got none; draw some with dates()")
    for name, option in {"hidden": hidden, "epochs": epochs, "batch": batch, "lr": lr}.items():
        if not option > 0:
            raise ValueError(f"{name} must be positive, got {option}; leave it out for the default")
    target = _encode_target([iso for _, iso in pairs])
    translator = DateTranslator("".join(text for text, _ in pairs), hidden=hidden, generator=generator)
    adam = torch.optim.Adam(translator.parameters(), lr=lr)
    steps = 0
    if on_step:
        on_step(steps, translator)
    for _ in range(epochs):
        for chosen in torch.split(torch.randperm(len(pairs), generator=generator), batch):
            logits, _ = translator(translator.encode([pairs[i][0] for i in chosen]), target[chosen])
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[chosen].flatten())
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            steps += 1
            if on_step:
                on_step(steps, translator)
    return translator


def accuracy(translator: DateTranslator, pairs: list[tuple[str, str]]) -> float:
    """The share of `pairs` that the translator gets right in every character.

    Raises:
        ValueError: If there is no pair, or a text has a character that the translator cannot read.

    Example:
        >>> translator = DateTranslator("May 0123456789,", generator=torch.Generator().manual_seed(0))
        >>> accuracy(translator, [("May 11, 2019", "2019-05-11")])  # not trained yet
        0.0
    """
    if not pairs:
        raise ValueError("pairs must hold at least one date, got none; draw some with dates()")
    with torch.no_grad():
        logits, _ = translator(translator.encode([text for text, _ in pairs]))
    right = logits.argmax(dim=-1) == _encode_target([iso for _, iso in pairs]).to(logits.device)
    return float(right.all(dim=1).double().mean())


def _encode_target(texts: list[str]) -> torch.Tensor:
    for text in texts:
        if len(text) != TARGET_LENGTH or set(text) - set(TARGET_ALPHABET):
            raise ValueError(f"the ISO form must be YYYY-MM-DD, got {text!r}; use date.isoformat()")
    return torch.tensor([[TARGET_ALPHABET.index(c) for c in text] for text in texts])
