"""Taking a person out of the store: the same walk counts first and deletes then, through every table there is.

Tables are found, not listed: a row goes when its table says by contact id, address key or attached key that it is about
the person; in any other text the address alone is replaced. So a table that a later version brings is walked too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from icx.errors import NeedsYou
from icx.store import damage
from icx.store.db import Connection, Store
from icx.store.erased import Erased, normal
from icx.store.names import literal, quoted
from icx.store.still import OLD, copy, finish, forget, put
from icx.store.transactions import transaction

GONE = "(erased)"


@dataclass(frozen=True)
class Contact:
    """A contact: its connection's schema, account, folder and id; `why` it is the person."""

    schema: str
    account_id: int
    client_folder_id: int
    contact_id: int
    why: str = field(default="", compare=False)


@dataclass(frozen=True)
class Whom:
    """A person: every contact and every address that is theirs, as written and as compared."""

    contacts: tuple[Contact, ...]
    addresses: frozenset[str] = field(repr=False)

    @property
    def keys(self) -> list[str]:
        return sorted({normal(one) for one in self.addresses})

    def ids(self, schema: str) -> list[int]:
        return [one.contact_id for one in self.contacts if one.schema == schema]

    def places(self) -> list[tuple[int, int, int]]:
        return [(one.account_id, one.client_folder_id, one.contact_id) for one in self.contacts]


@dataclass(frozen=True)
class Pattern:
    """What finds the addresses of a person in a text (RE2).

    `whole` is ready for DuckDB only after ten milliseconds, because of every letter that may not stand beside them;
    `near` after one, and finds the addresses in longer ones too. So a text where `near` finds nothing has none.
    """

    near: str = field(repr=False)
    whole: str = field(repr=False)


def number(contact: int) -> re.Pattern[str]:
    """Return what finds a contact's id as pages and reports write it."""
    return re.compile(rf"#{contact}(?!\d)")


def who_is(con: Connection, typed: str, connection: str | None = None) -> Whom:
    """Return the person that an address or a contact id names.

    Theirs are the contacts that have the address or had it once, the other addresses of these, and the contacts that
    have one of those today, in every connection. A plus sign makes another address, as it does for iContact.
    `connection` is where a contact id is looked up.
    """
    folders = con.execute(
        "select name, account_id, client_folder_id from shared.connections order by name"
    ).fetchall()
    found: dict[Contact, Contact] = {}
    addresses: set[str] = set()
    by_id = typed.strip().isdigit()
    if not by_id:
        addresses.add(typed.strip())

    def take(rows: Sequence[tuple[Any, ...]], folder: tuple[Any, ...], why: str) -> None:
        for (contact,) in rows:
            one = Contact(folder[0], folder[1], folder[2], contact, why)
            found.setdefault(one, one)

    for folder in folders:
        schema = quoted(folder[0])
        if by_id:
            if connection in (None, folder[0]):
                there = con.execute(f"select id from {schema}.icontact_users where id = ?", [int(typed)])
                take(there.fetchall(), folder, "named")
            continue
        key = normal(typed)
        take(_having(con, schema, [key]), folder, "has this address")
        take(
            con.execute(
                f"select distinct contact_id from {schema}.changes where entity = 'contact' and field = 'email'"
                " and (lower(trim(old)) = ? or lower(trim(new)) = ?)",
                [key, key],
            ).fetchall(),
            folder,
            "had this address",
        )
        take(
            con.execute(
                "select distinct contact_id from shared.consent_facts where account_id = ?"
                " and client_folder_id = ? and email_key = ? and contact_id is not null",
                [*folder[1:], key],
            ).fetchall(),
            folder,
            "was noted with this address",
        )
    if by_id and len(found) > 1:  # the same number in two accounts is two people
        raise NeedsYou(
            "needs-answer",
            f"Contact {typed.strip()} is in {len(found)} connections, and nobody says that they are one person.",
            where=", ".join(one.schema for one in found),
            kept="nothing was erased",
            next=[["icx", "erase", typed.strip(), "--connection", one.schema] for one in found],
        )
    for one in list(found):
        addresses |= set(_addresses(con, one))
    keys = sorted({normal(one) for one in addresses})
    for folder in folders:
        take(_having(con, quoted(folder[0]), keys), folder, "has another address of theirs")
    return Whom(tuple(sorted(found, key=lambda one: (one.schema, one.contact_id))), frozenset(addresses))


