"""What every test of the road shares: no keyring of the desktop, and commands typed inside this process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from icx import cli
from road.command import Said, environment

Typed = Callable[..., Said]


@pytest.fixture(autouse=True, scope="session")
def no_keyring() -> Iterator[None]:
    """Secrets of tests stay in their own folders, also on a machine whose keyring opens."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment().items():
            patch.setenv(name, value)
        for name in ("ICX_PASSWORD", "ICX_APP_ID", "ICX_WORKSPACE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def typed(capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """`typed("pull", "acme", workspace=folder)`: the command inside this process, which has loaded the heavy parts."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words: str, workspace: Path) -> Said:
        capfd.readouterr()
        code = cli.run([*words, "--workspace", str(workspace)])
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, before)
