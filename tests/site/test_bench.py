"""What pytest-benchmark measured becomes a valid record with ratios."""

import json

import pytest

from notesite.bench import bench_record
from notesite.records import records


def measured(*names):
    return {
        "machine_info": {"python_version": "3.11.7", "cpu": {"brand_raw": "Some CPU", "count": 2}},
        "datetime": "2026-01-31T10:00:00+00:00",
        "benchmarks": [
            {
                "name": name,
                "fullname": f"tests/topic/test_one.py::{name}",
                "stats": {"median": 0.001 * number, "total": 1.0},
            }
            for number, name in enumerate(names, 1)
        ],
    }


def test_bench_record_gives_milliseconds_and_ratios(project):
    record = bench_record(
        measured("test_f_speed[ours-large]", "test_f_speed[scipy-large]"), "nox -s bench", project
    )
    assert record["values"] == {
        "f.large.ours.ms": 1.0,
        "f.large.ours.ratio": 1.0,
        "f.large.scipy.ms": 2.0,
        "f.large.scipy.ratio": 2.0,
    }
    assert record["device"] == "Some CPU, 2 cores"
    assert record["date"] == "2026-01-31"


def test_bench_record_is_valid_and_not_made_by_older_code(project):
    record = bench_record(measured("test_f_speed[ours-large]"), "nox -s bench", project)
    (project.docs / "records/bench.json").write_text(json.dumps(record))
    found = records(project)["bench"]
    assert not found.is_older(project)
    one = project.src / "pkg/topic/_one.py"
    one.write_text(one.read_text().replace("return 1", "return 2 - 1"))
    assert found.is_older(project)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "nothing was measured"),
        (
            ["test_f[ours-large]"],
            r"test_one\.py::test_f\[ours-large\]: expected the name test_<function>_speed",
        ),
        (["test_f_speed[scipy-large]"], 'f on large: no row "ours" to compare scipy with'),
    ],
)
def test_bench_record_says_what_is_missing(project, names, message):
    with pytest.raises(ValueError, match=message):
        bench_record(measured(*names), "nox -s bench", project)
