"""Examples, labs and records publish values; every reference that nothing fills in is told with its place."""

import json
import re

import nbformat.v4 as v4
import pytest

from notesite.labs import lab_path
from notesite.project import Project
from notesite.publish import check_references, sources, value
from notesite.runs import RunError
from notesite.values import UnknownValueError

RECORD = {
    "command": "nox -s bench", "code": ["src/pkg/_one.py"], "seeds": [], "versions": {"numpy": "2.0.0"},
    "device": "a machine", "date": "2026-01-31", "duration": 3, "key": "k", "values": {"ratio": 4.2},
}  # fmt: skip
EXAMPLE = '```python right values="half=1/2 one"\none = 1\n```\n'


@pytest.fixture
def lay(tmp_path):
    """Writes the files of a project."""

    def write(files: dict[str, str]) -> Project:
        for name, text in {"src/pkg/_one.py": "", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Project(tmp_path)

    return write


def keep(project: Project, name: str, **values: float) -> None:
    """Keep the result of a lab, as if it had been executed."""
    path = lab_path(project.docs / name, project=project)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(v4.new_notebook(metadata={"values": values})))


def faults_of(project: Project) -> list[str]:
    return check_references(project)[1]


# What a value is.


def test_value_of_an_example_is_an_expression_or_a_name(lay):
    project = lay({"docs/topic/note.md": f"# Note\n\n{EXAMPLE}"})
    assert value("topic.half", project).number == 0.5
    assert value("topic.one", project).number == 1


def test_value_of_an_example_can_use_what_its_symbol_needs(lay):
    project = lay(
        {
            "src/pkg/__init__.py": "",
            "src/pkg/_one.py": "import math\n\n\ndef root(x):\n    return math.sqrt(x)\n",
            "docs/topic/note.md": '```python symbol="pkg._one.root" values="three=root(9)"\nprint(root(4))\n```\n',
        }
    )
    assert value("topic.three", project).number == 3


def test_value_of_an_example_leads_to_its_block(lay):
    found = value("topic.one", project := lay({"docs/topic/note.md": EXAMPLE}))
    assert (found.page, found.anchor, found.origin) == (
        project.docs / "topic/note.md", "value-half", "an example",
    )  # fmt: skip


def test_value_of_a_page_outside_a_topic_begins_with_the_page(lay):
    assert value("mistakes.half", lay({"docs/mistakes.md": EXAMPLE})).number == 0.5


def test_value_of_a_lab_leads_to_the_lab(lay):
    project = lay({"docs/topic/some_lab.py": '# %% values="n=1+1"\nx = 1\n'})
    keep(project, "topic/some_lab.py", n=2.0)
    found = value("topic.n", project)
    assert (found.number, found.page.name, found.anchor, found.origin) == (2, "some_lab.py", "", "a lab")


def test_value_of_a_record_leads_to_where_the_record_is_shown(lay):
    project = lay(
        {
            "docs/records/bench.json": json.dumps(RECORD),
            "docs/topic/note.md": '# Note\n\n``` { record="bench" }\n```\n',
        }
    )
    found = value("bench.ratio", project)
    assert (found.number, found.page.name, found.anchor, found.origin) == (
        4.2, "note.md", "record-bench", "a record",
    )  # fmt: skip


