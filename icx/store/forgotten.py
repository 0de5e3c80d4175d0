"""Taking a person out of the journal and out of plans: what was done stays counted, whom it was done to is not told."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icx.store import damage, private
from icx.store.wiping import GONE, Whom


def journal(path: Path, whom: Whom, text: re.Pattern[str], *, do: bool) -> dict[str, int]:
    """Return in how many rows of which table of a journal the person is held; with `do` there are none afterwards.

    Rows of plans keep what became of them, so that a plan's sums stay; the contact is taken off. Others may have the
    journal open.
    """
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("pragma secure_delete = on")
            db.execute("begin immediate")
            try:
                found = _rows(db, whom, do=do) | _results(db, whom, do=do)
                for table, count in _texts(db, text, do=do).items():
                    found[table] = found.get(table, 0) + count
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise
            if do:
                db.execute("vacuum")
                db.execute("pragma wal_checkpoint(truncate)")
    except sqlite3.Error as error:
        raise damage.of_sqlite(error, path) or error from None
    return {table: count for table, count in found.items() if count}


def _rows(db: sqlite3.Connection, whom: Whom, *, do: bool) -> dict[str, int]:
    found = 0
    for account, folder, contact in whom.places():
        where = "contact_id = ? and plan in (select number from plans where account_id = ? and client_folder_id = ?)"
        values = (contact, account, folder)
        found += db.execute(f"select count(*) from plan_rows where {where}", values).fetchone()[0]
        if do:
            db.execute(f"update plan_rows set contact_id = null where {where}", values)
    return {"journal.plan_rows": found}


def _results(db: sqlite3.Connection, whom: Whom, *, do: bool) -> dict[str, int]:
    """Take contacts out of what applies came to: ids that were refused, or that differed when read back."""
    found = 0
    for row in db.execute(
        "select number, account_id, client_folder_id, result from plans where result is not null"
    ).fetchall():
        ids = {
            contact
            for account, folder, contact in whom.places()
            if (account, folder) == (row["account_id"], row["client_folder_id"])
        }
        told = json.loads(row["result"])
        less = _without(told, ids)
        if ids and less != told:
            found += 1
            if do:
                db.execute("update plans set result = ? where number = ?", (json.dumps(less), row["number"]))
    return {"journal.plans": found}


def _without(told: Any, ids: set[int]) -> Any:
    if isinstance(told, dict):
        return {
            key: [one for one in value if one not in ids]
            if key in {"contacts", "missing", "extra"} and isinstance(value, list)
            else _without(value, ids)
            for key, value in told.items()
        }
    return [_without(one, ids) for one in told] if isinstance(told, list) else told


def _texts(db: sqlite3.Connection, text: re.Pattern[str], *, do: bool) -> dict[str, int]:
    db.create_function("holds", 1, lambda one: isinstance(one, str) and text.search(one) is not None)
    db.create_function("less", 1, lambda one: text.sub(lambda _: GONE, one))
    found: dict[str, int] = {}
    for (table,) in db.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite%'"
    ).fetchall():
        for column in db.execute(f'pragma table_info("{table}")').fetchall():
            if column["type"].lower() != "text":
                continue
            where = f'where holds("{column["name"]}")'
            count = db.execute(f'select count(*) from "{table}" {where}').fetchone()[0]
            found[f"journal.{table}"] = found.get(f"journal.{table}", 0) + count
            if count and do:
                db.execute(f'update "{table}" set "{column["name"]}" = less("{column["name"]}") {where}')
    return found


def plans(
    folder: Path, path: Path, whom: Whom, text: re.Pattern[str], now: datetime, *, do: bool
) -> dict[str, int]:
    """Return how many rows of plans hold the person; with `do` there are none afterwards.

    A plan's rows keep their place, since outcomes are known by it: the person's is emptied and acts no more, and is
    left out ("erased") of a plan that is still to be applied. `path` is the journal.
    """
    places = _places(path)
    found: dict[str, int] = {}
    for file in sorted(folder.glob("P-*.parquet")) if folder.is_dir() else ():
        number = int(file.stem[2:])
        ids = {
            contact
            for account, in_folder, contact in whom.places()
            if (account, in_folder) == places.get(number)
        }
        rows = pq.read_table(file)
        theirs = [_theirs(row, ids, whom, text) for row in rows.to_pylist()]
        if not any(theirs):
            continue
        found[f"plans/{file.name}"] = sum(theirs)
        if do:
            _leave_out(path, number, rows, theirs, now)
            _rewrite(file, _emptied(rows, theirs))
    return found


def _places(path: Path) -> dict[int, tuple[int, int]]:
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path, timeout=60)) as db:
        rows = db.execute("select number, account_id, client_folder_id from plans").fetchall()
    return {number: (account, folder) for number, account, folder in rows}


def _theirs(row: dict[str, Any], ids: set[int], whom: Whom, text: re.Pattern[str]) -> bool:
    if row.get("contact_id") in ids or row.get("email_key") in whom.keys:
        return True
    return any(isinstance(value, str) and text.search(value) is not None for value in row.values())


def _emptied(rows: pa.Table, theirs: list[bool]) -> pa.Table:
    mask = pa.array(theirs)
    keep = {"place", "on_list", "undoable"}
    for at, name in enumerate(rows.column_names):
        if name in keep:
            continue
        kind = rows.schema.field(name).type
        value = {"action": "refuse", "reason": "erased", "via": ""}.get(name)
        filled = pa.scalar(value, kind)
        rows = rows.set_column(at, name, pa.compute.if_else(mask, filled, rows.column(name)))
    return rows


def _leave_out(path: Path, number: int, rows: pa.Table, theirs: list[bool], now: datetime) -> None:
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=60)) as db:
        state = db.execute("select state from plans where number = ?", (number,)).fetchone()
        if state is None or state[0] not in {"open", "applying"}:
            return
        acting = [
            (number, place, row["action"], now.isoformat(), now.isoformat())
            for place, row in enumerate(rows.select(["action"]).to_pylist())
            if theirs[place] and row["action"] in {"add", "add_pending", "create", "park", "unsubscribe"}
        ]
        db.executemany(
            "insert into plan_rows (plan, row, action, batch, state, words, at, ended_at)"
            " values (?, ?, ?, 0, 'left_out', 'erased', ?, ?) on conflict (plan, row, action) do update set"
            " state = 'left_out', words = 'erased' where state in ('sent', 'in_doubt', 'not_sent')",
            acting,
        )
        db.commit()


def _rewrite(file: Path, rows: pa.Table) -> None:
    part = file.with_suffix(".tmp")
    with private.alone(), part.open("wb") as new:
        pq.write_table(rows, new, compression="zstd")
        new.flush()
        os.fsync(new.fileno())
    part.replace(file)
