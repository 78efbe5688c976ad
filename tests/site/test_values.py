"""Numbers in prose: how a value is written, and which typed decimals are told."""

from pathlib import Path

import pytest

from notesite.project import Project
from notesite.values import UnknownValueError, Value, malformed, nearest, references, topic_of, typed_decimals

# How a value is written.


def text(number: float, spec: str, unit: str = "", *, tex: bool = False) -> str:
    return Value(number, Path("page.md"), "anchor", "an example").text(spec, unit, tex=tex)


@pytest.mark.parametrize(
    ("number", "spec", "html", "tex"),
    [
        (3.0, "d", "3", "3"),
        (-3, "d", "−3", "-3"),
        (1234567.0, ",d", "1\u202f234\u202f567", r"1\, 234\, 567"),
        (-1234.5, ",.1f", "−1\u202f234.5", r"-1\, 234.5"),
        (2 / 3, ".3f", "0.667", "0.667"),
        (-2 / 3, ".3f", "−0.667", "-0.667"),
        (-1e-9, ".3f", "0.000", "0.000"),
        (0.0625, ".1%", "6.2\u202f%", r"6.2\, \%"),
        (-0.5, ".0%", "−50\u202f%", r"-50\, \%"),
        (12345.0, ".2e", "1.23 × 10<sup>4</sup>", r"1.23 \times 10^{4}"),
        (-0.00012, ".1e", "−1.2 × 10<sup>−4</sup>", r"-1.2 \times 10^{-4}"),
    ],
)
def test_value_text_follows_the_format(number, spec, html, tex):
    assert text(number, spec) == html
    assert text(number, spec, tex=True) == tex


def test_value_text_keeps_the_unit_with_the_number():
    assert text(1.5, ".1f", "GB per s") == "1.5\u00a0GB per s"
    assert text(1.5, ".1f", "ms", tex=True) == r"1.5\, \mathrm{ms}"


@pytest.mark.parametrize(
    "spec", ["", "3f", ".3", ".f", ".3g", ".3d", "x", "s", "+.3f", "08.3f", "_d", ".3f ", ".-3f", "%d"]
)
def test_value_text_refuses_a_format_that_is_none_of_its_own(spec):
    with pytest.raises(UnknownValueError, match=r"unknown format .*; expected one such as d, \.3f"):
        text(1.0, spec)


@pytest.mark.parametrize("number", [0.5, -1.0000001])
@pytest.mark.parametrize("spec", ["d", ",d"])
def test_value_text_never_rounds_to_a_whole_number_in_silence(number, spec):
    with pytest.raises(UnknownValueError, match=f"is for whole numbers, and this one is {number}"):
        text(number, spec)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("spec", ["d", ".3f"])
def test_value_text_refuses_what_is_no_finite_number(number, spec):
    with pytest.raises(UnknownValueError, match=f"finite number, got {number}"):
        text(number, spec)


# References.


@pytest.fixture
def page(tmp_path):
    """Writes the one page of a project, and returns it."""

    def write(content: str, name: str = "docs/topic/note.md") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_references_reads_name_format_and_unit(page):
    (found,) = references(page("A\n\nIt took {value: run.time .2f GB per s }.\n"))
    assert (found.line, found.name, found.format, found.unit) == (3, "run.time", ".2f", "GB per s")


def test_references_finds_several_on_one_line_and_in_formulas(page):
    found = references(page("{value: t.a d} and $x = {value: t.b .1f}$\n\n| {value: t.c .1%} |\n"))
    assert [r.name for r in found] == ["t.a", "t.b", "t.c"]


def test_references_leaves_format_and_unit_empty_where_there_are_none(page):
    (found,) = references(page("{value: t.a}"))
    assert (found.format, found.unit) == ("", "")


@pytest.mark.parametrize(
    "code", ["See `{value: t.a d}`.", "See ``a ` {value: t.a d}``.", "```text\n{value: t.a d}\n```"]
)
def test_references_ignores_code(page, code):
    assert references(page(code)) == []


def test_references_reads_the_markdown_cells_of_a_lab_and_not_its_code(page):
    lab = page(
        '# %% [markdown]\n# # Lab\n# {value: t.a d}\n\n# %%\n# {value: t.b d}\nx = "{value: t.c d}"\n',
        "docs/topic/some_lab.py",
    )
    assert [(r.line, r.name) for r in references(lab)] == [(3, "t.a")]


@pytest.mark.parametrize(
    "wrong",
    [
        "{value: }",
        "{value: a+b .3f}",
        "{value: t.a, .3f}",
        "{ value: t.a .3f}",
        "{value: t.a",
        "{cited: 99 %}",
        "{cited: 99 % from }",
    ],
)
def test_malformed_finds_what_would_stay_text(page, wrong):
    assert malformed(page(f"A\n\nSee {wrong}\n")) == [(3, wrong)]


@pytest.mark.parametrize(
    "right",
    ["{value: t.a d}", "{cited: 99 % from Lucic, 2018}", "`{value: }`", r"$\mathrm{value}$", "{cite}"],
)
def test_malformed_leaves_the_rest_alone(page, right):
    assert malformed(page(f"See {right}.\n")) == []


@pytest.mark.parametrize(
    ("path", "topic"),
    [("topic/note.md", "topic"), ("mistakes.md", "mistakes"), ("topic/some_lab.py", "topic")],
)
def test_topic_of_is_the_folder_or_the_page_itself(tmp_path, path, topic):
    project = Project(tmp_path)
    assert topic_of(project.docs / path, project) == topic


def test_nearest_names_what_looks_alike():
    assert nearest("topic.ratoi", ["topic.ratio", "other"]) == "; did you mean topic.ratio?"
    assert nearest("zzz", ["topic.ratio"]) == ""


