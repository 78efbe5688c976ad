"""The command that checks a reader's solution: `python -m mlnotes2.exercises attention.5 my_solution.py`."""

import argparse
import runpy
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path

from ._contents import PAGES, find_exercise
from ._exercise import SECONDS, TooSlow, time_limit

COMMAND = "python -m mlnotes2.exercises"
LOADING = 60.0  # seconds; importing PyTorch takes some of them


def main(arguments: list[str] | None = None) -> int:
    """Check a solution, or list the exercises; return 0 if all is right, 1 if something is wrong.

    Where nothing could be checked, say why and exit with 2.
    """
    parser = argparse.ArgumentParser(prog=COMMAND, description="Check your solution of an exercise.")
    parser.add_argument("id", nargs="?", help="such as attention.5; without it, all exercises are listed")
    parser.add_argument("file", nargs="?", help="a Python file that defines the function of the exercise")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="limit for each call, %(default)g")
    options = parser.parse_args(arguments)
    if options.id is None:
        print(*(f"{id:<15}{page}" for id, page in PAGES.items()), sep="\n")
        return 0
    try:
        exercise = find_exercise(options.id)
        if options.file is None:
            raise ValueError(f"name your file: {COMMAND} {options.id} my_solution.py")
        candidate = load(options.file, exercise.solution.__name__)
    except ValueError as error:
        parser.error(str(error))
    right = 0
    for check in exercise.checks:
        text = check.counterexample(candidate, seconds=options.seconds)
        print(f"{'right' if text is None else 'wrong'}: {check.statement}")
        print(textwrap.indent(text or "", "    "), end="\n" if text else "", flush=True)
        right += text is None
    print(f"{right} of {len(exercise.checks)} right")
    return 0 if right == len(exercise.checks) else 1


def load(file: str, name: str) -> Callable[..., object]:
    """Run the file and return its function `name`, or raise a ValueError that says why there is none."""
    if not Path(file).is_file():
        raise ValueError(f"there is no file {file} in {Path.cwd()}")
    try:
        with time_limit(LOADING):
            names = runpy.run_path(file)
    except (Exception, SystemExit, TooSlow) as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != file:
            trace = trace.tb_next  # the reader's lines only
        lines = traceback.format_exception(error.with_traceback(trace))
        raise ValueError(f"{file} does not run:\n{''.join(lines)}") from None
    function: object = names.get(name)
    if not callable(function):
        functions = {key: value for key, value in names.items() if callable(value)}
        own = [
            key for key, value in functions.items() if getattr(value, "__module__", None) == names["__name__"]
        ]
        raise ValueError(
            f"{file} must define a function {name}; it defines {', '.join(own) or 'no function'}"
        )
    return function


if __name__ == "__main__":
    raise SystemExit(main())
