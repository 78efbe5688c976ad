"""An executed lab becomes a page like any other."""

import nbformat
import nbformat.v4 as v4
import pytest

from notesite.labs import execute, markdown
from notesite.project import Project
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


LAB = """# %% [markdown]
# # Title

# %% values="first=x half=x/2"
x = 1
print("printed")

# %% alt="A line." values="loud=warned(x)"
import sys


def warned(x):
    print("careful", file=sys.stderr)
    return x + 1


x = 2
x

# %%
x
"""


@pytest.fixture(scope="module")
def published_lab(tmp_path_factory):
    """The notebook of an executed lab that publishes values."""
    project = Project(tmp_path_factory.mktemp("lab"))
    lab = project.docs / "topic/values_lab.py"
    lab.parent.mkdir(parents=True)
    lab.write_text(LAB, encoding="utf-8")
    return nbformat.read(execute(lab, project=project), as_version=4)


def test_execute_keeps_the_values_as_they_were_after_their_cell(published_lab):
    assert published_lab.metadata["values"] == {"first": 1.0, "half": 0.5, "loud": 3.0}


def test_execute_leaves_no_trace_of_how_values_are_read_in_the_notebook(published_lab):
    assert [c.source.splitlines()[0] for c in published_lab.cells] == ["# Title", "x = 1", "import sys", "x"]
    assert [o.get("text") for c in published_lab.cells[1:] for o in c.outputs] == ["printed\n", None, None]
    assert [c.execution_count for c in published_lab.cells[1:]] == [1, 2, 3]
    assert "_json" not in nbformat.writes(published_lab)


def test_execute_leaves_no_trace_of_how_values_are_read_on_the_page(published_lab):
    page = markdown(published_lab, "values_lab")
    assert page.count("```{ .python }") == 3
    assert page.count("```{ .text .output .no-copy }") == 3
    for trace in ("_json", "0.5", "\0"):
        assert trace not in page


def test_execute_names_the_cell_whose_value_cannot_be_computed(project):
    lab = project.docs / "topic/bad_lab.py"
    lab.write_text('# %%\nx = 1\n\n# %% values="n=x/0"\ny = 2\nz = 3\n', encoding="utf-8")
    with pytest.raises(RunError, match=r"bad_lab\.py:5: ZeroDivisionError: division by zero"):
        execute(lab, project=project)
