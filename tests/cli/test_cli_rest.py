"""Letting all pushes rest by a command: an apply is refused with the way back, and goes on afterwards."""

from __future__ import annotations

from pathlib import Path

from typing_commands import Typed


def test_pushes_rest_until_they_are_resumed(typed: Typed, copy: Path) -> None:
    said = typed("pause", "--because", "the list is being cleaned", workspace=copy)
    assert said.code == 0, said.err
    assert "All pushes rest, by " in said.out
    again = typed("pause", "--json", workspace=copy)
    assert again.json["paused"]["why"] == "the list is being cleaned"
    plan = typed("plan", "Loyal in Durham", "--to", "acme/lists/Newsletter", "--json", workspace=copy)
    assert plan.code == 0, plan.err
    refused = typed("apply", plan.json["plan"], "--yes", workspace=copy)
    assert refused.code == 3
    assert "[pushes-paused]" in refused.err
    assert "icx resume" in refused.err
    resumed = typed("resume", "--json", workspace=copy)
    assert resumed.json["paused"] is None
    assert "[pushes-paused]" not in typed("apply", plan.json["plan"], "--yes", workspace=copy).err
