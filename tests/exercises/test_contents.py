"""Tests of the table of contents, and of what holds for each code exercise."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from mlnotes2.exercises import find_exercise
from mlnotes2.exercises._contents import PAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("id", PAGES)
def test_the_solution_of_an_exercise_passes_its_checks(id: str) -> None:
    assert find_exercise(id).counterexamples(find_exercise(id).solution) == {}


@pytest.mark.parametrize("id", PAGES)
def test_an_exercise_stands_on_its_page_with_its_command(id: str) -> None:
    text = (ROOT / "docs" / f"{PAGES[id]}.md").read_text(encoding="utf-8")
    assert f"    id: {id}\n" in text
    assert f"python -m mlnotes2.exercises {id} my_solution.py" in text
    assert f'.{find_exercise(id).solution.__name__}" stub' in text


def test_the_table_lists_all_exercises_that_ask_for_code() -> None:
    topics = {path.stem for path in (ROOT / "src/mlnotes2/exercises").glob("_[a-z]*.py")}
    modules = [f"mlnotes2.exercises.{name}" for name in topics - {"_contents", "_exercise"}]
    assert {id for name in modules for id in importlib.import_module(name).EXERCISES} == set(PAGES)


def test_find_exercise_imports_no_other_topic() -> None:
    code = "import sys; from mlnotes2.exercises import find_exercise; find_exercise('attention.5')"
    code += "; print('torch' in sys.modules, sum('exercises._' in name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "3"]  # _contents, _exercise and _attention


@pytest.mark.parametrize(
    ("id", "text"),
    [
        ("attention.1", "attention.1 is an exercise to do by hand"),
        ("attention.99", "the nearest are .*attention.5"),
        ("atention.4", "the nearest are attention.5"),
        ("", "no exercise that asks for code has the id ''"),
        ("attention.x", "no exercise that asks for code"),
        ("attention.²", "no exercise that asks for code"),
    ],
)
def test_find_exercise_says_why_there_is_none(id: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        find_exercise(id)
