"""The first-pull report: what came, what is mostly empty, what looks odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from icx.pull.columns import COLUMNS
from icx.store import Connection, literal, one_row
from icx.words import form

MOSTLY = 0.9  # a field empty for more than this share is named

# What is counted, and the rows it is counted in. One thought a line; each is a fact to look at, not a fault.
_ODD = (
    ("contacts with a state longer than 10 characters", "icontact_users where length(state) > 10"),
    ("contacts made in the future", "icontact_users where create_date > $now"),
    ("contacts made before 2002, when iContact began", "icontact_users where create_date < '2002-01-01'"),
    (
        "contacts with a status iContact does not document",
        "icontact_users where status is null or status not in "
        "('normal', 'bounced', 'donotcontact', 'pending', 'invitable', 'deleted')",
    ),
    ("addresses written with capitals", "icontact_users where email <> lower(email)"),
    ("contacts on no list", "icontact_users where id not in (select contact_id from subscriptions)"),
    ("events dated in the future", "icontact_activity where event_ts > $now"),
    (
        "events of people the service does not list",
        "icontact_activity where contact_id not in (select id from icontact_users where gone_at is null)",
    ),
    (
        "events before their message was released",
        "icontact_activity e join (select message_id, min(released_at) as at from sends group by 1) s "
        "using (message_id) where e.event_ts < s.at",
    ),
    ("links that are no address of a page", "urls where url_key is null"),
    ("messages that were never sent", "messages where message_id not in (select message_id from sends)"),
)


@dataclass(frozen=True)
class FirstPull:
    """Rows per table, fields mostly empty with the share that is filled, and odd values with their count."""

    tables: dict[str, int]
    empty: dict[str, float]
    odd: dict[str, int]

    def lines(self) -> list[str]:
        """Return the report as plain text."""
        told = ["First pull of this account:"]
        told += [f"  {name:<18}{rows:>12,} {form(rows, 'row')}" for name, rows in self.tables.items()]
        if self.empty:
            fields = ", ".join(f"{name} ({share:.0%})" for name, share in self.empty.items())
            told.append(f"  mostly empty (share filled): {fields}")
        told += [f"  {count:,} {_of_one(what) if count == 1 else what}" for what, count in self.odd.items()]
        return told

    def as_dict(self) -> dict[str, Any]:
        return {"tables": self.tables, "empty": self.empty, "odd": self.odd}


def _of_one(what: str) -> str:
    """Return the words of several for one.

    >>> _of_one("events before their message was released")
    'event before its message was released'
    """
    one = {
        "contacts": "contact",
        "addresses": "address",
        "events": "event",
        "links": "link",
        "messages": "message",
    }
    one |= {"are": "is", "were": "was", "their": "its"}
    return " ".join(one.get(word, word) for word in what.split())


def first_pull(con: Connection) -> FirstPull:
    """Return what a first look at the stored rows shows."""
    tables = {
        name: _one(con, f"select count(*) from {name}")
        for name in (
            "icontact_users",
            "subscriptions",
            "lists",
            "custom_fields",
            "campaigns",
            "messages",
            "sends",
            "icontact_activity",
        )
    }
    people = max(tables["icontact_users"], 1)
    fields = {
        column.name: column.name
        for column in COLUMNS["contacts"]
        if column.name not in ("id", "custom", "create_date_text")
    }
    for (name,) in con.execute("select private_name from custom_fields order by private_name").fetchall():
        fields[name if name.startswith("mailchimp_") else f"cf_{name}"] = f"custom[{literal(name)}]"
    counts = one_row(
        con.execute(f"select {', '.join(f'count({value})' for value in fields.values())} from icontact_users")
    )
    filled = {name: count / people for name, count in zip(fields, counts or (), strict=True)}
    empty = {name: share for name, share in filled.items() if share < 1 - MOSTLY}
    now = one_row(con.execute("select max(verified_at) from units"))
    odd = {}
    for what, rows in _ODD:
        count = _one(con, f"select count(*) from {rows}", now[0] if now else None)
        if count:
            odd[what] = count
    return FirstPull(tables, empty if tables["icontact_users"] else {}, odd)


def _one(con: Connection, sql: str, now: Any = None) -> int:
    row = one_row(con.execute(sql, {"now": now} if "$now" in sql else {}))
    return int(row[0]) if row else 0
