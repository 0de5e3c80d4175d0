"""A trigger on an audience of Mailchimp: a tag and a merge field once per crossing, and what it cannot do there; and who is erased (C-02, C-30)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mailchimp_twin import Audience, TwinServer
from mailchimp_twin.state import KEY, hashed
from typing_commands import Typed, no_keyring, typed

import icx
from icx.rules import InAudience
from icx.workspace.traces import Trace

__all__ = ["no_keyring", "typed"]

pytestmark = pytest.mark.usefixtures("no_keyring")
PEOPLE = [f"p{number}@example.com" for number in range(6)]


@pytest.fixture
def audience(twin: TwinServer) -> Audience:
    now = datetime.now(UTC).replace(microsecond=0)
    twin.state.now = now - timedelta(days=9)
    made = twin.state.audience("Newsletter")
    for tag in ("PLAN", "LEVEL"):
        twin.state.field(made, tag)
    for email in PEOPLE:
        twin.state.person(made, email, merge={"FNAME": "Ada", "PLAN": "silver"})
    sent = twin.state.campaign(made, "Autumn", PEOPLE, now - timedelta(days=2))
    sent.events += [(email, "open", sent.sent_at + timedelta(hours=1), "") for email in PEOPLE[:3]]
    return made


def test_a_tag_and_a_merge_field_are_written_once_per_crossing_c02(
    tmp_path: Path, twin: TwinServer, audience: Audience
) -> None:
    def plans(**now: str) -> list[str]:
        """Give people a plan in Mailchimp; return what the next build says of triggers."""
        for name, plan in now.items():
            twin.state.set(
                audience, hashed(f"{name}@example.com"), {"merge_fields": {"PLAN": plan}}, make=False
            )
        ws.pull("mc", contacts_only=True)
        return list(ws.build("mc").triggers)

    def tagged() -> set[str]:
        return {one.email for one in audience.members.values() if "Gold club" in one.tags.values()}

    def written(method: str, ending: str) -> int:
        return sum(call[0] == method and call[1].endswith(ending) for call in twin.asked)

    with icx.open(tmp_path) as ws:
        ws.connect_mailchimp("mc", key=KEY, base_url=f"{twin.url}/3.0")
        ws.pull("mc", contacts_only=True)
        ws.build("mc")
        ws.audience("Gold", ws.fields.cf_PLAN == "gold")
        club = ws.trigger("Club", InAudience("in", "Gold"), tag="Gold club")
        assert plans(p0="gold", p1="gold", p2="gold") == ["Club fired for 3 people"]
        # an answer is lost; meanwhile one has another address, which leaves the contact id, and one was archived
        twin.state.set(audience, hashed(PEOPLE[1]), {"email_address": "new@example.com"}, make=False)
        audience.members[hashed(PEOPLE[2])].status = "archived"
        twin.faults.append(("/tags", "lost-write"))
        ran = club.run()
        assert (ran.done, ran.refused, ran.reasons) == (2, 1, (("gone", 1),))
        assert (tagged(), written("POST", "/tags"), len(twin.faults)) == (
            {PEOPLE[0], "new@example.com"},
            2,
            0,
        )
        assert repr(club.run()) == "Club: nobody to do anything for"

        # once per crossing; what Mailchimp refuses is told and tried again; a new address is a new contact here
        level = ws.trigger("Level", InAudience("in", "Gold"), set_field=("cf_LEVEL", "2"))
        plans(p0="silver", p3="gold")
        twin.faults.append(("/tags", "400"))
        lost = club.run()
        assert (lost.done, lost.failed, lost.problem and lost.problem.code) == (1, 1, "trigger-unmarked")
        assert plans(p0="gold") == ["Club fired for 1 person", "Level fired for 1 person"]
        assert club.run().done == 2
        assert tagged() == {PEOPLE[0], "new@example.com", PEOPLE[3]}
        assert written("POST", "/tags") == 5

        assert level.run().done == 3
        assert {one.email for one in audience.members.values() if one.merge.get("LEVEL") == "2"} == tagged()
        assert written("PATCH", "") == 3
        assert twin.state.violations == twin.state.mailed == []


def test_what_cannot_be_done_there_is_refused_when_it_is_saved(
    typed: Typed, tmp_path: Path, twin: TwinServer, audience: Audience
) -> None:
    (tmp_path / "shop.csv").write_text("id,email,score\n1,p1@example.com,4\n")
    with icx.open(tmp_path) as ws:
        ws.connect_mailchimp("mc", key=KEY, base_url=f"{twin.url}/3.0")
        ws.pull("mc", contacts_only=True)
        ws.connect_table("shop", tmp_path / "shop.csv", "id", writable=["score"])
    there = "mc/lists/Newsletter"
    for what, code in (
        (["--push", there], "trigger-value"),
        (["--move", there, "Other"], "trigger-value"),
        (["--unsubscribe", there], "trigger-value"),
        (["--set", "NOTHING=1"], "field-unknown"),
        (["--set", "mailchimp_rating=5"], "trigger-value"),
        (["--set", "FNAME=Ada"], "field-unknown"),
        (["--tag", "x", "--connection", "shop"], "connection-kind"),
        (["--push", "shop/lists/x"], "connection-kind"),
    ):
        said = typed("triggers", "add", "T", "--reaches", "opens_90d=3", *what, "--json", workspace=tmp_path)
        error = said.json["error"]
        assert (said.code, error["code"]) == (2, code), what
        assert all(error[part] for part in ("message", "where", "kept", "next")), what
    assert not list((tmp_path / "data/triggers").glob("*.json"))


def test_who_is_erased_is_nowhere_and_a_later_pull_sets_them_aside(
    typed: Typed, tmp_path: Path, twin: TwinServer, audience: Audience
) -> None:
    jo = PEOPLE[1]
    twin.state.set(audience, hashed(jo), {"merge_fields": {"LEVEL": f"asked for by {jo}"}}, make=False)
    with icx.open(tmp_path) as ws:
        ws.connect_mailchimp("mc", key=KEY, base_url=f"{twin.url}/3.0")
        ws.pull("mc")
        ws.build("mc")
    shown = typed("erase", jo, "--json", workspace=tmp_path)
    count = int(re.search(r"erase=(\d+)", shown.out + shown.err)[1])  # type: ignore[index]
    done = typed("erase", jo, "--confirm", f"erase={count}", workspace=tmp_path)
    assert (done.code, "Mailchimp" in done.out, "iContact" in done.out) == (0, True, False), done.err

    def held() -> list[str]:
        trace, hash = Trace.of([jo]), hashed(jo).encode()
        ours = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
        return [
            path.name for path, raw in ours.items() if trace.count(path) or jo.encode() in raw or hash in raw
        ]

    assert held() == []
    again = typed("pull", "mc", "--json", workspace=tmp_path)
    (note,) = [one for one in again.json["notes"] if one["code"] == "was-erased"]
    assert "is still at Mailchimp" in note["message"]
    with icx.open(tmp_path) as ws:
        ws.build("mc")
        left = {"mailchimp_users": 5, "mailchimp_activity": 2, "subscriptions": 5, "profile": 5}
        with ws.store.open("mc") as con:
            for table, count in left.items():
                assert con.execute(f"select count(*) from {table}").fetchall() == [(count,)], table
    assert held() == []
    assert twin.state.who(audience, jo) is not None
