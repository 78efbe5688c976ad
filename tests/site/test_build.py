"""The build runs what is stale, and replaces the old site only by a whole new one."""

import json
import re
import shutil
import threading
import time

import pytest
from filelock import FileLock

from notesite import build as building
from notesite.build import BuildError, build


def built(project) -> list[str]:
    """Build, and return the progress lines."""
    lines = []
    build(project, project.root / "site", lines.append)
    return lines


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(lines) -> set[str]:
    """The names of the outputs that were made anew."""
    return {line.split("] ")[1].rsplit(" ", 2)[0] for line in lines if line.startswith("[")}


def snapshot(project) -> dict:
    """The bytes of every file of the site."""
    site = project.root / "site"
    return {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}


def test_build_makes_every_part_of_a_page(project):
    lines = built(project)
    page = (project.root / "site/topic/note/index.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert '<figure class="fig" id="fig-note-line">' in page
    assert 'id="claim-topic.one"' in page
    assert "ZeroDivisionError: division by zero" in page
    assert 'href="../../source/src/pkg/topic/_two.py.html#L-6"' in page
    assert 'href="../../source/tests/topic/test_one.py.html#L-8"' in page
    assert 'id="exercise-topic.1"' in page
    assert "tested, 101 cases" in page  # 100 from hypothesis, and one
    assert re.search(r'<a class="value" href="[^"]*#value-double"[^>]*>2</a>', page)
    assert re.search(r'<a class="value" href="[^"]*second_lab/#"[^>]*>1.0</a>', page)
    assert "12.50\u00a0s</a>" in page
    assert "Made by older code" in page
    claims = (project.root / "site/claims/index.html").read_text(encoding="utf-8")
    assert 'href="../topic/note/#claim-topic.one">One is one</a>' in claims
    source = (project.root / "site/source/tests/topic/test_one.py.html").read_text(encoding="utf-8")
    assert 'id="L-6"' in source
    lab = (project.root / "site/topic/first_lab/index.html").read_text(encoding="utf-8")
    assert 'aria-label="A point."' in lab
    notebook = json.loads((project.root / "site/topic/first_lab/first_lab.ipynb").read_text(encoding="utf-8"))
    assert notebook["cells"][1]["outputs"][0]["text"] == ["1\n"]
    assert (project.root / "site/topic/first_lab/first_lab.py").is_file()
    assert lines[0] == "6 outputs: 0 fresh, 6 to run"
    assert "claims proved: 1; exercises solved: 1; cases tried: 104" in lines
    assert "values bound: 4; decimals typed in prose: 0" in lines
    assert "labs: 2 run, 0 fresh" in lines
    assert f"pages: 5 in {project.root / 'site'}" in lines


def test_build_runs_nothing_twice_and_gives_the_same_bytes(built_project):
    before = snapshot(built_project)
    (built_project.cache / "rendered.txt").unlink()
    lines = built(built_project)
    assert lines[0] == "6 outputs: 6 fresh, 0 to run"
    assert "labs: 0 run, 2 fresh" in lines
    assert rendered(lines)
    after = snapshot(built_project)
    assert {str(p) for p in before if before[p] != after.get(p)} <= {"sitemap.xml", "sitemap.xml.gz"}


def rendered(lines) -> bool:
    return "rendering the pages" in lines


def test_build_renders_only_if_something_has_changed(built_project):
    site = built_project.root / "site"
    built(built_project)  # the copy stands in another place
    assert not rendered(built(built_project))
    edit(built_project.docs / "index.md", "# Home", "# Start")
    assert rendered(built(built_project))
    assert "Start" in (site / "index.html").read_text(encoding="utf-8")
    (site / "topic/note/index.html").unlink()
    assert rendered(built(built_project))
    assert (site / "topic/note/index.html").is_file()
    (built_project.tests / "topic/test_three.py").write_text("")
    assert rendered(built(built_project))


def test_build_reruns_the_lab_that_imports_an_edited_module_and_no_other(built_project):
    edit(built_project.src / "pkg/topic/_two.py", "one() + one()", "one() * 2")
    assert run(built(built_project)) == {
        "lab topic/second_lab.py", "example docs/topic/note.md:16", "tests of 1 claims",
    }  # fmt: skip


def test_build_reruns_all_that_depends_on_a_shared_module(built_project):
    edit(built_project.src / "pkg/topic/_one.py", "return 1", "return 2 - 1")
    assert run(built(built_project)) == {
        "lab topic/first_lab.py", "lab topic/second_lab.py", "example docs/topic/note.md:16", "tests of 2 claims",
    }  # fmt: skip


FAULTS = {
    "unknown symbol": ("docs/topic/note.md", "pkg.topic.two", "pkg.topic.tow", [r"note\.md:16", "two"]),
    "bad TeX": ("docs/topic/note.md", "$x^2$", r"$\nosuch$", [r"note\.md:6", "nosuch"]),
    "failing lab cell": (
        "docs/topic/first_lab.py",
        "print(one())",
        "one() / 0",
        [r"first_lab\.py:7", "ZeroDivisionError"],
    ),
    "lab that does not parse": (
        "docs/topic/first_lab.py",
        "print(one())",
        "print(one()",
        [r"first_lab\.py:7"],
    ),
    "import that is not there": (
        "docs/topic/first_lab.py",
        "import one",
        "import won",
        [r"first_lab\.py:5", "won"],
    ),
    "failing example": (
        "docs/topic/note.md",
        "print(two())",
        "print(three())",
        [r"note\.md:16", "NameError"],
    ),
    "failing figure": (
        "docs/topic/note_figures.py",
        "[0, 1], [0, 1]",
        "[0, 1], [0]",
        [r"note_figures\.py", "shape"],
    ),
    "unknown figure": (
        "docs/topic/note.md",
        "topic.note.line",
        "topic.note.lime",
        [r"note\.md:3", "it has line"],
    ),
    "figure without alternative": ("docs/topic/first_lab.py", ' alt="A point."', "", ["text alternative"]),
    "broken link": ("docs/index.md", "topic/note.md#claims", "topic/nope.md", [r"index\.md:3", "nope.md"]),
    "broken anchor": ("docs/index.md", "#claims", "#clams", [r"index\.md:3", "clams"]),
    "page missing from nav": ("mkdocs.yml", "topic/note.md, ", "", ["topic/note.md"]),
    "nav without page": ("mkdocs.yml", "index.md, ", "index.md, gone.md, ", ["gone.md"]),
    "claim without test": (
        "docs/topic/note.md",
        "id: topic.one",
        "id: topic.won",
        [r"note\.md:10", "has no test"],
    ),
    "test without claim": (
        "tests/topic/test_one.py",
        "topic.one",
        "topic.won",
        [r"test_one\.py:8", r"test_one\.py:14", "no page states"],
    ),
    "claim whose test fails": (
        "tests/topic/test_one.py",
        "assert one() == 1",
        "assert one() == 2",
        [r"test_one\.py:14: test_one_is_one, a test of claim topic.one, did not pass: AssertionError"],
    ),
    "test of a claim that does not parse": (
        "tests/topic/test_one.py",
        "import given",
        "import",
        [r"test_one\.py:2"],
    ),
    "test of a claim that imports what is not there": (
        "tests/topic/test_one.py",
        "topic import one",
        "topic import won",
        [r"test_one\.py:5", "cannot import name .won"],
    ),
    "claim stated twice": (
        "docs/topic/note.md",
        "/// exercise",
        "/// claim | Again\n    id: topic.one\n///\n\n/// exercise",
        [r"note\.md:25: claim topic.one stands already at docs/topic/note\.md:10"],
    ),
    "claim that is never closed": (
        "docs/topic/note.md",
        "It is $1$.\n///",
        "It is $1$.",
        [r"note\.md:10", "closed"],
    ),
    "exercise without test": (
        "docs/topic/note.md",
        "id: topic.1",
        "id: topic.2",
        [r"note\.md:25", "no test"],
    ),
    "unknown value": (
        "docs/topic/note.md",
        "value: topic.half",
        "value: topic.haf",
        [r"note\.md:20", "topic.half"],
    ),
    "value without format": (
        "docs/topic/note.md",
        "topic.half .1f",
        "topic.half",
        [r"note\.md:20", "format"],
    ),
    "value in a format that is none": ("docs/topic/note.md", "half .1f", "half .1q", [r"note\.md:20", ".1q"]),
    "value that cannot be computed": (
        "docs/topic/note.md",
        "double=two()",
        "double=too()",
        [r"note\.md:16", "too"],
    ),
    "value of a lab that cannot be computed": (
        "docs/topic/second_lab.py",
        "half=two()",
        "half=too()",
        [r"second_lab\.py:7", "too"],
    ),
    "value published twice": (
        "docs/topic/second_lab.py",
        "half=two()/2",
        "half=two()/2 double=two()",
        [r"second_lab\.py:6: value topic.double is published already at docs/topic/note\.md:16"],
    ),
    "decimal typed in prose": (
        "docs/topic/note.md",
        "Is two even?",
        "Is 2.0 even?",
        [r"note\.md:28: 2\.0 typed"],
    ),
    "decimal typed in a lab": (
        "docs/topic/second_lab.py",
        "# Two is",
        "# 2.0 is",
        [r"second_lab\.py:4: 2\.0 typed"],
    ),
    "record that lacks a field": (
        "docs/records/run.json",
        '  "device": "a small machine",\n',
        "",
        [r"run\.json:1", "device"],
    ),
    "record that is not shown": (
        "docs/topic/note.md",
        '``` { record="run" }\n```',
        "",
        ["no page shows what made record run"],
    ),
    "claim in a comment": (
        "docs/topic/note.md",
        "/// claim | One is one\n    id: topic.one\n\nIt is $1$.\n///",
        "<!--\n/// claim | One is one\n    id: topic.one\n\nIt is $1$.\n///\n-->",
        [r"note\.md:11: claim topic\.one is shown 0 times; expected once"],
    ),
    "claim whose id is replaced": (
        "docs/topic/note.md",
        "    id: topic.one\n",
        "    id: topic.one\n    id: topic.1\n",
        [
            r"note\.md:10: claim topic\.one is shown 0 times",
            r"shows claim topic\.1, which is not stated there",
        ],
    ),
    "claim stated again in a lab": (
        "docs/topic/second_lab.py",
        "# Two is",
        "# /// claim | One is three\n#     id: topic.one\n# ///\n#\n# Two is",
        [r"second_lab\.py:4: claim topic\.one stands already at docs/topic/note\.md:10"],
    ),
    "claim stated again in a quotation": (
        "docs/topic/note.md",
        "/// exercise",
        "> /// claim | One is three\n>     id: topic.one\n> ///\n\n/// exercise",
        [r"claim topic\.one is shown 2 times; expected once"],
    ),
    "value in raw HTML": (
        "docs/topic/note.md",
        "Is two even?",
        "<p>{value: topic.double d}</p>",
        [r'note\.md:20: "{value: topic\.double d}" would stand on the page'],
    ),
    "value in an attribute": (
        "docs/topic/note.md",
        "Is two even?",
        "![a {value: topic.double d}](https://a.b/c.png)",
        [r"note\.md:28: .*would stand on the page"],
    ),
    "fence that Markdown does not see": (
        "docs/topic/note.md",
        "Is two even?",
        "``` some words\n\n```",
        [r'note\.md:28: "``` some words" would stand on the page'],
    ),
    "fence that is never closed": (
        "docs/topic/second_lab.py",
        "# Two is",
        "# ```text\n# Two is",
        [r"second_lab\.py:4: this fence is never closed; expected a line ```"],
    ),
    "Python that nothing runs": (
        "docs/topic/note.md",
        "python wrong",
        "python",
        [r"note\.md:31: nothing runs this Python"],
    ),
    "example that imports the package": (
        "docs/topic/note.md",
        "print(1 / 0)",
        "from pkg.topic import one",
        [r"note\.md:31: a block cannot import pkg"],
    ),
    "test that stands above another of its name": (
        "tests/topic/test_one.py",
        "    assert one() == 1\n",
        "    assert one() == 2\n\n\ndef test_one_is_one():\n    pass\n",
        [r"test_one\.py:14: test_one_is_one, .* ran without its mark"],
    ),
    "claim without id": ("docs/topic/note.md", "    id: topic.one\n", "", [r"note\.md:10", "id: topic.name"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_build_stops_at_a_fault_and_leaves_the_old_site(built_project, fault):
    name, old, new, clues = FAULTS[fault]
    before = snapshot(built_project)
    edit(built_project.root / name, old, new)
    with pytest.raises(BuildError) as error:
        built(built_project)
    for clue in clues:
        assert re.search(clue, str(error.value))
    assert snapshot(built_project) == before
    assert not list(built_project.root.glob("site.*"))


def test_build_lists_all_faults_at_once(built_project):
    edit(built_project.docs / "topic/note.md", "pkg.topic.two", "pkg.topic.tow")
    edit(built_project.docs / "topic/note.md", "topic.note.line", "topic.note.lime")
    edit(built_project.docs / "topic/note.md", "id: topic.one", "id: topic.won")
    with pytest.raises(BuildError) as error:
        built(built_project)
    assert len(str(error.value).splitlines()) == 5  # with the two tests whose claim is gone


def test_recover_undoes_a_swap_that_was_cut_off(tmp_path):
    (tmp_path / "site.old").mkdir()
    (tmp_path / "site.old/index.html").write_text("old")
    (tmp_path / "site.new-123").mkdir()
    building.recover(tmp_path / "site")
    assert (tmp_path / "site/index.html").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_recover_sweeps_up_after_a_swap_that_was_done(tmp_path):
    for name in ("site", "site.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    building.recover(tmp_path / "site")
    assert (tmp_path / "site/index.html").read_text() == "site"
    assert not (tmp_path / "site.old").exists()


def test_build_works_without_an_old_site_or_cache(project):
    built(project)
    shutil.rmtree(project.root / "site")
    shutil.rmtree(project.cache)
    built(project)
    assert (project.root / "site/index.html").is_file()


def test_build_waits_for_another_build_of_the_same_checkout(built_project):
    lines, held = [], threading.Event()

    def other_build():
        with FileLock(built_project.cache / "build.lock"):
            held.set()
            time.sleep(0.5)

    threading.Thread(target=other_build).start()
    held.wait()
    build(built_project, built_project.root / "site", lines.append)
    assert lines[0] == "another build is running here; waiting for it to end"
    assert "6 fresh" in lines[1]


def test_serve_warns_of_what_would_stop_a_build(built_project, caplog, monkeypatch):
    from mkdocs.config import load_config

    edit(built_project.docs / "topic/note.md", "Is two even?", "Is 2.0 even?")
    monkeypatch.chdir(built_project.root)
    config = load_config(str(built_project.root / "mkdocs.yml"))
    for command, warned in (("build", False), ("serve", True)):
        caplog.clear()
        config.plugins.on_startup(command=command, dirty=False)
        config.plugins.on_config(config)
        config.plugins.on_pre_build(config=config)
        assert ("2.0 typed in prose" in caplog.text) is warned
