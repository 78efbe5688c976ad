"""Claims and tests are matched by reading the sources, and every mismatch is told with its place."""

import re

import pytest

from notesite.claims import check_claims, claim_blocks, claim_tests
from notesite.project import Project

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
def site(tmp_path):
    for name in ("docs", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "tests/test_topic.py").write_text(TEST)
    return Project(tmp_path)


def state(site, *ids):
    text = "".join(f"/// claim | Title\n    id: {i}\n\nText.\n///\n\n" for i in ids)
    (site.docs / "page.md").write_text(text)


def test_claim_tests_finds_every_mark_with_its_lines(site):
    found = claim_tests(site.tests)
    assert {k: [t.name for t in v] for k, v in found.items()} == {
        "topic.first": ["test_both", "test_first_again"],
        "topic.second": ["test_both"],
    }
    assert found["topic.second"][0].first == 4  # the decorator's line


def test_claim_blocks_ignores_examples_inside_fences(site):
    (site.docs / "page.md").write_text(
        "```text\n/// claim | Not one\n    id: topic.x\n///\n```\n\n/// claim | One\n    id: a.b\n///\n"
    )
    assert [(b.claim, b.line) for b in claim_blocks(site.docs / "page.md")] == [("a.b", 7)]


def test_check_claims_accepts_a_perfect_match(site):
    state(site, "topic.first", "topic.second")
    assert check_claims(site) == []


@pytest.mark.parametrize(
    ("ids", "fault"),
    [
        (["topic.first"], r"test_topic.py:4: test_both tests claim topic.second, which no page states"),
        (["topic.first", "topic.second", "topic.third"], r"page.md:13: claim topic.third has no test"),
        (
            ["topic.first", "topic.second", "topic.first"],
            r"page.md:13: claim topic.first stands already at .*:1",
        ),
        (
            ["topic.first", "topic.second", "Bad"],
            r'page.md:13: a claim needs a line "    id: topic.name".* got "Bad"',
        ),
    ],
)
def test_check_claims_names_each_fault_with_its_place(site, ids, fault):
    state(site, *ids)
    faults = check_claims(site)
    assert len(faults) == 1
    assert re.search(fault, faults[0])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("/// claim\n    id: topic.first\n///", r'page.md:1: expected a title, as in "/// claim \| Title"'),
        ("/// claim | Title\nid: topic.first\n///", r'page.md:1: .*"    id: topic.name".* got nothing'),
        ("/// claim | Title\n    id: topic.first\n\nText.", r'page.md:1: claim is never closed; .*"///"'),
        ("/// claim | Title\n    id: topic.first\n////", r'page.md:3: "////" closes nothing; .*line 1'),
        ("///", r'page.md:1: "///" closes nothing; expected an open block'),
        ("/// clam | Title\n    id: topic.first\n///", r'page.md:1: unknown block "clam"; expected .*claim'),
        (
            "/// exercise | Title\n    id: topic.first\n///",
            r"test_both tests claim topic.first, which",
        ),
    ],
)
def test_check_claims_says_what_a_malformed_block_should_be(site, text, fault):
    (site.docs / "page.md").write_text(text + "\n")
    assert re.search(fault, "\n".join(check_claims(site)))


@pytest.mark.parametrize(
    "code",
    [
        "MARK = pytest.mark.claim('topic.first')",
        "pytestmark = pytest.mark.claim('topic.first')",
        "@pytest.mark.claim(f'topic.first')\ndef test_x(): ...",
        "@pytest.mark.claim(id='topic.first')\ndef test_x(): ...",
        "@pytest.mark.claim\ndef test_x(): ...",
        "@pytest.mark.claim('topic.first', 'topic.first')\ndef test_x(): ...",
        "@pytest.mark.claim('topic.first')\nasync def test_x(): ...",
        "@pytest.mark.claim('topic.first')\ndef check_x(): ...",
        "class TestX:\n  @pytest.mark.claim('topic.first')\n  def test_x(self): ...",
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.claim('topic.first'))])\ndef test_x(x): ...",
    ],
)
def test_check_claims_tells_of_a_mark_that_proves_nothing(site, code):
    state(site, "topic.first", "topic.second")
    (site.tests / "test_other.py").write_text(f"import pytest\n\n{code}\n")
    (fault,) = check_claims(site)
    assert re.match(
        r"tests/test_other.py:[345]: this mark proves nothing; expected @pytest.mark.claim", fault
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("/// Claim | Title\n    id: topic.first\n///", 'unknown block "Claim"'),
        ("/// claim-x | Title\n    id: topic.first\n///", 'unknown block "claim-x"'),
        ("/// claim | Title\n  id: topic.first\n///", "got nothing"),
        ("- item\n\n    /// claim | Title\n      id: topic.first\n    ///", "got nothing"),
    ],
)
def test_check_claims_takes_nothing_for_a_claim_that_markdown_does_not(site, text, fault):
    (site.docs / "page.md").write_text(text + "\n")
    assert fault in "\n".join(check_claims(site))


def test_check_claims_reads_labs_at_any_depth(site):
    state(site, "topic.first", "topic.second")
    lab = site.docs / "a/b/some_lab.py"
    lab.parent.mkdir(parents=True)
    lab.write_text("# %% [markdown]\n# /// claim | Again\n#     id: topic.first\n# ///\n")
    assert check_claims(site) == [
        "docs/a/b/some_lab.py:2: claim topic.first stands already at docs/page.md:1"
    ]
