"""An awkward day: a sandbox of one's own, a workspace that knows it, faults on order."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from typing_commands import Said, Typed, hurried, no_keyring, typed

from icx.connections.login import Login
from icx.sandbox.process import SandboxProcess, start
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
    """Nobody waits, here and in what this test calls."""
    hurried(monkeypatch)


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


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Path:
    """An account that is pulled, built and checked, with an audience of everybody; to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    with start(contacts=120, messages=6, app_id="a" * 32, state=folder / "account.sqlite") as sandbox:
        ws = Workspace(folder / "workspace")
        login = Login.clean(sandbox.app_id, sandbox.username, sandbox.password, sandbox.base_url)
        ws.accounts.connect("acme", login)
        ws.pull("acme")
        ws.build("acme")
        ws.checks(name="acme")
        ws.audience("All", ws.fields.everybody())
        ws.close()
    return folder


@pytest.fixture
def made_ready(
    prepared: Path, tmp_path: Path, fresh_sandbox: Callable[..., SandboxProcess], typed: Typed
) -> Callable[..., Day]:
    """`made_ready(consent="strict")`: a copy of the prepared account, answering at an address of its own."""

    def begin(**options: Any) -> Day:
        folder = Path(shutil.copytree(prepared, tmp_path / "ready"))
        state = folder / "account.sqlite"
        sandbox = fresh_sandbox(state=state, app_id="a" * 32, **options)
        saved = folder / "workspace" / "data" / "connections" / "acme.json"
        saved.write_text(json.dumps(json.loads(saved.read_text()) | {"base_url": sandbox.base_url}))
        return Day(folder / "workspace", sandbox, state, typed)

    return begin


@pytest.fixture
def ready(made_ready: Callable[..., Day]) -> Day:
    """The prepared account, on a service that accepts everything and notes what it should not have."""
    return made_ready(consent="permissive")
