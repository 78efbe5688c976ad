"""Claims and tests are matched by reading the sources, and every mismatch is told with its place."""

import re

import pytest

from notesite.claims import check_claims, claim_blocks, claim_tests

TEST = """
import pytest

@pytest.mark.claim("topic.first", "topic.second")
@pytest.mark.parametrize("x", [1])
def test_both(x): ...

@pytest.mark.claim("topic.first")
def test_first_again(): ...

def test_nothing(): ...
"""


@pytest.fixture
def folders(tmp_path):
    for name in ("docs", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "tests/test_topic.py").write_text(TEST)
    return tmp_path / "docs", tmp_path / "tests"


def state(docs, *ids):
    text = "".join(f"/// claim | Title\n    id: {i}\n\nText.\n///\n\n" for i in ids)
    (docs / "page.md").write_text(text)


def test_claim_tests_finds_every_mark_with_its_lines(folders):
    found = claim_tests(folders[1])
    assert {k: [t.name for t in v] for k, v in found.items()} == {
        "topic.first": ["test_both", "test_first_again"],
        "topic.second": ["test_both"],
    }
    assert found["topic.second"][0].first == 4  # the decorator's line


def test_claim_blocks_ignores_examples_inside_fences(folders):
    docs, _ = folders
    (docs / "page.md").write_text(
        "```text\n/// claim | Not one\n    id: topic.x\n///\n```\n\n/// claim | One\n    id: a.b\n///\n"
    )
    assert [(b.claim, b.line) for b in claim_blocks(docs / "page.md")] == [("a.b", 7)]


def test_check_claims_accepts_a_perfect_match(folders):
    state(folders[0], "topic.first", "topic.second")
    assert check_claims(*folders) == []


@pytest.mark.parametrize(
    ("ids", "fault"),
    [
        (["topic.first"], r"test_topic.py:4: test_both proves claim topic.second, which no page states"),
        (["topic.first", "topic.second", "topic.third"], r"page.md:13: claim topic.third has no test"),
        (
            ["topic.first", "topic.second", "topic.first"],
            r"page.md:13: claim topic.first stands already at .*:1",
        ),
        (
            ["topic.first", "topic.second", "Bad"],
            r'page.md:13: a claim needs a line "    id: topic.fact".* got "Bad"',
        ),
    ],
)
def test_check_claims_names_each_fault_with_its_place(folders, ids, fault):
    state(folders[0], *ids)
    faults = check_claims(*folders)
    assert len(faults) == 1
    assert re.search(fault, faults[0])