def _having(con: Connection, schema: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    rows = con.execute(
        f"select id from {schema}.icontact_users where list_contains($keys, email_key)"
        f" or list_contains($keys, lower(trim(email))) union select id from {schema}.staged_contacts"
        " where list_contains($keys, lower(trim(email)))",
        {"keys": list(keys)},
    ).fetchall()
    return list(rows)


def _addresses(con: Connection, one: Contact) -> list[str]:
    schema = quoted(one.schema)
    rows = con.execute(
        f"select email from {schema}.icontact_users where id = $id union"
        f" select email from {schema}.staged_contacts where id = $id union"
        f" select old from {schema}.changes where entity = 'contact' and field = 'email' and contact_id = $id union"
        f" select new from {schema}.changes where entity = 'contact' and field = 'email' and contact_id = $id union"
        " select email_key from shared.consent_facts where account_id = $account and client_folder_id = $folder"
        "  and contact_id = $id",
        {"id": one.contact_id, "account": one.account_id, "folder": one.client_folder_id},
    ).fetchall()
    return [text for (text,) in rows if text and "@" in text]


# --- through every table ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Table:
    """A table that may hold the person: which of its rows are about them, and which columns are text."""

    schema: str
    name: str
    label: str
    about: str | None
    values: dict[str, Any]
    texts: dict[str, str]  # column: what takes the address out of it


def wipe(con: Connection, whom: Whom, pattern: Pattern, *, do: bool) -> dict[str, int]:
    """Return in how many rows of which table the person is held; with `do` there are none afterwards.

    One transaction, and the ledger's lines are made to say why there are fewer rows now.
    """
    counted: dict[str, int] = {}
    with transaction(con) if do else nullcontext():
        # The tables of one schema follow each other, so that its ledger is looked at before and after.
        for schema, tables in groupby(
            _tables(con, whom, literal(pattern.whole)), key=lambda table: table.schema
        ):
            ledger = do and bool(whom.ids(schema))
            if ledger:
                _count_units(con, schema)
            for table in tables:
                if count := _walk(con, table, pattern, do=do):
                    counted[table.label] = count
            if ledger:
                _explain(con, schema)
    return counted


def _walk(con: Connection, table: _Table, pattern: Pattern, *, do: bool) -> int:
    """Count the rows of one table that hold the person, and empty what was found."""
    if not con.execute(f"select 1 from {table.name} limit 1").fetchall():
        return 0
    count, theirs, near = _held(con, table, pattern.near)
    if near:  # a text that may hold an address: is it theirs, or one that has it inside?
        count, theirs, near = _held(con, table, pattern.whole)
    if do and theirs:
        con.execute(f"delete from {table.name} where {table.about}", table.values)
    for column, change in table.texts.items() if do and near else ():
        if _matches(con, table, column, pattern.near):
            test = f"regexp_matches({quoted(column)}::varchar, {literal(pattern.whole)})"
            con.execute(f"update {table.name} set {quoted(column)} = {change} where {test}")
    return count


def _held(con: Connection, table: _Table, pattern: str) -> tuple[int, int, int]:
    """Return how many rows are about the person or match in a text, how many are about them, how many only match."""
    # Making a pattern ready takes as long as reading thousands of rows, so all texts of a row are asked at once.
    texts = ", ".join(f"{quoted(column)}::varchar" for column in table.texts)
    about = table.about or "false"
    where = (
        f"({about}) or regexp_matches(concat_ws(chr(31), {texts}), {literal(pattern)})" if texts else about
    )
    counts = f"select count(*), count(*) filter ({about}) from {table.name} where {where}"
    count, theirs = con.execute(counts, table.values).fetchall()[0]
    return int(count), int(theirs), int(count) - int(theirs)


def _matches(con: Connection, table: _Table, column: str, pattern: str) -> bool:
    test = f"regexp_matches({quoted(column)}::varchar, {literal(pattern)})"
    return bool(con.execute(f"select 1 from {table.name} where {test} limit 1").fetchall())


def _tables(con: Connection, whom: Whom, pattern: str) -> Iterator[_Table]:
    tables = con.execute(
        "select schema_name, table_name, list(column_name), list(data_type) from duckdb_columns()"
        " where database_name = current_database() and not internal and (schema_name, table_name) in"
        " (select (schema_name, table_name) from duckdb_tables() where database_name = current_database()"
        " and not temporary) group by all order by all"
    ).fetchall()
    for schema, table, columns, types in tables:
        kinds = dict(zip(columns, types, strict=True))
        about, values = _about(schema, table, kinds, whom) or (None, {})
        texts = {column: _replaced(column, kind, pattern) for column, kind in kinds.items()}
        found = {column: change for column, change in texts.items() if change is not None}
        if about or found:
            label = table if schema == "main" else f"{schema}.{table}"
            yield _Table(schema, f"{quoted(schema)}.{quoted(table)}", label, about, values, found)


def _about(schema: str, table: str, columns: dict[str, str], whom: Whom) -> tuple[str, dict[str, Any]] | None:
    """Return which rows of a table are about the person, or None when it says of no row whose it is."""
    if schema == "shared":
        return _shared(table, columns, whom)
    ids, keys = whom.ids(schema), whom.keys
    tests: list[str] = []
    values: dict[str, Any] = {}
    for column in (
        ("contact_id", "id") if table.endswith(("_users", "_contacts", "_people")) else ("contact_id",)
    ):
        if column in columns:
            tests.append(f"list_contains($ids::bigint[], {column})")
            values["ids"] = ids
    for column in ("email_key", "icx_key") if "icx_key" in columns else ():
        if columns.get(column) == "VARCHAR":
            tests.append(f"list_contains($keys::varchar[], {column})")
            values["keys"] = keys
        elif column in columns:
            tests.append(f"list_contains($ids::bigint[], {column}::bigint)")
            values["ids"] = ids
    return (" or ".join(tests), values) if tests else None


def _shared(table: str, columns: dict[str, str], whom: Whom) -> tuple[str, dict[str, Any]] | None:
    if table == "consent_facts":
        return (
            "list_contains($places, account_id || ' ' || client_folder_id || ' ' || contact_id)"
            " or list_contains($keys::varchar[], email_key)",
            {"places": [" ".join(map(str, place)) for place in whom.places()] or [""], "keys": whom.keys},
        )
    if keys := [name for name in ("email_key", "a_email", "b_email") if name in columns]:  # of syncs
        tests = " or ".join(f"list_contains($keys::varchar[], {name})" for name in keys)
        return tests, {"keys": whom.keys}
    if "contact_id" in columns and "connection" in columns:
        return (
            "list_contains($places, connection || ' ' || contact_id)",
            {"places": [f"{one.schema} {one.contact_id}" for one in whom.contacts] or [""]},
        )
    return None


def _replaced(column: str, kind: str, pattern: str) -> str | None:
    """Return a column's text with the addresses replaced, or None for a column that holds no text."""
    name = quoted(column)

    def one(text: str) -> str:
        return f"regexp_replace({text}, {pattern}, '\\1{GONE}\\2', 'g')"

    if kind == "VARCHAR":
        return one(name)
    if kind == "MAP(VARCHAR, VARCHAR)":
        entry = f"{{'key': {one('e.key')}, 'value': {one('e.value')}}}"
        return f"map_from_entries(list_transform(map_entries({name}), lambda e: {entry}))"
    return f"list_transform({name}, lambda e: {one('e')})" if kind == "VARCHAR[]" else None


_UNITS = """
    select 'contacts' as collection, null::bigint as message_id, count(*) as rows from {0}.icontact_users
      where gone_at is null
    union all select 'subscriptions', null, count(*) from {0}.subscriptions
    union all select event_type || 's', message_id, count(*) from {0}.icontact_activity group by all
"""


def _count_units(con: Connection, schema: str) -> None:
    con.execute(f"create or replace temp table units_before as {_UNITS.format(quoted(schema))}")


def _explain(con: Connection, schema: str) -> None:
    """Let a line of the ledger that was right stay right, and say why it has fewer rows than iContact."""
    name = quoted(schema)
    counted = con.execute(
        "select count(*) from duckdb_columns() where database_name = current_database() and schema_name = ?"
        " and table_name = 'units' and column_name = 'others'",
        [schema],
    ).fetchall()[0][0]  # a copy from before an upgrade has none
    con.execute(
        f"""
        update {name}.units set stored = coalesce(n.rows, 0), reason = coalesce(units.reason, 'erased')
          {", others = null" if counted else ""}
        from units_before b left join ({_UNITS.format(name)}) n
          on n.collection = b.collection and n.message_id is not distinct from b.message_id
        where units.collection = b.collection and units.message_id is not distinct from b.message_id
          and units.stored = b.rows and b.rows <> coalesce(n.rows, 0)
        """
    )
    con.execute("drop table units_before")


def in_copy(path: Path, whom: Whom, pattern: Pattern, *, do: bool) -> dict[str, int]:
    """Do the same in a database that is only kept, such as the copy from before an upgrade; its version stays.

    With `do` it is written anew, so that nothing deleted is left in its blocks.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        with damage.told(path), closing(duckdb.connect()) as con:
            con.execute(f"attach {literal(str(path))} as {OLD} {'' if do else '(read_only)'}; use {OLD}")
            found = wipe(con, whom, pattern, do=do)
            if do and found:
                con.execute("checkpoint")
                copy(con, new)
                finish(con, new)
                con.execute(f"use memory; detach {OLD}")
                put(new, path)
            return found
    finally:
        forget(new)


def sweep(store: Store, erased: Erased | None, pattern: Callable[[Whom], Pattern]) -> int:
    """Take out of a store whoever `erased` recognises, as after a restore; return how many contacts that were."""
    if erased is None or not erased.known:
        return 0
    with store.open() as con:
        contacts, addresses = [], set()
        for schema, account, folder in con.execute(
            "select name, account_id, client_folder_id from shared.connections"
        ).fetchall():
            name = quoted(schema)
            for contact, address in con.execute(
                f"select id, email from {name}.icontact_users union select id, email from {name}.staged_contacts"
                f" union select distinct contact_id, null from {name}.icontact_activity"
                f" union select distinct contact_id, null from {name}.subscriptions"
            ).fetchall():
                row = {"contactId": contact, "email": address}
                if erased.names(account, folder, row):
                    contacts.append(Contact(schema, account, folder, contact))
                    addresses |= {address} - {None}
        facts = con.execute("select distinct email_key from shared.consent_facts where email_key is not null")
        addresses |= {key for (key,) in facts.fetchall() if erased.address(key) in erased.known}
        whom = Whom(tuple(set(contacts)), frozenset(addresses))
        if whom.contacts or whom.addresses:
            wipe(con, whom, pattern(whom), do=True)
    return len(whom.contacts)
