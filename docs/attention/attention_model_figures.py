"""Figures of the note on the attention model."""

import torch

from mlnotes2.attention import accuracy, dates, train_translator
from mlnotes2.attention._translator import TARGET_ALPHABET
from notesite import figures

READ, WRITTEN = "samedi 11 mai 2019", "2019-05-11"
SHOWN = range(0, 65, 16)  # 64 is the last step


def alignment():
    """Where the decoder looks while it writes a date, from the untrained to the trained state."""
    generator = torch.Generator().manual_seed(0)
    pairs = dates(2500, generator=generator)
    held_out, training = pairs[:500], pairs[500:]
    weights, readout = [], []

    def watch(step, translator):
        if step in SHOWN:
            right = torch.tensor([[TARGET_ALPHABET.index(c) for c in WRITTEN]])
            with torch.no_grad():
                weights.append(translator(translator.encode([READ]), right)[1][0].numpy())
            share, alone = accuracy(translator, held_out), translator.translate(READ).text
            readout.append(f"left alone it writes {alone}; {share:.1%} of unseen days are right")

    train_translator(training, batch=64, lr=1e-2, generator=generator, on_step=watch)
    fig, ax = figures.subplots(height=3.3)
    cells = figures.Cells(
        ax,
        weights,
        rows=list(WRITTEN),
        cols=["·" if c == " " else c for c in READ],
        format="{:.2f}",
        entry="writing {row}, looking at {col} with weight {value}",
    )
    ax.set(xlabel="character that is read", ylabel="character to be written")
    looks = ", ".join(
        f"{c} at {READ[int(row.argmax())]!r}" for c, row in zip(WRITTEN, weights[-1], strict=True)
    )
    return figures.Figure(
        fig,
        alt=f"Attention weights of a trained translator that reads {READ!r} and writes {WRITTEN!r}. "
        f"For each character written, the largest weight stands: {looks}.",
        caption=r"Attention weights $\alpha^{\langle t,t' \rangle}$ of a translator of dates, which is told the right "
        "characters above each row. At first every character counts alike. It finds the year first, then the day, "
        "and the month last.",
        sliders=[figures.Slider("Training steps", SHOWN, start=len(SHOWN) - 1)],
        layers=[cells],
        readout=readout,
    )
