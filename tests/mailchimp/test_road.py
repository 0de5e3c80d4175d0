"""From a key to a profile: an audience is connected, pulled, built and looked at, and the key is nowhere but kept."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from canary import contents
from mailchimp_twin import Audience, TwinServer
from mailchimp_twin.state import CLIENT_SECRET, KEY, TOKEN, hashed
from typing_commands import Typed, no_keyring, typed

import icx
from icx.errors import IcxError
from icx.http import Secret
from icx.mailchimp import Client, Key, oauth
from icx.workspace.clicking import _Logins

__all__ = ["no_keyring", "typed"]

pytestmark = pytest.mark.usefixtures("no_keyring")


@pytest.fixture
def audience(twin: TwinServer) -> Audience:
    now = datetime.now(UTC).replace(microsecond=0)
    twin.state.now = now - timedelta(days=9)
    made = twin.state.audience("Newsletter", double_optin=True)
    twin.state.field(made, "PLAN", required=True)
    people = [f"p{number}@example.com" for number in range(12)]
    for email in people:
        twin.state.person(made, email, merge={"FNAME": "Ada", "PLAN": "gold"}, tags=["VIP"])
    sent = twin.state.campaign(made, "Autumn", people, now - timedelta(days=2))
    sent.events += [(email, "open", sent.sent_at + timedelta(hours=1), "") for email in people[:5]]
    twin.state.set(made, hashed(people[0]), {"status": "unsubscribed"}, make=False)
    return made


def test_a_key_becomes_a_profile_and_is_nowhere_but_where_it_is_kept(
    typed: Typed, tmp_path: Path, twin: TwinServer, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[C-03, C-17, C-24, C-30]"""
    monkeypatch.setenv("ICX_MAILCHIMP_KEY", KEY)
    where = ["--base-url", f"{twin.url}/3.0"]
    connected = typed("connect", "mc", "--mailchimp", *where, "--json", workspace=tmp_path)
    assert connected.code == 0, connected.err
    facts = connected.json.get("data", connected.json)
    assert facts["double_optin"] is True
    assert {one["name"]: one["required"] for one in facts["fields"]}["PLAN"] is True
    monkeypatch.delenv("ICX_MAILCHIMP_KEY")
    said = [connected]
    for words in (
        ["pull", "mc"],
        ["build"],
        ["status"],
        ["lists", "mc"],
        ["doctor", "mc"],
        ["fields", "mailchimp"],
        ["calls"],
    ):
        said.append(typed(*words, workspace=tmp_path))
        assert said[-1].code == 0, said[-1].err
    talk = said[1].out + said[3].out + said[4].out
    assert ("Newsletter" in talk, "iContact" in talk, "icx plan" in talk) == (True, False, False)
    with icx.open(tmp_path) as ws, ws.store.open("mc") as con:
        rows = con.execute(
            "select ic_status, email_open_ct, mailchimp_tags, cf_PLAN from profile order by length(email), email"
        ).fetchall()
        assert rows[:2] == [("donotcontact", 1, "VIP", "gold"), ("normal", 1, "VIP", "gold")]
        assert con.execute("select count(*) from mailchimp_users").fetchall() == [(12,)]
        assert con.execute("select count(*) from mailchimp_activity").fetchall() == [(5,)]
        again = ws.connect_mailchimp("mc")
        assert "needs PLAN; new members are asked to confirm" in repr(again)
        assert _Logins(ws).saved() == []  # the form of iContact's four values does not offer it
        there = ws.system("mc")
        assert there.kind == "mailchimp"
        assert len(list(there.read())) == 12
        with pytest.raises(IcxError, match="a plan is made for a list of iContact"):
            ws.client("mc")
        con.execute("update units set service = 9 where collection = 'opens'")
    unequal = typed("status", "mc", workspace=tmp_path)
    assert "stored and counted differ: 5 here, 9 at Mailchimp" in unequal.out
    found = {
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file()
        for _, text in contents(path)
        if KEY in text
    }
    assert found == {"data/secrets/mc.json"}
    assert not [one for one in said if KEY in one.out + one.err or KEY[:32] in one.out + one.err]


