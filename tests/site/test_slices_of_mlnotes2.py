"""Every public name of mlnotes2 has a slice that runs alone."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notesite.slices import SliceError, public_names
from slicing import code_of

SRC = Path(__file__).parents[2] / "src"
RUFF = Path(sys.executable).with_name("ruff")


RUNNER = """
import json, sys, traceback
failures = {}
for symbol, code in json.load(sys.stdin).items():
    try:
        space = {"__name__": "__main__"}
        exec(compile(code, symbol, "exec"), space)
        space[symbol.rpartition(".")[2]]
    except Exception:
        failures[symbol] = traceback.format_exc()
json.dump(failures, sys.stdout)
"""


@pytest.fixture(scope="module")
def real() -> dict[str, str]:
    """The slice of each public symbol, or the reason why it has none."""
    slices = {}
    names = public_names("mlnotes2", src=SRC)
    names.remove("mlnotes2.exercises.find_exercise")  # it imports modules of the package; no page shows it
    for symbol in names:
        try:
            slices[symbol] = code_of(SRC, symbol)
        except SliceError as error:
            slices[symbol] = f"raise RuntimeError({str(error)!r})"
    return slices


def test_slice_symbols_of_mlnotes2_run_alone(real: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-c", RUNNER],
        input=json.dumps(real),
        capture_output=True,
        text=True,
        check=True,
    )
    failures = json.loads(result.stdout)
    assert not failures, "\n".join(failures.values())


def test_slice_symbols_of_mlnotes2_import_no_part_of_it(real: dict[str, str]) -> None:
    own = re.compile(r"^\s*(from|import) (mlnotes2|notesite|\.)", re.M)
    assert [symbol for symbol, code in real.items() if own.search(code)] == []


@pytest.mark.skipif(not RUFF.exists(), reason="ruff is not installed beside this Python")
def test_slice_symbols_of_mlnotes2_look_as_if_ruff_had_written_them(
    real: dict[str, str], tmp_path: Path
) -> None:
    for symbol, code in real.items():
        (tmp_path / f"{symbol.replace('.', '_')}.py").write_text(code, encoding="utf-8")
    rules = "I,F,E301,E302,E303,E305,E306,W"  # the order of imports, unused names, blank lines
    options = ["--preview", "--isolated", "--no-cache", "--select", rules, "--ignore", "F722,F821"]
    command = [RUFF, "check", "--line-length", "120", *options, tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_main_prints_the_slice() -> None:
    command = [sys.executable, "-m", "notesite.slices", "mlnotes2.Enclosure"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == code_of(SRC, "mlnotes2.Enclosure")


def test_main_says_what_is_unknown() -> None:
    command = [sys.executable, "-m", "notesite.slices", "mlnotes2.Enclosur"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "did you mean `mlnotes2.Enclosure`" in result.stderr