def test_value_runs_an_example_that_is_kept_only_once(lay, tmp_path):
    counted = EXAMPLE.replace("one = 1", f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\none = 1")
    project = lay({"docs/topic/note.md": counted})
    value("topic.half", project)
    value("topic.one", project)
    assert (tmp_path / "runs").read_text() == "x"


def test_value_names_the_nearest_of_an_unknown_one(lay):
    project = lay({"docs/topic/note.md": EXAMPLE.replace("half", "the_ratio")})
    with pytest.raises(UnknownValueError, match=r"publishes topic.the_ratoi; did you mean topic.the_ratio\?"):
        value("topic.the_ratoi", project)


@pytest.mark.parametrize(
    ("expression", "error"), [("nope", "NameError"), ("1/0", "ZeroDivisionError"), ("'a'", "ValueError")]
)
def test_value_whose_expression_fails_says_why(lay, expression, error):
    project = lay({"docs/topic/note.md": f'```python right values="x={expression}"\nprint(1)\n```\n'})
    with pytest.raises(RunError, match=rf"the example failed:(?s:.*){error}"):
        value("topic.x", project)


def test_value_of_wrong_code_that_fails_is_none(lay):
    project = lay({"docs/topic/note.md": '```python wrong values="x=1"\n1 / 0\n```\n'})
    with pytest.raises(RunError, match="ZeroDivisionError"):
        value("topic.x", project)


def test_value_of_code_that_ends_early_says_so(lay):
    project = lay({"docs/topic/note.md": '```python right values="x=1"\nraise SystemExit(0)\n```\n'})
    with pytest.raises(RunError, match="ended before its values could be computed"):
        value("topic.x", project)


# What is published.


def test_sources_computes_nothing(lay):
    broken = '```python right values="x"\nraise SystemExit(1)\n```\n'
    project = lay({"docs/topic/note.md": broken, "docs/topic/a_lab.py": '# %% values="y=1/0"\n'})
    assert set(sources(project)) == {"topic.x", "topic.y"}


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            {"docs/topic/a.md": EXAMPLE, "docs/topic/b.md": "\n\n" + EXAMPLE.replace("half=1/2 ", "")},
            r"docs/topic/b.md:3: value topic.one is published already at docs/topic/a.md:1",
        ),
        (
            {"docs/topic/a.md": EXAMPLE, "docs/topic/a_lab.py": '# %%\n\n# %% alt="A" values="half=1"\n'},
            r"docs/topic/a_lab.py:3: value topic.half is published already at docs/topic/a.md:1",
        ),
        (
            {
                "docs/bench.md": EXAMPLE.replace("half", "ratio"),
                "docs/records/bench.json": json.dumps(RECORD),
            },
            r"docs/records/bench.json:1: value bench.ratio is published already at docs/bench.md:1",
        ),
    ],
)
def test_sources_tells_both_places_of_a_name_that_is_published_twice(lay, files, fault):
    with pytest.raises(UnknownValueError, match=f"^{re.escape(fault)}$"):
        sources(lay(files))


def test_sources_takes_the_same_name_in_two_topics(lay):
    project = lay({"docs/one/a.md": EXAMPLE, "docs/two/a.md": EXAMPLE})
    assert {"one.half", "two.half"} < set(sources(project))


@pytest.mark.parametrize("values", ["x = 1", "x=f(1, 2)", "x=1 x=2", "a-b=1", "1+1", "x=1,y=2 ,"])
@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("docs/topic/a.md", '\n```python right values="{}"\nx = 0\n```\n'),
        ("docs/topic/a_lab.py", '\n# %% values="{}"\n'),
    ],
)
def test_sources_tells_the_place_of_values_that_cannot_be_read(lay, name, block, values):
    with pytest.raises(ValueError, match=rf"{name}:2: .*expected name or name=expression, without spaces"):
        sources(lay({name: block.format(values)}))


# References to what is published.


def test_check_references_accepts_those_that_can_be_filled_in(lay):
    page = f"{EXAMPLE}\n{{value: topic.half .1f}} and $x = {{value: topic.one d}}$\n"
    found, faults = check_references(lay({"docs/topic/note.md": page}))
    assert [reference.name for reference in found] == ["topic.half", "topic.one"]
    assert faults == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{value: xyz d}", "no example, lab or record publishes xyz"),
        ("{value: topic.half}", "{value: topic.half} needs a format, as in {value: topic.half .3f}"),
        (
            "{value: topic.half, .1f}",
            'cannot read "{value: topic.half, .1f}"; expected {value: name .3f unit} or {cited: number from source}'
            ", on one line",
        ),
        (
            "{cited: 99.3 %}",
            'cannot read "{cited: 99.3 %}"; expected {value: name .3f unit} or {cited: number from source}'
            ", on one line",
        ),
    ],
)
@pytest.mark.parametrize("name", ["docs/topic/other.md", "docs/topic/a_lab.py"])
def test_check_references_tells_what_cannot_be_filled_in(lay, name, text, fault):
    project = lay({"docs/topic/note.md": EXAMPLE, name: f"# %% [markdown]\n# About {text}.\n"})
    assert faults_of(project) == [f"{name}:2: {fault}"]


def test_check_references_tells_of_a_record_that_no_page_shows(lay):
    project = lay(
        {"docs/records/bench.json": json.dumps(RECORD), "docs/index.md": "It is {value: bench.ratio .1f}.\n"}
    )
    assert faults_of(project) == [
        'docs/index.md:1: no page shows what made record bench; put ``` { record="bench" } on one'
    ]


def test_check_references_lists_all_faults(lay):
    assert len(faults_of(lay({"docs/index.md": "{value: a.b}\n{value: c.d d}\n"}))) == 3
