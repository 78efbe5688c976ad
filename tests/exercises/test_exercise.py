"""Tests of the checker: what it says of right, wrong and broken candidates."""

import threading

import numpy as np
import pytest
import torch

from mlnotes2.exercises._exercise import Check, Exercise


def draw(rng):
    n = int(rng.integers(1, 4))
    return rng.integers(-9, 10, n).astype(float), n


DOUBLE = Check("it doubles", draw, lambda x, n: 2 * x)


def said(candidate, check=DOUBLE, **options):
    """What is said of the shortest counterexample: what came, and what was wanted."""
    text = check.counterexample(candidate, **options)
    assert text is not None
    given, came, wanted = text.splitlines()
    assert given.startswith("given:  ")
    return came.removeprefix("came:   "), wanted.removeprefix("wanted: ")


def test_counterexample_is_none_for_a_right_candidate() -> None:
    assert DOUBLE.counterexample(lambda x, n: x + x) is None


def test_counterexample_is_the_shortest_case_and_always_the_same() -> None:
    def wrong(x, n):
        return x if n > 1 else 2 * x

    text = DOUBLE.counterexample(wrong)
    assert text is not None
    assert text == DOUBLE.counterexample(wrong)
    assert text.splitlines()[0].endswith("]), 2")


@pytest.mark.parametrize(
    ("candidate", "came"),
    [
        (lambda x, n: None, "None"),
        (lambda x, n: "two", "'two'"),
        (lambda x, n: x * np.nan, "array([nan])"),
        (lambda x, n: 2 * x[:, None], "array([["),
        (lambda x, n: (2 * x).tolist(), "["),
        (lambda x, n: torch.as_tensor(2 * x), "tensor(["),
        (lambda x, n: np.array([{}]), "array([{}])"),
        (lambda x, n: {}, "{}"),
        (lambda x, n: torch.Tensor, "Tensor"),
        (lambda x, n: [0.5] * 1000, "[0.5, 0.5, "),
        (
            lambda x, n: x[n],
            "IndexError: index 1 is out of bounds for axis 0 with size 1 (test_exercise.py, line",
        ),
        (lambda x, n: SystemExit(3), "SystemExit: 3"),
        (lambda: 0, "TypeError: "),
    ],
)
def test_counterexample_shows_what_came_of_a_broken_candidate(candidate, came: str) -> None:
    assert said(candidate)[0].startswith(came)
    assert len(said(candidate)[0]) < 1100


def test_counterexample_names_the_line_of_an_error_without_a_message() -> None:
    def stub(x, n):
        raise NotImplementedError

    assert said(stub)[0].startswith("NotImplementedError (test_exercise.py, line")


def test_counterexample_survives_an_exit() -> None:
    assert said(lambda x, n: exit(3))[0].startswith("SystemExit: 3")


def test_counterexample_shows_changed_arguments() -> None:
    def double(x, n):
        x *= 2
        return x

    came, wanted = said(double)
    assert came.startswith("arguments changed to array([")
    assert wanted == "arguments left as they were"


@pytest.mark.parametrize("swallow", [False, True])
def test_counterexample_stops_an_endless_loop(swallow: bool) -> None:
    def endless(x, n):
        while True:
            try:
                n += 1
            except Exception:
                assert swallow

    assert "TooSlow: stopped at the time limit" in said(endless, seconds=0.05)[0]
    assert threading.active_count() < 5  # no timer is left


def test_counterexample_stops_an_endless_loop_outside_the_main_thread() -> None:
    def endless(x, n):
        while True:
            pass

    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(said(endless, seconds=0.05)[0]))
    thread.start()
    thread.join(timeout=30)
    assert "TooSlow" in found[0]


@pytest.mark.parametrize(
    ("wanted", "right", "wrong"),
    [
        (1e6, 1e6 + 0.5, 1e6 + 2),  # relative to large numbers
        (0.0, 5e-7, 2e-6),
        (1.0, torch.tensor(1.0), 2),
        (np.inf, np.float64("inf"), -np.inf),
        (True, np.True_, False),
        (torch.ones(2), torch.ones(2, requires_grad=True), np.ones(2)),
        (torch.ones(2), torch.ones(2, dtype=torch.bfloat16), torch.ones(2, 1)),
        (torch.ones(0, 3), torch.ones(0, 3), torch.ones(0, 2)),
        ((1.0, np.ones(2)), (1, np.ones(2)), (1, np.ones(3))),
        ((1.0,), (1.0,), 1.0),
        ([1.0, 2.0], [1.0, 2.0], (1.0, 2.0)),
        ("row", "row", "column"),
        (None, None, 0.0),
        (ValueError, ValueError("no"), TypeError("no")),
    ],
)
def test_counterexample_compares_by_kind_shape_and_tolerance(wanted, right, wrong) -> None:
    check = Check("it is the same", lambda rng: (), lambda: wanted)
    assert check.counterexample(lambda: right) is None
    assert check.counterexample(lambda: wrong) is not None


def test_counterexample_wants_an_exception() -> None:
    check = Check("it raises", lambda rng: (), lambda: ValueError)
    assert said(lambda: 3.0, check) == ("3.0", "ValueError")


def test_counterexample_shows_tensors_as_arrays() -> None:
    check = Check("it doubles", lambda rng: (torch.tensor([[0.1, 2.0]]),), lambda x: 2 * x)
    assert check.counterexample(lambda x: x.tolist()) == (
        "given:  tensor([[0.1, 2.0]])\ncame:   [[0.1, 2.0]]\nwanted: tensor([[0.2, 4.0]])"
    )


def test_exercise_names_the_statements_that_are_wrong() -> None:
    odd = Check("odd", lambda rng: (-1.0,), lambda x: -1.0)
    even = Check("even", lambda rng: (2.0,), lambda x: 2.0)
    assert list(Exercise(lambda x: x, odd, even).counterexamples(abs)) == ["odd"]
