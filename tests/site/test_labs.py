"""An executed lab becomes a page like any other."""

import nbformat.v4 as v4
import pytest

from notesite.labs import execute, markdown
from notesite.runs import RunError


def cell(source, *outputs, **metadata):
    return v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def shown(data):
    return v4.new_output("display_data", data=data)


def page_of(*cells):
    return markdown(v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), *cells]), "some_lab")


def test_markdown_puts_the_downloads_below_the_title():
    title, links = page_of(v4.new_markdown_cell("Text.")).split("\n\n")[:2]
    assert title == "# Title"
    assert 'href="some_lab.py" download' in links
    assert 'href="some_lab.ipynb" download' in links


def test_markdown_shows_code_and_what_it_printed():
    page = page_of(cell("print(1)", v4.new_output("stream", text="1\n")))
    assert "```{ .python }\nprint(1)\n```" in page
    assert "```{ .text .output .no-copy }\n1\n```" in page


def test_markdown_keeps_fences_inside_outputs_apart():
    page = page_of(cell("x", v4.new_output("stream", text="```\n")))
    assert "````{ .text .output .no-copy }\n```\n````" in page


def test_markdown_prefers_html_to_text():
    page = page_of(cell("fig", shown({"text/html": "<figure></figure>", "text/plain": "Figure()"})))
    assert "<figure></figure>" in page
    assert "Figure()" not in page


def test_markdown_wants_a_text_alternative_for_a_picture():
    picture = shown({"image/svg+xml": "<svg></svg>"})
    assert 'aria-label="A line."' in page_of(cell("x", picture, alt="A line."))
    with pytest.raises(ValueError, match="no text alternative; begin its cell with"):
        page_of(cell("x", picture))


@pytest.mark.parametrize(
    ("code", "place"),
    [("1 / 0", 2), ("x = 1\ny = 2\n1 / 0", 4), ("def f():\n    return 1 / 0\n\n\nf()", 6)],
)
def test_execute_names_the_line_that_failed(project, code, place):
    lab = project.docs / "topic/bad_lab.py"
    lab.write_text(f"# %%\n{code}\n", encoding="utf-8")
    with pytest.raises(RunError, match=rf"bad_lab\.py:{place}: ZeroDivisionError"):
        execute(lab, project=project)


def test_execute_names_the_line_that_does_not_parse(project):
    lab = project.docs / "topic/bad_lab.py"
    lab.write_text("# %%\nx = (\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad_lab\.py:2: '\(' was never closed"):
        execute(lab, project=project)


def test_execute_runs_a_lab_once(project):
    lab = project.docs / "topic/count_lab.py"
    lab.write_text(
        '# %%\nfrom pathlib import Path\nwith Path("runs.txt").open("a") as f:\n    f.write("x")\n'
    )
    assert execute(lab, project=project) == execute(lab, project=project)
    assert (project.root / "runs.txt").read_text() == "x"
