"""iContact and Mailchimp kept in step: they meet, rest, and nobody is mailed or brought back by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mailchimp_twin import TwinServer
from mailchimp_twin.state import KEY
from typing_commands import no_keyring

import icx
from icx.mailchimp import Key
from icx.workspace.mailchimp import connect

__all__ = ["no_keyring"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_keyring")
def test_two_systems_meet_rest_and_mail_nobody(tmp_path: Path, twin: TwinServer) -> None:
    twin.state.permissive = True
    audience = twin.state.audience("Newsletter", has_welcome=True)
    with icx.open(tmp_path, sandbox=True, contacts=80, messages=2) as ws:
        connect(ws.accounts, "mc", Key(KEY, f"{twin.url}/3.0"))
        some = [one.email or "" for one in ws.system("acme").read() if one.email and one.status == "normal"]
        twin.state.person(audience, some[0].upper(), merge={"FNAME": "Zed"})
        for place, status in enumerate(("unsubscribed", "cleaned", "archived", "pending"), 1):
            twin.state.person(audience, some[place], status)
        before = {one.email: one.status for one in audience.members.values()}
        twin.state.person(audience, "new@example.org", merge={"FNAME": 'O\'Brien "B" <b@x>'})
        sync = ws.sync(
            "both",
            "acme",
            "mc",
            lines=["firstName = FNAME", "lastName = LNAME"],
            basis="signed up in the shop",
        )
        done = sync.plan().apply(confirm={"first-run": "y"})
        assert (done.state, done.done["a"], done.refused) == ("finished", 1, {})
        now = {one.email: one.status for one in audience.members.values()}
        assert {email: now[email] for email in before} == before
        assert set(now.values()) == {*before.values(), "transactional"}
        assert twin.state.mailed == []
        assert twin.state.violations == []
        [made] = ws.system("acme").find(["new@example.org"])["new@example.org"]
        assert made.fields["firstName"] == 'O\'Brien "B" <b@x>'
        size, asked = len(now), len(twin.asked)
        again = sync.plan()
        assert "0 in acme, 0 in mc" in repr(again)
        assert len(audience.members) == size
        assert {method for method, *_ in twin.asked[asked:]} == {"GET"}
