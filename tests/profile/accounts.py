"""Small accounts in a store, made by hand or at random, without any service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from icx.clock import ManualClock
from icx.functions import email, emaildomain, url_key, urlmain
from icx.store.db import Store

PULLED = datetime(2026, 3, 10, 12, 0, 0)  # noqa: DTZ001 (the store's times are naive UTC)
CLOCK = ManualClock(PULLED.replace(tzinfo=UTC) + timedelta(minutes=5))


def store_at(directory: Path) -> Store:
    """Return a store with the empty schema `acme` and one complete pull that began at PULLED."""
    store = Store(directory / "icx.duckdb", clock=CLOCK)
    store.create_schema("acme")
    with store.open("acme") as con:
        add(con, "pulls", pull_id="p-1", started_at=PULLED, began_at=PULLED, state="complete")
    return store


def add(con: Any, table: str, **values: Any) -> None:
    """Insert one row given by column names; what is not given stays null."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    con.execute(f"insert into {table} ({names}) values ({marks})", list(values.values()))


def contact(con: Any, id: int, **values: Any) -> None:
    values = {"status": "normal", "create_date": PULLED - timedelta(days=800), "custom": {}} | values
    address = values.get("email")
    # A dict of two lists is a MAP to DuckDB; a plain dict would be a STRUCT, whose names do not tell cases apart.
    values["custom"] = {"key": list(values["custom"]), "value": list(values["custom"].values())}
    add(
        con,
        "icontact_users",
        id=id,
        email_key=email(address),
        email_domain=emaildomain(address),
        first_seen=values.get("first_seen", PULLED),
        **{name: value for name, value in values.items() if name != "first_seen"},
    )


def event(
    con: Any, contact_id: int, kind: str, at: datetime, message_id: int = 1, url: str | None = None
) -> None:
    add(
        con,
        "icontact_activity",
        contact_id=contact_id,
        event_type=kind,
        event_ts=at,
        message_id=message_id,
        event_url=url,
    )
    if url is not None and not con.execute("select 1 from urls where event_url = ?", [url]).fetchone():
        main = urlmain(url)
        shown = None if main is None else main.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        add(con, "urls", event_url=url, url_main=shown, url_key=url_key(url))


def send(
    con: Any, send_id: int, message_id: int, at: datetime, lists: list[int], without: Sequence[int] = ()
) -> None:
    add(
        con,
        "sends",
        send_id=send_id,
        message_id=message_id,
        status="released",
        released_at=at,
        include_list_ids=lists,
        exclude_list_ids=list(without),
    )


def subscription(con: Any, list_id: int, contact_id: int, status: str, since: datetime | None) -> None:
    add(con, "subscriptions", list_id=list_id, contact_id=contact_id, status=status, add_date=since)
