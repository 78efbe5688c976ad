"""Turn what pytest-benchmark measured into a record: milliseconds, and for each peer its time over ours."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from .freshness import version
from .project import PINNED, Project
from .records import code_key
from .runs import write

_NAME = re.compile(r"test_(?P<function>\w+)_speed\[(?P<library>[^-\]]+)-(?P<problem>[^\]]+)\]")
OURS = "ours"


def bench_record(measured: dict[str, Any], command: str, project: Project) -> dict[str, Any]:
    """The fields of a record; the values are named `function.problem.library.ms` and `.ratio`.

    Args:
        measured: The JSON of pytest-benchmark; its benchmarks are named `test_<function>_speed[library-problem]`.
        command: What a reader types to measure again.
        project: The checkout that was measured.

    Raises:
        ValueError: If nothing was measured, a benchmark is named otherwise, or one has no row of ours to compare with.
    """
    seconds = dict[tuple[str, str, str], float]()
    for entry in measured["benchmarks"]:
        match = _NAME.fullmatch(entry["name"])
        if match is None:
            raise ValueError(f"{entry['fullname']}: expected the name test_<function>_speed[library-problem]")
        seconds[match["function"], match["problem"], match["library"]] = entry["stats"]["median"]
    if not seconds:
        raise ValueError("nothing was measured; expected at least one benchmark")
    values = dict[str, float]()
    for (function, problem, library), median in seconds.items():
        if (function, problem, OURS) not in seconds:
            raise ValueError(f'{function} on {problem}: no row "{OURS}" to compare {library} with')
        values[f"{function}.{problem}.{library}.ms"] = 1e3 * median
        values[f"{function}.{problem}.{library}.ratio"] = median / seconds[function, problem, OURS]
    code = sorted({entry["fullname"].partition("::")[0] for entry in measured["benchmarks"]})
    machine = measured["machine_info"]
    return {
        "command": command,
        "code": code,
        "seeds": [],
        "versions": {"python": machine["python_version"], **{name: version(name) for name in PINNED}},
        "device": f"{machine['cpu']['brand_raw']}, {machine['cpu']['count']} cores",
        "date": measured["datetime"].partition("T")[0],
        "duration": round(sum(entry["stats"]["total"] for entry in measured["benchmarks"]), 1),
        "key": code_key(code, project),
        "values": {name: float(f"{number:.4g}") for name, number in sorted(values.items())},
    }


def main() -> int:
    """`python -m notesite.bench MEASURED.json docs/records/NAME.json --command "…"`."""
    parser = argparse.ArgumentParser(prog="notesite.bench", description=__doc__)
    parser.add_argument("measured", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--command", required=True)
    options = parser.parse_args()
    measured = json.loads(options.measured.read_text(encoding="utf-8"))
    record = bench_record(measured, options.command, Project(Path().resolve()))
    write(options.record, json.dumps(record, indent=2) + "\n")
    print(f"wrote {options.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
