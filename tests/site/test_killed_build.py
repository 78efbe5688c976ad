"""A build that is killed leaves the old site or the whole new one, and the next build puts everything right."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from notesite.build import recover, sweep
from notesite.project import Project

Snapshot = dict[str, bytes]
TIMEOUT = 60  # seconds
RUNNING, RENDERING, DONE = "outputs:", "rendering the pages", "built in"  # what a build says


class Build:
    """A build in a group of processes of its own."""

    def __init__(self, project: Project) -> None:
        self.start = time.monotonic()
        command = [sys.executable, "-u", "-m", "notesite.build", "--root", str(project.root)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def kill(self, *, after: float) -> str:
        """Kill the whole group some seconds after its start; return what it had said."""
        time.sleep(max(0.0, self.start + after - time.monotonic()))
        os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.communicate(timeout=TIMEOUT)[0]

    def hear(self, text: str) -> None:
        """Wait until it has said something."""
        assert self.process.stdout is not None
        assert any(text in line for line in self.process.stdout)

    def finish(self) -> str:
        said = self.process.communicate(timeout=TIMEOUT)[0]
        assert self.process.returncode == 0, said
        return said


def edit(project: Project, number: int) -> None:
    """Give a build something to run and something to render."""
    page, figures = project.docs / "topic" / "note.md", project.docs / "topic" / "note_figures.py"
    lines = page.read_text(encoding="utf-8").split("\n")
    page.write_text("\n".join([f"# Note {number}", *lines[1:]]), encoding="utf-8")
    figures.write_text(figures.read_text(encoding="utf-8") + f"# {number}\n", encoding="utf-8")


def snapshot(site: Path) -> Snapshot:
    return {
        path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()
    }


def check(project: Project, number: int) -> None:
    """The site shows the last edit, all that is kept can be read, and nothing is left of a build that was killed."""
    assert f"Note {number}" in (project.root / "site/topic/note/index.html").read_text(encoding="utf-8")
    for path in project.cache.rglob("*"):
        if path.suffix in (".json", ".ipynb"):
            json.loads(path.read_bytes())
    assert [path.name for path in project.cache.rglob("*.tmp")] == []
    assert [path.name for path in project.root.glob("site*")] == ["site"]


def test_a_build_killed_at_ten_moments_leaves_a_whole_site(built_project: Project) -> None:
    site, rng = built_project.root / "site", random.Random(0)
    edit(built_project, 0)
    started = time.monotonic()
    Build(built_project).finish()
    duration = time.monotonic() - started
    moments = [duration * (part + rng.random()) / 10 for part in range(10)]  # one in each tenth of a build
    before, reached = snapshot(site), set()
    for number, moment in enumerate(rng.sample(moments, 10), start=1):
        edit(built_project, number)
        said = Build(built_project).kill(after=moment)
        reached |= {part for part in (RUNNING, RENDERING) if part in said and DONE not in said}
        left = snapshot(site)
        Build(built_project).finish()
        check(built_project, number)
        after = snapshot(site)
        assert left in (before, after), f"killed after {moment:.2f} s, having said: {said}"
        before = after
    assert reached == {RUNNING, RENDERING}


# Moments that a clock does not hit: before each step by which a swap, or a write, changes the file system.

KILLED_AT_STEP = """
import os, signal, sys
from pathlib import Path
from notesite.build import swap
from notesite.runs import write

steps = int(sys.argv[1])

def count(event, arguments):
    global steps
    changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "ctypes.dlsym")
    if changes or (event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1

sys.addaudithook(count)
exec(sys.argv[2])
"""


def killed_at_each_step(code: str, folder: Path, before: Callable[[], None]) -> Iterator[None]:
    """Run the code again and again, killed before its first, second, ... change of the file system, until it ends."""
    status, step = -signal.SIGKILL, 0
    while status:
        before()
        command = [sys.executable, "-c", KILLED_AT_STEP, str(step), code]
        status, step = subprocess.run(command, cwd=folder, timeout=TIMEOUT, check=False).returncode, step + 1
        assert status in (0, -signal.SIGKILL)
        yield


def test_a_swap_killed_at_any_step_leaves_a_whole_site(tmp_path: Path) -> None:
    site, old, new = (
        tmp_path / "site",
        *({"index.html": text, "topic/index.html": text} for text in (b"old", b"new")),
    )
    seen = []

    def lay_out() -> None:
        for folder, files in ((site, old), (tmp_path / "site.new-1", new)):
            for name, content in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)

    for _ in killed_at_each_step("swap(Path('site.new-1'), Path('site'))", tmp_path, lay_out):
        seen.append(snapshot(site))
        recover(site)
        assert snapshot(site) == seen[-1]
        assert [path.name for path in tmp_path.iterdir()] == ["site"]
    changed = seen.index(new)
    assert changed > 0
    assert seen == [old] * changed + [new] * (len(seen) - changed)


def test_a_write_killed_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "lab.ipynb"
    seen = []
    for _ in killed_at_each_step("write(Path('kept/lab.ipynb'), 'new' * 10000)", tmp_path, lambda: None):
        seen.append(file.read_text(encoding="utf-8") if file.exists() else "")
        sweep(tmp_path)
        assert [path for path in file.parent.glob("*") if path != file] == []
    assert seen == [""] * (len(seen) - 1) + ["new" * 10000]
    assert len(seen) > 3


def test_two_builds_at_once_both_succeed_and_the_second_waits(built_project: Project) -> None:
    edit(built_project, 1)
    builds = [Build(built_project) for _ in range(2)]
    said = [build.finish() for build in builds]
    waited = ["waiting for it to end" in text for text in said]
    assert sorted(waited) == [False, True]
    assert ["nothing has changed" in text for text in said] == waited
    check(built_project, 1)


def test_a_build_that_waits_goes_on_when_the_other_is_killed(built_project: Project) -> None:
    edit(built_project, 1)
    first = Build(built_project)
    first.hear(RUNNING)
    second = Build(built_project)
    second.hear("waiting for it to end")
    first.kill(after=0)
    assert DONE in second.finish()
    check(built_project, 1)
