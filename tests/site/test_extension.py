"""The extension works in any renderer of Python-Markdown, without mkdocs."""

import re

import markdown
import pytest

from notesite.extension import NotesExtension, PageError, current_page


@pytest.fixture
def render(built_project):
    """Markdown to HTML in a project whose figures and examples are kept already."""

    def convert(text: str) -> str:
        extensions = [
            NotesExtension(root=str(built_project.root)),
            "pymdownx.superfences",
            "attr_list",
            "tables",
        ]
        return markdown.markdown(text, extensions=extensions)

    return convert


def code_of(page: str) -> list[str]:
    """The text of each block, as a reader would copy it."""
    blocks = re.findall(r"<code[^>]*>(.*?)</code></pre>", page, re.S)
    return [re.sub(r"<[^>]+>", "", block).replace("&gt;", ">").replace("&quot;", '"') for block in blocks]


def test_extension_renders_a_slice_that_runs_alone(render, capsys):
    (code,) = code_of(render('```python symbol="pkg.topic.two"\n```'))
    assert "import" not in code
    exec(compile(code + "print(two())", "block", "exec"), {})
    assert capsys.readouterr().out == "2\n"


def test_extension_shows_the_output_of_lines_inside_the_fence(render):
    code, output = code_of(render('```python symbol="pkg.topic.two"\nprint(two())\n```'))
    assert code.endswith("\n\n\nprint(two())\n")
    assert output.strip() == "2"


def test_extension_gives_wrong_code_no_copy_button(render):
    page = render("```python wrong\nprint(1 / 0)\n```")
    assert "no-copy" in page
    assert "Wrong on purpose" in page
    assert "ZeroDivisionError: division by zero" in page


def test_extension_leaves_ordinary_fences_alone(render):
    page = render('````text\n```python symbol="no.such"\n```\n````')
    assert "no.such" in page


@pytest.mark.parametrize(
    "text",
    ["# Title $x^2$", "| a |\n|---|\n| $x^2$ |", "- item $x^2$", "**$x^2$**", "$$\nx^2\n$$", r"\[x^2\]"],
)
def test_extension_renders_formulas_everywhere(render, text):
    page = render(text)
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in page
    assert "$" not in page


@pytest.mark.parametrize("text", [r"costs \$5 and \$6", "`$x$`", "5 $ and 6 $"])
def test_extension_leaves_dollars_that_are_no_formulas(render, text):
    page = render(text)
    assert "<math" not in page
    assert "$" in page


def test_extension_links_to_source_and_tests_from_the_page_s_depth(render):
    token = current_page.set("deep/er/page.md")
    try:
        page = render('```python symbol="pkg.topic.one"\n```')
    finally:
        current_page.reset(token)
    assert 'href="../../../source/src/pkg/topic/_one.py.html#L-4"' in page
    assert 'href="../../../source/tests/topic/test_one.py.html#L-1"' in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a\n\n```python symbol="pkg.topic.twoo"\n```', r"page:3: .*twoo.*two"),
        ('``` { figure="topic.note.circle" }\n```', r"page:1: no function circle .*it has line"),
        ('```python symbol="pkg.topic.two"\nraise KeyError("k")\n```', r"page:1: (?s:.*)KeyError: 'k'"),
        (r"$\nosuch$", "cannot render the formula"),
        ("/// claim | T\n    id: topic.none\n\nx\n///", '"topic.none" has no test'),
    ],
)
def test_extension_says_page_line_and_cause(render, text, message):
    with pytest.raises(PageError, match=message):
        render(text)


def test_extension_keeps_punctuation_with_its_formula(render):
    assert "</math>.</span> Then" in render("So $x = y$. Then")
    assert '<span class="keep">' not in render("So $x = y$ then")


# Values.


@pytest.fixture
def on_note():
    """Renders as if the text stood on the note of the project."""
    token = current_page.set("topic/note.md")
    yield
    current_page.reset(token)


