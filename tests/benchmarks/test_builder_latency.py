"""From an edit in the open builder to its answer, beside a plain scan of the same events.

The answer is the new total, what each rule leaves, and how those people spread over six fields. What is edited: a
number, a rule's count of events, its days (each value for the first time), and a rule known from before, taken out and
put back. The scan is `SCAN` of the store's own table. `test_ten_million` takes minutes, 6 GB of memory and 4 GB of
disk: `pytest tests/benchmarks -m slow -k ten_million` runs it, `make bench` does not.
"""

from __future__ import annotations

import copy
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conftest import LINES, Ratio, quickest
from benchmarks.made import AS_OF
from icx.audience import Live
from icx.fields import Catalogue, Field
from icx.profile.publish import publish
from icx.rules import F
from icx.settings import Settings
from icx.store import Store
from icx.store.db import Connection
from icx.store.published import About
from icx.widgets.builder import Builder

MEMORY = "6GB"
SCAN = "select sum(hash(contact_id)), count(*) from icontact_activity"
FACETS = ("city", "state", "status", "tier", "opens_90d", "email_domain")
FIELDS = Catalogue(
    [
        Field("email", "text", "address", "…", "contact", pii=True),
        Field("city", "text", "city", "…", "contact"),
        Field("state", "text", "state", "…", "contact"),
        Field("status", "text", "status", "…", "contact"),
        Field("email_domain", "text", "domain", "…", "contact"),
        Field("opens_90d", "integer", "opens", "…", "activity"),
        Field("tier", "text", "tier", "…", "derived"),
        Field("cf_points", "number", "points", "…", "custom"),
        Field("email_last_click_ts", "time", "last click", "…", "activity"),
    ]
)
f = F(FIELDS)
RULE = (
    (f.opens_90d >= 3)
    & f.city.is_in("Durham", "Cary", "Raleigh")
    & ~f.email_last_click_ts.within(days=7)
    & f.opened(3, days=90)
    & ~f.on_list("Newsletter")
)


def fill(con: Connection, people: int, events: int) -> None:
    """Make so many people, and three years of events in the order of their messages, most people with few."""
    now = f"timestamp '{AS_OF.replace(tzinfo=None)}'"
    con.execute(
        f"""
        create or replace view profile as
          select 70000 + i as contact_id, 'person' || i || '@example.com' as email,
            ['Durham', 'Raleigh', 'Cary', 'Austin', null, 'Chapel Hill'][1 + (i * 7) % 6] as city,
            ['NC', 'SC', 'VA', 'TX'][1 + (hash(i, 1) % 4)::integer] as state,
            case when hash(i, 2) % 20 = 0 then 'bounced' else 'normal' end as status,
            'mail' || hash(i, 3) % 500 || '.example.com' as email_domain, (hash(i, 4) % 20)::bigint as opens_90d,
            ['new', 'engaged', 'lapsed'][1 + (hash(i, 5) % 3)::integer] as tier,
            (hash(i, 6) % 640)::double as cf_points,
            {now} - to_days((hash(i, 7) % 400)::integer) as email_last_click_ts
          from range({people}) t(i);
        insert into icontact_activity by name
          with drawn as (
            select i * 2000 // {events} as message, hash(i, 2) % 100 as kind, hash(i, 3) / pow(2, 64) as place,
              -172800 * ln(1 - hash(i, 4) / pow(2, 64) * 0.9999) as late, hash(i, 5) % 12 as link
            from range({events}) t(i))
          select least(floor(pow(place, 1.5) * {people})::bigint, {people - 1}) * 7919 % {people} + 70000 as contact_id,
            case when kind < 75 then 'open' when kind < 93 then 'click' when kind < 98 then 'bounce'
              else 'unsubscribe' end as event_type,
            least({now} - to_hours(26280 - (message * 26280 // 2000)::integer) + to_seconds(floor(late)::bigint),
              {now} - to_seconds(1)) as event_ts,
            message + 1 as message_id,
            case when kind between 75 and 92
              then 'https://www.example.com/p/' || (message * 12 + link) % 24000 end as event_url
          from drawn;
        insert into lists by name select 3001 as list_id, 'Newsletter' as name;
        insert into subscriptions by name
          select 3001 as list_id, contact_id, 'normal' as status from profile where contact_id % 3 = 0;
        create or replace view icontact_users as
          select contact_id as id, email, email as email_key from profile;
        create table machine_events as
          select contact_id, message_id, event_type, event_ts from icontact_activity where hash(contact_id, 8) % 50 = 0;
        """.replace(
            "create or replace view icontact_users", "drop table icontact_users; create view icontact_users"
        )
    )


