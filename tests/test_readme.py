"""What the README shows runs, and where it points there is a file."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_example_runs_and_prints_what_it_says(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("0.25 0.0\n")  # a quarter moves by one; the gap is exactly zero here
    assert "Enclosure(lower=" in printed


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_readme_links_to_files_that_exist(target):
    assert (ROOT / target).exists()


def test_readme_has_the_commands_that_ci_calls():
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    for command in ("python -m pip install nox && nox -s docs", "nox -s tests"):
        assert command in README
        assert command in ci
