"""The rows that break an expectation, as a table: masked unless asked otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from icx.clock import SYSTEM, Clock
from icx.errors import BadInput
from icx.quality import native
from icx.quality.check import parameters, resolve
from icx.quality.masking import masked, personal_columns
from icx.quality.relation import CannotMap, Relation, Unfit
from icx.quality.rows import Unexpected, unexpected
from icx.quality.scan import PARTS, selecting, split
from icx.quality.suites import Suite, columns_of, filled_in
from icx.quality.totals import own_query
from icx.quality.words import sentence
from icx.store import Connection, Store, quoted

_BESIDE = ("email", "status", "ic_status")  # shown beside the columns looked at, where the table has them


def failing_rows(
    store: Store,
    connection: str,
    suite: Suite,
    which: str,
    *,
    relation: Any = None,
    key: Sequence[str] = ("contact_id",),
    clock: Clock = SYSTEM,
    show_people: bool = False,
    limit: int = 1000,
    personal: Collection[str] = (),
) -> Any:
    """Return a pandas frame of the rows that break what a suite expects of a column, as the table is now.

    `which` is a column, a key such as `profile/email`, or a type of expectation. Columns: `expectation`, the
    row's key, the columns looked at, and the address and status beside them. At most `limit` rows per
    expectation. Raises BadInput when the suite says nothing of that name.
    """
    import pandas as pd

    wanted = which.rpartition("/")[2]
    hidden = personal_columns(personal)
    with store.open(connection) as con:
        found = resolve(con, suite, relation, key)
        given = parameters(con, clock.now())
        entries = [filled_in(entry, given) for entry in suite.expectations]
        chosen = [entry for entry in entries if _named(entry, wanted)]
        if not chosen:
            columns = sorted({name for entry in entries for name in columns_of(entry)})
            raise BadInput(
                "suite-unknown",
                f"The suite {suite.name} expects nothing of {wanted}.",
                where=f"it speaks of {', '.join([*columns, 'table'])}",
                kept="nothing was changed",
                next=[["icx", "check", suite.name, "--rows", columns[0] if columns else "table"]],
            )
        frames = []
        for entry in chosen:
            rows = _rows(con, found, entry, limit)
            if rows:
                shown = rows if show_people else masked(rows, hidden, False)
                frames.append(pd.DataFrame(shown).assign(expectation=sentence(entry)))
    if not frames:
        return pd.DataFrame(columns=["expectation", *found.key])
    whole = pd.concat(frames, ignore_index=True)
    return whole[["expectation", *(name for name in whole.columns if name != "expectation")]]


def _named(entry: Any, wanted: str) -> bool:
    columns = columns_of(entry)
    return (
        wanted in columns
        or wanted in ("+".join(columns), entry["type"])
        or (wanted == "table" and not columns)
    )


def _rows(con: Connection, relation: Relation, entry: Any, limit: int) -> list[dict[str, Any]]:
    if entry["type"] == "unexpected_rows_expectation":
        own = own_query(entry["kwargs"], relation)
        return _fetched(con, f"SELECT * FROM {own} LIMIT {int(limit)}")
    check = _check(relation, entry)
    if check is None:
        return []
    names = dict.fromkeys([*relation.key, *check.columns, *(n for n in _BESIDE if n in relation.types)])
    sql = selecting(relation, check, ", ".join(map(quoted, names)))
    return _fetched(con, f"{sql} LIMIT {int(limit)}")


def _check(relation: Relation, entry: Any) -> Unexpected | None:
    try:
        metrics = native.metrics_of(entry, relation)
    except Exception:  # what GX does not understand has no rows; the report says why
        return None
    for metric in reversed(metrics):
        name, part = split(metric.metric_name)
        if part in PARTS and part != "unexpected_index_query":
            try:
                return unexpected(name, metric.metric_domain_kwargs, metric.metric_value_kwargs, relation)
            except (CannotMap, Unfit):
                return None
    return None


def _fetched(con: Connection, sql: str) -> list[dict[str, Any]]:
    found = con.execute(sql)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
