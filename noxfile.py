"""Rebuild and validate: `nox` lints, tests and builds the site; see docs/contributing.md for the other sessions."""

import hashlib
import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "tests", "docs"]
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PINS = ROOT / "constraints.txt"


def install(session: nox.Session, *groups: str) -> None:
    """Install the package with the pinned dependencies of the groups, unless this environment holds them already."""
    wanted = nox.project.dependency_groups(PROJECT, *groups)
    recipe = "\n".join([*wanted, *PROJECT["project"]["dependencies"], PINS.read_text(encoding="utf-8")])
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    stamp = Path(session.virtualenv.location, "installed.txt")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        session.log("the environment is up to date")
        return
    stamp.unlink(missing_ok=True)
    session.install("--constraint", str(PINS), "--editable", ".", *wanted)
    stamp.write_text(digest, encoding="utf-8")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, mypy and the import contracts."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Unit, property, oracle, doctest, slice and layout tests; without GPU, browser or network."""
    install(session, "tests")
    session.run("pytest", *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session
def docs(session: nox.Session) -> None:
    """Run the tests of claims and build the site into site/; a failed build leaves the old one as it was."""
    install(session, "tests")
    session.run("python", "-m", "notesite.build", *session.posargs)


@nox.session(default=False)
def serve(session: nox.Session) -> None:
    """The site with live reload at http://127.0.0.1:8000."""
    install(session, "tests")
    session.run("mkdocs", "serve", "--dev-addr", "127.0.0.1:8000", *session.posargs)


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """In Chromium, on the built site: copy every block and run it, resize, switch scripts off."""
    install(session, "browser")
    if not (ROOT / "site" / "index.html").is_file():
        session.error("there is no site/ to test; run nox -s docs first")
    session.run("pytest", "tests/browser", "--override-ini", "addopts=", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Side-by-side timings, answers compared first; without arguments they become docs/records/bench-cpu.json."""
    install(session, "bench")
    measured = Path(session.create_tmp(), "measured.json")
    threads = {"OMP_NUM_THREADS": str(os.cpu_count())}
    addopts = "addopts=--import-mode=importlib --ignore=tests/browser"  # without the type checks of the tests
    options = ["--override-ini", addopts, "--benchmark-only", f"--benchmark-json={measured}"]
    session.run("pytest", *options, *session.posargs, env=threads)
    if not session.posargs:
        record = ROOT / "docs/records/bench-cpu.json"
        session.run("python", "-m", "notesite.bench", str(measured), str(record), "--command", "nox -s bench")


@nox.session(default=False)
def kernels(session: nox.Session) -> None:
    """The Triton kernels in Triton's interpreter, and compiled for a GPU that is not there; Triton takes 1 GB."""
    install(session, "kernels")
    interpreted = {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    session.run(
        "pytest", *(session.posargs or map(str, ROOT.glob("tests/**/test_*_triton.py"))), env=interpreted
    )


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """The CUDA and Triton tests on a GPU; without one it fails and says so."""
    install(session, "kernels")
    count = "import torch; print(torch.cuda.device_count())"
    if session.run("python", "-c", count, silent=True).strip() == "0":
        session.error(
            "found no GPU, so nothing was tested; nox -s kernels interprets the Triton kernels on a CPU"
        )
    session.run("pytest", "-k", "cuda or triton", *session.posargs)


@nox.session(default=False)
def experiments(session: nox.Session) -> None:
    """What is too large for a build: it takes minutes and 16 GiB, and writes docs/records/point-clouds.json."""
    install(session, "tests")
    run = ["tests/transport/experiment_points.py", "docs/records/point-clouds.json"]
    session.run("python", "-m", "notesite.experiment", *run, "--command", "nox -s experiments")
