"""The gate before a push: which failed checks concern what the push uses.

Pure over verdicts: `read` fetches them, `decide` judges, `gate` does both. The caller runs what is stale
first; an override says who and why, and holds for one plan.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icx.errors import NeedsYou
from icx.quality.check import STANDARD, current, read_back
from icx.quality.report import ALWAYS_NEEDED, CheckReport, stops_every_push
from icx.quality.suites import find
from icx.store import Store

HELD_BY_LEDGER = frozenset({"contacts", "lists", "subscriptions"})
EVENT_KINDS = frozenset({"opens", "clicks", "bounces", "unsubscribes"})


@dataclass(frozen=True)
class Failure:
    """One reason to hold a push. `key` is what an override names: `profile/email`, `ledger/contacts`."""

    key: str
    line: str
    why: str
    suite: str = ""
    judged: str = ""
    people: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class Override:
    """Somebody's word that one failure shall not hold one plan."""

    key: str
    who: str
    because: str
    plan: str


@dataclass(frozen=True)
class Verdicts:
    """What is known: the last report per suite, and what there is to judge now."""

    reports: Mapping[str, CheckReport]
    current: Mapping[str, str | None]
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Gate:
    """Whether a push may go on. `stale` names suites without a verdict on this data: run them, ask again."""

    failed: list[Failure]
    stale: list[str]
    overridden: list[Override]
    warnings: int = 0
    checked_at: Any = None

    @property
    def ok(self) -> bool:
        return not self.failed and not self.stale

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "failed": [one.key for one in self.failed],
            "stale": list(self.stale),
            "overridden": [
                {"key": one.key, "who": one.who, "because": one.because} for one in self.overridden
            ],
        }

    def error(self, connection: str) -> NeedsYou | None:
        """Return what to raise before a push, or None when it may go on."""
        if self.failed:
            first = self.failed[0]
            more = f" and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
            if first.suite:
                column = first.key.rpartition("/")[2]
                step = ["icx", "check", first.suite]
                step += ["--rows", column] if column != "table" and "+" not in column else []
                where = f"suite {first.suite}, {first.judged}"
            else:
                step, where = ["icx", "pull", connection], f"the ledger of {connection}"
            return NeedsYou(
                "check-failed",
                f"The data did not pass: {first.line}{more}.",
                where=where,
                kept="the plan; nothing was sent",
                next=[step],
                data={"failed": [one.key for one in self.failed]},
            )
        if self.stale:
            return NeedsYou(
                "check-stale",
                "The checked data is not this data.",
                where=f"suite {', '.join(self.stale)}: no verdict on what is stored now",
                kept="the plan; nothing was sent",
                next=[["icx", "check", name] for name in self.stale],
                data={"stale": list(self.stale)},
            )
        return None


def gate(
    store: Store,
    connection: str,
    *,
    columns: Collection[str],
    uses_events: bool,
    ledger_red: Iterable[str] = (),
    overrides: Iterable[Override] = (),
    plan: str | None = None,
    plan_suite: bool = False,
    suites: Sequence[Path] = (),
) -> Gate:
    """Return whether a push of this connection may go on.

    `columns` are the profile's columns the push uses: of its rule, of nested audiences, of the mapping.
    `ledger_red` are the collections of the red ledger cells (`contacts`, `opens`, …). Of `overrides` those
    hold that were given for this `plan`. With `plan_suite` the verdict of the suite `plan` on it counts too.
    """
    needed = [*STANDARD, *(["plan"] if plan_suite else [])]
    return decide(
        read(store, connection, needed, plan, suites),
        columns=columns,
        uses_events=uses_events,
        ledger_red=ledger_red,
        overrides=overrides,
        plan=plan,
    )


def read(
    store: Store, connection: str, needed: Sequence[str], plan: str | None, suites: Sequence[Path] = ()
) -> Verdicts:
    """Return the last verdicts of the suites, what there is to judge now, and the suites' present text."""
    reports: dict[str, CheckReport] = {}
    now: dict[str, str | None] = {}
    with store.open(connection) as con:
        for name in needed:
            now[name] = plan if name == "plan" else current(con, name)
            rows = con.execute(
                "SELECT result, ran_at FROM checks WHERE suite = ? AND judged = ? ORDER BY ran_at DESC LIMIT 1",
                [name, now[name]],
            ).fetchall()
            if rows:
                reports[name] = read_back(json.loads(rows[0][0]), rows[0][1])
    return Verdicts(reports, now, {name: find(name, suites).digest for name in needed})


def decide(
    verdicts: Verdicts,
    *,
    columns: Collection[str],
    uses_events: bool,
    ledger_red: Iterable[str] = (),
    overrides: Iterable[Override] = (),
    plan: str | None = None,
) -> Gate:
    """Return the gate's answer from verdicts alone.

    A missing verdict, one on other data and one of another text of the suite are stale. A critical failure
    of a raw table, of a whole table or of a column every push needs holds every push; another one of the
    profile only a push that uses the column. Warnings hold nothing.
    """
    stale = [
        name
        for name, now in verdicts.current.items()
        if now is None
        or name not in verdicts.reports
        or verdicts.reports[name].judged != now
        or verdicts.reports[name].digest != verdicts.digests.get(name, "")
    ]
    failures: list[Failure] = []
    for name, report in verdicts.reports.items():
        if name in stale:
            continue
        for one in report.failed:
            every = stops_every_push(name, one.columns)
            used = sorted(set(one.columns) & (set(columns) | ALWAYS_NEEDED))
            if every or used:
                why = "holds every push" if every else f"this push uses {', '.join(used)}"
                failures.append(Failure(one.key, one.line, why, name, report.judged, one.people))
    failures += [_red(cell) for cell in sorted(set(ledger_red)) if holds(cell, uses_events)]
    given = [
        one
        for one in overrides
        if plan is not None and one.plan == plan and one.who.strip() and one.because.strip()
    ]
    lifted = {one.key for one in given}
    return Gate(
        failed=[one for one in failures if one.key not in lifted],
        stale=stale,
        overridden=[one for one in given if one.key in {failure.key for failure in failures}],
        warnings=sum(len(report.warnings) for report in verdicts.reports.values()),
        checked_at=max((report.ran_at for report in verdicts.reports.values()), default=None),
    )


def holds(collection: str, uses_events: bool) -> bool:
    """Return whether a red ledger cell of this collection holds a push.

    >>> holds("subscriptions", uses_events=False), holds("clicks", uses_events=False), holds("clicks", True)
    (True, False, True)
    """
    return collection in HELD_BY_LEDGER or (uses_events and collection in EVENT_KINDS)


def _red(collection: str) -> Failure:
    every = collection in HELD_BY_LEDGER
    return Failure(
        f"ledger/{collection}",
        f"stored {collection} differ from the service's count",
        "holds every push" if every else "this push uses events",
    )
