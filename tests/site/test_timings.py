"""The table that a page shows of what was measured."""

import json
import re

import pytest

from notesite.project import Project
from notesite.timings import timings_html

MS = {"ours": 20.0, "scipy": 1500.0, "some_pot": 97.04}
RECORD = {
    "command": "nox -s bench", "code": ["src/pkg/_one.py"], "seeds": [], "versions": {"numpy": "2.0.0"},
    "device": "a <machine>", "date": "2026-01-31", "duration": 3, "key": "of older code",
    "values": {f"solve.a_million.{library}.ms": ms for library, ms in MS.items()}
    | {f"solve.a_million.{library}.ratio": ms / 20 for library, ms in MS.items()}
    | {"other.one.ours.ms": 0.0123, "other.one.ours.ratio": 1.0},
}  # fmt: skip


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src/pkg").mkdir(parents=True)
    (tmp_path / "src/pkg/_one.py").write_text("one = 1\n")
    (tmp_path / "docs/records").mkdir(parents=True)
    (tmp_path / "docs/records/bench.json").write_text(json.dumps(RECORD))
    (tmp_path / "docs/benchmarks.md").write_text('# Benchmarks\n\n``` { record="bench" }\n```\n')
    return Project(tmp_path)


def cells(page):
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]


def test_timings_lists_ours_first_and_the_others_from_the_fastest(project):
    assert cells(timings_html("bench.solve", project)) == [
        ["problem", "library", "time", "ratio to ours"],
        ["a million", "ours", "20.0 ms", "1.0"],
        ["some pot", "97.0 ms", "4.9"],
        ["scipy", "1.5 s", "75.0"],
    ]
    assert cells(timings_html("bench.other", project))[1:] == [["one", "ours", "0.012 ms", "1.0"]]


def test_timings_tells_when_and_where_and_leads_to_the_record(project):
    page = timings_html("bench.solve", project)
    assert '<a href="../../benchmarks/#record-bench">Measured</a> on <time datetime="2026-01-31">' in page
    assert "on a &lt;machine&gt;" in page
    assert "Made by older code." in page


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bunch.solve", "there is no docs/records/bunch.json; did you mean bench"),
        ("bench.solv", "docs/records/bench.json holds no solv; did you mean solve"),
    ],
)
def test_timings_names_the_nearest_of_what_is_missing(project, name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        timings_html(name, project)
