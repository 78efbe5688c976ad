"""Every test of a claim fails when the code or the statement that it tests is made false."""

import tomllib

import pytest

from falsify import ROOT, failing_tests
from notesite.claims import claim_tests

PROOFS = claim_tests(ROOT / "tests")
FALSEHOODS = {
    claim: falsehoods
    for path in sorted((ROOT / "tests").glob("*/falsified.toml"))
    for claim, falsehoods in tomllib.loads(path.read_text(encoding="utf-8")).items()
}


def test_every_claim_has_a_falsehood():
    assert set(PROOFS) == set(FALSEHOODS)


@pytest.mark.parametrize("claim", sorted(FALSEHOODS))
def test_claim_can_fail(claim, tmp_path):
    tests = [(str(test.path.relative_to(ROOT)), test.name) for test in PROOFS[claim]]
    failed = set()
    for number, falsehood in enumerate(FALSEHOODS[claim]):
        names = failing_tests(falsehood, tests, tmp_path / str(number))
        assert names, f"no test of {claim} fails with {falsehood}"
        failed |= names
    assert failed == {name for _, name in tests}
