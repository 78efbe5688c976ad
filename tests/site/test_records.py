"""A record says what made it; one that does not is told with file, line and what was expected."""

import json
import re

import pytest

from notesite.project import Project
from notesite.records import FIELDS, code_key, records

GOOD = {
    "command": "nox -s bench",
    "code": ["src/pkg/_one.py"],
    "seeds": [0, 1],
    "versions": {"numpy": "2.0.0"},
    "device": "a machine",
    "date": "2026-01-31",
    "duration": 12.5,
    "key": "of older code",
    "values": {"ratio": 4.2, "count": 3},
}
FIRST_LINE = {name: number for number, name in enumerate(GOOD, 2)}  # with the values of a list on one line


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src/pkg").mkdir(parents=True)
    (tmp_path / "src/pkg/__init__.py").write_text("")
    (tmp_path / "src/pkg/_two.py").write_text("def two():\n    return 2\n")
    (tmp_path / "src/pkg/_one.py").write_text("from ._two import two\n\n\ndef one():\n    return two() - 1\n")
    (tmp_path / "docs/records").mkdir(parents=True)
    return Project(tmp_path)


def put(project: Project, fields: object, name: str = "bench") -> None:
    """Write a record, with a line for each field."""
    text = json.dumps(fields)
    if isinstance(fields, dict):
        text = "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in fields.items()) + "\n}\n"
    (project.docs / f"records/{name}.json").write_text(text)


def faults(project: Project) -> list[str]:
    with pytest.raises(ValueError, match="docs/records") as error:
        records(project)
    return str(error.value).splitlines()


# What a record must hold.


def test_records_reads_every_file_by_its_name(project):
    put(project, GOOD)
    put(project, GOOD | {"device": "another"}, "other")
    found = records(project)
    assert {name: record.fields["device"] for name, record in found.items()} == {
        "bench": "a machine", "other": "another",
    }  # fmt: skip


def test_records_needs_none(tmp_path):
    assert records(Project(tmp_path)) == {}


def test_fields_of_the_tests_are_all_fields():
    assert set(GOOD) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_records_tells_of_a_missing_field(project, name):
    put(project, {k: v for k, v in GOOD.items() if k != name})
    assert faults(project) == [f'docs/records/bench.json:1: "{name}" is missing; expected {FIELDS[name][0]}']


TEXTS = [None, 3, "", "  ", ["a"], {}]
WRONG = {
    "command": TEXTS,
    "code": [None, "src/pkg/_one.py", [], [3], [""], {"src/pkg/_one.py": 1}],
    "seeds": [None, 0, "0", [0.5], ["0"], [True], {}],
    "versions": [None, "numpy 2.0", ["numpy"], {}, {"numpy": 2}, {"numpy": ""}],
    "device": TEXTS,
    "date": [*TEXTS, "yesterday", "2026-1-31", "20260131", "2026-02-30", "31.01.2026", "2026-01-31T10:00:00"],
    "duration": [None, "12.5", -1, True, [3], float("nan"), float("inf")],
    "key": TEXTS,
    "values": [
        None,
        4.2,
        [4.2],
        {},
        {"ratio": "4.2"},
        {"ratio": None},
        {"ratio": True},
        {"ratio": float("nan")},
    ],
}


@pytest.mark.parametrize(
    ("name", "wrong"), [(name, wrong) for name, kinds in WRONG.items() for wrong in kinds], ids=str
)
def test_records_tells_of_a_field_of_the_wrong_kind(project, name, wrong):
    put(project, GOOD | {name: wrong})
    assert faults(project) == [
        f'docs/records/bench.json:{FIRST_LINE[name]}: "{name}": expected {FIELDS[name][0]}, got {json.dumps(wrong)}'
    ]


@pytest.mark.parametrize(("name", "right"), [("seeds", []), ("duration", 0), ("values", {"ratio": -1})])
def test_records_takes_the_smallest_field(project, name, right):
    put(project, GOOD | {name: right})
    assert records(project)["bench"].fields[name] == right


def test_records_tells_of_a_field_that_it_does_not_know(project):
    put(project, GOOD | {"sed": [0]})
    assert faults(project) == [
        f'docs/records/bench.json:11: "sed" is no field of a record; expected {", ".join(FIELDS)}'
    ]


def test_records_finds_the_line_of_a_field_whose_name_stands_elsewhere_too(project):
    put(project, {"device": "duration", **{k: v for k, v in GOOD.items() if k != "device"}, "duration": -1})
    assert "bench.json:8: " in faults(project)[0]


