"""Every form iContact writes is read, and what cannot be read is set aside by name."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.errors import BadInput
from icx.icontact import codec
from icx.icontact.resources import RESOURCES

CONTACTS, LISTS, SENDS = RESOURCES["contacts"], RESOURCES["lists"], RESOURCES["sends"]
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2012-06-09 15:46:52", "2012-06-09T19:46:52"),
        ("2012-03-01 15:46:52", "2012-03-01T20:46:52"),
        ("2012-06-09T16:25:50-04:00", "2012-06-09T20:25:50"),
        ("2008-04-15T16:05:00Z", "2008-04-15T16:05:00"),
        ("2009-06-05T13:45:37-0400", "2009-06-05T17:45:37"),
        ("20090725 14:55:12", "2009-07-25T18:55:12"),
        ("2026-01-01", "2026-01-01T05:00:00"),
        ("2025-11-02 01:30:00", "2025-11-02T05:30:00"),  # happens twice: the first is meant
        (
            "2025-03-09 02:30:00",
            "2025-03-09T07:30:00",
        ),  # never happened: read with the offset before the change
    ],
)
def test_every_recorded_date_form_is_read(text, utc):
    assert codec.read_time(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["0000-00-00", "0000-00-00 00:00:00", "", "yesterday", "2026-13-01", "12/31/2026", "2026-02-30"]
)
def test_a_date_that_is_none_is_not_read(text):
    with pytest.raises(codec.CannotRead):
        codec.read_time(text)


@given(MOMENTS, st.integers(-14 * 4, 14 * 4))
def test_a_written_time_is_read_back(moment, quarters):
    assert codec.read_time(codec.write_time(moment)) == moment
    local = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    assert codec.read_time(local.isoformat()) == moment
    assert codec.read_time(local.strftime("%Y-%m-%dT%H:%M:%S%z")) == moment


def test_a_time_without_a_zone_is_not_written():
    with pytest.raises(BadInput):
        codec.write_time(datetime(2026, 3, 2))  # noqa: DTZ001


def test_a_contact_is_read():
    raw = {
        "contactId": "70012", "email": "ada@example.com", "firstName": "Ada", "state": None, "phone": "",
        "createDate": "2026-03-02 09:15:00", "bounceCount": "", "status": "normal", "vip_tier": "gold", "size": "",
    }  # fmt: skip
    row = codec.decode(CONTACTS, raw)
    assert row["contactId"] == 70012
    assert row["createDate"] == datetime(2026, 3, 2, 14, 15, tzinfo=UTC)
    assert row["createDate_text"] == "2026-03-02 09:15:00"
    assert row["custom"] == {"vip_tier": "gold", "size": None}
    assert (row["state"], row["phone"], row["bounceCount"], row["lastName"]) == (None, None, None, None)


def test_known_custom_names_tell_custom_fields_from_new_ones():
    raw = {"contactId": "1", "vip_tier": "gold", "newcomer": 3}
    row = codec.decode(CONTACTS, raw, frozenset({"vip_tier"}))
    assert row["custom"] == {"vip_tier": "gold"}
    assert row["newcomer"] == "3"


def test_a_custom_field_named_custom_is_one_like_any_other():
    assert codec.decode(CONTACTS, {"contactId": 1, "custom": "x"})["custom"] == {"custom": "x"}


@pytest.mark.parametrize("value", [1, "1", True])
def test_flags_come_as_numbers_texts_or_booleans(value):
    row = codec.decode(LISTS, {"listId": "3001", "name": "News", "emailOwnerOnChange": value})
    assert row["emailOwnerOnChange"] is True
    assert row["welcomeOnManualAdd"] is None


@pytest.mark.parametrize(("text", "ids"), [("3001,3002", [3001, 3002]), (3001, [3001]), ("", []), (None, [])])
def test_ids_of_a_send_come_as_text_or_number(text, ids):
    row = codec.decode(SENDS, {"sendId": "1", "includeListIds": text})
    assert row["includeListIds"] == ids
    assert row["excludeListIds"] == []


def test_a_subscription_without_its_id_gets_the_computable_one():
    row = codec.decode(RESOURCES["subscriptions"], {"listId": 3001, "contactId": "70012", "status": "normal"})
    assert row["subscriptionId"] == "3001_70012"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"email": "ada@example.com"}, "no contactId"),
        ({"contactId": "7x", "email": "ada@example.com"}, "contactId: not a number"),
        ({"contactId": -1}, "contactId: an id out of range"),
        ({"contactId": 2**70}, "contactId: an id out of range"),
        ({"contactId": "7", "createDate": "0000-00-00"}, "createDate: date '0000-00-00'"),
        ("ada@example.com", "not an object"),
        (None, "not an object"),
    ],
)
def test_a_row_that_cannot_be_read_is_set_aside_and_its_page_kept(raw, reason):
    rows, aside = codec.decode_rows(CONTACTS, [{"contactId": "1"}, raw, {"contactId": "2"}], 4115)
    assert [row["contactId"] for row in rows] == [1, 2]
    assert [(one.position, one.reason) for one in aside] == [(4116, reason)]
    assert json.loads(aside[0].raw) == raw
    assert "ada" not in repr(aside)


def test_an_odd_counter_does_not_cost_its_row():
    assert codec.decode(CONTACTS, {"contactId": "1", "bounceCount": "many"})["bounceCount"] is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_json_of_any_kind_is_parsed_as_python_does(value):
    assert codec.parse(json.dumps(value).encode()) == value
    assert codec.parse(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("body", [b'"a\xff"', b'"\\ud83d"', b'"\xed\xa0\xbd"'])
def test_broken_letters_cost_a_letter_and_not_the_page(body):
    assert codec.parse(body).encode()  # what comes out can be stored


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"contacts":[', b"NaN,"])
def test_what_is_no_json_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011
        codec.parse(body)


def test_fields_are_written_as_the_wire_wants_them():
    fields = {"emailOwnerOnChange": False, "name": "News", "description": "", "publicname": None, "n": [3, 4]}
    assert codec.encode(LISTS, fields) == {
        "emailOwnerOnChange": 0,
        "name": "News",
        "description": "",
        "n": "3,4",
    }


def test_what_icontact_sets_itself_is_not_written():
    with pytest.raises(BadInput, match="createDate"):
        codec.encode(CONTACTS, {"createDate": datetime(2026, 1, 1, tzinfo=UTC)})
    with pytest.raises(BadInput, match="cannot be sent"):
        codec.encode(CONTACTS, {"city": object()})


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
    ["70012", "2026-03-02 09:15:00", "2026-03-02T09:15:00-05:00", "2026-03-02T09:15:00+99:99", "9" * 30, "²", "1_0"]
)  # fmt: skip
ANY = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(RESOURCES)), st.data())
def test_whatever_comes_is_read_or_set_aside_and_never_breaks_a_page(name, data):
    what = RESOURCES[name]
    keys = [*sorted(what.kinds), "email", "status", "tier"]
    raws = data.draw(st.lists(st.dictionaries(st.sampled_from(keys), ANY) | ANY, max_size=4))
    rows, aside = codec.decode_rows(what, raws, 0)
    assert len(rows) + len(aside) == len(raws)
    for row in rows:
        for key, kind in what.kinds.items():
            assert row[key] is None or kind != "time" or row[key].tzinfo is UTC
            assert row[key] is None or kind != "id" or 0 <= row[key] < 2**63


def test_an_answer_nested_without_end_is_no_json():
    with pytest.raises(ValueError, match="nested"):
        codec.parse(b"[" * 200_000)
