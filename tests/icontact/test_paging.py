"""Paging trusts neither 20 nor the limit, ends always, and loses nothing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from misbehaving import Asked, Says

from icx.errors import IcxError, TryLater
from icx.icontact.paging import Page, pages

PEOPLE = [{"contactId": str(n), "email": f"p{n}@example.com"} for n in range(1, 48)]


def paged(rows, plural="contacts", most=20, total=None):
    """Answer like iContact: at most so many rows a page, whatever limit was asked."""

    def reply(asked: Asked) -> Says:
        offset, limit = int(asked.params.get("offset", 0)), int(asked.params.get("limit", 20))
        page = rows[offset : offset + min(limit, most)]
        return Says(
            {plural: page, "limit": 20, "offset": offset, "total": len(rows) if total is None else total}
        )

    return reply


def test_a_service_that_gives_fewer_rows_than_asked_is_read_to_the_end(server, client):
    server.reply = paged(PEOPLE, most=7)
    assert [row["contactId"] for row in client.rows("contacts")] == list(range(1, 48))
    assert [asked.params["offset"] for asked in server.asked] == ["0", "7", "14", "21", "28", "35", "42"]
    assert {asked.params["limit"] for asked in server.asked} == {"1000"}


def test_contacts_are_always_asked_for_with_a_status(server, client):
    server.reply = paged(PEOPLE)
    list(client.rows("contacts"))
    assert {asked.params["status"] for asked in server.asked} == {"total"}
    client.page("contacts", status="unlisted")
    assert server.asked[-1].params["status"] == "unlisted"


def test_reading_can_begin_in_the_middle(server, client):
    server.reply = paged(PEOPLE)
    assert [row["contactId"] for row in client.rows("contacts", start=40)] == list(range(41, 48))


def test_a_total_that_is_too_high_ends_with_an_empty_page(server, client):
    server.reply = paged(PEOPLE, total=48)  # lags by one right after a deletion
    assert len(list(client.rows("contacts"))) == 47


def test_people_who_come_twice_are_given_once(server, client):
    server.reply = paged([*PEOPLE[:20], *PEOPLE[10:]])
    assert [row["contactId"] for row in client.rows("contacts")] == list(range(1, 48))


def test_events_alike_in_every_column_are_all_given(server, client):
    event = {"contactId": "7", "openTime": "2026-03-02T09:15:00-05:00"}
    server.reply = paged([event] * 50, "opens", most=20)
    assert len(list(client.rows("opens", parent=88104))) == 50


def test_a_collection_without_total_is_read_once(server, client):
    folders = {
        "clientfolders": [{"clientFolderId": "222", "logoId": None, "emailRecipient": "a@example.com"}]
    }
    server.says(Says(folders))
    assert [row["clientFolderId"] for row in client.folders(111)] == [222]


@pytest.mark.parametrize("plural", ["contacts", "opens"])
def test_one_page_again_and_again_is_an_error_and_no_endless_loop(server, client, plural):
    rows = [{"contactId": str(n), "openTime": "2026-03-02T09:15:00-05:00"} for n in range(20)]
    server.says(Says({plural: rows, "total": 1_000_000}))
    with pytest.raises(TryLater, match="the page before") as raised:
        list(client.rows(plural, parent=7 if plural == "opens" else None))
    assert raised.value.data["page"] == 2


def test_a_page_that_always_errors_is_named(server, client):
    def reply(asked: Asked) -> Says:
        return Says({"errors": ["x"]}, status=500) if asked.params["offset"] == "40" else paged(PEOPLE)(asked)

    server.reply = reply
    read = []
    with pytest.raises(TryLater) as raised:
        read.extend(client.rows("contacts"))
    assert raised.value.data == {"page": 3, "offset": 40}
    assert "from row 41" in raised.value.where_text()


@pytest.mark.parametrize("body", [{"contacts": None}, {"contacts": []}, {"contacts": {}, "total": 0}])
def test_no_rows_come_as_null_or_as_a_list(server, client, body):
    server.says(Says(body))
    assert list(client.rows("contacts")) == []


def test_an_account_without_custom_fields_may_leave_their_key_out(server, client):
    server.says(Says({"limit": 20, "offset": 0, "total": 0}))
    assert list(client.rows("customfields")) == []


def test_a_php_list_with_gaps_is_a_list(server, client):
    server.says(Says({"lists": {"0": {"listId": "1"}, "3": {"listId": "2"}}, "total": 2}))
    assert [row["listId"] for row in client.rows("lists")] == [1, 2]


def test_rows_that_cannot_be_read_do_not_shift_the_pages(server, client):
    rows = [*PEOPLE[:10], {"contactId": "?"}, *PEOPLE[10:]]
    server.reply = paged(rows)
    got = list(client.pages("contacts"))
    assert [one.position for page in got for one in page.set_aside] == [10]
    assert sum(len(page.rows) for page in got) == 47


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.integers(0, 5), max_size=60),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    drift=st.lists(st.integers(-3, 3), min_size=1, max_size=5),
    with_id=st.booleans(),
)
def test_reading_always_ends_and_a_quiet_collection_is_read_whole(rows, sizes, drift, with_id):
    quiet = set(drift) == {0}
    calls = 0

    def fetch(offset: int) -> Page:
        nonlocal calls
        calls += 1
        assert calls < 1000
        part = rows[offset : offset + sizes[calls % len(sizes)]]
        total = max(0, len(rows) + drift[calls % len(drift)])
        values = [{"id": value} for value in part]
        return Page(values, total, offset, read=len(part), digest=repr((offset, part)).encode())

    read = [
        row["id"] for page in pages(fetch, "rows", id_field="id" if with_id else None) for row in page.rows
    ]
    if quiet:
        assert read == (list(dict.fromkeys(rows)) if with_id else rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.fixed_dictionaries(
        {},
        optional={
            "contacts": st.none()
            | st.integers()
            | st.lists(st.none() | st.dictionaries(st.text(), st.integers()), max_size=3),
            "total": st.none() | st.integers(-5, 5) | st.text(max_size=3) | st.booleans(),
            "warnings": st.none() | st.text() | st.lists(st.text(), max_size=2) | st.integers(),
            "errors": st.none() | st.lists(st.text(), max_size=2),
        },
    )
    | st.lists(st.integers())
)
def test_whatever_a_page_is_it_is_read_or_refused_by_name(server, client, body):
    server.says(Says(body), Says({"contacts": []}))
    code = "read"
    try:
        assert len(client.page("contacts").rows) <= 3
    except IcxError as error:
        code = error.code
    assert code in {"read", "service-refused", "filter-ignored"}
