"""Judging a table: the suite's expectations, the verdict, its record in `checks`, its page."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from icx.clock import SYSTEM, Clock, aware_utc, naive_utc
from icx.errors import BadInput, NeedsYou
from icx.quality import native, words
from icx.quality.masking import masked, masked_text, personal_columns
from icx.quality.relation import Relation, describe
from icx.quality.report import CheckReport, Result
from icx.quality.suites import TABLES, Suite, columns_of, filled_in, find, severity
from icx.store import Connection, Store, quoted
from icx.store.db import DatabaseError

STANDARD = ("contacts", "activity", "profile")


@dataclass(frozen=True)
class Target:
    """What is judged: the relation, and the build, pull or plan it belongs to."""

    relation: Relation
    judged: str
    parameters: Mapping[str, Any]


def check(
    store: Store,
    connection: str,
    suite: str,
    *,
    suites: Sequence[Path] = (),
    reports: Path | None = None,
    clock: Clock = SYSTEM,
    run: str = "r-1",
    relation: Any = None,
    judged: str | None = None,
    key: Sequence[str] = ("contact_id",),
    personal: Collection[str] = (),
) -> CheckReport:
    """Judge one table with one suite, keep the verdict in `checks`, write its page, return the report.

    `suites` are folders looked into before the suites that come with icx. The suites contacts, activity and
    profile know their tables; any other judges `relation` (a table's name or query in brackets for FROM, or
    a pandas or Arrow table), else the table its `meta.table` or its own name says. `judged` names what was
    judged when icx cannot know (a plan's id). `personal` are further columns to mask.

    Raises BadInput for an unknown or unreadable suite, NeedsYou when there is nothing to judge yet. An
    expectation that cannot be judged does not raise: it is a failed result that says why.
    """
    asked = find(suite, suites)
    native.load()
    ran_at = clock.now()
    with store.open(connection) as con:
        found = _judged(con, connection, asked, judged)
        target = Target(_found(con, asked, relation, key), found, parameters(con, ran_at))
        entries = [filled_in(entry, target.parameters) for entry in asked.expectations]
        began = clock.monotonic()
        verdicts = native.judge(con, target.relation, entries)
        ((rows_judged,),) = con.execute(f"SELECT count(*) FROM {target.relation.sql}").fetchall()
        hidden = personal_columns(personal)
        report = CheckReport(
            connection=connection,
            suite=suite,
            judged=target.judged,
            ran_at=ran_at,
            run=run,
            results=tuple(
                result(asked, entry, verdict, target.relation.key, hidden)
                for entry, verdict in zip(entries, verdicts, strict=True)
            ),
            rows_judged=rows_judged,
            seconds=clock.monotonic() - began,
            digest=asked.digest,
        )
        if reports is not None:
            from icx.quality.page import write

            report = replace(report, html_path=write(reports / page_name(run, suite), [report]))
        _keep(con, report)

    def fetch(which: str, *, show_people: bool, limit: int) -> Any:
        from icx.quality.failing import failing_rows

        return failing_rows(
            store,
            connection,
            asked,
            which,
            relation=relation,
            key=key,
            clock=clock,
            show_people=show_people,
            limit=limit,
            personal=personal,
        )

    return replace(report, fetch=fetch)


def check_all(
    store: Store, connection: str, names: Sequence[str] = STANDARD, **options: Any
) -> list[CheckReport]:
    """Judge several suites and write one page for all of them, `checks-<run>.html`.

    Options are those of `check`. Every report has the common page as its `html_path`.
    """
    reports: Path | None = options.pop("reports", None)
    found = [check(store, connection, name, **options) for name in names]
    if reports is None:
        return found
    from icx.quality.page import write

    path = write(reports / page_name(options.get("run", "r-1"), None), found)
    return [replace(one, html_path=path) for one in found]


def page_name(run: str, suite: str | None) -> str:
    """Return the file name of a report.

    >>> page_name("r-1", None), page_name("r-142", "profile")
    ('checks-r1.html', 'checks-r142-profile.html')
    """
    return f"checks-{run.replace('-', '')}{f'-{suite}' if suite else ''}.html"


def summary(reports: Sequence[CheckReport]) -> str:
    """Return several suites' verdicts in one line, as the demo prints it."""
    total = sum(len(one.results) for one in reports)
    passed, warned, failed = (
        sum(len(getattr(one, part)) for one in reports) for part in ("passed", "warnings", "failed")
    )
    said = [one.line.partition(", ")[0] for report in reports for one in report.warnings]
    words_of = f" ({'; '.join(said)})" if said and len(said) <= 2 else ""
    plural = "" if warned == 1 else "s"
    return f"{total} expectations: {passed} passed, {warned} warning{plural}{words_of}, {failed} failed"


def current(con: Connection, suite: str) -> str | None:
    """Return what there is to judge now: the last build's id for the profile, else the last complete pull's."""
    sql = (
        "SELECT build_id FROM builds ORDER BY built_at DESC, build_id DESC LIMIT 1"
        if _by_build(suite)
        else "SELECT pull_id FROM pulls WHERE state = 'complete' ORDER BY began_at DESC, pull_id DESC LIMIT 1"
    )
    found = con.execute(sql).fetchall()
    return str(found[0][0]) if found else None


def _by_build(table: str) -> bool:
    return table in TABLES and TABLES[table].by_build


def resolve(con: Connection, suite: Suite, relation: Any, key: Sequence[str]) -> Relation:
    """Return the relation a suite judges; a table of rows given by the caller is put beside the store's."""
    judges = TABLES.get(suite.table or suite.name)
    if relation is None and judges is not None:
        return describe(con, judges.sql, judges.key)
    if relation is None:
        return describe(con, quoted(suite.table or suite.name), key)
    if isinstance(relation, str):
        return describe(con, relation, key)
    con.register("icx_checked", relation)
    return describe(con, "icx_checked", key)


def parameters(con: Connection, now: datetime.datetime) -> dict[str, Any]:
    """Return what a suite may write as {"$PARAMETER": …}: now, tomorrow and as_of, naive UTC."""
    ((pulled,),) = con.execute(
        "SELECT max(started_at) FROM pulls WHERE state = 'complete' AND only_unit IS NULL"
    ).fetchall()
    as_of = pulled or naive_utc(now)
    moments = {"now": naive_utc(now), "tomorrow": naive_utc(now) + datetime.timedelta(days=1), "as_of": as_of}
    return {name: moment.isoformat(sep=" ", timespec="seconds") for name, moment in moments.items()}


def _judged(con: Connection, connection: str, suite: Suite, judged: str | None) -> str:
    table = suite.table or suite.name
    what = judged or current(con, table)
    if what is None:
        raise NeedsYou(
            "check-stale",
            f"There is no {table} of {connection} to check yet.",
            where=f"suite {suite.name}",
            kept="nothing was checked",
            next=[["icx", "build"] if _by_build(table) else ["icx", "pull", connection]],
        )
    return what


def _found(con: Connection, suite: Suite, relation: Any, key: Sequence[str]) -> Relation:
    try:
        return resolve(con, suite, relation, key)
    except DatabaseError:
        table = suite.table or suite.name
        raise BadInput(
            "suite-wrong",
            f"The suite {suite.name} judges {table}, and there is no such table.",
            where=f'{suite.path.name}: "meta": {{"table": "{table}"}}',
            kept="nothing was checked",
            next=[f"name the table in {suite.path.name}, then the same command"],
        ) from None


def result(
    suite: Suite,
    entry: Mapping[str, Any],
    verdict: native.Verdict,
    key: Sequence[str],
    hidden: Collection[str],
) -> Result:
    """Return our record of one verdict, with people masked."""
    columns = columns_of(entry)
    theirs = any(name in hidden for name in columns) and "type" not in str(entry["type"])
    found = native.result_of(verdict.native)
    safe = masked(found, hidden, theirs)
    refused = None if verdict.refused is None else masked_text(verdict.refused)
    people: list[Any] = []
    for row in found.get("partial_unexpected_index_list") or verdict.rows:
        one = row.get(key[0], row.get("contact_id")) if key and isinstance(row, Mapping) else None
        if one is not None and one not in people:
            people.append(one)
    says = words.finding(entry, safe, refused, verdict.success)
    return Result(
        key=f"{suite.name}/{'+'.join(columns) or 'table'}",
        type=str(entry["type"]),
        columns=columns,
        severity=severity(entry),
        success=verdict.success,
        says=words.sentence(entry),
        found=says,
        line=words.whole(entry, says),
        elements=found.get("element_count"),
        unexpected=found.get("unexpected_count"),
        percent=found.get("unexpected_percent"),
        samples=tuple(safe.get("partial_unexpected_list") or masked(list(verdict.rows), hidden, False)),
        people=tuple(people),
        mostly=words.mostly_of(entry),
        refused=refused,
        native={
            **verdict.native,
            "result": safe,
            "exception_info": masked(verdict.native.get("exception_info") or {}, hidden, False),
        },
    )


def _keep(con: Connection, report: CheckReport) -> None:
    kept = report.as_dict() | {
        "digest": report.digest,
        "native": [one.native for one in report.results],
    }
    con.execute("BEGIN")
    try:
        con.execute("DELETE FROM checks WHERE suite = ? AND judged = ?", [report.suite, report.judged])
        con.execute(
            "INSERT INTO checks VALUES (?, ?, ?, ?, ?)",
            [report.suite, report.judged, naive_utc(report.ran_at), report.ok, json.dumps(kept, default=str)],
        )
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise


def last(store: Store, connection: str, suite: str) -> CheckReport | None:
    """Return the last verdict of a suite, read back from `checks`, or None when it never ran."""
    with store.open(connection) as con:
        rows = con.execute(
            "SELECT result, ran_at FROM checks WHERE suite = ? ORDER BY ran_at DESC LIMIT 1", [suite]
        ).fetchall()
    return read_back(json.loads(rows[0][0]), rows[0][1]) if rows else None


def read_back(kept: Mapping[str, Any], ran_at: datetime.datetime) -> CheckReport:
    """Return a report from its stored JSON."""
    natives = kept.get("native") or []
    results = []
    for at, one in enumerate(kept["results"]):
        given = {name: part for name, part in one.items() if name != "outcome"}
        for name in ("columns", "samples", "people"):
            given[name] = tuple(given[name])
        results.append(Result(**given, native=natives[at] if at < len(natives) else {}))
    return CheckReport(
        connection=kept["connection"],
        suite=kept["suite"],
        judged=kept["judged"],
        ran_at=aware_utc(ran_at),
        run=kept["run"],
        results=tuple(results),
        rows_judged=kept["rows"],
        seconds=kept["seconds"],
        digest=kept.get("digest", ""),
        html_path=Path(kept["report"]) if kept.get("report") else None,
    )
