"""TeX to MathML at build time: a page needs no script to show its formulas."""

import re

from math_core import LatexToMathML

MACROS = {
    "E": r"\mathbb{E}",
    "P": r"\mathbb{P}",
    "R": r"\mathbb{R}",
    "KL": r"\operatorname{KL}",
    "JS": r"\operatorname{JS}",
    "TV": r"\operatorname{TV}",
    "Lip": r"\operatorname{Lip}",
    "argmin": r"\operatorname*{arg\,min}",
}
# annotation=True would leak raw TeX into navigation titles; \widetilde needs the unreliable rendering.
_CONVERTER = LatexToMathML(
    annotation=False, fancy_error=False, allow_unreliable_rendering=True, macros=MACROS
)

# A prime is raised in the font already; as a superscript browsers would raise and shrink it once more.
_PRIMED = re.compile(r"<msup>(<m[io][^>]*>[^<]*</m[io]>)<mo>([′″‴])</mo></msup>")


class TexError(ValueError):
    """A formula that cannot be rendered."""


def mathml(tex: str, *, block: bool) -> str:
    """Render one formula, without its dollar signs, as a `<math>` element.

    Args:
        tex: The formula in LaTeX.
        block: Whether it stands on a line of its own.

    Raises:
        TexError: If the formula has an unknown command or does not parse; the message holds the formula.
    """
    try:
        markup = str(_CONVERTER.convert_with_local_state(tex.strip(), displaystyle=block))
        return _PRIMED.sub(r'<mrow>\1<mo lspace="0.06em" rspace="0">\2</mo></mrow>', markup)
    except Exception as error:  # math-core raises its own class, which says where
        raise TexError(f"cannot render the formula {tex.strip()!r}: {error}") from error


def inline_formulas(text: str) -> str:
    """Render the `$formulas$` in a line of HTML, as in a caption."""
    return re.sub(r"(?<!\\)\$([^$]+)\$", lambda m: mathml(m[1], block=False), text)
