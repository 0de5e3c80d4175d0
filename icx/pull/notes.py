"""Notes: what a pull met that is worth saying and stops nothing, each in the four parts of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from icx import mask
from icx.errors import IcxError
from icx.icontact.paging import ERASED
from icx.pull.consent import Folder
from icx.pull.ledger import ICONTACT
from icx.pull.reading import Reading
from icx.store import Connection, one_row
from icx.words import counted, form


@dataclass(frozen=True)
class Note:
    """What happened, where, what was kept, what to type; people are ids."""

    code: str
    message: str
    where: str
    kept: str
    next: tuple[Sequence[str] | str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "kept": self.kept,
            "next": list(self.next),
        }


def notes(
    con: Connection,
    connection: str,
    *,
    readings: Sequence[Reading],
    refused: Sequence[tuple[Any, IcxError]],
    right_missing: str | None,
    folder: Folder,
    erased: Mapping[int, str] | None = None,
    service: str = ICONTACT,
) -> list[Note]:
    """Return what is to be said after a pull of `service`; `erased` are contacts it met that were erased here, with the day."""
    told: list[Note] = []
    if right_missing is not None:
        told.append(
            Note(
                "right-missing",
                "This login may read contacts, but not opens and clicks (403).",
                right_missing,
                "contacts and lists, up to date",
                (
                    'ask for the right "analytic"',
                    ["icx", "connect", connection, "--update", "--contacts-only"],
                ),
            )
        )
    told += [
        Note(
            "unit-refused",
            f"{error.message}",
            task.label,
            "what was stored of it before; every other unit",
            (["icx", "pull", connection],),
        )
        for task, error in refused
        if error.code != "right-missing"
    ]
    told += [_moved(reading, connection) for reading in readings if reading.provisional]
    told += _erased(erased, service)
    told += _set_aside(con, connection)
    told += _addresses(con, connection, service)
    told += _gone_fields(con, connection, folder, service)
    return told


def _moved(reading: Reading, connection: str) -> Note:
    totals = [total for total in reading.totals if total is not None]
    span = f": {totals[0]:,} → {totals[-1]:,}" if totals else ""
    what = {"the count moved": "The count moved", "rows and count differ": "Rows and count differed"}
    return Note(
        "total-moves",
        f"{what.get(reading.why, 'Rows came or went')} during each of 3 readings; stored as provisional (amber).",
        f"{reading.label}{span}",
        "the last full reading",
        ("nothing: it is read again by itself",),
    )


def _erased(met: Mapping[int, str] | None, service: str) -> list[Note]:
    if not met:
        return []
    ids = sorted(met)
    days = sorted({date.fromisoformat(day) for day in met.values()})
    when = f"on {days[0].day} {days[0]:%b}" if len(days) == 1 else f"since {days[0].day} {days[0]:%b}"
    return [
        Note(
            "was-erased",
            f"{counted(len(ids), 'contact')} erased here {when} {form(len(ids), 'is')} still at {service}.",
            ", ".join(f"#{one}" for one in ids[:3]) + (", …" if len(ids) > 3 else ""),
            "not stored again, in no audience",
            (f"delete the {form(len(ids), 'contact')} in {service} too",),
        )
    ]


def _set_aside(con: Connection, connection: str) -> list[Note]:
    unread = f"from set_aside where reason <> '{ERASED}'"
    rows = con.execute(
        f"select collection, message_id, position, reason {unread} order by happened_at desc, position limit 5"
    ).fetchall()
    if not rows:
        return []
    count = _one(con, f"select count(*) {unread}")
    where = "; ".join(
        f"{collection}{f' of {message}' if message else ''}, row {position + 1:,}: {mask.addresses_in(reason)}"
        for collection, message, position, reason in rows
    )
    is_one = count == 1
    return [
        Note(
            "row-set-aside",
            f"{count:,} {'row' if is_one else 'rows'} cannot be read; "
            f"{'it is set aside, its page is' if is_one else 'they are set aside, their pages are'} kept.",
            where,
            "every other row of the page",
            (["icx", "status", connection, "--set-aside"],),
        )
    ]


def _addresses(con: Connection, connection: str, service: str) -> list[Note]:
    listed = "from icontact_users where gone_at is null"
    look = (["icx", "check", "contacts", "--rows", "email"], f"mend them in {service}")
    told = []
    without = _one(con, f"select count(*) {listed} and email_key is null")
    if without:
        told.append(
            Note(
                "no-address",
                f"{without:,} {_contacts(without)} no usable address.",
                _ids(con, f"select id {listed} and email_key is null order by id limit 4", without),
                "all kept and counted",
                look,
            )
        )
    shared = f"select email_key {listed} and email_key is not null group by email_key having count(*) > 1"
    twice = _one(con, f"select count(*) from ({shared})")
    if twice:
        told.append(
            Note(
                "shared-address",
                f"{twice:,} {'address belongs' if twice == 1 else 'addresses belong'} to two contacts or more.",
                _ids(
                    con, f"select id {listed} and email_key in ({shared}) order by email_key, id limit 4", 5
                ),
                "all kept and counted",
                look,
            )
        )
    odd = _one(con, f"select count(*) {listed} and contains(email, '*')")
    if odd and service == ICONTACT:  # whose search takes a star for a wildcard
        told.append(
            Note(
                "odd-address",
                f"{'An address holds' if odd == 1 else f'{odd:,} addresses hold'} `*`, "
                'which iContact reads as "anything".',
                _ids(con, f"select id {listed} and contains(email, '*') order by id limit 4", odd),
                "answers were compared letter by letter, no other person touched",
                look,
            )
        )
    return told


def _gone_fields(con: Connection, connection: str, folder: Folder, service: str) -> list[Note]:
    rows = con.execute(
        "select private_name from custom_fields where gone_at = ? order by private_name", [folder.now]
    ).fetchall()
    return [
        Note(
            "field-gone",
            f"The custom field `{mask.plain(name)}` is no longer in {service}.",
            f"custom fields of {connection}",
            "its last values, marked gone; audiences that use it wait",
            ("change the rule, or restore the field and pull",),
        )
        for (name,) in rows
    ]


def _contacts(count: int) -> str:
    return "contact has" if count == 1 else "contacts have"


def _ids(con: Connection, sql: str, of: int) -> str:
    ids = [f"#{id}" for (id,) in con.execute(sql).fetchall()]
    return ", ".join(ids[:3]) + (", …" if of > 3 else "")


def _one(con: Connection, sql: str) -> int:
    row = one_row(con.execute(sql))
    return int(row[0]) if row else 0
