"""Build the site: check, run what is stale, render beside the old site, and swap."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .exchange import exchange
from .plan import Plan, Task, plan
from .project import Project
from .prove import proof, prove
from .rendered import check_rendered
from .runs import RunError, write


class BuildError(RuntimeError):
    """Why there is no new site; the old one is as it was."""


def run_stale(tasks: list[Task], say: Callable[[str], None]) -> list[Task]:
    """Run the tasks whose output is not kept, two or more at a time, with a line for each, and return them.

    Raises:
        BuildError: After all have run, listing those that failed.
    """
    stale = [t for t in tasks if not t.is_fresh]
    say(f"{len(tasks)} outputs: {len(tasks) - len(stale)} fresh, {len(stale)} to run")
    faults = []
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        begun = {}
        for task in stale:
            begun[pool.submit(_timed, task.make)] = task
        for done, future in enumerate(as_completed(begun), 1):
            name, error = begun[future].name, future.exception()
            if error is not None:
                faults.append(f"{name}: {error}")
            say(f"[{done}/{len(stale)}] {name} " + ("FAILED" if error else f"{future.result():.1f} s"))
    if faults:
        raise BuildError("\n".join(faults))
    return stale


def _timed(make: Callable[[], object]) -> float:
    start = time.perf_counter()
    make()
    return time.perf_counter() - start


def render(project: Project, target: Path) -> None:
    """Let mkdocs write the pages to `target`.

    Raises:
        BuildError: If mkdocs fails or warns, with its messages and the lines they speak of, or if a page shows what
            it should not.
    """
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    run = subprocess.run(
        command, cwd=project.root, capture_output=True, text=True, env=environment, check=False
    )
    if run.returncode:
        output = (run.stdout + run.stderr).strip()
        found = re.findall(r"Doc file '([^']+)' contains [^']*link '([^']+)'", output)
        places = "\n".join(
            f"docs/{page}:{_line_of(project.docs / page, link)}: broken link {link}" for page, link in found
        )
        told = output.rpartition("notesite.links.PageError: ")[2]  # without the calls that led there
        raise BuildError(f"{told}\n{places}".strip())
    if faults := check_rendered(project, target):
        raise BuildError("\n".join(faults))


def _line_of(page: Path, text: str) -> int:
    lines = page.read_text(encoding="utf-8").splitlines()
    return next((k for k, line in enumerate(lines, 1) if text in line), 1)


def swap(new: Path, site: Path) -> None:
    """Put the new site in the place of the old one, in one step where the system can do that."""
    if site.exists() and exchange(new, site):
        return  # `new` holds the old site now, and whoever made it takes it away
    old = site.with_name(site.name + ".old")
    if site.exists():
        site.rename(old)
    new.rename(site)
    shutil.rmtree(old, ignore_errors=True)


def _replace(project: Project, site: Path) -> None:
    """Render beside the old site, and swap."""
    new = site.with_name(f"{site.name}.new-{os.getpid()}")
    try:
        render(project, new)
        swap(new, site)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def recover(site: Path) -> None:
    """Undo a swap that was cut off between its two renames, and sweep up after builds that were killed."""
    old = site.with_name(site.name + ".old")
    if old.exists():
        shutil.rmtree(old) if site.exists() else old.rename(site)
    for leftover in site.parent.glob(f"{site.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def sweep(cache: Path) -> None:
    """Take away the halves of files that a killed build was writing."""
    for half in cache.rglob("*.tmp"):
        half.unlink(missing_ok=True)


def failing_proofs(planned: Plan, project: Project) -> list[str]:
    """The tests of claims that do not pass, so that a build that stops names them with its other faults."""
    try:
        prove(planned.claims, project=project)
    except RunError as error:
        return str(error).splitlines()
    return []


def summary(planned: Plan, ran: list[Task], project: Project, site: Path) -> Iterator[str]:
    """What the build has shown: claims, values, labs and pages."""
    proofs = [proof(tests, project=project) for tests in planned.claims.values()]
    kinds = Counter(record["kind"] for record in proofs)
    cases = sum(test["cases"] for record in proofs for test in record["tests"].values())
    labs, run = (sum(task.name.startswith("lab ") for task in tasks) for tasks in (planned.tasks, ran))
    yield f"claims proved: {kinds['claim']}; exercises solved: {kinds['exercise']}; cases tried: {cases}"
    yield f"values bound: {len(planned.references)}; decimals typed in prose: 0"
    yield f"labs: {run} run, {labs - run} fresh"
    yield f"pages: {sum(1 for _ in site.rglob('index.html'))} in {site}"


def build(project: Project, site: Path, say: Callable[[str], None] = print) -> None:
    """Check the pages, run what is stale, render and swap; a second build at the same time waits for the first.

    Raises:
        BuildError: If anything is wrong; `site` is then as it was.
    """
    start = time.perf_counter()
    project.cache.mkdir(parents=True, exist_ok=True)
    with _alone(project.cache / "build.lock", say):
        recover(site)
        sweep(project.cache)
        planned = plan(project)
        if planned.faults:
            raise BuildError("\n".join(planned.faults + failing_proofs(planned, project)))
        ran = run_stale(planned.tasks, say)
        stamp = project.cache / "rendered.txt"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint(project, site):
            say("nothing has changed since the pages were rendered")
        else:
            say("rendering the pages")
            _replace(project, site)
            write(stamp, fingerprint(project, site))
        for line in summary(planned, ran, project, site):
            say(line)
    say(f"built in {time.perf_counter() - start:.1f} s")
    say(f"open it with: {Path(sys.executable).name} -m http.server --bind 127.0.0.1 -d {site.name} 8000")


def fingerprint(project: Project, site: Path) -> str:
    """A digest of all that pages are rendered from, of the installed versions, and of the site itself."""
    packages = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    digest = hashlib.sha256("\n".join([sys.version, *sorted(p.name for p in packages)]).encode())
    folders = [project.src, project.docs, project.tests, project.root / "overrides", site]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix != ".pyc"]
    for path in [project.root / "mkdocs.yml", *files]:
        if path.is_file():
            digest.update(
                f"{os.path.relpath(path, project.root)}\0{path.stat().st_size}\0".encode() + path.read_bytes()
            )
    return digest.hexdigest()


@contextmanager
def _alone(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a checkout; the system frees it even if the build is killed."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another build is running here; waiting for it to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def main() -> int:
    """`python -m notesite.build`: exit with 1 and the list of faults if the site cannot be built."""
    parser = argparse.ArgumentParser(prog="notesite.build", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout to build")
    parser.add_argument("--site", type=Path, default=None, help="where the site goes; ROOT/site if not given")
    options = parser.parse_args()
    root = options.root.resolve()
    try:
        build(Project(root), (options.site or root / "site").resolve(), lambda text: print(text, flush=True))
    except BuildError as error:
        print(f"\nThe site was not built; the old one is untouched.\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
