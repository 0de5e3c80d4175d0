"""iContact, on a simulated account over a real socket, does what every kind of connection must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
from conformance import OverAWire, Rig, WithLists, anybody, made

from icx.clock import ManualClock
from icx.connections.base import Change
from icx.connections.icontact import IContact, Login, client_for
from icx.connections.icontact_write import PARKING, calls
from icx.connections.saved import SavedConnection
from icx.errors import UnknownOutcome
from icx.http import Pace
from icx.sandbox.process import SandboxProcess, start


@pytest.fixture(scope="module", params=["strict", "permissive"])
def twin(request: pytest.FixtureRequest) -> Iterator[SandboxProcess]:
    with start(contacts=60, messages=2, seed=11, consent=request.param) as process:
        yield process


@pytest.fixture(scope="module")
def rig(twin: SandboxProcess) -> Iterator[Rig]:
    clock = ManualClock(datetime(2026, 3, 2, 17, tzinfo=UTC))
    login = Login.clean(twin.app_id, twin.username, twin.password, twin.base_url)
    saved = SavedConnection(
        "acme",
        base_url=twin.base_url,
        account_id=twin.account_id,
        client_folder_id=twin.client_folder_id,
    )

    def lose() -> None:
        order = {"match": "POST /contacts", "fault": "close-after-write"}
        assert requests.post(f"{twin.control_url}/faults", json=order, timeout=10).ok

    with client_for(saved, login, clock=clock, pace=Pace(clock=clock)) as client:
        some = [row["contactId"] for row in client.rows("contacts", status="normal")]
        client.update("contacts", some[0], {"status": "donotcontact"})
        yield Rig(lambda: IContact(saved, login, client), "firstName", "city", lose)


class TestIContact(WithLists, OverAWire):
    def test_what_was_made_before_an_outage_is_read_back_first(self, rig: Rig, twin: SandboxProcess) -> None:
        there, address = rig.open(), anybody()
        old = made(there)
        asked = [Change(1, None, address), Change(2, old.key, fields={"city": "Durham"})]
        order = {"match": "POST /contacts/*", "fault": "503", "times": 100}
        assert requests.post(f"{twin.control_url}/faults", json=order, timeout=10).ok
        with pytest.raises(UnknownOutcome, match="Part of these changes was made"):
            there.write(asked)
        requests.delete(f"{twin.control_url}/faults", timeout=10)
        assert [one.state for one in there.settle(asked)] == ["done", "not_sent"]

    def test_who_leaves_a_list_is_moved_to_the_parking_list(self, rig: Rig) -> None:
        there = rig.open()
        new = made(there)
        one, named = (container.id for container in there.containers()[:2])
        asked = [
            Change(1, new.key, join={str(one): "normal"}),
            Change(2, new.key, leave=frozenset({str(one)})),
        ]
        assert calls(asked) == 5
        assert [each.state for each in there.write(asked)] == ["done", "done"]
        [parking] = [str(each.id) for each in there.containers() if each.name == PARKING]
        assert there.people([new.key])[new.key].lists == {parking: "normal"}
        assert there.write(asked[:1])[0].state == "done", "who was parked has not said no"
        assert replace(there, parking=named).write(asked[1:])[0].state == "done"
        assert there.people([new.key])[new.key].lists == {parking: "normal", str(named): "normal"}
        assert [each.name for each in there.containers()].count(PARKING) == 1