@pytest.mark.parametrize(
    ("text", "line"), [("", 1), ('{\n  "command": "x",\n}', 3), ('{\n\n  "command" "x"}', 3), ("{'a': 1}", 1)]
)
def test_records_tells_where_a_file_is_not_json(project, text, line):
    (project.docs / "records/bench.json").write_text(text)
    (fault,) = faults(project)
    assert fault.startswith(f"docs/records/bench.json:{line}: not JSON: ")


@pytest.mark.parametrize(("other", "kind"), [([], "list"), (3, "int"), (None, "NoneType")])
def test_records_wants_an_object(project, other, kind):
    put(project, other)
    assert faults(project) == [
        f"docs/records/bench.json:1: expected an object with {', '.join(FIELDS)}, got {kind}"
    ]


@pytest.mark.parametrize("file", ["src/pkg/_won.py", "src/pkg"])
def test_records_tells_of_code_that_does_not_exist(project, file):
    put(project, GOOD | {"code": ["src/pkg/_one.py", file]})
    assert faults(project) == [
        f"docs/records/bench.json:3: {file} does not exist; expected the files whose code made the record"
    ]


def test_records_lists_the_faults_of_all_files(project):
    put(project, GOOD | {"date": "today", "seeds": 0}, "one")
    put(project, GOOD | {"duration": -1}, "two")
    assert [fault.split(": ")[0] for fault in faults(project)] == [
        "docs/records/one.json:4", "docs/records/one.json:7", "docs/records/two.json:8",
    ]  # fmt: skip


# Whether it is older than the code.


@pytest.fixture
def current(project):
    """A project with a record that its current code made."""
    put(project, GOOD | {"key": code_key(GOOD["code"], project)})
    return project


def test_record_made_by_the_current_code_is_not_older(current):
    assert not records(current)["bench"].is_older(current)


@pytest.mark.parametrize("file", ["_one.py", "_two.py"])
def test_record_is_older_once_code_that_made_it_has_changed(current, file):
    path = current.src / "pkg" / file
    path.write_text(path.read_text().replace("return", "return 0 +"))
    assert records(current)["bench"].is_older(current)


def test_record_is_not_older_because_other_code_has_changed(current):
    (current.src / "pkg/_three.py").write_text("x = 1\n")
    assert not records(current)["bench"].is_older(current)


def test_code_key_does_not_depend_on_the_order_of_the_files(project):
    files = ["src/pkg/_one.py", "src/pkg/_two.py"]
    assert code_key(files, project) == code_key(files[::-1], project) != code_key(files[:1], project)


# What a reader sees.


def shown(project: Project) -> str:
    return re.sub(r"<[^>]+>", "", records(project)["bench"].html(project))


def test_html_tells_when_where_and_by_what_it_was_made(current):
    assert shown(current) == (
        "Measured on 2026-01-31 on a machine, in 12 s, by nox -s bench. Versions: numpy 2.0.0. Seeds: 0, 1."
    )


def test_html_tells_of_older_code(project):
    put(project, GOOD)
    assert shown(project).endswith("Made by older code.")


def test_html_is_silent_about_seeds_where_nothing_was_drawn(project):
    put(project, GOOD | {"seeds": []})
    assert "Seeds" not in shown(project)


@pytest.mark.parametrize("name", ["command", "device"])
def test_html_escapes_what_the_record_says(project, name):
    put(project, GOOD | {name: "<b>&"})
    assert "&lt;b&gt;&amp;" in records(project)["bench"].html(project)


def test_html_escapes_versions(project):
    put(project, GOOD | {"versions": {"<i>": "<u>"}})
    assert "&lt;i&gt; &lt;u&gt;" in records(project)["bench"].html(project)


def test_html_is_the_anchor_of_its_values(project):
    put(project, GOOD)
    assert 'id="record-bench"' in records(project)["bench"].html(project)


@pytest.mark.parametrize("digits", [400, 5000])
def test_records_tells_of_a_number_too_large_for_any_page(project, digits):
    put(project, GOOD)
    path = project.docs / "records/bench.json"
    path.write_text(path.read_text().replace("4.2", "1" + digits * "0"))
    assert len(faults(project)) == 1


@pytest.mark.parametrize(("old", "name"), [('"ratio": 4.2', "ratio"), ('"seeds": [0, 1]', "seeds")])
def test_records_tells_of_a_name_that_stands_twice(project, old, name):
    put(project, GOOD)
    path = project.docs / "records/bench.json"
    path.write_text(path.read_text().replace(old, f"{old}, {old}"))
    assert faults(project) == [
        f'docs/records/bench.json:1: "{name}" stands 2 times in one object; expected each name once'
    ]
