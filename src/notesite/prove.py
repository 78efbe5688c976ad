"""Run the tests of claims and exercises, and keep for each a record: cases tried, versions, date, commit."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from .claims import KINDS, ClaimTest, claim_tests
from .freshness import key, version
from .project import PINNED, Project
from .runs import RunError, environment, write

Claims = dict[str, list[ClaimTest]]
_PINS = (*PINNED, "pytest", "hypothesis")


def all_claims(project: Project) -> Claims:
    """The tests of every claim and exercise."""
    return claim_tests(project.tests, *KINDS)


def proof_path(tests: list[ClaimTest], *, project: Project) -> Path:
    """Where the record of one claim is kept; the name holds the freshness key of its tests."""
    by_file: dict[Path, list[str]] = {}
    for test in tests:
        by_file.setdefault(test.path, []).append(test.name)
    keys = [
        key(path, src=project.src, names=names, data=[Path(__file__)], pins=_PINS)[:24]
        for path, names in by_file.items()
    ]
    return project.cache / "claims" / f"{tests[0].claim}-{'-'.join(keys)}.json"


def proof(tests: list[ClaimTest], *, project: Project) -> dict[str, Any]:
    """The record of one claim; its tests are run if they have not been.

    Raises:
        RunError: If one of them does not pass.
    """
    path = proof_path(tests, project=project)
    if not path.is_file():
        prove({tests[0].claim: tests}, project=project)
    return dict(json.loads(path.read_text(encoding="utf-8")))


def prove(claims: Claims, *, project: Project) -> None:
    """Run the tests of those claims that have no record yet, all in one process, and write the records.

    Raises:
        RunError: After all have run, with a line for each test that did not pass.
    """
    stale = {c: tests for c, tests in claims.items() if not proof_path(tests, project=project).is_file()}
    if not stale:
        return
    results = _run({_node(test, project) for tests in stale.values() for test in tests}, project)
    made = {"versions": {name: version(name) for name in _PINS}, "python": sys.version.split()[0]}
    made |= {"date": date.today().isoformat(), "commit": commit(project)}
    faults = []
    for claim, tests in stale.items():
        found = {_node(test, project): results.get(_node(test, project), _NOT_RUN) for test in tests}
        wrong = [f"{project.at(test.path, test.first)}: {test.name}, a test of {test.kind} {claim}, {error}"
                 for test in tests if (error := _fault(test, found[_node(test, project)]))]  # fmt: skip
        if not wrong:
            record = {"claim": claim, "kind": tests[0].kind, "tests": found, **made}
            write(proof_path(tests, project=project), json.dumps(record, indent=1))
        faults += wrong
    if faults:
        raise RunError("\n".join(faults))


_NOT_RUN = {"cases": 0, "seconds": 0.0, "error": "was not run; does pytest collect it?", "marks": []}


def _fault(test: ClaimTest, result: dict[str, Any]) -> str:
    """Why a test does not prove its claim; empty if it does."""
    if not result["error"] and [test.kind, test.claim] not in result["marks"]:
        return "ran without its mark; does its name stand for something else further down in the file?"
    if not result["error"] and not result["cases"]:
        return "tried no case; is it deselected?"
    return str(result["error"])


def _node(test: ClaimTest, project: Project) -> str:
    return f"{test.path.relative_to(project.root).as_posix()}::{test.name}"


def commit(project: Project) -> str:
    """The commit of the checkout, "-dirty" behind it if files were changed since; "unknown" without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        run = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return run.stdout.strip() or "unknown"


def _run(nodes: Iterable[str], project: Project) -> dict[str, Any]:
    """What came of each test, by its node id without parameters."""
    out = project.cache / "claims" / "last-run.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "notesite.prove", str(project.root), str(out), *sorted(nodes)]
    run = subprocess.run(
        command, cwd=project.root, env=environment(), capture_output=True, text=True, check=False
    )
    if not out.is_file():
        raise RunError(f"the tests of the claims could not be run:\n{(run.stdout + run.stderr).strip()}")
    return dict(json.loads(out.read_text(encoding="utf-8")))


class Recorder:
    """A pytest plugin that notes for each test the cases tried, the seconds, and why it did not pass."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {}

    def pytest_configure(self) -> None:
        """Try the same cases in every build; `nox -s tests` draws new ones."""
        from hypothesis import settings  # not before, for pytest rewrites it first

        settings.register_profile("build", derandomize=True, database=None)
        settings.load_profile("build")

    def of(self, node: str) -> dict[str, Any]:
        """The entry of a test, shared by its parameters."""
        new = {"cases": 0, "seconds": 0.0, "error": "", "marks": []}
        return self.results.setdefault(node.partition("[")[0], new)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Note what each test is marked with, and let hypothesis count the cases; a plugin may replace `inner_test`."""
        for item in items:
            marks = [[m.name, claim] for m in item.iter_markers() if m.name in KINDS for claim in m.args]
            self.of(item.nodeid)["marks"] = marks
        handles = {id(h): (h, i.nodeid) for i in items if (h := getattr(i.obj, "hypothesis", None))}
        for handle, node in handles.values():
            handle.inner_test = self._counted(handle.inner_test, self.of(node))

    def _counted(self, test: Callable[..., None], entry: dict[str, Any]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            test(*args, **kwargs)
            entry["cases"] += 1

        return run

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        """Count a plain test as one case, and keep the first reason why a test did not pass."""
        entry = self.of(item.nodeid)
        entry["seconds"] = round(entry["seconds"] + call.duration, 3)
        if call.excinfo is not None and not entry["error"]:
            what = str(call.excinfo.value).strip().partition("\n")[0]
            entry["error"] = f"did not pass: {call.excinfo.typename}: {what}"
        elif call.when == "call" and call.excinfo is None and not hasattr(item.obj, "hypothesis"):
            entry["cases"] += 1

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A test can fail without an exception: one that is expected to fail and passes, or a part of one."""
        entry = self.of(report.nodeid)
        if not entry["error"] and (report.outcome != "passed" or hasattr(report, "wasxfail")):
            entry["error"] = f"did not pass: {report.longreprtext or 'it is marked with xfail'}"


def _main() -> None:
    import pytest  # here, because only this process runs tests

    root, out, *nodes = sys.argv[1:]
    recorder = Recorder()
    options = [f"--rootdir={root}", "-p", "no:cacheprovider", "--tb=short", "-q"]
    code = pytest.main([*options, *nodes], plugins=[recorder])
    has_failed = any(entry["error"] for entry in recorder.results.values())
    if code == pytest.ExitCode.OK or (code == pytest.ExitCode.TESTS_FAILED and has_failed):
        write(Path(out), json.dumps(recorder.results))
    sys.exit(code)


if __name__ == "__main__":
    _main()
