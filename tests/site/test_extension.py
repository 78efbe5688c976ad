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
