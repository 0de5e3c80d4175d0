"""Attaching a table: any table with an address or contact id becomes columns of the profile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from icx.clock import Clock, naive_utc
from icx.errors import BadInput
from icx.functions import email
from icx.profile import builtin
from icx.profile.catalogue import KEY_COLUMN
from icx.store.db import Connection, DatabaseError, Store, literal, quoted
from icx.store.transactions import transaction

if TYPE_CHECKING:
    import pandas as pd

Identity = Literal["email", "contact_id"]


@dataclass(frozen=True)
class Attached:
    """What was attached: rows in the source, how many found a listed contact, and how many did not.

    `duplicates` are rows whose key an earlier row had already; of these the first row counts.
    `rows` = `matched` + `unmatched` + `duplicates`. `columns` are the profile's new columns.
    """

    name: str
    rows: int
    matched: int
    unmatched: int
    duplicates: int
    columns: list[str] = field(default_factory=list)


def attach(
    store: Store,
    connection: str,
    source: Path | str | pd.DataFrame,
    key: str,
    name: str | None = None,
    identity: str | None = None,
    clock: Clock | None = None,
) -> Attached:
    """Add the columns of a table to the profile as `<name>_<column>`; the next build has them.

    `source` is a CSV or Parquet file, a table of another DuckDB file (`crm.duckdb#contacts`), a table of
    this store (`table:crm.contacts`), or a data frame. `key` is its column of addresses or contact ids; what
    it holds is `identity`, by default an address unless every value is a whole number. Attaching under the
    same name again replaces the table.

    Raises `BadInput` ("attach-source", "attach-key", "attach-name"); what was attached before stays.
    """
    with store.open(connection) as con:
        label = _name(name if name is not None else _default_name(source))
        try:
            con.execute("create or replace temp table attaching as " + _select(con, source))
        except DatabaseError as error:
            raise _wrong(
                "attach-source", f"That table cannot be read: {_first(error)}", str(source)
            ) from None
        finally:
            _forget(con)
        columns = [row[0] for row in con.execute("describe attaching").fetchall() if row[0] != "icx_row"]
        if key not in columns:
            raise _wrong(
                "attach-key", f"There is no column `{key}`. Columns are {', '.join(columns)}.", "--key"
            )
        chosen = _identity(identity) if identity else _guess(con, key)
        _add_keys(con, key, chosen)
        others = [column for column in columns if column != key]
        _check_columns(con, label, others)
        report = _count(con, label, chosen, others)
        table = f"{quoted(connection)}.{quoted(f'attached_{label}')}"
        kept = ", ".join([KEY_COLUMN, *(quoted(column) for column in others)])
        with transaction(con):
            con.execute(f"create or replace table {table} as select {kept} from keyed where turn = 1")
            con.execute("delete from attached where name = ?", [label])
            con.execute(
                "insert into attached (name, key_column, identity, source, row_count, matched, unmatched, duplicates,"
                " attached_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [label, key, chosen, _said(source), report.rows, report.matched, report.unmatched,
                 report.duplicates, naive_utc((clock or store.clock).now())],
            )  # fmt: skip
        con.execute("drop table attaching; drop table keyed")
    return report


def detach(store: Store, connection: str, name: str) -> None:
    """Remove an attached table; the next build has no columns of it."""
    with store.open(connection) as con:
        if not con.execute("select 1 from attached where name = ?", [name]).fetchall():
            raise _wrong("attach-name", f"Nothing is attached as {name}.", connection)
        con.execute(f"drop table if exists {quoted(connection)}.{quoted(f'attached_{name}')}")
        con.execute("delete from attached where name = ?", [name])


def _select(con: Connection, source: Path | str | pd.DataFrame) -> str:
    """Return a query of the source's rows with their place in it, `icx_row`."""
    if not isinstance(source, (str, Path)):
        con.register("attaching_frame", source)
        return "select *, row_number() over () as icx_row from attaching_frame"
    text = str(source)
    if text.startswith("table:"):
        parts = ".".join(quoted(part) for part in text.removeprefix("table:").split("."))
        return f"select *, row_number() over () as icx_row from {parts}"
    path, hash_mark, table = text.partition("#")
    if hash_mark and Path(path).is_file():
        con.execute(f"attach {literal(path)} as attaching_file (read_only)")
        parts = ".".join(quoted(part) for part in table.split("."))
        return f"select *, row_number() over () as icx_row from attaching_file.{parts}"
    if not Path(text).is_file():
        raise _wrong("attach-source", f"There is no file {text}.", text)
    if text.endswith((".parquet", ".pq")):
        return f"select *, row_number() over () as icx_row from read_parquet({literal(text)})"
    return f"select *, row_number() over () as icx_row from read_csv({literal(text)})"


