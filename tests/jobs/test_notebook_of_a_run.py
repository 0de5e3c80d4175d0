"""A notebook by hand simulates its account; in a run it belongs to a workspace, and to the connections that has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from icx import notebook
from icx.jobs import inside


@pytest.mark.parametrize(
    ("connected", "given", "simulates"),
    [
        (True, {}, False),
        (True, {"city": "Durham"}, False),
        (True, {"sandbox": True}, True),
        (False, {}, True),
    ],
)
def test_a_run_in_a_connected_workspace_starts_no_simulated_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connected: bool, given: dict[str, Any], simulates: bool
) -> None:
    folder = tmp_path / "data" / "connections"
    folder.mkdir(parents=True)
    if connected:
        (folder / "acme.json").write_text("{}")
    run = SimpleNamespace(workspace=tmp_path, parameters=given)
    monkeypatch.setattr(inside, "current", lambda: run)
    monkeypatch.setattr(notebook, "keep_errors", lambda: None)
    assert notebook.of_the_run("../demo", True) == (str(tmp_path), simulates)
    assert notebook.of_the_run("../demo", False) == (str(tmp_path), False)


def test_a_folder_given_to_the_run_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = SimpleNamespace(workspace=tmp_path, parameters={"workspace": "elsewhere"})
    monkeypatch.setattr(inside, "current", lambda: run)
    monkeypatch.setattr(notebook, "keep_errors", lambda: None)
    assert notebook.of_the_run("elsewhere", True) == ("elsewhere", True)
