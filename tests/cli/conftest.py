"""A demo workspace made once, copies of it to change, and commands typed in this process."""

from __future__ import annotations

import shutil
from pathlib import Path

import prepared
import pytest
from typing_commands import in_a_process, no_keyring, typed

__all__ = ["no_keyring", "typed"]


def shown(folder: Path) -> None:
    """The demo of a small account, which yet adds somebody, in a process of its own."""
    said = in_a_process("demo", "--contacts", "1500", "--messages", "12", workspace=folder / "demo")
    assert said.code == 0, said.err


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Path:
    """The demo's workspace; tests only read from it."""
    return prepared.copy("demo of 1500", shown, tmp_path_factory.mktemp("demo") / "made") / "demo"


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's workspace, to be changed."""
    return Path(shutil.copytree(demo, tmp_path / "copy"))
