"""Formulas are rendered at build time, and a bad one stops the build."""

from xml.etree import ElementTree

import pytest

from notesite.mathml import MACROS, TexError, inline_formulas, mathml

SNAPSHOT = {
    r"x^2": ["msup"],
    r"\frac{|f(b) - f(a)|}{|b - a|} \le K": ["mfrac"],
    r"\exists c \in (a, b)": ["∃", "∈"],
    r"\sup_{x \in [0,1]} |f'(x)| = +\infty": ["sup", "∞"],
    r"\lim_{x \to 0} f'(x)": ["lim", "→"],
    r"B(\gamma) = \sum_{x_p, x_q} \gamma(x_p, x_q) \|x_p - x_q\|": ["∑", "γ"],
    r"W(P, Q) = \min_{\gamma \in \Pi} B(\gamma)": ["min", "Π"],
    r"\E_{x \sim P}[D(x)] - \E_{x \sim Q}[f^*(D(x))]": ["𝔼", "∼"],
    r"\KL(p \| q) = \int p(x) \log \frac{p(x)}{q(x)} \,dx": ["KL", "∫"],
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}": ["mtable"],
    r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}": ["mtable"],
    r"\begin{cases} 0 & x = 0 \\ 1 & x \ne 0 \end{cases}": ["mtable"],
    r"\alpha^{\langle t, t' \rangle}": ["α", "⟨"],
    r"\sqrt{x}": ["msqrt"],
    r"\sigma_{\max}(W)": ["max"],
    r"\left( \frac{a}{b} \right)^2": ["mfrac"],
    r"\overline{x}": ["mover"],
    r"\widetilde{W}": ["mover"],
    r"x \in \R^n": ["ℝ"],
    r"\text{for all } x": ["mtext"],
}


@pytest.mark.parametrize(("tex", "parts"), SNAPSHOT.items())
def test_mathml_renders_what_the_notes_use(tex, parts):
    markup = mathml(tex, block=True)
    ElementTree.fromstring(markup.replace("&ApplyFunction;", ""))  # well-formed but for this HTML entity
    assert all(part in markup for part in parts), markup


def test_mathml_marks_display_formulas():
    assert 'display="block"' in mathml("x", block=True)
    assert 'display="block"' not in mathml("x", block=False)


@pytest.mark.parametrize("name", MACROS)
def test_mathml_knows_every_macro(name):
    assert mathml(rf"\{name} x", block=False).startswith("<math")


@pytest.mark.parametrize("tex", [r"\nosuchcommand", r"\frac{1}", r"{x", r"\begin{nosuch}\end{nosuch}"])
def test_mathml_refuses_bad_tex_with_the_formula(tex):
    with pytest.raises(TexError, match=r"cannot render the formula") as error:
        mathml(tex, block=False)
    assert repr(tex) in str(error.value)


def test_mathml_does_not_leak_tex_into_the_page():
    assert "\\" not in mathml(r"\frac{1}{2}", block=True)


def test_inline_formulas_leaves_other_text_alone():
    assert inline_formulas("a <b>c</b> 5") == "a <b>c</b> 5"
    assert inline_formulas("so $x$.").count("<math") == 1


def test_mathml_does_not_raise_a_prime_twice():
    assert "<msup>" not in mathml("f'(c) + g''", block=True)
    assert "<msup>" in mathml("x'^2", block=True)