# Decimals typed in prose.


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("It is 0.25.", "0.25"),
        ("It is .5 or -1.25", ".5, 1.25"),
        ("Costs $1.5$ or $x = 2.75y$", "1.5, 2.75"),
        ("| 0.5 | 3 |", "0.5"),
        ("- 99.3 %, (0.1), **0.2**", "99.3, 0.1, 0.2"),
        ("# Title 1.5", "1.5"),
        ("A rate of 1.5e-3", "1.5"),
        ("About 1,234.5 of them", "234.5"),
        ("[about 0.5](https://example.org)", "0.5"),
        ("For example 0.5, and `code` 0.25", "0.5, 0.25"),
        ("/// claim | At most 0.5", "0.5"),
        ("Faster than `x` 0.5 `y`", "0.5"),
        ("An error of 1e-3, 2.E4", "1e-3, 2.E4"),
        ("In this example 0.5 and in the figure .5", "0.5, .5"),
        ("$E[X](0.5)$ is 0&#46;5", "0.5, 0&#46;5"),
        (r"Marks \` 0.5 \` around", "0.5"),
    ],
)  # fmt: skip
def test_typed_decimals_tells_a_decimal_in_prose(page, tmp_path, line, found):
    (fault,) = typed_decimals(page(f"A\n\n{line}\n"), Project(tmp_path))
    assert fault.startswith(f"docs/topic/note.md:3: {found} typed in prose; write {{value: name .3f}}")


@pytest.mark.parametrize(
    "line",
    [
        "Whole numbers 3 and 1/4 and 1000.",
        "At the end of 3. Then 4.",
        "Code `0.5`, ``a ` 0.5`` and `x = 1.5`",
        "<https://example.org/1.5>, https://example.org/2.5 and [text](https://example.org/v1.5/)",
        "arXiv:1701.07875 and [arXiv: 1802.05957](https://arxiv.org/abs/1802.05957)",
        "doi:10.1007/978-3.5",
        "Section 3.2, theorem 5.10, (Example 2.1), equations 1.3",
        "Python 3.11, version 2.4",
        "numpy 1.2.3 and v1.5 and x1.5",
        "{value: t.a .3f} and {cited: 99.3 % from table 2.5 of Lucic, 2018}",
        "$\\frac12$ and $x_{1}.$",
    ],
)
def test_typed_decimals_passes_over_what_is_no_number_of_the_page(page, tmp_path, line):
    assert typed_decimals(page(f"{line}\n"), Project(tmp_path)) == []


def test_typed_decimals_knows_code_that_goes_over_the_end_of_a_line(page, tmp_path):
    (fault,) = typed_decimals(
        page("See `a 0.1\nb 0.2` and 0.3 and `0.4`.\n\n- `\n- 0.5 `\n"), Project(tmp_path)
    )[:1]
    assert fault.startswith("docs/topic/note.md:2: 0.3 typed")
    (fault,) = typed_decimals(page("- one ` here\n- 0.5 ` there\n"), Project(tmp_path))
    assert fault.startswith("docs/topic/note.md:2: 0.5 typed")


@pytest.mark.parametrize("head", ["#%% [markdown]", "# %% [md]", '# %% Title [markdown] key="a"'])
def test_typed_decimals_knows_every_markdown_cell(page, tmp_path, head):
    assert len(typed_decimals(page(f"{head}\n# About 0.5.\n", "docs/a_lab.py"), Project(tmp_path))) == 1


def test_typed_decimals_passes_over_fences(page, tmp_path):
    note = page("```text\n0.5\n```\n\n- item\n\n    ```python\n    x = 0.5\n    ```\n")
    assert typed_decimals(note, Project(tmp_path)) == []


def test_typed_decimals_passes_over_a_cited_block_and_not_what_follows_it(page, tmp_path):
    note = page("/// cited | Lucic, 2018, table 2\n\n| 99.3 |\n|---|\n| 0.5 |\n///\n\nBut 1.5.\n")
    assert [fault.split(" typed")[0] for fault in typed_decimals(note, Project(tmp_path))] == [
        "docs/topic/note.md:8: 1.5"
    ]


def test_typed_decimals_passes_over_all_of_a_cited_block_with_others_inside(page, tmp_path):
    note = page("/// cited | Source\n0.1\n\n//// details | More\n0.2\n////\n\n0.3\n///\n\n0.4\n")
    (fault,) = typed_decimals(note, Project(tmp_path))
    assert "md:11: 0.4 " in fault


def test_typed_decimals_passes_over_a_cited_block_inside_another_and_no_more(page, tmp_path):
    note = page("/// details | More\n0.1\n\n//// cited | Source\n0.2\n////\n\n0.3\n///\n")
    assert [f.partition(" typed")[0][-3:] for f in typed_decimals(note, Project(tmp_path))] == ["0.1", "0.3"]


def test_typed_decimals_wants_a_source_for_a_cited_block(page, tmp_path):
    assert len(typed_decimals(page("/// cited\n0.5\n///\n"), Project(tmp_path))) == 1


def test_typed_decimals_reads_the_markdown_cells_of_a_lab_and_not_its_code(page, tmp_path):
    lab = page(
        "# %% [markdown]\n# # Lab\n# About 0.5.\n\n# %%\nx = 0.25  # not 0.75\n\n# %% [markdown]\n# And 1.5.\n",
        "docs/topic/some_lab.py",
    )
    assert [f.partition(" typed")[0] for f in typed_decimals(lab, Project(tmp_path))] == [
        "docs/topic/some_lab.py:3: 0.5", "docs/topic/some_lab.py:9: 1.5",
    ]  # fmt: skip
