"""Rows of an answer as columns of a table; a row that does not fit is named and left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from icx.icontact.paging import ERASED, Sent
from icx.pull import plain
from icx.pull.units import EVENT_TYPE, PEOPLE, AsideLike, PageLike, Unit


@dataclass(frozen=True)
class Column:
    """A column of a staging table and where its value stands in a row."""

    name: str
    key: str
    type: pa.DataType
    needed: bool = False


@dataclass(frozen=True)
class Aside:
    """A row set aside: its 0-based position in the collection, why, and the row as JSON text."""

    position: int
    reason: str
    raw: str


ID, TEXT, FLAG, NUMBER = pa.int64(), pa.string(), pa.bool_(), pa.int64()
TIME, IDS, MAP = pa.timestamp("us", tz="UTC"), pa.list_(pa.int64()), pa.map_(pa.string(), pa.string())


def _columns(*specs: tuple[str, str, pa.DataType] | tuple[str, str, pa.DataType, bool]) -> tuple[Column, ...]:
    return tuple(Column(*spec) for spec in specs)


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "contacts": _columns(
        ("id", "contactId", ID, True),
        ("email", "email", TEXT),
        ("prefix", "prefix", TEXT),
        ("first_name", "firstName", TEXT),
        ("last_name", "lastName", TEXT),
        ("suffix", "suffix", TEXT),
        ("street", "street", TEXT),
        ("street_line_2", "street2", TEXT),
        ("city", "city", TEXT),
        ("state", "state", TEXT),
        ("postal_code", "postalCode", TEXT),
        ("phone", "phone", TEXT),
        ("fax", "fax", TEXT),
        ("business", "business", TEXT),
        ("status", "status", TEXT),
        ("create_date", "createDate", TIME),
        ("create_date_text", "createDate_text", TEXT),
        ("bounce_count", "bounceCount", TEXT),
        ("custom", "custom", MAP),
    ),
    "subscriptions": _columns(
        ("list_id", "listId", ID, True),
        ("contact_id", "contactId", ID, True),
        ("status", "status", TEXT, True),
        ("add_date", "addDate", TIME),
        ("confirmation_message_id", "confirmationMessageId", ID),
    ),
    "lists": _columns(
        ("list_id", "listId", ID, True),
        ("name", "name", TEXT),
        ("publicname", "publicname", TEXT),
        ("description", "description", TEXT),
        ("email_owner_on_change", "emailOwnerOnChange", FLAG),
        ("welcome_on_manual_add", "welcomeOnManualAdd", FLAG),
        ("welcome_on_signup_add", "welcomeOnSignupAdd", FLAG),
        ("welcome_message_id", "welcomeMessageId", ID),
    ),
    "customfields": _columns(
        ("private_name", "privateName", TEXT, True),
        ("public_name", "publicName", TEXT),
        ("field_type", "fieldType", TEXT),
        ("display_to_user", "displayToUser", FLAG),
    ),
    "campaigns": _columns(
        ("campaign_id", "campaignId", ID, True),
        ("name", "name", TEXT),
        ("description", "description", TEXT),
        ("from_name", "fromName", TEXT),
        ("from_email", "fromEmail", TEXT),
        ("click_track_mode", "clickTrackMode", NUMBER),
        ("subscription_management", "subscriptionManagement", NUMBER),
        ("use_account_address", "useAccountAddress", FLAG),
        ("archive_by_default", "archiveByDefault", FLAG),
    ),
    "messages": _columns(
        ("message_id", "messageId", ID, True),
        ("campaign_id", "campaignId", ID),
        ("message_type", "messageType", TEXT),
        ("subject", "subject", TEXT),
        ("message_name", "messageName", TEXT),
        ("preview_text", "previewText", TEXT),
        ("create_date", "createDate", TIME),
        ("html_body", "htmlBody", TEXT),
    ),
    "sends": _columns(
        ("send_id", "sendId", ID, True),
        ("message_id", "messageId", ID, True),
        ("status", "status", TEXT),
        ("scheduled_at", "scheduledTime", TIME),
        ("released_at", "releasedTime", TIME),
        ("recipient_count", "recipientCount", NUMBER),
        ("include_list_ids", "includeListIds", IDS),
        ("exclude_list_ids", "excludeListIds", IDS),
        ("include_segment_ids", "includeSegmentIds", IDS),
        ("exclude_segment_ids", "excludeSegmentIds", IDS),
    ),
    **{
        kind: _columns(
            ("contact_id", "contactId", ID, True),
            ("event_ts", f"{event}Time", TIME, True),
            ("event_url", "clickLink", TEXT),
        )
        for kind, event in EVENT_TYPE.items()
    },
}


def table(unit: Unit, page: PageLike, offset: int, *, bodies: bool = False) -> tuple[pa.Table, list[Aside]]:
    """Return a page as an Arrow table in the order of the staging table, and the rows set aside.

    `offset` is the page's place in the collection. Bodies of messages are dropped unless asked for. Custom fields stand in the order of their names.
    """
    if isinstance(page, Sent) and page.plain:
        with suppress(plain.Odd):
            return _of_unit(unit, _plain(unit, page)), []
    asides = [Aside(a.position, a.reason, a.raw) for a in page.set_aside]
    taken = {a.position for a in asides}
    count = len(page.rows) + len(asides)
    free = (place for place in range(offset, offset + count) if place not in taken)
    placed = list(zip(free, page.rows, strict=True))
    columns = COLUMNS[unit.collection]
    if unit.collection == "messages" and not bodies:
        placed = [(place, {**row, "htmlBody": None}) for place, row in placed]
    try:
        made = _arrow(columns, [row for _, row in placed])
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        good = []
        for place, row in placed:
            try:
                _arrow(columns, [row])
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                asides.append(Aside(place, _reason(columns, row, error), json.dumps(dict(row), default=str)))
            else:
                good.append(row)
        made = _arrow(columns, good)
    return _of_unit(unit, made), asides


def after(made: pa.Table, asides: list[Aside], offset: int, skip: int) -> tuple[pa.Table, list[Aside]]:
    """Return what `table` made of a page without the page's first `skip` rows.

    >>> made, asides = pa.table({"id": [1, 3]}), [Aside(11, "no contactId", "{}")]
    >>> [(left["id"].to_pylist(), len(out)) for left, out in (after(made, asides, 10, skip) for skip in (0, 1, 2))]
    [([1, 3], 1), ([3], 1), ([3], 0)]
    """
    left = [aside for aside in asides if aside.position >= offset + skip]
    return made.slice(skip - len(asides) + len(left)), left


def _of_unit(unit: Unit, made: pa.Table) -> pa.Table:
    """Return the rows with what all of a unit's events share."""
    if not unit.is_events:
        return made
    return pa.table(
        {
            "contact_id": made["contact_id"],
            "event_type": pa.repeat(EVENT_TYPE[unit.collection], made.num_rows),
            "event_ts": made["event_ts"],
            "message_id": pa.repeat(pa.scalar(unit.message_id, ID), made.num_rows),
            "event_url": made["event_url"],
        }
    )


