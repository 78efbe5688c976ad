"""Two folders change places, and a reader always finds one of them."""

import os
import threading
from pathlib import Path

import pytest

from notesite.exchange import exchange


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "name").write_text(folder.name, encoding="utf-8")
    if not exchange(one, other):
        pytest.skip("this system cannot let two folders change places")
    exchange(one, other)
    return one, other


def test_exchange_lets_two_folders_change_places(folders: tuple[Path, Path]) -> None:
    one, other = folders
    assert exchange(one, other)
    assert [(f / "name").read_text(encoding="utf-8") for f in folders] == ["other", "one"]


def test_exchange_changes_nothing_if_one_is_missing(folders: tuple[Path, Path]) -> None:
    one, other = folders
    assert not exchange(one, other.with_name("nowhere"))
    assert not exchange(one.with_name("nowhere"), other)
    assert [(f / "name").read_text(encoding="utf-8") for f in folders] == ["one", "other"]


def test_exchange_leaves_no_moment_without_a_folder(folders: tuple[Path, Path]) -> None:
    one, other = folders
    done = threading.Event()
    missed = []

    def read() -> None:
        while not done.is_set():
            missed.append(not os.path.exists(one / "name"))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(2000):
        exchange(one, other)
    done.set()
    reader.join()
    assert len(missed) > 100
    assert not any(missed)
