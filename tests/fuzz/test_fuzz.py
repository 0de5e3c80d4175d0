"""Whatever comes from outside, what comes out is a value or an error of icx with its four parts: never a crash.

The gate tries a few of each; `make fuzz` goes on for long (HYPOTHESIS_PROFILE=fuzz).
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from misbehaving import Misbehaving, Says
from mutations import mutated, texts, values, written
from rule_people import AS_OF, CATALOGUE, LOOKUP

from icx import cli, functions, points
from icx.audience.files import check_name, file_name, read
from icx.clock import ManualClock
from icx.connections.saved import Connections
from icx.errors import IcxError
from icx.icontact import Client, codec
from icx.icontact.resources import RESOURCES
from icx.jobs import job, parameters, schedule
from icx.points.action import as_json
from icx.profile.field import read_fields
from icx.profile.own import parsed
from icx.rules import english, fields_used, from_json, sql, to_json
from icx.settings import read_settings

CONTACT = {
    "contactId": "70001", "email": "ada@example.com", "status": "normal", "createDate": "2026-01-03T10:00:00-05:00",
    "bounceCount": "0", "firstName": "Ada", "tier": "gold",
}  # fmt: skip
EVENT = {
    "contactId": "70001",
    "openTime": "2026-01-03T10:00:00-05:00",
    "clickLink": "http://www.example.com/a",
}
ROWS = {
    "contacts": CONTACT,
    "lists": {"listId": "3001", "name": "Newsletter", "welcomeOnManualAdd": "0", "emailOwnerOnChange": "1"},
    "subscriptions": {
        "subscriptionId": "3001_70001",
        "listId": "3001",
        "contactId": "70001",
        "status": "normal",
    },
    "messages": {
        "messageId": "88101",
        "subject": "News",
        "createDate": "2026-01-03 10:00:00",
        "campaignId": "9",
    },
    "opens": EVENT,
}
RULE = {
    "combinator": "and",
    "not": False,
    "rules": [
        {"field": "city", "operator": "in", "value": ["Durham", "Cary"]},
        {"field": "opens_90d", "operator": "between", "value": [1, 5]},
        {"field": "email_last_click_ts", "operator": "within", "value": {"days": 7}},
        {"field": "open_hours", "key": "9", "operator": ">=", "value": 2},
        {"field": "@list", "operator": "normal", "value": "Newsletter"},
        {"field": "@audience", "operator": "notIn", "value": "Gold"},
        {"combinator": "or", "not": True, "rules": [
            {"field": "@event.click", "operator": ">=", "value": 3, "days": 90, "url": {"operator": "contains", "value": "x"},
             "distinct": "messages", "human": True, "message": 88101},
        ]},
    ],
}  # fmt: skip
AUDIENCE = {"icx": 1, "name": "Loyal", "connection": "acme", "description": "…", "rule": RULE}
ACTION = {
    "icx": 1, "name": "Pricing", "connection": "acme", "description": "…", "amount": 10, "group": "interest", "each": True,
    "since": "2026-11-01", "until": "2026-11-30T12:00:00-05:00", "machines": False, "earns": RULE["rules"][-1]["rules"][0],
}  # fmt: skip
JOB = {
    "icx": 1, "kind": "export", "every": "0 7 * * 1", "zone": "America/New_York", "counts_from": "2026-01-03T10:00:00+00:00",
    "connection": "acme", "audience": "Loyal", "to": "acme/lists/Newsletter", "band": [10, 100], "retries": 2, "backoff": 5.0,
    "answers": {"growth": "100"}, "alert": {"command": ["mail"], "webhook": ""}, "params": {"city": "Durham"},
}  # fmt: skip
CELL = 'city: str = "Durham"  # whose\ndays: int = 90\nstale: Literal["stay", "park"] = "stay"\napply: bool = False\n'
NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
    "cells": [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL, "outputs": [], "id": "a"}],
}  # fmt: skip
SAVED = {
    "kind": "icontact", "base_url": "https://app.icontact.com/icp", "username": "ada@example.com", "account_id": 111,
    "client_folder_id": 222, "company": "Acme", "folder_name": "Main", "contacts_only": False,
}  # fmt: skip
SETTINGS = 'zone = "America/New_York"\npage_size = 500\none_sender = [["a", "b"]]\nalert_command = ["mail"]\n'
FIELD = "-- name: clicks\n-- type: number\n-- description: x\n-- pii: no\nemail_click_ct / nullif(email_open_ct, 0)\n"


def told(call: Callable[[], Any]) -> Any:
    """The value, or None for an error that says what happened, what was kept and what to type next."""
    try:
        return call()
    except IcxError as told:
        error = told
    assert error.code, error
    assert error.message, error
    assert error.kept, error
    assert error.next, error
    json.dumps(error.as_dict())
    str(error).encode()
    return None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


# --- what the service answers


@pytest.fixture(scope="module")
def talk() -> Iterator[tuple[Misbehaving, Client]]:
    server = Misbehaving()
    clock = ManualClock(datetime(2026, 3, 2, 14, 15, tzinfo=UTC))
    with Client(server.url, "1f3c9a00", "maya@example.com", "s3cret", account_id=1, client_folder_id=2, clock=clock,
                timeout=(2, 2)) as client:  # fmt: skip
        yield server, client
    server.stop()


@given(
    name=st.sampled_from(["contacts", "lists", "subscriptions", "messages"]),
    data=st.data(),
    status=st.sampled_from([200, 200, 200, 201, 204, 400, 404, 418, 500]),
    kind=st.sampled_from(["application/json", "text/html", "", "é"]),
)
def test_any_answer_is_a_page_or_an_error(
    talk: tuple[Misbehaving, Client], name: str, data: st.DataObject, status: int, kind: str
) -> None:
    server, client = talk
    body = data.draw(written({name: [ROWS[name], ROWS[name]], "total": 2, "limit": 20, "warnings": ["x"]}))
    server.reply = lambda asked: Says(body, status, kind.encode("utf-8").decode("latin-1"))
    told(lambda: client.page(name))
    if name == "contacts":
        told(lambda: client.get(name, 70001))
        told(lambda: client.create(name, [{"email": "ada@example.com"}]))


@given(name=st.sampled_from(sorted(ROWS)), data=st.data())
def test_any_row_is_decoded_or_set_aside(name: str, data: st.DataObject) -> None:
    row = data.draw(mutated(ROWS[name]))
    if isinstance(row, dict):
        with contextlib.suppress(codec.CannotRead):
            codec.decode(RESOURCES[name], row, frozenset({"tier"}))


@given(body=written({"contacts": [CONTACT]}))
@example(b"[" * 100_000)
def test_any_body_is_json_or_a_value_error(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        codec.parse(body)


# --- rules and audiences


@given(data=mutated(RULE) | values)
@example({"field": "@event.click", "operator": ">=", "value": 3, "distinct": [None]})
def test_any_rule_is_read_and_counted_or_refused(data: Any) -> None:
    rule = told(lambda: from_json(data))
    if rule is None:
        return
    assert from_json(json.loads(json.dumps(to_json(rule)))) == rule
    english(rule)
    fields_used(rule)
    told(lambda: sql(rule, CATALOGUE, LOOKUP, AS_OF))


@given(body=written(AUDIENCE))
def test_any_audience_file_is_read_or_refused(place: Path, body: bytes) -> None:
    path = place / "Loyal.json"
    path.write_bytes(body)
    told(lambda: read(path))


@given(body=written(ACTION))
def test_any_point_action_is_read_or_refused(place: Path, body: bytes) -> None:
    path = place / "Pricing.json"
    path.write_bytes(body)
    action = told(lambda: points.read(path))
    if action is not None:
        assert points.from_data(as_json(action), path.name) == action
        repr(action)


@given(name=texts | st.text())
def test_any_name_of_an_audience_stays_in_its_folder(place: Path, name: str) -> None:
    kept = told(lambda: check_name(name))
    if kept is not None:
        path = place / file_name(kept)
        assert path.resolve().parent == place.resolve()
        assert len(path.name.encode()) < 255


# --- addresses and links


@given(text=texts | st.text() | st.from_regex(r"[a-z]*:?/{0,3}[^\s]{0,20}@?\[?[0-9a-f:.]*\]?:?[0-9]*/?.*"))
def test_any_text_has_a_key_an_address_or_none(text: str) -> None:
    for function in (functions.url_key, functions.urlmain, functions.email, functions.emaildomain):
        found = function(text)
        assert found is None or isinstance(found, str)
    assert functions.hash_sip(text) is None or isinstance(functions.hash_sip(text), int)


# --- files of a workspace


@given(body=written(JOB))
def test_any_job_file_is_read_or_refused(place: Path, body: bytes) -> None:
    path = place / "weekly.json"
    path.write_bytes(body)
    told(lambda: job.read(path))


@given(body=written(SAVED))
def test_any_connection_file_is_read_or_refused(place: Path, body: bytes) -> None:
    folder = place / "data" / "connections"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acme.json").write_bytes(body)
    told(lambda: Connections(place / "data").load("acme"))


@given(data=st.data())
def test_any_settings_are_read_or_refused(place: Path, data: st.DataObject) -> None:
    path = place / "icx.toml"
    path.write_bytes(data.draw(_lines(SETTINGS)))
    told(lambda: read_settings(path))


@given(data=st.data())
def test_any_field_file_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(_lines(FIELD)).decode("utf-8", "replace")
    for file in told(lambda: read_fields(text, "clicks.sql")) or []:
        told(lambda file=file: parsed(file))


# --- notebooks and times


@given(body=written(NOTEBOOK))
@example(json.dumps(NOTEBOOK | {"cells": [NOTEBOOK["cells"][0] | {"source": ["a = 1\x00"]}]}).encode())  # type: ignore[index]
@example(json.dumps(NOTEBOOK | {"metadata": []}).encode())
def test_any_notebook_declares_parameters_or_is_refused(place: Path, body: bytes) -> None:
    path = place / "05-push.ipynb"
    path.write_bytes(body)
    told(lambda: parameters.of_notebook(path))


@given(
    data=st.data(),
    given_=st.dictionaries(st.sampled_from(["city", "days", "stale", "apply"]) | texts, values, max_size=3),
)
def test_any_parameters_are_checked_or_refused(data: st.DataObject, given_: dict[str, Any]) -> None:
    source = data.draw(_lines(CELL)).decode("utf-8", "replace")
    declared = told(lambda: parameters.of_source(source))
    if declared is not None:
        known = {one.name: one for one in declared}
        told(lambda: parameters.checked(Path("05-push.ipynb"), known, given_))


@given(
    text=texts
    | st.from_regex(r"(every )?[0-9]{0,3} ?(min|hours|Mon|Tue,Fri|day|1st|weekday)s? ?[0-9]{0,2}:?[0-9]{0,3}")
    | st.from_regex(r"[0-9*/,-]{1,5}( [0-9*/,-]{1,5}){4}")
)
def test_any_time_is_understood_or_refused(text: str) -> None:
    cron = told(lambda: schedule.parse(text))
    if cron is not None:
        assert schedule.english(cron)
    told(lambda: schedule.check_zone(text))


# --- the command line

VERBS = ("pull", "build", "check", "fields", "lists", "audience", "plan", "apply", "undo", "plans", "schedule", "status",
         "person", "record", "explain", "help", "pause", "resume", "run-due", "tidy", "retry")  # fmt: skip
WORDS = ("acme", "Loyal", "P-1", "--json", "--json=lines", "-q", "--yes", "--confirm", "growth=1", "--connection",
         "--as-of", "2026-01-01", "--to", "acme/lists/x", "list", "show", "save", "add", "next", "--rule", "--wait", "0",
         "--because", "--limit", "-1", "--help", "--", "-")  # fmt: skip


@given(verb=st.sampled_from(VERBS), words=st.lists(st.sampled_from(WORDS) | texts, max_size=5))
def test_any_command_line_ends_as_promised(place: Path, verb: str, words: list[str]) -> None:
    out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        # after `--` the workspace is no option any more, and the one that is stood in counts
        with redirect_stdout(out), redirect_stderr(err), contextlib.chdir(place):
            code = cli.run([verb, *words, "--workspace", str(place / "empty")])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code in {0, 1, 2, 3}, (verb, words, code)
    assert "[bug]" not in err.getvalue(), (verb, words, err.getvalue())
    assert "Traceback" not in err.getvalue()
    if "--json" in words and code and out.getvalue():
        json.loads(out.getvalue())


@st.composite
def _lines(draw: st.DrawFn, good: str) -> bytes:
    """A text file with a line changed, or any bytes."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=120))
    lines = good.splitlines()
    at = draw(st.integers(0, len(lines) - 1))
    deed = draw(st.sampled_from(["replace", "append", "remove", "double"]))
    if deed == "replace":
        lines[at] = draw(texts)
    elif deed == "append":
        lines[at] += draw(texts)
    elif deed == "remove":
        del lines[at]
    else:
        lines.insert(at, lines[at])
    return "\n".join(lines).encode("utf-8", "surrogatepass")
