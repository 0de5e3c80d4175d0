"""What every test of the road shares: no keyring of the desktop, no workspace of the shell's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from road.command import environment


@pytest.fixture(autouse=True, scope="session")
def no_keyring() -> Iterator[None]:
    """Secrets of tests stay in their own folders, also on a machine whose keyring opens."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ICX_PASSWORD", "ICX_APP_ID", "ICX_WORKSPACE"):
            patch.delenv(name, raising=False)
        for name, value in environment().items():
            patch.setenv(name, value)
        yield
