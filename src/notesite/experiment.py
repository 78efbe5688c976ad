"""Run a script that takes too long for a build, and write what it finds as a record."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from cpuinfo import get_cpu_info

from .freshness import version
from .project import PINNED, Project
from .records import code_key
from .runs import write


def experiment_record(script: str, command: str, project: Project) -> dict[str, Any]:
    """The fields of a record of one run.

    Args:
        script: The file, below the root; the last line that it prints is the JSON of `{"seeds": […], "values": {…}}`.
        command: What a reader types to run it again.
        project: The checkout that it runs in.

    Raises:
        subprocess.CalledProcessError: If the script fails.
    """
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, script], cwd=project.root, check=True, stdout=subprocess.PIPE, text=True
    )
    found = json.loads(run.stdout.splitlines()[-1])
    cpu = get_cpu_info()
    return {
        "command": command,
        "code": [script],
        "seeds": found["seeds"],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PINNED}},
        "device": f"{cpu['brand_raw']}, {cpu['count']} cores",
        "date": date.today().isoformat(),
        "duration": round(time.perf_counter() - start, 1),
        "key": code_key([script], project),
        "values": {name: float(f"{number:.4g}") for name, number in sorted(found["values"].items())},
    }


def main() -> int:
    """`python -m notesite.experiment tests/TOPIC/experiment_WORD.py docs/records/NAME.json --command "…"`."""
    parser = argparse.ArgumentParser(prog="notesite.experiment", description=__doc__)
    parser.add_argument("script")
    parser.add_argument("record", type=Path)
    parser.add_argument("--command", required=True)
    options = parser.parse_args()
    record = experiment_record(options.script, options.command, Project(Path().resolve()))
    write(options.record, json.dumps(record, indent=2) + "\n")
    print(f"wrote {options.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
