"""A source of rows made a connection: its identity and address columns found, and what is wrong with it told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from icx.connections.table.connection import GUESSED, Table
from icx.connections.table.source import Source
from icx.connections.table.values import text_of
from icx.errors import BadInput
from icx.functions import email as address_in

if TYPE_CHECKING:
    import pandas as pd

    from icx.http import Secret

_MAIL = re.compile(r"e?mail(address)?|address|subscriberkey")


def table(
    source: str | Path | pd.DataFrame | Source,
    identity: str,
    *,
    email: str | None = None,
    writable: Collection[str] = (),
    name: str = "frame",
    secret: Secret | None = None,
) -> Table:
    """Return a table as a connection.

    `source` is a CSV or Parquet file, a table of a DuckDB file (`crm.duckdb#contacts`) or of an SQL database
    (`postgresql://maya@db.example.com/crm#people`, whose password is `secret`), or a pandas frame, which is called
    `name` and changed in place. `identity` names the column that tells the rows apart. Without `email`, the column of
    addresses is guessed by its name, then by what it holds.

    Raises BadInput `table-source`, `table-column` (a column that is not there) or `table-email` (none is found).
    """
    from icx.connections.table.sources import source_of

    rows = source_of(source, name, secret)
    known = [one.name for one in rows.columns()]
    wanted = known if "*" in writable else list(writable)
    for column in (identity, *([email] if email else []), *wanted):
        if column not in known:
            raise _column(column, known, rows.name)
    found = email or _guess(rows, known, identity)
    if found is None:
        raise BadInput(
            "table-email",
            f"No column of {rows.name} holds addresses, by its name or by its first {GUESSED} rows.",
            where=f"its columns are {', '.join(known)}",
            kept="nothing was saved or changed",
            next=["the same command with --email COLUMN"],
        )
    return Table(
        rows, identity, found, frozenset(wanted) - {identity} | ({found} & set(wanted)), email is None
    )


def _guess(rows: Source, known: Sequence[str], identity: str) -> str | None:
    named = [name for name in known if _MAIL.fullmatch(re.sub(r"[^a-z]", "", name.lower()))]
    held: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for row in islice(rows.rows(), GUESSED):
        for name, value in zip(known, row, strict=True):
            if text := text_of(value).strip():
                filled[name] += 1
                held[name] += "@" in text and address_in(text) is not None
    likely = [name for name in known if held[name] * 2 > filled[name]]
    both = [name for name in named if name in likely] or (named if not filled else []) or likely
    return both[0] if len(both) == 1 or (both and both[0] in named) else None


def _column(name: str, known: Sequence[str], table_name: str) -> BadInput:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    hint = f" Nearest: {', '.join(f'`{one}`' for one in near)}." if near else ""
    return BadInput(
        "table-column",
        f"{table_name} has no column `{name}`.{hint}",
        where=f"its columns are {', '.join(known)}",
        kept="nothing was saved or changed",
        next=["name the column as it is written in the table"],
    )
