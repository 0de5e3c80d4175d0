"""What is kept is for its owner alone: whatever the umask, and also where it was open before."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from icx.store import private
from icx.workspace import Workspace


@pytest.fixture
def careless() -> Iterator[None]:
    """Everybody may do everything with what a process makes."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)} {path.stat().st_mode & 0o777:o}"
        for path in [folder, *folder.rglob("*")]
        if path.stat().st_mode & private.OTHERS
    ]


def test_what_a_workspace_makes_is_for_its_owner_alone(careless: None, tmp_path: Path) -> None:
    root = tmp_path / "new"
    with Workspace(root) as ws, ws.noted("build", "acme"), ws.store.open() as con:
        con.execute("create table people as select range as id from range(1000)")
        assert ws.layout.database.with_suffix(".duckdb.wal").exists()
        assert not open_to_others(ws.layout.data)
    mine = tmp_path / "mine.csv"
    mine.touch()
    assert mine.stat().st_mode & 0o777 == 0o666, "what others make beside icx is theirs to say"


def test_what_was_open_is_closed_when_it_is_used_next_and_doctor_says_so(
    careless: None, tmp_path: Path
) -> None:
    with Workspace(tmp_path) as ws, ws.noted("build", "acme"), ws.store.open():
        pass
    data = ws.layout.data
    outside = tmp_path / "outside"
    outside.touch(mode=0o644)
    (data / "link").symlink_to(outside)
    for path in data.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o644)
    data.chmod(0o755)
    wall = Workspace(tmp_path).doctor(bundle=False).here[0]
    assert (wall.name, wall.state) == ("owner", "warn")
    assert "could be read by others" in wall.text
    (data / "link").unlink()
    assert not open_to_others(data)
    assert outside.stat().st_mode & 0o777 == 0o644
    assert Workspace(tmp_path).doctor(bundle=False).here[0].state == "good"
    ws.layout.database.chmod(0o666)
    assert Workspace(tmp_path).plans() == []
    assert not open_to_others(data), "one file alone is closed as well"


def test_threads_share_the_umask_and_the_last_one_gives_it_back(careless: None, tmp_path: Path) -> None:
    inside, go = threading.Event(), threading.Event()

    def other() -> None:
        with private.alone():
            inside.set()
            go.wait(10)
            (tmp_path / "theirs").touch()

    thread = threading.Thread(target=other)
    with private.alone():
        thread.start()
        inside.wait(10)
    go.set()
    thread.join()
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o600
    (tmp_path / "after").touch()
    assert (tmp_path / "after").stat().st_mode & 0o777 == 0o666
