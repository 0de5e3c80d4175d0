"""A demo workspace made once, copies of it to change, and commands typed in this process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typing_commands import Said, in_a_process, no_keyring, typed

__all__ = ["no_keyring", "typed"]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> tuple[Path, Said]:
    """The demo of a small account, which yet adds somebody: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    said = in_a_process("demo", "--contacts", "1500", "--messages", "12", workspace=folder)
    assert said.code == 0, said.err
    return folder, said


@pytest.fixture(scope="session")
def demo(shown: tuple[Path, Said]) -> Path:
    """The demo's workspace; tests only read from it."""
    return shown[0]


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's workspace, to be changed."""
    return Path(shutil.copytree(demo, tmp_path / "copy"))