@pytest.mark.parametrize(
    "text",
    ["Two is {}.", "**{}**", "# Title {}", "- item {}", "| a |\n|---|\n| {} |", "A (*{}*)"],
)
def test_extension_fills_in_a_value_everywhere(render, text):
    page = render(text.format("{value: topic.double d}"))
    assert re.search(r'<a class="value" [^>]*>2</a>', page)
    assert "{value" not in page


@pytest.mark.parametrize(
    ("formula", "mathml"),
    [
        ("$x = {value: topic.double .2f}$", "<mn>2.00</mn>"),
        ("$$\nx = {value: topic.double d}\n$$", "<mn>2</mn>"),
        (r"$x^{{value: topic.double d}}$", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"$x = {value: topic.double .1e}$", "<mn>10</mn>"),
        (r"$t = {value: topic.double d ms}$", ">ms</m"),
    ],
)
def test_extension_fills_in_a_value_in_a_formula(render, formula, mathml):
    page = render(formula)
    assert mathml in page
    assert "value" not in page


@pytest.mark.parametrize(
    "text",
    ["`{value: topic.double d}`", "```text\n{value: topic.double d}\n```", r"\{value: topic.double d}"],
)
def test_extension_leaves_a_value_inside_code_as_text(render, text):
    page = render(text)
    assert "{value: topic.double d}" in re.sub(r"<[^>]+>", "", page)
    assert 'class="value"' not in page


@pytest.mark.parametrize(
    ("name", "href", "title"),
    [
        ("topic.double", "./#value-double", "2.0, computed by an example"),
        ("topic.half", "../second_lab/#", "1.0, computed by a lab"),
        ("run.seconds", "./#record-run", "12.5, computed by a record"),
    ],
)
@pytest.mark.usefixtures("on_note")
def test_extension_leads_from_a_value_to_where_it_was_computed(render, name, href, title):
    assert f'<a class="value" href="{href}" title="{title}">' in render(f"It is {{value: {name} .1f}}.")


@pytest.mark.parametrize("form", ["It is {}.", "$x = {}$", "$$\n{}\n$$", "| a |\n|---|\n| {} |"])
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{value: topic.dubble d}", "publishes topic.dubble; did you mean topic.double"),
        ("{value: topic.double}", 'unknown format ""; expected one such as'),
        ("{value: topic.double .3x}", 'unknown format ".3x"; expected one such as'),
    ],
)
@pytest.mark.usefixtures("on_note")
def test_extension_says_where_a_value_cannot_be_filled_in(render, built_project, form, reference, message):
    text = f"# Note\n\n{form.format(reference)}\n"
    (built_project.docs / "topic/note.md").write_text(f'{text}\n```python right values="double=2"\n1\n```\n')
    line = next(k for k, line in enumerate(text.splitlines(), 1) if reference in line)
    with pytest.raises(PageError, match=rf"^docs/topic/note.md:{line}: .*{message}"):
        render(text)


@pytest.mark.usefixtures("on_note")
def test_extension_says_where_a_value_fails_to_be_computed(render, built_project):
    text = 'A {value: topic.x d}\n\n```python right values="x=1/0"\n1\n```\n'
    (built_project.docs / "topic/note.md").write_text(text)
    with pytest.raises(PageError, match=r"^docs/topic/note.md:1: (?s:.*)ZeroDivisionError"):
        render(text.splitlines()[0])
    with pytest.raises(PageError, match=r"^docs/topic/note.md:3: (?s:.*)ZeroDivisionError"):
        render(text)


# Cited numbers.


@pytest.mark.parametrize("form", ["It is {}.", "- {}", "| a |\n|---|\n| {} |", "**{}**"])
def test_extension_shows_a_cited_number_with_its_source(render, form):
    page = render(form.format("{cited: 99.3 % from Lucic et al., 2018, table 2}"))
    assert '<span class="cited" title="cited from Lucic et al., 2018, table 2">99.3 %</span>' in page


def test_extension_leaves_a_cited_number_inside_code_as_text(render):
    assert "{cited: 1.5 from x}" in render("`{cited: 1.5 from x}`")