def _forget(con: Connection) -> None:
    con.unregister("attaching_frame")
    con.execute("detach database if exists attaching_file")


def _identity(text: str) -> Identity:
    if text in {"email", "contact_id"}:
        return cast(Identity, text)
    raise _wrong("attach-key", f'"{text}" is no identity; email and contact_id are.', "--identity")


def _guess(con: Connection, key: str) -> Identity:
    row = con.execute(
        f"select count(*) filter (try_cast({quoted(key)} as bigint) is null) from attaching"
        f" where {quoted(key)} is not null"
    ).fetchone()
    return "contact_id" if row == (0,) else "email"


def _add_keys(con: Connection, key: str, identity: Identity) -> None:
    """Make the temporary table `keyed`: the rows with the key to match by, and their turn among equals."""
    if identity == "contact_id":
        value = f"try_cast({quoted(key)} as bigint)"
    else:
        con.execute("create or replace temp table addresses (given varchar, address varchar)")
        given = con.execute(
            f"select distinct {quoted(key)}::varchar from attaching where {quoted(key)} is not null"
        ).fetchall()
        pairs = [[text, email(text)] for (text,) in given]
        if pairs:
            con.executemany("insert into addresses values (?, ?)", pairs)
        value = f"(select address from addresses where given = {quoted(key)}::varchar)"
    con.execute(
        f"create or replace temp table keyed as select *, row_number() over (partition by {KEY_COLUMN}"
        f" order by icx_row) as turn from (select *, {value} as {KEY_COLUMN} from attaching)"
    )


def _count(con: Connection, label: str, identity: Identity, columns: list[str]) -> Attached:
    match = "email_key" if identity == "email" else "id"
    row = con.execute(
        f"""
        select
          count(*),
          count(*) filter ((turn = 1 or {KEY_COLUMN} is null) and listed),
          count(*) filter ((turn = 1 or {KEY_COLUMN} is null) and not listed),
          count(*) filter (turn > 1 and {KEY_COLUMN} is not null)
        from (
          select *, coalesce({KEY_COLUMN} in (select {match} from icontact_users
            where gone_at is null and {match} is not null), false) as listed
          from keyed
        )
        """
    ).fetchone()
    assert row is not None
    rows, matched, unmatched, duplicates = row
    return Attached(label, rows, matched, unmatched, duplicates, [f"{label}_{column}" for column in columns])


def _check_columns(con: Connection, label: str, columns: list[str]) -> None:
    taken = {one.name.lower() for one in builtin.fields()} | {"contact_id"}
    taken |= {
        f"cf_{name}".lower() for (name,) in con.execute("select private_name from custom_fields").fetchall()
    }
    clash = [column for column in columns if f"{label}_{column}".lower() in taken]
    if clash:
        raise _wrong(
            "attach-name",
            f"The profile has a column `{label}_{clash[0]}` already; another name is needed.",
            "--name",
        )


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise _wrong(
            "attach-name", f'"{name}" cannot name a table: letters, digits and _, a letter first.', "--name"
        )
    return name.lower()


def _default_name(source: Path | str | pd.DataFrame) -> str:
    if not isinstance(source, (str, Path)):
        return "frame"
    text = str(source).partition("#")[2] or str(source).removeprefix("table:").rpartition(".")[2]
    if Path(str(source)).suffix.lower() in {".csv", ".tsv", ".parquet", ".pq", ".txt"}:
        text = Path(str(source)).stem
    return re.sub(r"[^A-Za-z0-9_]+", "_", text.rpartition(".")[2])


def _said(source: Path | str | pd.DataFrame) -> str:
    return str(source) if isinstance(source, (str, Path)) else "a data frame"


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def _wrong(code: str, message: str, where: str) -> BadInput:
    return BadInput(
        code,
        message,
        where=where,
        kept="what was attached before",
        next=[["icx", "attach", "--help"]],
    )
