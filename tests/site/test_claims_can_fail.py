"""Every test of a claim fails when the code or the statement that it tests is made false."""

import os
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest

from falsify import ROOT, failing_tests
from notesite.claims import claim_tests

PROOFS = claim_tests(ROOT / "tests")
FALSEHOODS = {
    claim: falsehoods
    for path in sorted((ROOT / "tests").glob("*/falsified.toml"))
    for claim, falsehoods in tomllib.loads(path.read_text(encoding="utf-8")).items()
}


def failures(claim, folder):
    """For each falsehood of a claim, the names of the tests that fail."""
    tests = [(str(test.path.relative_to(ROOT)), test.name) for test in PROOFS[claim]]
    return [failing_tests(f, tests, folder / str(number)) for number, f in enumerate(FALSEHOODS[claim])]


@pytest.fixture(scope="session")
def running(request, tmp_path_factory):
    """The failures of each claim that was asked for, as futures: every core runs one."""
    asked = {
        item.callspec.params["claim"] for item in request.session.items if "running" in item.fixturenames
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            claim: pool.submit(failures, claim, tmp_path_factory.mktemp("falsified"))
            for claim in sorted(asked)
        }


def test_every_claim_has_a_falsehood():
    assert set(PROOFS) == set(FALSEHOODS)


@pytest.mark.parametrize("claim", sorted(FALSEHOODS))
def test_claim_can_fail(claim, running):
    found = running[claim].result()
    for falsehood, names in zip(FALSEHOODS[claim], found, strict=True):
        assert names, f"no test of {claim} fails with {falsehood}"
    assert set().union(*found) == {test.name for test in PROOFS[claim]}
