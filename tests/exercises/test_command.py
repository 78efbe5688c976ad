"""Tests of `python -m mlnotes2.exercises`, run as a reader runs it."""

import inspect
import subprocess
import sys

import pytest

from mlnotes2.exercises import find_exercise
from mlnotes2.exercises._contents import PAGES

RIGHT = "import numpy as np\nfrom numpy.typing import NDArray\n\n\n" + inspect.getsource(
    find_exercise("attention.5").solution
)
NAIVE = """
import numpy as np

def masked_weights(scores, mask):
    exponentials = np.exp(scores) * mask
    return exponentials / exponentials.sum(axis=1, keepdims=True)
"""


@pytest.fixture
def command(tmp_path):
    def run(*arguments, file=None):
        if file is not None:
            (tmp_path / "my_solution.py").write_text(file, encoding="utf-8")
        call = [sys.executable, "-W", "ignore", "-m", "mlnotes2.exercises", *arguments]
        return subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


def test_command_lists_the_exercises_with_their_pages(command) -> None:
    done = command()
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines()] == [list(item) for item in PAGES.items()]


def test_command_says_that_a_solution_is_right(command) -> None:
    done = command("attention.5", "my_solution.py", file=RIGHT)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert all(line.startswith("right: ") for line in lines)
    assert last == "4 of 4 right"


def test_command_shows_counterexamples_to_a_wrong_solution(command) -> None:
    done = command("attention.5", "my_solution.py", file=NAIVE)
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        done.stdout
        == """\
right: without hidden keys it is a softmax over the keys
right: hiding a key is deleting it
wrong: scores in the thousands do no harm
    given:  array([[2000.0]]), array([[True]])
    came:   array([[nan]])
    wanted: array([[1.0]])
wrong: a query that may attend to no key is a ValueError
    given:  array([[1.0]]), array([[False]])
    came:   array([[nan]])
    wanted: ValueError
2 of 4 right
"""
    )


def test_command_shows_the_line_that_raised(command) -> None:
    file = (
        "def share(row):\n    return 1 / 0\n\ndef masked_weights(scores, mask):\n    return share(scores)\n"
    )
    done = command("attention.5", "my_solution.py", file=file)
    assert done.returncode == 1
    assert "came:   ZeroDivisionError: division by zero (my_solution.py, line 2)" in done.stdout


def test_command_stops_an_endless_loop(command) -> None:
    file = "def masked_weights(scores, mask):\n    while True:\n        pass\n"
    done = command("attention.5", "my_solution.py", "--seconds", "0.1", file=file)
    assert done.returncode == 1
    assert "TooSlow: stopped at the time limit; does a loop never end? (my_solution.py, line " in done.stdout
    assert done.stdout.endswith("0 of 4 right\n")


@pytest.mark.parametrize(
    ("arguments", "file", "said"),
    [
        (["attention.5"], None, "name your file: python -m mlnotes2.exercises attention.5 my_solution.py"),
        (["attention.4", "my_solution.py"], RIGHT, "attention.4 is an exercise to do by hand"),
        (["attentoin.4", "my_solution.py"], RIGHT, "the nearest are attention.5"),
        (["attention.5", "other.py"], RIGHT, "there is no file other.py in "),
        (["attention.5", "."], None, "there is no file . in "),
        (
            ["attention.5", "my_solution.py"],
            "",
            "must define a function masked_weights; it defines no function",
        ),
        (
            ["attention.5", "my_solution.py"],
            "from math import exp\ndef weights(): ...\nclass Mask: ...\nmasked_weights = 1",
            "must define a function masked_weights; it defines weights, Mask",
        ),
        (
            ["attention.5", "my_solution.py"],
            "import numpy\n1 / 0",
            'my_solution.py does not run:\nTraceback (most recent call last):\n  File "my_solution.py", line 2',
        ),
        (
            ["attention.5", "my_solution.py"],
            "x = 1\ndef f(:\n",
            'File "my_solution.py", line 2\n    def f(:\n',
        ),
        (["attention.5", "my_solution.py"], "exit()", "SystemExit"),
        (["attention.5", "my_solution.py"], "\0", "does not run"),
        (["attention.5", "my_solution.py", "--seconds", "x"], "", "invalid float value: 'x'"),
    ],
)
def test_command_that_can_check_nothing_says_why(command, arguments, file, said: str) -> None:
    done = command(*arguments, file=file)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "mlnotes2/exercises/" not in done.stderr  # the reader's lines, not ours
