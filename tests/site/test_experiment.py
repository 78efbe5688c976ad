"""What a long script prints becomes a valid record, which grows old with the code that the script reaches."""

import json
import subprocess

import pytest

from notesite.experiment import experiment_record
from notesite.records import records

SCRIPT = """
import json
import sys

sys.path.insert(0, "src")
from pkg.topic import one

print("halfway")
print(json.dumps({"seeds": [3], "values": {"half": one() / 3}}))
"""


def test_experiment_record_is_valid_and_grows_old_with_the_code(project):
    script = project.tests / "experiment_one.py"
    script.write_text(SCRIPT)
    record = experiment_record("tests/experiment_one.py", "nox -s experiments", project)
    assert (record["seeds"], record["values"]) == ([3], {"half": 0.3333})
    (project.docs / "records/one.json").write_text(json.dumps(record))
    found = records(project)["one"]
    assert not found.is_older(project)
    one = project.src / "pkg/topic/_one.py"
    one.write_text(one.read_text().replace("return 1", "return 2 - 1"))
    assert found.is_older(project)


def test_experiment_record_of_a_script_that_fails_is_an_error(project):
    (project.tests / "experiment_one.py").write_text("1 / 0\n")
    with pytest.raises(subprocess.CalledProcessError):
        experiment_record("tests/experiment_one.py", "nox -s experiments", project)
