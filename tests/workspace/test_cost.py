"""What a pull costs, told beforehand: the calls it then makes, and why each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from road.conftest import no_keyring

from icx.workspace import Workspace
from icx.workspace.cost import Part, PullCost

__all__ = ["no_keyring"]


def test_a_pull_makes_the_calls_that_were_told(tmp_path: Path) -> None:
    with Workspace.with_sandbox(tmp_path / "acme", contacts=60, messages=4, seed=17) as ws:
        first = ws.explain_pull()
        assert first.first
        assert first.rows["contacts"] == 60
        assert ws.pull().calls == first.calls
        assert {part.of for part in ws.explain_pull().parts} == set(first.rows)  # nothing else is due yet

        with ws.store.open("acme") as con:
            ((message,),) = con.execute("select min(message_id) from messages").fetchall()
            con.execute(
                "update units set verified_at = verified_at - interval 1 year where collection = 'clicks'"
            )
            con.execute(
                "update units set state = 'provisional' where collection = 'opens' and message_id = ?",
                [message],
            )
        told = ws.explain_pull()
        due = [part for part in told.parts if part.unit]
        assert not told.first
        assert sorted({(part.of, part.why) for part in due}) == [
            ("clicks", "its time has come"),
            ("opens", "provisional"),
        ]
        assert f"{message}/opens" in [part.unit for part in due]
        assert "4 calls  its time has come" in told.text()
        assert ws.pull().calls == told.calls
        assert ws.explain_pull(full=True).calls == first.calls


@pytest.mark.parametrize(("left", "minutes"), [(None, 5), (12_000, 5), (2_000, 65)])
def test_a_used_up_quota_is_waited_for_in_the_estimate(left: int | None, minutes: float) -> None:
    cost = PullCost(
        "acme", True, {"contacts": 12_000_000}, (Part("contacts", "", 12_000),), 0.1, 4, left, 10_000
    )
    assert cost.minutes == minutes
    assert cost.as_dict()["minutes"] == minutes
