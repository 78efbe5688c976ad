"""An encoder and a decoder with attention between them, which rewrite a date character by character."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ._additive import additive_attention

TARGET_ALPHABET = "0123456789-"
TARGET_LENGTH = len("2019-05-11")


class DecoderStep(NamedTuple):
    """What one step of the decoder returns.

    Attributes:
        state: The next state of the decoder, shape (b, h).
        context: The weighted mean of the annotations, shape (b, d).
        weights: How much of each annotation it holds, shape (b, s).
    """

    state: Float[Tensor, "b h"]
    context: Float[Tensor, "b d"]
    weights: Float[Tensor, "b s"]


class Translation(NamedTuple):
    """A translated text, and where the decoder looked.

    Attributes:
        text: The translation.
        alignment: Attention weights: a row for each character written, a column for each character read.
    """

    text: str
    alignment: Float[Tensor, "q s"]


def decoder_step(
    state: Float[Tensor, "b h"],
    previous: Float[Tensor, "b e"],
    annotations: Float[Tensor, "b s d"],
    key: Float[Tensor, "b s k"],
    *,
    query_map: nn.Module,
    w: Float[Tensor, " k"],
    cell: nn.GRUCell,
    mask: Bool[Tensor, "b s"] | None = None,
) -> DecoderStep:
    """Look at all annotations with the previous state, then move the state on.

    `e[s] = w . tanh(W state + key[s])`, `weights = softmax(e)`, `context = sum_s weights[s] annotations[s]`,
    and the next state is `GRU([previous, context], state)`. The keys `U annotations + b` are the same at
    every step, so they come in as an argument.

    Args:
        state: The decoder's previous state, shape (b, h).
        previous: The embedded previous output, shape (b, e).
        annotations: The encoder's outputs, shape (b, s, d).
        key: Their projections, shape (b, s, k).
        query_map: The linear map W from h to k units.
        w: Output weights of the scoring network, shape (k,).
        cell: The decoder's GRU cell, with inputs of size e + d.
        mask: False where the input is padding, shape (b, s).

    Returns:
        `DecoderStep(state, context, weights)`.

    Source:
        Bahdanau, Cho, Bengio (2015).

    Example:
        >>> annotations = torch.eye(3)[None]
        >>> step = decoder_step(
        ...     torch.zeros(1, 4), torch.zeros(1, 2), annotations, annotations,
        ...     query_map=nn.Linear(4, 3), w=torch.zeros(3), cell=nn.GRUCell(5, 4),
        ... )
        >>> step.weights.detach()
        tensor([[0.3333, 0.3333, 0.3333]])
    """
    query = query_map(state)[:, None]
    allowed = None if mask is None else mask[:, None]
    context, weights = additive_attention(query, key, annotations, w=w, mask=allowed)
    context, weights = context[:, 0], weights[:, 0]
    return DecoderStep(cell(torch.cat([previous, context], dim=-1), state), context, weights)


class DateTranslator(nn.Module):
    """A bidirectional GRU that reads a date, and a GRU with additive attention that writes it as YYYY-MM-DD.

    Args:
        alphabet: The characters that it can read.
        hidden: Units of each GRU and of the scoring network.
        generator: Where the initial weights come from; the global generator is not touched.

    Raises:
        ValueError: If the alphabet is empty or `hidden` is not positive.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> translator = DateTranslator("May 0123456789,", hidden=8, generator=generator)  # not trained yet
        >>> text, alignment = translator.translate("May 11, 2019")
        >>> len(text), tuple(alignment.shape)
        (10, (10, 12))
    """

    def __init__(self, alphabet: str, *, hidden: int = 64, generator: torch.Generator) -> None:
        super().__init__()
        if not alphabet:
            raise ValueError("alphabet must name the characters that can be read, got ''; join your texts")
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {hidden}; 64 suffices for dates")
        self.alphabet = "".join(sorted(set(alphabet)))
        with torch.device("meta"):  # no memory and no global random numbers; the values are drawn below
            self.read = nn.Embedding(len(self.alphabet) + 1, hidden)  # the last row is padding
            self.encoder = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
            self.first_state = nn.Linear(hidden, hidden)
            self.query_map = nn.Linear(hidden, hidden, bias=False)
            self.key_map = nn.Linear(2 * hidden, hidden)
            self.w = nn.Parameter(torch.empty(hidden))
            self.reread = nn.Embedding(len(TARGET_ALPHABET) + 1, hidden)  # the last row starts a text
            self.cell = nn.GRUCell(3 * hidden, hidden)
            self.write = nn.Linear(3 * hidden, len(TARGET_ALPHABET))
        self.to_empty(device="cpu")
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(hidden), 1 / math.sqrt(hidden), generator=generator)
        for embedding in (self.read, self.reread):
            nn.init.normal_(embedding.weight, generator=generator)

    def encode(self, texts: list[str]) -> Int[Tensor, "b s"]:
        """The characters of the texts as numbers, padded at the end to the longest."""
        for text in texts:
            unknown = sorted(set(text) - set(self.alphabet))
            if not text:
                raise ValueError("text must not be empty; give a date such as 'May 11, 2019'")
            if unknown:
                raise ValueError(f"text must use the characters {self.alphabet!r}, got {unknown} in {text!r}")
        rows = [torch.tensor([self.alphabet.index(c) for c in text]) for text in texts]
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=len(self.alphabet))
        return padded.to(self.w.device)

    def forward(
        self, source: Int[Tensor, "b s"], target: Int[Tensor, "b t"] | None = None
    ) -> tuple[Float[Tensor, "b t letters"], Float[Tensor, "b t s"]]:
        """Logits of each output character, and the alignment.

        Args:
            source: Texts from `encode`.
            target: The right answers as numbers. Each step is then told the right previous character (teacher
                forcing); without them it is told its own.
        """
        mask = source != len(self.alphabet)
        annotations = self._annotate(source, mask)
        key = self.key_map(annotations)
        backwards = annotations[:, 0, self.encoder.hidden_size :]  # the half that has read the whole text
        state = torch.tanh(self.first_state(backwards))
        letter = source.new_full((len(source),), len(TARGET_ALPHABET))
        logits, alignment = [], []
        for t in range(TARGET_LENGTH):
            state, context, weights = decoder_step(
                state, self.reread(letter), annotations, key,
                query_map=self.query_map, w=self.w, cell=self.cell, mask=mask,
            )  # fmt: skip
            logits.append(self.write(torch.cat([state, context], dim=-1)))
            alignment.append(weights)
            letter = logits[-1].argmax(dim=-1) if target is None else target[:, t]
        return torch.stack(logits, dim=1), torch.stack(alignment, dim=1)

    def translate(self, text: str) -> Translation:
        """Write one date as YYYY-MM-DD, with the attention weights: row t is where character t was read from.

        Raises:
            ValueError: If the text is empty or has a character that is not in the alphabet.
        """
        with torch.no_grad():
            logits, alignment = self(self.encode([text]))
        letters = logits[0].argmax(dim=-1).tolist()
        return Translation("".join(TARGET_ALPHABET[i] for i in letters), alignment[0])

    def _annotate(self, source: Tensor, mask: Tensor) -> Tensor:
        """Outputs of the encoder; packing keeps its backward half from reading the padding first."""
        packed = nn.utils.rnn.pack_padded_sequence(
            self.read(source), mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
        )
        return nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0], batch_first=True)[0]
