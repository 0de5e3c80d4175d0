"""A call is repeated when that is safe, and its status becomes what to do next."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from misbehaving import Says

from icx.errors import IcxError, Refused, TryLater
from icx.icontact import UnknownOutcome
from icx.icontact.calls import BUSY_WAITS, WAITS

EMPTY = Says({"lists": [], "total": 0, "limit": 20, "offset": 0})
NEWS = Says({"lists": [{"listId": "3001", "name": "News"}]})
HTML = Says(b"<html>Please log in</html>", type="text/html")
BUSY = Says({"errors": ["Too busy"]}, status=503)


def lists(client):
    return list(client.rows("lists"))


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        Says({"errors": ["Oops"]}, status=500),
        Says(b"Bad Gateway", status=502),
        Says(fault="hang-up"),
        Says({"lists": [{"listId": "3001"}]}, fault="cut"),
        HTML,
        Says(b""),
        Says(b"[]"),
        Says({"something": "else"}),
    ],
    ids=lambda says: f"{says.status}-{says.fault or says.type}",
)
def test_a_read_that_fails_once_is_read_again(server, client, clock, trouble):
    server.says(trouble, EMPTY)
    assert lists(client) == []
    assert len(server.asked) == 2
    assert clock.slept


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        (Says(fault="hang-up"), "service-unreachable", "connection lost"),
        (HTML, "answer-unreadable", "not JSON 4 times"),
        (Says({"lists": ["x"] * 50}, fault="cut"), "answer-unreadable", "cut off 4 times"),
        (Says({}), "answer-unreadable", "without lists 4 times"),
        (Says({"errors": ["Oops"]}, status=500), "answer-unreadable", "an error of its own (500) 4 times"),
    ],
)
def test_a_read_that_never_comes_right_says_so_after_four_tries(server, client, trouble, code, said):
    server.says(trouble)
    with pytest.raises(TryLater) as raised:
        lists(client)
    assert raised.value.code == code
    assert said in str(raised.value)
    assert "lists, from row 1" in raised.value.where_text()
    assert len(server.asked) == 4
    assert 62 <= sum(client.clock.slept) < 64


def test_a_busy_service_is_waited_for_half_an_hour(server, client, clock):
    server.says(BUSY)
    with pytest.raises(TryLater) as raised:
        lists(client)
    assert raised.value.code == "service-busy"
    assert "30 min" in raised.value.message
    assert len(server.asked) == 1 + len(BUSY_WAITS)


def test_a_service_that_says_how_long_is_waited_for_that_long_by_everybody(server, connect, clock):
    told = []
    client = connect(on_wait=told.append)
    # Two minutes from the service's own Date, whatever our clock says.
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    server.says(
        Says(status=429, headers={"Retry-After": "90"}),
        Says(status=503, headers={"Retry-After": later}),
        EMPTY,
    )
    lists(client)
    assert 200 <= sum(clock.slept) < 215
    assert [one.why for one in told] == ["429", "503"]


def test_a_service_that_asks_for_more_patience_than_there_is_is_left_at_once(server, client, clock):
    server.says(Says(status=429, headers={"Retry-After": "7200"}))
    with pytest.raises(TryLater) as raised:
        lists(client)
    assert raised.value.message == "iContact has asked us to wait for 120 min and still does (429)."
    assert len(server.asked) == 1


def test_a_short_patience_ends_the_waiting_early(server, connect, clock):
    server.says(BUSY)
    with pytest.raises(TryLater):
        lists(connect(patience=10))
    assert sum(clock.slept) < 15


def test_who_waits_is_told_why_and_until_when(server, connect):
    told = []
    server.says(BUSY, EMPTY)
    lists(connect(on_wait=told.append))
    assert [(one.why, one.attempt) for one in told] == [("503", 1)]


def test_a_busy_service_slows_everybody_down(server, client):
    before = client.pace.rate
    server.says(BUSY, EMPTY)
    lists(client)
    assert client.pace.rate < before


@pytest.mark.parametrize(
    "trouble",
    [
        Says(fault="hang-up"),
        Says({"lists": [{"listId": "3001", "name": "News"}]}, fault="cut"),
        Says({"errors": ["Oops"]}, status=500),
        Says(b"Gateway Timeout", status=504),
        HTML,
        Says({"nothing": "of it"}),
    ],
    ids=lambda says: f"{says.status}-{says.fault or says.type}",
)
def test_a_write_of_unknown_outcome_is_never_sent_again(server, client, trouble):
    server.says(trouble, NEWS)
    with pytest.raises(UnknownOutcome) as raised:
        client.create("lists", [{"name": "News"}])
    assert raised.value.code == "in-doubt"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("update", ("contacts", 7, {"city": "Durham"})),
        ("move", (3001, 7, 3002)),
        ("delete", ("contacts", 7)),
        ("subscribe", ([(7, 3001, "normal")],)),
    ],
)
def test_no_kind_of_write_is_sent_twice(server, client, verb, arguments):
    server.says(Says(fault="hang-up"))
    with pytest.raises(UnknownOutcome):
        getattr(client, verb)(*arguments)
    assert len(server.asked) == 1


def test_a_write_that_was_clearly_not_done_is_sent_again(server, client):
    server.says(BUSY, BUSY, NEWS)
    assert client.create("lists", [{"name": "News"}]).ok
    assert len(server.asked) == 3


def test_a_write_that_found_nobody_to_talk_to_is_not_in_doubt(server, client):
    server.stop()
    with pytest.raises(TryLater) as raised:
        client.create("lists", [{"name": "News"}])
    assert raised.value.code == "service-unreachable"
    assert "nothing was sent" in raised.value.where_text()


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "service-refused"), (401, "login-refused"), (402, "account-unpaid"), (403, "right-missing")]
    + [(status, "service-refused") for status in (404, 405, 406, 415, 501, 507)],
)
def test_a_clear_no_is_not_asked_twice(server, client, status, code):
    server.says(Says({"errors": ["No, ada@example.com"]}, status=status))
    with pytest.raises(Refused) as raised:
        lists(client)
    assert raised.value.code == code
    assert len(server.asked) == 1
    assert "ada@" not in str(raised.value) + str(raised.value.data)


def test_a_refused_login_names_the_three_values_without_showing_them(server, client):
    server.says(Says({"errors": ["Api username invalid"]}, status=401))
    with pytest.raises(Refused) as raised:
        lists(client)
    assert raised.value.where_text() == "1 API password · 2 user name m…@e….com · 3 application id 1f3c…"


def test_a_login_that_worked_before_is_lost_and_not_mistyped(server, client):
    server.says(EMPTY, Says({"errors": ["Api username invalid"]}, status=401))
    lists(client)
    with pytest.raises(Refused, match="worked until 14:15") as raised:
        lists(client)
    assert raised.value.code == "login-lost"


def test_json_under_another_content_type_is_read(server, client):
    server.says(Says(EMPTY.body, type="text/html; charset=utf-8"))
    assert lists(client) == []


def test_zipped_answers_are_read(server, client):
    server.says(Says(EMPTY.body, zipped=True))
    assert lists(client) == []


def test_time_needs_no_login(server, client):
    server.says(Says({"time": "2026-03-02T09:15:00-05:00", "timestamp": 1772460900}))
    assert client.time() == client.clock.now()
    assert not [name for name in server.asked[0].headers if name.startswith("api-pass")]


def test_every_try_is_on_the_tape_and_no_secret_is(server, connect):
    tape = []
    server.says(BUSY, Says(fault="hang-up"), Says({"contacts": [], "total": 0}))
    client = connect(tape=tape.append)
    assert client.find_contact_by_email("ada@example.com") == []
    assert [(call.status, call.attempt, call.problem) for call in tape] == [
        (503, 1, ""),
        (None, 2, "connection lost"),
        (200, 3, ""),
    ]
    assert "ada" not in str(tape)
    assert "s3cret" not in str(tape)
    assert all(call.at.tzinfo is not None for call in tape)


def test_nothing_secret_is_in_what_a_client_shows(client, server):
    server.says(BUSY)
    shown = [repr(client), str(vars(client)), repr(client._caller.session)]
    for says in (BUSY, HTML, Says({"errors": ["x"]}, status=401)):
        server.says(says)
        with pytest.raises(IcxError) as raised:
            lists(client)
        shown += [str(raised.value), str(raised.value.as_dict())]
    assert "s3cret" not in " ".join(shown)
    assert "1f3c9a00" not in " ".join(shown)


def test_the_waits_are_those_of_the_catalogue():
    assert sum(WAITS) == 62
    assert sum(BUSY_WAITS) == 1800