def _plain(unit: Unit, page: Sent) -> pa.Table:
    """Return a page of people or events by whole columns; raises `plain.Odd` or ValueError for the long way."""
    if unit.collection not in (*PEOPLE, *EVENT_TYPE):
        raise plain.Odd(unit.collection)
    wanted = COLUMNS[unit.collection]
    found = plain.columns(page.resource, [column.key for column in wanted], page.raws, page.custom_names)
    if any(column.needed and found[column.key].null_count for column in wanted):
        raise plain.Odd("without what a row needs")
    return pa.table({column.name: _kept(column, found[column.key]) for column in wanted})


def erased(asides: Sequence[Aside]) -> int:
    """Return how many of the rows set aside are of people who were erased here."""
    return sum(aside.reason == ERASED for aside in asides)


def fingerprint(unit: Unit, page: PageLike, offset: int, place: int) -> str:
    """Return a digest of the row at a place of the collection (nothing of the row can be read from it)."""
    if isinstance(page, Sent):
        page, offset = page.part(place - offset, place - offset + 1), place
    for aside in page.set_aside:
        if aside.position == place:
            return hashlib.sha256(aside.raw.encode()).hexdigest()
    before = sum(1 for aside in page.set_aside if aside.position < place)
    row = page.rows[place - offset - before]
    values = [str(row.get(column.key)) for column in COLUMNS[unit.collection]]
    return hashlib.sha256("\x1f".join(values).encode("utf-8", "replace")).hexdigest()


def size(page: PageLike) -> int:
    """Return how many rows of the collection an answer covers."""
    return len(page.raws) if isinstance(page, Sent) else len(page.rows) + len(page.set_aside)


def _arrow(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    arrays = {}
    for column in columns:
        values: list[Any] = [row.get(column.key) for row in rows]
        if column.needed and any(value is None for value in values):
            raise ValueError(f"no {column.key}")
        arrays[column.name] = _kept(column, pa.array(_CAST.get(column.type, _same)(values), column.type))
    return pa.table(arrays)


def _kept(column: Column, array: pa.Array) -> pa.Array:
    kind = _KEPT.get(column.type, column.type)
    return array if array.type == kind else array.cast(kind)


def _same(values: list[Any]) -> list[Any]:
    return values


def _texts(values: list[Any]) -> list[Any]:
    return [None if value is None or value == "" else str(value) for value in values]


def _maps(values: list[Any]) -> list[Any]:
    return [
        [(key, text) for key, text in sorted((value or {}).items()) if text not in (None, "")]
        for value in values
    ]


# The store keeps naive UTC; Arrow's cast keeps the moment and drops the zone.
_KEPT: Mapping[pa.DataType, pa.DataType] = {TIME: pa.timestamp("us")}
_CAST: Mapping[pa.DataType, Callable[[list[Any]], list[Any]]] = {TEXT: _texts, MAP: _maps}


def _reason(columns: Sequence[Column], row: Mapping[str, Any], error: Exception) -> str:
    for column in columns:
        try:
            _arrow([column], [row])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as wrong:
            return f"no {column.key}" if str(wrong) == f"no {column.key}" else f"{column.key} cannot be read"
    return type(error).__name__


__all__ = ["COLUMNS", "Aside", "AsideLike", "Column", "fingerprint", "size", "table"]
