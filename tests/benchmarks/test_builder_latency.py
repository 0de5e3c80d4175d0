"""From an edit to its count in the open builder, beside a plain scan of the same files.

A million people and ten million events, as a build publishes them. `test_an_edit_of_ten_million` takes minutes and
gigabytes of disk: `make test-slow` runs it, `make bench` does not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conftest import Ratio
from benchmarks.made import AS_OF
from icx.audience import Live
from icx.fields import Catalogue, Field
from icx.profile.publish import publish
from icx.rules import F
from icx.settings import Settings
from icx.store import memory
from icx.store.published import About
from icx.widgets.builder import Builder

Compare = Callable[..., Ratio]
FIELDS = Catalogue(
    [
        Field("email", "text", "address", "…", "contact", pii=True),
        Field("city", "text", "city", "…", "contact"),
        Field("opens_90d", "integer", "opens", "…", "activity"),
        Field("cf_points", "number", "points", "…", "custom"),
        Field("email_last_click_ts", "time", "last click", "…", "activity"),
    ]
)
f = F(FIELDS)


def made(directory: Path, people: int, events: int) -> Path:
    """Publish so many people and events."""
    con = memory()
    now = AS_OF.replace(tzinfo=None)
    con.execute("select setseed(0.5)")
    con.execute(
        """
        create view profile as
          select i as contact_id, 'person' || i || '@example.com' as email,
            ['Durham', 'Raleigh', 'Cary', 'Austin', null, 'Chapel Hill'][1 + (i * 7) % 6] as city,
            (hash(i) % 20)::bigint as opens_90d, (hash(i + 1) % 640)::double as cf_points,
            $now - to_days((hash(i + 2) % 400)::integer) as email_last_click_ts
          from range(getvariable('people')) t(i)
        """.replace("$now", f"timestamp '{now}'").replace("getvariable('people')", str(people))
    )
    con.execute(
        f"""
        create view icontact_activity as
          select (hash(i) % {people})::bigint as contact_id,
            case when i % 5 < 4 then 'open' else 'click' end as event_type,
            timestamp '{now}' - to_seconds((hash(i + 3) % 34560000)::bigint) as event_ts,
            (88000 + i % 200)::bigint as message_id, 'https://www.example.com/p/' || i % 3000 as event_url
          from range({events}) t(i)
        """
    )
    con.execute(
        "create table icontact_users as select contact_id as id, email, email as email_key from profile"
    )
    con.execute(
        "create table machine_events (contact_id bigint, message_id bigint, event_type varchar, event_ts timestamp)"
    )
    con.execute(
        "create table lists as select 3001 as list_id, 'Newsletter' as name, null::timestamp as gone_at"
    )
    con.execute(
        "create table subscriptions as select 3001 as list_id, contact_id, 'normal' as status, null::timestamp as add_date"
        " from profile where contact_id % 3 = 0"
    )
    con.execute(
        "create table messages (message_id bigint, subject varchar, message_name varchar, html_body varchar)"
    )
    publish(con, directory, About("b-1", AS_OF, people, FIELDS))
    con.close()
    return directory


RULES = {
    "fields": (f.opens_90d >= 3) & f.city.is_in("Durham", "Cary") & (f.cf_points >= 50)
    & ~f.email_last_click_ts.within(days=7),
    "events": (f.opens_90d >= 3) & f.city.is_in("Durham", "Cary") & f.opened(3, days=90) & ~f.on_list("Newsletter"),
}  # fmt: skip
PLAIN = (
    "select count(*) from read_parquet('{}/profile.parquet') where opens_90d >= 3 and city in ('Durham', 'Cary')"
    " and cf_points >= 50 and not (email_last_click_ts >= timestamp '2026-11-14')"
)


def edited(view: Builder) -> Callable[[], object]:
    """Each call is another edit of the first rule, until its answer is there."""
    number = 0

    def once() -> object:
        nonlocal number
        number += 1
        tree: dict[str, Any] = copy.deepcopy(view.tree)
        tree["rules"][0]["value"] = number % 15
        view.set_state({"tree": tree, "rev": view.rev + 1})
        return view.wait(600)

    return once


def latency(compare: Compare, files: Path, kind: str, size: str) -> Ratio:
    view = Builder(Live(files, "acme", None, Settings().tz), RULES[kind], save=lambda _: None).wait(600)
    con = memory()
    try:
        return compare(
            f"builder, edit to count ({kind})",
            edited(view),
            lambda: con.execute(PLAIN.format(files)).fetchall(),
            size=size,
            against="one count(*) where",
            rounds=7,
        )
    finally:
        con.close()
        view.close()


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("million") / "acme", 1_000_000, 10_000_000)


@pytest.mark.parametrize("kind", list(RULES))
def test_an_edit_of_a_million(compare: Compare, million: Path, kind: str) -> None:
    assert latency(compare, million, kind, "1,000,000 people").ratio < 20


@pytest.mark.parametrize("kind", list(RULES))
def test_an_edit_of_ten_million(
    compare: Compare, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    files = made(tmp_path_factory.mktemp("ten") / "acme", 10_000_000, 20_000_000)
    assert latency(compare, files, kind, "10,000,000 people").ratio < 20
