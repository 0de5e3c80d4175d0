"""Whom a plan refuses and why, to keep or to hand on: a table, and CSV that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from icx import mask
from icx.clock import aware_utc
from icx.plan.words import reason as words

COLUMNS = ("contact", "address", "reason", "known", "since")
_FORMULA = re.compile(r"[=+\-@\t\r\n]")


def refused_rows(table: pa.Table, code: str = "") -> pa.Table:
    """Return the rows of a plan that are refused, for one reason or for any."""
    chosen = pc.equal(table.column("action"), "refuse")
    if code:
        chosen = pc.and_(chosen, pc.equal(table.column("reason"), code))
    return table.filter(chosen)


def known(source: str | None, message_id: int | None) -> str:
    """Return what is known of a refusal: who said so, and by which message.

    >>> known("unsubscribe", 88010), known(None, None)
    ('unsubscribe, message #88010', "today's read")
    """
    told = str(source or "today's read")
    return mask.plain(told if message_id is None else f"{told}, message #{message_id}")


def refusals(table: pa.Table, zone: str, code: str = "", *, show: bool = False) -> pa.Table:
    """Return a row per refused person: contact, address (masked unless `show`), reason, known, since (ISO, in `zone`)."""
    rows = refused_rows(table, code)
    there = ZoneInfo(zone)

    def since(at: datetime | None) -> str:
        return "" if at is None else aware_utc(at).astimezone(there).isoformat(timespec="seconds")

    address = (lambda email: mask.plain(email or "")) if show else mask.address
    columns = {name: rows.column(name).to_pylist() for name in ("email", "reason", "source", "message_id")}
    return pa.table(
        {
            "contact": rows.column("contact_id"),
            "address": pa.array([address(one) for one in columns["email"]], pa.string()),
            "reason": pa.array([words(one) for one in columns["reason"]], pa.string()),
            "known": pa.array(
                [known(*pair) for pair in zip(columns["source"], columns["message_id"], strict=True)],
                pa.string(),
            ),
            "since": pa.array([since(one) for one in rows.column("fact_at").to_pylist()], pa.string()),
        }
    )


def as_csv(table: pa.Table, *, header: bool = True) -> str:
    """Return a table of refusals as CSV; a cell that a spreadsheet would run begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(table.column_names)
    columns = [column.to_pylist() for column in table.columns]
    writer.writerows([inert(cell) for cell in row] for row in zip(*columns, strict=True))
    return out.getvalue()


def inert(cell: object) -> object:
    """Return a cell as a spreadsheet may have it: text that begins like a formula gets an apostrophe.

    >>> inert("=1+1"), inert("-jo@example.com"), inert("jo@example.com"), inert(70233), inert(None)
    ("'=1+1", "'-jo@example.com", 'jo@example.com', 70233, '')
    """
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell.lstrip(" ")) else cell
