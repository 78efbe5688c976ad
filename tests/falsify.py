"""Run tests against code or a statement that was made false; in a module of its own, for fresh processes import it."""

import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TIMEOUT = 60  # seconds
_LIBRARIES = ["torch", "scipy.stats", "scipy.optimize", "ot", "hypothesis", "beartype", "sklearn.datasets"]


def failing_tests(falsehood, tests, folder):
    """Return the names of those tests that fail in a copy of the package where one piece of text is replaced.

    Args:
        falsehood: Its `file` below the root, the `old` text, which stands there once, and the `new` one.
        tests: Pairs of a test file below the root and a name in it.
        folder: Where the copy goes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        _LIBRARIES
    )  # loaded once, while each process imports the mutated package anew
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_failing, args=(sender, falsehood, tests, Path(folder)))
    process.start()
    sender.close()
    try:
        if not receiver.poll(TIMEOUT):
            raise TimeoutError(f"the tests ran for {TIMEOUT} s with {falsehood}; choose another falsehood")
        names, fault = receiver.recv()
    finally:
        process.kill()
        process.join()
    if fault:
        raise ValueError(fault)
    return names


def _send_failing(sender, falsehood, tests, root):
    for name in ("src/mlnotes2", "tests", "docs"):
        left_out = shutil.ignore_patterns("browser", "site")
        shutil.copytree(ROOT / name, root / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", root)
    path = root / falsehood["file"]
    text = path.read_text(encoding="utf-8")
    if (count := text.count(falsehood["old"])) != 1:
        sender.send((None, f"{falsehood['file']} holds {count} times, not once, {falsehood['old']!r}"))
        return
    path.write_text(text.replace(falsehood["old"], falsehood["new"]), encoding="utf-8")
    os.chdir(root)
    sys.path.insert(0, str(root / "src"))
    from hypothesis import Phase, settings  # in this process only, for it changes the settings of all tests

    phases = [Phase.explicit, Phase.generate]  # a failure need not be shrunk
    settings.register_profile("search", derandomize=True, database=None, phases=phases)
    settings.load_profile("search")
    failures = _Failures()
    options = ["-q", "--no-header", "--assert=plain", "-p", "no:cacheprovider"]
    code = pytest.main([*options, *(f"{file}::{name}" for file, name in tests)], plugins=[failures])
    fault = f"pytest could not run the tests with {falsehood}: exit {code}" if code > 1 else None
    sender.send((failures.names, fault))


class _Failures:
    """A pytest plugin that collects the tests whose assertion failed; an error of another kind does not count."""

    def __init__(self):
        self.names = set()

    def pytest_runtest_makereport(self, item, call):
        if call.excinfo is not None and _is_assertion(call.excinfo.value):
            self.names.add(item.function.__name__)


def _is_assertion(error):
    if isinstance(error, BaseExceptionGroup):  # from hypothesis, when a test fails in two ways
        return all(_is_assertion(e) for e in error.exceptions)
    return isinstance(error, AssertionError | pytest.fail.Exception)
