"""The tests of claims are run once, and what came of each is kept as the record of its claim."""

import json
import subprocess

import pytest

from notesite import prove
from notesite.prove import all_claims, proof, proof_path
from notesite.runs import RunError


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def kept(project):
    """The records that are kept, by name."""
    return {path.name for path in (project.cache / "claims").glob("topic.*.json")}


@pytest.fixture
def claims(built_project):
    return lambda: all_claims(built_project)


def test_proof_counts_the_cases_of_each_test(built_project, claims):
    record = proof(claims()["topic.one"], project=built_project)
    found = {node: test["cases"] for node, test in record["tests"].items()}
    assert found == {
        "tests/topic/test_one.py::test_one_is_neutral": 100,  # hypothesis tries as many by default
        "tests/topic/test_one.py::test_one_is_one": 1,
    }
    exercise = proof(claims()["topic.1"], project=built_project)
    assert [test["cases"] for test in exercise["tests"].values()] == [3]  # one for each parameter


def test_proof_names_versions_date_and_commit(built_project, claims, monkeypatch):
    record = proof(claims()["topic.one"], project=built_project)
    assert set(record["versions"]) >= {"numpy", "torch", "hypothesis"}
    assert record["commit"] == "unknown"  # a project that is no git checkout
    assert record["date"].count("-") == 2
    monkeypatch.setenv("PATH", "")
    assert prove.commit(built_project) == "unknown"


def test_commit_tells_whether_files_were_changed(tmp_path, project):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    clean = prove.commit(project)
    assert len(clean) >= 12
    edit(project.docs / "index.md", "Home", "Start")
    assert prove.commit(project) == f"{clean}-dirty"


def test_prove_runs_only_what_changed(built_project, claims):
    before = kept(built_project)
    edit(built_project.src / "pkg/topic/_two.py", "one() + one()", "2 * one()")
    prove.prove(claims(), project=built_project)
    (new,) = kept(built_project) - before
    assert new.startswith("topic.1-")
    ran = json.loads((built_project.cache / "claims/last-run.json").read_text(encoding="utf-8"))
    assert list(ran) == ["tests/topic/test_two.py::test_solution_two_is_even"]


def test_prove_lists_every_test_that_does_not_pass_and_keeps_the_others(built_project, claims):
    edit(built_project.src / "pkg/topic/_one.py", "return 1", "return 3")
    with pytest.raises(RunError) as error:
        prove.prove(claims(), project=built_project)
    neutral, is_one = str(error.value).splitlines()[:2]
    assert neutral.startswith(
        "tests/topic/test_one.py:8: test_one_is_neutral, a test of claim topic.one, did not pass: "
    )
    assert is_one.startswith(
        "tests/topic/test_one.py:14: test_one_is_one, a test of claim topic.one, did not pass: "
    )
    assert "AssertionError" in is_one
    assert proof_path(claims()["topic.1"], project=built_project).is_file()
    assert not proof_path(claims()["topic.one"], project=built_project).is_file()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    assert one() == 1", '    pytest.skip("not today")', "did not pass: Skipped: not today"),
        ("    assert one() == 1", "    raise KeyError(1)", "did not pass: KeyError: 1"),
        ("def test_one_is_one():", "def test_one_is_one(absent):", "did not pass: FixtureLookupError"),
        ("import one", "import won", "could not be run:(?s:.*)cannot import name 'won'"),
        ("pkg.topic import", "pkg.absent import", r"test_one\.py:5: there is no module `pkg\.absent`"),
    ],
)
def test_a_test_that_is_not_run_to_its_end_proves_nothing(built_project, claims, old, new, fault):
    edit(built_project.tests / "topic/test_one.py", old, new)
    with pytest.raises((RunError, ValueError), match=fault):
        prove.prove(claims(), project=built_project)


def test_a_test_that_passes_against_expectation_proves_nothing(built_project, claims):
    edit(
        built_project.tests / "topic/test_one.py",
        "def test_one_is_one",
        "@pytest.mark.xfail\ndef test_one_is_one",
    )
    with pytest.raises(RunError, match=r"test_one_is_one, .* did not pass: it is marked with xfail"):
        prove.prove(claims(), project=built_project)


def test_a_test_that_is_taken_away_after_collection_proves_nothing(built_project, claims):
    settings = built_project.root / "pyproject.toml"
    settings.write_text(settings.read_text() + 'addopts = ["-k", "not neutral"]\n')
    edit(built_project.tests / "topic/test_one.py", "one() * n == n", "one() * n == n + 1")
    with pytest.raises(RunError, match=r"test_one_is_neutral, .* tried no case; is it deselected"):
        prove.prove(claims(), project=built_project)


def test_a_session_of_pytest_that_fails_proves_nothing(built_project, claims):
    hook = "def pytest_sessionfinish(session):\n    session.exitstatus = 1\n"
    (built_project.tests / "conftest.py").write_text(hook)
    edit(built_project.tests / "topic/test_one.py", "== 1", "== 2 - 1")
    with pytest.raises(RunError, match="could not be run"):
        prove.prove(claims(), project=built_project)


def test_prove_tries_the_same_cases_in_every_build(built_project, claims):
    test = built_project.tests / "topic/test_one.py"
    edit(test, "    assert one() * n == n", '    open("drawn.txt", "a").write(f"{n} ")')
    drawn = []
    for _ in range(2):
        prove.prove(claims(), project=built_project)
        drawn.append((built_project.root / "drawn.txt").read_text())
        (built_project.root / "drawn.txt").unlink()
        proof_path(claims()["topic.one"], project=built_project).unlink()
    assert drawn[0] == drawn[1]
