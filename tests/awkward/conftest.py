"""An awkward day: a sandbox of one's own, a workspace that knows it, faults on order."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from typing_commands import Said, Typed, no_keyring, typed

from icx.clock import SystemClock
from icx.connections.login import Login
from icx.sandbox.process import SandboxProcess
from icx.workspace import Workspace

__all__ = ["no_keyring", "typed"]


@dataclass
class Day:
    """A workspace whose connection `acme` is a running sandbox."""

    folder: Path
    sandbox: SandboxProcess
    state: Path
    type_in: Typed

    def icx(self, *words: str) -> Said:
        """Type a command in this workspace."""
        return self.type_in(*words, workspace=self.folder)

    def fault(self, **order: Any) -> None:
        """Queue a fault of the service."""
        requests.post(f"{self.sandbox.control_url}/faults", json=order, timeout=10).raise_for_status()

    def edit(self, sql: str, *values: Any) -> None:
        """Let somebody else change the account."""
        with closing(sqlite3.connect(self.state, timeout=30)) as con:
            con.execute(sql, values)
            con.commit()

    def stored(self) -> dict[str, list[Any]]:
        """Return everything the workspace's database holds, to be compared."""
        with Workspace(self.folder).store.open("acme") as con:
            tables = [
                row[0]
                for row in con.execute(
                    "select table_name from information_schema.tables"
                    " where table_schema = 'acme' and table_type = 'BASE TABLE' order by 1"
                ).fetchall()
                # Which pulls were tried, and pages that wait for the next one, are not what is stored.
                if row[0] not in {"pulls", "checks"} and not row[0].startswith("staging")
            ]
            return {
                table: con.execute(f'select * from "{table}" order by all').fetchall() for table in tables
            }


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits: a sleep returns at once, and afterwards it is as late as it should be."""
    ahead = [0.0]
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: ahead.__setitem__(0, ahead[0] + seconds))
    monkeypatch.setattr(SystemClock, "monotonic", lambda self: time.monotonic() + ahead[0])
    monkeypatch.setattr(SystemClock, "now", lambda self: datetime.now(UTC) + timedelta(seconds=ahead[0]))


@pytest.fixture
def day(tmp_path: Path, fresh_sandbox: Callable[..., SandboxProcess], typed: Typed) -> Callable[..., Day]:
    """`day(contacts=60, deny=["tracking"])`: a sandbox with these options, connected as acme."""

    def begin(*, connect: bool = True, **options: Any) -> Day:
        state = tmp_path / "account.sqlite"
        sandbox = fresh_sandbox(state=state, **({"app_id": "a" * 32} | options))
        folder = tmp_path / "workspace"
        if connect:
            ws = Workspace(folder)
            login = Login.clean(sandbox.app_id, sandbox.username, sandbox.password, sandbox.base_url)
            ws.accounts.connect("acme", login, contacts_only=bool(options.get("deny")))
            ws.close()
        return Day(folder, sandbox, state, typed)

    return begin
