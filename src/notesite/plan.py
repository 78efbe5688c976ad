"""What a build has to make, and every fault that can be seen before anything is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .claims import check_claims
from .figures import locate
from .labs import execute, lab_path
from .modules import SourceError
from .pages import fence_faults, read_page
from .project import Project
from .prove import Claims, all_claims, proof_path, prove
from .publish import check_references, example_of, sources
from .runs import Example, draw_all, figures_path, run_example
from .values import Reference, typed_decimals


@dataclass(frozen=True)
class Task:
    """One output of the site: its name for the progress line, where it is kept, and how to make it."""

    name: str
    paths: tuple[Path, ...]
    make: Callable[[], object]

    @property
    def is_fresh(self) -> bool:
        """Whether its output is kept from an earlier build."""
        return all(path.is_file() for path in self.paths)


@dataclass(frozen=True)
class Plan:
    """What the pages need, and every fault that can be seen without running anything."""

    claims: Claims
    references: list[Reference]
    tasks: list[Task]  # the slowest kinds first
    faults: list[str]


def plan(project: Project) -> Plan:
    """Read the pages, the labs, the tests and the records."""
    try:
        faults = check_claims(project)
    except SourceError as error:  # a test file that does not parse hides which claims it tests
        return Plan({}, [], [], [str(error)])
    references, wrong_values = _values(project)
    claims, proofs, wrong_tests = _proofs(project)
    outputs, wrong_outputs = _outputs(project)
    faults += wrong_values + wrong_tests + wrong_outputs
    return Plan(claims, references, [proofs, *outputs], faults)


def _values(project: Project) -> tuple[list[Reference], list[str]]:
    """The references to values, and the faults of fences, records, references and typed decimals."""
    sources.cache_clear()
    pages = [*project.pages, *project.labs]
    faults = [f"{project.at(page, line)}: {fault}" for page in pages for line, fault in fence_faults(page)]
    faults += [fault for page in pages for fault in typed_decimals(page, project)]
    try:
        references, unknown = check_references(project)
    except ValueError as error:  # a record that is malformed, or a value that is published twice
        return [], [*str(error).splitlines(), *faults]
    return references, faults + unknown


def _proofs(project: Project) -> tuple[Claims, Task, list[str]]:
    """The one task that runs the tests of all claims that changed: Python and its libraries start only once."""
    claims, paths, faults = all_claims(project), list[Path](), dict[str, None]()
    for claim, tests in list(claims.items()):
        try:
            paths.append(proof_path(tests, project=project))
        except SourceError as error:  # an import of something that is not there
            faults[str(error)] = None
            del claims[claim]
    stale = sum(not path.is_file() for path in paths)
    task = Task(f"tests of {stale} claims", tuple(paths), partial(prove, claims, project=project))
    return claims, task, list(faults)


def _outputs(project: Project) -> tuple[list[Task], list[str]]:
    """Labs, figures and examples."""
    faults, labs, drawings, examples = list[str](), list[Task](), dict[Path, Task](), list[Task]()
    for lab in project.labs:
        try:
            labs.append(_lab(lab, project))
        except ValueError as error:  # a syntax error, or an import that is not there
            faults.append(str(error))
    for page in project.pages:
        for fence in read_page(page).fences:
            at = project.at(page, fence.first + 1)
            try:
                if fence.figure is not None:
                    file, _ = locate(fence.figure, docs=project.docs)
                    drawings[file] = _figures(file, project)
                elif (example := example_of(fence, project)) is not None:
                    examples.append(_example(example, at, project))
            except (ValueError, SyntaxError) as error:  # an unknown name, or a file that does not parse
                faults.append(f"{at}: {error}")
    return [*labs, *drawings.values(), *examples], faults


def _lab(lab: Path, project: Project) -> Task:
    make = partial(execute, lab, project=project)
    return Task(f"lab {lab.relative_to(project.docs)}", (lab_path(lab, project=project),), make)


def _figures(file: Path, project: Project) -> Task:
    make = partial(draw_all, file, project=project)
    return Task(f"figures {file.relative_to(project.docs)}", (figures_path(file, project=project),), make)


def _example(example: Example, at: str, project: Project) -> Task:
    make = partial(run_example, example, project=project)
    return Task(f"example {at}", (example.path(project),), make)
