"""Rows 4 and 5: an audience counted with nothing kept, and an edit in the open builder, beside one scan of the events."""

from __future__ import annotations

import copy
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from benchmarks.big_account import AS_OF, Size
from benchmarks.datasets import NAME, account
from benchmarks.harness import SCAN, Figure, bench, in_turn, ratio, seconds, worked
from icx.audience import Live, count
from icx.audience.people import People
from icx.fields import Catalogue
from icx.profile import catalogue
from icx.profile.publish import publish
from icx.rules import F, Rule
from icx.settings import Settings
from icx.store.db import Connection
from icx.store.published import About
from icx.widgets.builder import Builder

FACETS = ("city", "region", "ic_status", "cf_f0", "engagement_tier", "email_domain")


def five(fields: Catalogue) -> Rule:
    """Return the audience of five rules: counts, places, a link, a list, and a window of events."""
    f = F(fields)
    return (
        (f.opens_90d >= 1)
        & f.region.is_in("S1", "S2", "S3", "S4", "S5")
        & f.clicked(url="/p/1")
        & f.opened(3, days=90, distinct="messages")
        & ~f.on_list("List 3")
    )


@dataclass(frozen=True)
class Published:
    """A built account, open, and what its build has published."""

    con: Connection
    folder: Path
    people: People
    rule: Rule

    def scan(self) -> object:
        return self.con.execute(SCAN).fetchall()


@contextmanager
def published(size: Size) -> Iterator[Published]:
    with account(size, built=True) as acme, acme.store.open(NAME) as con:
        con.execute("set threads = 2")
        fields = catalogue(acme.store, NAME, None)
        folder = acme.folder / "published" / NAME
        publish(con, folder, About("b-1", AS_OF.replace(tzinfo=UTC), size.contacts, fields))
        yield Published(con, folder, People(acme.store, NAME, fields), five(fields))


@bench(4, "XS", "S1", "S2", "hard")
def audience(size: Size) -> Iterator[Figure]:
    """From the store as code counts it; from published files as a view's first answer does, and with them open."""
    with published(size) as acme:
        opened = Live(acme.folder, NAME, None, Settings().tz)

        def anew() -> object:
            opened.published._kept.clear()
            return opened.count(acme.rule)

        live = lambda: Live(acme.folder, NAME, None, Settings().tz).count(acme.rule)  # noqa: E731
        anew()
        times = in_turn(5, count=lambda: count(acme.people, acme.rule), live=live, anew=anew, scan=acme.scan)
        scan = f"one scan of the events ({min(times['scan']) * 1000:.0f} ms)"
        for name, what in (
            ("count", "five rules, counted in the store"),
            ("live", "the same, published files"),
            ("anew", "the same, published files that are open, nothing kept"),
        ):
            yield Figure(
                what, ratio(times, name, "scan"), target=2, against=scan, times=times,
                note=f"{min(times[name]) * 1000:.0f} ms, {worked(times, name, 'scan')}",
            )  # fmt: skip


class Editor:
    """A builder open on the rule, and the time from an edit to its whole answer."""

    def __init__(self, acme: Published) -> None:
        self._told = threading.Event()
        self.view = Builder(Live(acme.folder, NAME, None, Settings().tz), acme.rule, save=lambda _: None)
        self.view.wait(600)
        self.view.observe(lambda _: self._told.set(), "answers")
        self.facets()

    def facets(self) -> None:
        for by in FACETS:
            assert self.view.answer("breakdown", {"rule": self.view.tree, "by": by})["ok"]

    def edit(self, change: Callable[[list[Any]], None]) -> tuple[float, float, float]:
        """Return the seconds until the figures are there, until the facets are too, and of cores' work by then."""
        tree = copy.deepcopy(self.view.tree)
        change(tree["rules"])
        self._told.clear()
        worked = time.process_time()
        began = time.perf_counter()
        self.view.set_state({"tree": tree, "rev": self.view.rev + 1})
        while self.view.answers["rev"] != self.view.rev:
            assert self._told.wait(600)
            self._told.clear()
        counted = time.perf_counter() - began
        self.facets()
        took = time.perf_counter() - began
        worked = time.process_time() - worked
        assert self.view.answers["total"] is not None, self.view.answers["note"]
        self.view.wait(600)  # the size without machines is told later, and is no part of the next answer
        return counted, took, worked


def edits() -> Iterator[tuple[str, float, list[Callable[[list[Any]], None]]]]:
    """Yield what is edited, its target, and the edits, each value for the first time."""

    def put(rule: int, key: str, value: Any) -> Callable[[list[Any]], None]:
        return lambda rules: rules[rule].update({key: value})

    last: list[Any] = []
    yield "a number", 3.5, [put(0, "value", n) for n in range(2, 14)]
    yield "a number of events", 3.5, [put(3, "value", n) for n in (1, 2, 4, 5, 6, 7, 8)]
    yield "days", 3.5, [put(3, "days", n) for n in (7, 14, 30, 45, 60, 75, 100, 120, 150, 180)]
    yield "a link", 3.5, [put(2, "url", {"operator": "contains", "value": f"/p/{n}"}) for n in range(2, 10)]
    out, back = (lambda rules: last.append(rules.pop(2))), (lambda rules: rules.insert(2, last.pop()))
    yield "a known rule out or in", 0.1, [out, back] * 6


@bench(5, "XS", "S1", "S2", "hard")
def builder(size: Size) -> Iterator[Figure]:
    """Total, what each rule leaves and six facets after an edit: the slowest of twenty (p95)."""
    with published(size) as acme:
        editor = Editor(acme)
        try:
            for what, target, changes in edits():
                scans, plain = [seconds(acme.scan)], []
                edited = []
                for change in changes:
                    edited.append(editor.edit(change))
                    worked = time.process_time()
                    scans.append(seconds(acme.scan))
                    plain.append(time.process_time() - worked)
                figures, both, work = zip(*edited, strict=True)
                by_work = f"{max(work) / min(plain):.3g} × by cores' work"
                for part, found in (("figures", figures), ("figures and six facets", both)):
                    slow = sorted(found)[-1 - len(found) // 20]
                    yield Figure(
                        f"edit of {what}, {part}, p95", slow / min(scans),
                        target=target if part != "figures" else None,
                        against=f"one scan of the events ({min(scans) * 1000:.0f} ms)", times={"ours": list(found), "scan": scans},
                        note=f"{slow * 1000:.0f} ms, p50 {statistics.median(found) * 1000:.0f} ms"
                        + (f", {by_work}" if part != "figures" else ""),
                    )  # fmt: skip
        finally:
            editor.view.close()