# C-17 to C-24, C-30: fields appear once an audience is chosen
def test_the_audience_is_asked_for_and_never_changed_under_what_was_pulled(
    typed: Typed, tmp_path: Path, twin: TwinServer, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICX_MAILCHIMP_KEY", KEY)
    second = twin.state.audience("Second")
    connect = ["connect", "mc", "--mailchimp", "--base-url", f"{twin.url}/3.0"]
    asked = typed(*connect, workspace=tmp_path)
    assert (asked.code, audience.id in asked.err, second.id in asked.err) == (3, True, True)
    wrong = typed(*connect, "--audience", "Third", workspace=tmp_path)
    assert (wrong.code, "mailchimp-audience" in wrong.err) == (1, True)
    assert not (tmp_path / "data/connections").exists() or not list(
        (tmp_path / "data/connections").glob("*.json")
    )
    assert typed(*connect, "--audience", "Newsletter", workspace=tmp_path).code == 0
    other = typed(*connect, "--audience", second.id, workspace=tmp_path)
    assert (other.code, "other-account" in other.err) == (3, True)
    moved = typed(*connect, "--audience", second.id, "--reset", "--confirm", "reset=mc", workspace=tmp_path)
    assert moved.code == 0, moved.err
    monkeypatch.setenv("ICX_MAILCHIMP_KEY", f"{KEY[:-6]}0000-us1")
    refused = typed(*connect, "--update", workspace=tmp_path)
    assert (refused.code, "login-refused" in refused.err) == (1, True)
    assert KEY in (tmp_path / "data/secrets/mc.json").read_text()


# C-11 to C-15
def test_the_leave_of_an_owner_comes_back_to_this_machine_and_opens_the_account(
    twin: TwinServer, audience: Audience
) -> None:
    """[C-04, C-15, C-31] A client id means OAuth 2; the address comes from the metadata, https or this machine only."""
    asked = oauth.ask("4711", port=_free_port(), base_url=twin.url)
    assert asked.url.startswith(f"{twin.url}/oauth2/authorize?response_type=code&client_id=4711&")
    with oauth.Listener(asked) as listener:
        page = requests.get(asked.redirect, params={"code": "the-code", "state": asked.state}, timeout=5)
        assert "icx has heard it" in page.text
        code = oauth.code_in(listener.answer, asked)
    login = oauth.token_for(asked, Secret(CLIENT_SECRET), code)
    assert login.kind == "oauth"
    assert TOKEN not in f"{login!r}{login}"
    with Client(login) as client:
        assert [row["name"] for row in client.lists()] == ["Newsletter"]


def test_an_answer_to_another_question_a_no_and_a_used_code_open_nothing(twin: TwinServer) -> None:
    asked = oauth.ask("4711", base_url=twin.url)
    for answer in (
        f"{asked.redirect}?code=the-code&state=of-somebody-else",
        f"{asked.redirect}?error=access_denied&state={asked.state}",
    ):
        with pytest.raises(IcxError) as told:
            oauth.code_in(answer, asked)
        assert told.value.code == "oauth-refused"
    for secret, code in ((CLIENT_SECRET, "used-before"), ("another-s3cret", "the-code")):
        with pytest.raises(IcxError) as told:
            oauth.token_for(asked, Secret(secret), Secret(code))
        assert told.value.code == "oauth-refused"
        assert secret not in str(told.value)
    assert Key(KEY, f"{twin.url}/3.0").kind == "key"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_nobody_of_an_address_is_an_answer_and_no_warning(
    tmp_path: Path, twin: TwinServer, audience: Audience
) -> None:
    with icx.open(tmp_path) as ws:
        ws.connect_mailchimp("mc", key=KEY, base_url=f"{twin.url}/3.0")
        with ws.noted("look", "mc") as run:
            there = ws.accounts.system(ws.connection("mc"), run=run)
            assert there.find(["nobody@example.net"]) == {"nobody@example.net": []}
        told = "".join(path.read_text() for path in (tmp_path / "data/logs").rglob("*") if path.is_file())
        assert "look mc" in told
        assert "warning" not in told
