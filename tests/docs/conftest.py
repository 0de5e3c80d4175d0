"""A workspace that somebody following the README has after pull and build, and a prompt in it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small
from road.command import Said
from road.conftest import no_keyring

from icx.cli import run

__all__ = ["no_keyring"]


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Type a line in a folder, nobody being there to answer: `prompt("icx build", folder)`.

    The command runs in this process, which has read its libraries once; what starting costs is tested elsewhere.
    """

    def type_line(line: str, folder: Path, **environment: str) -> Said:
        words = shlex.split(line)
        assert words[0] == "icx"
        monkeypatch.chdir(folder)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = run(words[1:])
        return Said(code, *capfd.readouterr())

    return type_line


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.pulled(tmp_path_factory.mktemp("once") / "acme")


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    """A copy of the pulled and built workspace, to do anything in."""
    return Path(shutil.copytree(once, tmp_path / "acme"))
