"""What an exercise is: a solution, and checks that look for a counterexample to a candidate."""

import copy
import ctypes
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CASES = 50  # per check
SECONDS = 5.0  # per call


@dataclass(frozen=True)
class Check:
    """A statement that holds for a right solution, tried on random cases.

    Attributes:
        statement: What is checked, as the reader is told.
        draw: Takes a random generator and returns the arguments of one call, a tuple. Draw small cases and
            round numbers too, because the shortest counterexample is shown.
        wanted: Takes these arguments and returns the right answer: a number, an array, a tensor or a tuple
            of them; or the class of the exception that must be raised.
        tol: How far a number may be off, for numbers above 1 as a fraction of the number.
    """

    statement: str
    draw: Callable[[np.random.Generator], tuple]
    wanted: Callable[..., object]
    tol: float = 1e-6

    def counterexample(self, candidate: Callable[..., object], *, seconds: float = SECONDS) -> str | None:
        """Return the shortest of the cases that `candidate` gets wrong, as a text of three lines, or None."""
        rng = np.random.default_rng(0)
        cases = [self.draw(rng) for _ in range(CASES)]
        for args in sorted(cases, key=lambda args: (len(text := _listed(args)), text)):
            given = copy.deepcopy(args)
            came, wanted = _outcome(candidate, given, seconds), self.wanted(*args)
            if not _agree(came, wanted, self.tol):
                return _report(args, _text(came), _text(wanted))
            if not _same_arrays(given, args):
                return _report(args, f"arguments changed to {_listed(given)}", "arguments left as they were")
        return None


class Exercise:
    """A function to write: our solution, and the checks that any solution has to pass."""

    def __init__(self, solution: Callable[..., object], *checks: Check) -> None:
        self.solution = solution
        self.checks = checks

    def counterexamples(self, candidate: Callable[..., object]) -> dict[str, str]:
        """Return the statements that `candidate` gets wrong, each with its counterexample."""
        found = {check.statement: check.counterexample(candidate) for check in self.checks}
        return {statement: text for statement, text in found.items() if text is not None}


class TooSlow(BaseException):
    """Raised in a submission that runs for too long; its `except Exception` does not catch this."""

    def __str__(self) -> str:
        return "stopped at the time limit; does a loop never end?"


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the lines below after so many seconds, on every system and in every thread."""
    thread = ctypes.c_ulong(threading.get_ident())
    stop = ctypes.pythonapi.PyThreadState_SetAsyncExc
    timer = threading.Timer(seconds, stop, [thread, ctypes.py_object(TooSlow)])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _outcome(candidate: Callable[..., object], args: tuple, seconds: float) -> object:
    """What the call returns, or the exception that it raises."""
    try:
        with time_limit(seconds):
            return candidate(*args)
    except (Exception, SystemExit, TooSlow) as error:
        return error


def _agree(came: Any, wanted: Any, tol: float) -> bool:
    if isinstance(wanted, type):
        return isinstance(came, wanted)
    if isinstance(wanted, tuple | list):
        same = isinstance(came, tuple if isinstance(wanted, tuple) else list) and len(came) == len(wanted)
        return same and all(_agree(c, w, tol) for c, w in zip(came, wanted, strict=True))
    if not _is_number_or_array(wanted):
        return type(came) is type(wanted) and bool(came == wanted)
    if not _is_number_or_array(came) or (_is_tensor(wanted) and not _is_tensor(came)):
        return False
    if isinstance(wanted, np.ndarray) and not isinstance(came, np.ndarray):
        return False
    came, wanted = _array(came), _array(wanted)
    if came.shape != wanted.shape or came.dtype.kind not in "biufc":
        return False
    return bool(np.allclose(came, wanted, rtol=tol, atol=tol, equal_nan=True))


def _is_number_or_array(value: object) -> bool:
    return isinstance(value, complex | float | int | np.generic | np.ndarray) or _is_tensor(value)


def _same_arrays(given: tuple, args: tuple) -> bool:
    pairs = zip(given, args, strict=True)
    return all(_agree(new, old, 0.0) for new, old in pairs if hasattr(old, "shape") or isinstance(old, list))


def _report(args: tuple, came: str, wanted: str) -> str:
    lines = [f"given:  {_listed(args)}", f"came:   {came}", f"wanted: {wanted}"]
    return "\n".join(line if len(line) <= 1000 else f"{line[:1000]} …" for line in lines)


def _listed(values: tuple | list) -> str:
    return ", ".join(_text(value) for value in values)


def _text(value: object) -> str:
    """One line in the words of Python, with at most 8 digits of each number."""
    if isinstance(value, tuple):
        return f"({_listed(value)})"
    if isinstance(value, list):
        return f"[{_listed(value)}]"
    if _is_tensor(value) or isinstance(value, np.ndarray):
        rows = np.array2string(
            _array(value),
            separator=", ",
            threshold=100,
            formatter={"float_kind": lambda x: _digits(float(x)), "bool": lambda x: str(bool(x))},
        )
        return f"{'tensor' if _is_tensor(value) else 'array'}({' '.join(rows.split())})"
    if isinstance(value, np.generic):
        return _text(value.item())
    if isinstance(value, float):
        return _digits(value)
    if isinstance(value, BaseException):
        return _error(value)
    return value.__name__ if isinstance(value, type) else " ".join(repr(value).split())


def _digits(number: float) -> str:
    return repr(float(f"{number:.8g}"))


def _error(error: BaseException) -> str:
    """Its kind, its message and the line of the submission that raised it."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if frame.filename == frames[0].filename]  # not those of libraries
    return f"{text} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else text


def _is_tensor(value: object) -> bool:
    return hasattr(type(value), "detach")  # asked in this way, NumPy's exercises need not wait for PyTorch


def _array(value: Any) -> np.ndarray:
    return np.reshape(value.tolist(), tuple(value.shape)) if _is_tensor(value) else np.asarray(value)