@dataclass(frozen=True)
class Files:
    """What was published, of how many, and how long one scan of the store's events takes."""

    directory: Path
    size: str
    scan: Callable[[], float]


def made(directory: Path, people: int, events: int) -> Iterator[Files]:
    store = Store(directory / "icx.duckdb", memory_limit=MEMORY)
    store.create_schema("acme")
    with store.open("acme") as con:
        fill(con, people, events)
        publish(con, directory / "published", About("b-1", AS_OF, people, FIELDS))
    with store.open("acme") as con:
        scan = lambda: quickest(lambda: con.execute(SCAN).fetchall(), 5)  # noqa: E731
        yield Files(directory / "published", f"{people:,} people, {events:,} events", scan)


class Editor:
    """A builder open on the rule, and the time from an edit to its whole answer."""

    def __init__(self, files: Files) -> None:
        self._told = threading.Event()
        self.view = Builder(Live(files.directory, "acme", None, Settings().tz), RULE, save=lambda _: None)
        self.view.wait(600)
        self.view.observe(lambda _: self._told.set(), "answers")
        self.facets()

    def facets(self) -> None:
        for by in FACETS:
            assert self.view.answer("breakdown", {"rule": self.view.tree, "by": by})["ok"]

    def edit(self, change: Callable[[list[Any]], None]) -> tuple[float, float]:
        """Return the seconds until the figures are there, and until the facets are too."""
        tree = copy.deepcopy(self.view.tree)
        change(tree["rules"])
        self._told.clear()
        began = time.perf_counter()
        self.view.set_state({"tree": tree, "rev": self.view.rev + 1})
        while self.view.answers["rev"] != self.view.rev:
            assert self._told.wait(600)
            self._told.clear()
        counted = time.perf_counter() - began
        self.facets()
        took = time.perf_counter() - began
        assert self.view.answers["total"] is not None, self.view.answers["note"]
        self.view.wait(600)  # the size without machines is told later, and is no part of the next answer
        return counted, took


def edits() -> Iterator[tuple[str, list[Callable[[list[Any]], None]]]]:
    """Yield what is edited, and the edits."""

    def put(rule: int, key: str, value: Any) -> Callable[[list[Any]], None]:
        return lambda rules: rules[rule].update({key: value})

    last: list[Any] = []
    yield "edit of a number", [put(0, "value", n) for n in range(4, 16)]
    yield "edit of how often", [put(3, "value", n) for n in (1, 2, 4, 5, 6, 7, 8, 2)]
    yield "edit of days", [put(3, "days", n) for n in (7, 14, 30, 45, 60, 75, 100, 120, 150, 180)]
    yield (
        "known rule out or in",
        [(lambda rules: last.append(rules.pop(2))), (lambda rules: rules.insert(2, last.pop()))] * 6,
    )


def latencies(files: Files) -> dict[str, float]:
    """Put p50 and p95 of each kind of edit into the table; return the p95 as multiples of the scan."""
    editor = Editor(files)
    found: dict[str, float] = {}
    try:
        for what, changes in edits():
            both = list(zip(*(editor.edit(change) for change in changes), strict=True))
            scan = files.scan()
            for part, times in zip(("figures alone", "all"), both, strict=True):
                values = {"p50": statistics.median(times), "p95": sorted(times)[-1 - len(times) // 20]}
                for name, value in values.items():
                    what_of = f"{what}, {part}, {name}"
                    LINES.append(Ratio(what_of, files.size, value, scan, "one scan of the events"))
            found[what] = LINES[-1].ratio
    finally:
        editor.view.close()
    return found


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    yield from made(tmp_path_factory.mktemp("million"), 1_000_000, 10_000_000)


def test_a_million(million: Files) -> None:
    found = latencies(million)
    assert max(found.values()) < 30


def test_ten_million(tmp_path: Path) -> None:
    for files in made(tmp_path, 10_000_000, 100_000_000):
        assert max(latencies(files).values()) < 30
