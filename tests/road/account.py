"""A sandbox that runs for some tests: how often it was asked, and workspaces connected to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from icx.connections.login import Login
from icx.sandbox.process import SandboxProcess, start
from icx.workspace import Workspace
from road.command import done
from road.held import Held


@dataclass(frozen=True)
class Account:
    """A running account, what it holds, and how much it has been asked."""

    sandbox: SandboxProcess
    held: Held

    def calls(self, method: str = "", path: str = "") -> int:
        """How many calls it has had, of all kinds or of one."""
        counted = requests.get(f"{self.sandbox.control_url}/calls", timeout=30).json()["calls"]
        return sum(
            one["count"]
            for one in counted
            if one["method"].startswith(method) and one["path"].startswith(path)
        )

    @contextmanager
    def holding(self, method: str, path: str, after: int) -> Iterator[None]:
        """Inside, whoever makes more than `after` such calls waits for the next one until he is gone."""
        order = {"match": f"{method or '*'} {path}", "fault": "hold", "after": max(0, after), "times": 1_000}
        place = f"{self.sandbox.control_url}/faults"
        requests.post(place, json=order, timeout=30).raise_for_status()
        try:
            yield
        finally:
            requests.delete(place, timeout=30).raise_for_status()

    def workspace(self, folder: Path, settings: str = "") -> Path:
        """A workspace with the connection `acme` to it."""
        folder.mkdir(parents=True)
        (folder / "icx.toml").write_text(settings)
        sandbox = self.sandbox
        with Workspace(folder) as ws:
            ws.accounts.connect(
                "acme", Login.clean(sandbox.app_id, sandbox.username, sandbox.password, sandbox.base_url)
            )
        return folder


@contextmanager
def account(state: Path, **options: Any) -> Iterator[Account]:
    """Serve an account kept in `state`; options are those of the sandbox."""
    with start(state=state, **options) as sandbox:
        yield Account(sandbox, Held(state))


def save(workspace: Path, name: str, rule: dict[str, Any]) -> int:
    """Save an audience from a rule file; return its size."""
    file = workspace / "rule.json"
    file.write_text(json.dumps(rule))
    count: int = done("audience", "save", name, "--rule", str(file), "--json", workspace=workspace).json[
        "count"
    ]
    return count


def confirmed(stops: list[dict[str, Any]]) -> list[str]:
    """The options that answer a plan's stops, as one would type them."""
    return ["--yes"] + [
        word
        for stop in stops
        if stop["confirm"] != "y"
        for word in ("--confirm", f"{stop['key']}={stop['confirm'] or 'by our customers'}")
    ]