def test_extension_shows_a_block_of_cited_numbers_with_its_source(render):
    page = render("/// cited | Lucic et al., 2018\n\n| a |\n|---|\n| 0.5 $x^2$ |\n///\n\nAfter.\n")
    box = page[page.index('<div class="cited">') : page.index("</div>")]
    assert '<p class="cited-source">Cited, not reproduced: Lucic et al., 2018</p>' in box
    assert "<td>0.5 <math" in box
    assert "After." not in box


# Records.


def test_extension_shows_what_made_a_record(render):
    page = render('A\n\n``` { record="run" }\n```\n\nB')
    assert '<p class="record" id="record-run">Measured on ' in page
    assert "on a small machine" in page
    assert "<p>B</p>" in page


def test_extension_names_the_nearest_of_an_unknown_record(render):
    with pytest.raises(PageError, match=r"page:3: there is no docs/records/ran.json; did you mean run\?"):
        render('A\n\n``` { record="ran" }\n```')


def test_extension_refuses_timings_that_were_not_measured(render):
    with pytest.raises(PageError, match=r"page:3: docs/records/run.json holds no solve"):
        render('A\n\n``` { timings="run.solve" }\n```')


# Code that is right, and code that is left to the reader.


def test_extension_runs_code_that_is_right_and_lets_it_be_copied(render):
    page = render("```python right\nx = 1\nprint(x + 1)\n```")
    code, output = code_of(page)
    assert code == "x = 1\nprint(x + 1)\n"
    assert output.strip() == "2"
    assert page.count("no-copy") == 1
    assert page.index("no-copy") > page.index("</pre>")  # the output's


def test_extension_stops_at_code_that_is_meant_to_be_right_and_fails(render):
    with pytest.raises(PageError, match=r"page:1: the example failed:(?s:.*)ZeroDivisionError"):
        render("```python right\n1 / 0\n```")


def test_extension_shows_no_output_where_nothing_is_printed(render):
    assert len(code_of(render("```python right\nx = 1\n```"))) == 1


def test_extension_puts_an_anchor_where_values_are_published(render):
    page = render('```python right values="the_sum=1+1 b=2"\nprint(2)\n```')
    assert '<div id="value-the-sum"></div>' in page
    assert "values=" not in page


def test_extension_refuses_values_of_a_block_that_runs_nothing(render):
    with pytest.raises(
        PageError, match="page:1: a and b cannot be computed, for the block holds no lines that run"
    ):
        render('```python symbol="pkg.topic.one" values="a=1 b=2"\n```')


def test_extension_shows_a_stub_without_its_solution(render):
    (code,) = code_of(page := render('```python symbol="pkg.topic.two" stub\n```'))
    assert code == 'def two() -> int:\n    """Return two."""\n    raise NotImplementedError\n'
    assert "source-links" not in page
    assert "no-copy" not in page


def test_extension_says_where_a_symbol_has_no_stub(render, built_project):
    (built_project.src / "pkg/topic/_three.py").write_text("THREE = 3\n")
    with pytest.raises(PageError, match=r"page:3: `pkg.topic._three.THREE` has no stub"):
        render('A\n\n```python symbol="pkg.topic._three.THREE" stub\n```')


# Statements and the tests behind them.


def test_extension_shows_an_exercise_with_its_name_and_badge(render):
    page = render("/// exercise | Even or odd\n    id: topic.1\n\nIs two even?\n///")
    assert '<div class="exercise">\n<p class="exercise-title" id="exercise-topic.1">' in page
    assert "topic.1: Even or odd" in page
    assert re.search(
        r'<span class="badge"><a href="[^"]*test_two.py.html#L-6"[^>]*>tested, 3 cases</a>', page
    )


@pytest.mark.usefixtures("on_note")
def test_extension_lists_the_claims_of_all_pages_by_topic(render):
    page = render("Before.\n\n``` { claims }\n```\n\nAfter.")
    heading, item = page.index("<h2>Topic</h2>"), page.index('<a href="./#claim-topic.one">One is one</a>')
    assert page.index("Before.") < heading < item < page.index("After.")
    assert page.count("<li>") == 1  # exercises are no claims
    assert "tested, 101 cases" in page
