"""Two folders change places in one step of the system, so that neither is ever missing."""

import ctypes
import os
from pathlib import Path

_HERE = -100  # AT_FDCWD: relative paths begin at the working folder
_EXCHANGE = 2  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS


def exchange(one: Path, other: Path) -> bool:
    """Let two existing paths change places, or return False and change nothing where the system cannot do that."""
    if os.name != "posix":
        return False
    libc = ctypes.CDLL(None)
    for name, here in (("renameat2", _HERE), ("renameatx_np", -2)):  # Linux; macOS
        if rename := getattr(libc, name, None):
            return bool(rename(here, os.fsencode(one), here, os.fsencode(other), _EXCHANGE) == 0)
    return False
