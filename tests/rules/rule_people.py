"""A small catalogue with every type, random rules over it, and random people to try them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from icx.fields import Catalogue, Field
from icx.rules import (
    Compare,
    Days,
    Event,
    Group,
    Happened,
    InAudience,
    Link,
    Lookup,
    OnList,
    Person,
    Rule,
    This,
)
from icx.rules.operators import LINK, LIST_STATES
from icx.store import Connection, memory

AS_OF = datetime(2026, 11, 21, 12, 2, tzinfo=UTC)
NOW = AS_OF.replace(tzinfo=None)
ZONE = ZoneInfo("America/New_York")
TYPES = {
    "city": ("text", "varchar"),
    'odd "name': ("text", "varchar"),
    "opens_90d": ("integer", "bigint"),
    "open_rate_90d": ("number", "double"),
    "cf_vip": ("boolean", "boolean"),
    "email_last_click_ts": ("time", "timestamp"),
    "channels": ("text list", "varchar[]"),
    "open_hours": ("text→integer", "map(varchar, bigint)"),
    "last_channel_activities": ("text→time", "map(varchar, timestamp)"),
}
CATALOGUE = Catalogue([Field(name, kind, name, "…", "contact") for name, (kind, _) in TYPES.items()])  # type: ignore[arg-type]
LISTS = {1: "Newsletter", 2: "O'Brien's \"best\" ☂", 3: "Newsletter twin"}
GOLD: Rule = Compare("opens_90d", ">=", 3) | OnList("on", "Newsletter")
LOOKUP = Lookup(LISTS, {"Gold": GOLD, "Silver": ~InAudience("in", "Gold")}, ZONE)

WORDS = ["Durham", "durham", "DURHAM", "O'Brien", 'a"b', "Größe", "İstanbul", "ΟΔΟΣ", "漢字", " ", "%", "_", "a,b", "\\",
         "x'; drop table profile; --", "null", "ur", "true", "3", "\u202eabc", "\x00"]  # fmt: skip
words = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
stored_words = st.none() | st.just("") | words
integers = st.integers(-2, 8) | st.sampled_from([10**12, -(2**62)])
numbers = st.sampled_from([-1.5, 0.0, 0.1, 0.25, 1.0, 3.0, 1e300]) | st.floats(-10, 10, allow_nan=False)
# Moments cluster on the edges of windows, days and weeks, where mistakes are.
EDGES = [NOW - timedelta(days=d) for d in (0, 1, 7, 30, 90)] + [
    NOW.replace(day=16, hour=5, minute=0),
    NOW.replace(day=1, hour=4, minute=0),
]
moments = st.builds(
    lambda edge, off: edge + timedelta(microseconds=off),
    st.sampled_from(EDGES),
    st.sampled_from([-86_400_000_000, -1, 0, 1, 3_600_000_000]),
)
keys = st.sampled_from(["9", "email", "sms", "'"])


def moment_text(moment: datetime) -> str:
    return f"{moment.isoformat()}+00:00"


times = moments.map(moment_text) | moments.map(lambda m: m.date().isoformat())
windows = st.sampled_from([Days(1), Days(7), Days(0.5), Days(90)]) | st.sampled_from(
    [This("day"), This("week"), This("month"), This("year")]
)


def pairs(values: st.SearchStrategy[Any], key: Any = None) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(values, values).map(lambda pair: tuple(sorted(pair, key=key)))


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=1, max_size=3).map(tuple)


def leaf(name: Any, operators: Sequence[str], values: Any, key: Any = None) -> st.SearchStrategy[Rule]:
    names = name if isinstance(name, st.SearchStrategy) else st.just(name)
    return st.builds(
        Compare, names, st.sampled_from(list(operators)), values, st.none() if key is None else key
    )


COMPARES = ["=", "!=", "<", "<=", ">", ">="]
texts = st.sampled_from(["city", 'odd "name'])
figures = st.sampled_from(["opens_90d", "open_rate_90d"])
compares: st.SearchStrategy[Rule] = st.one_of(
    leaf(texts, LINK, words),
    leaf(texts, ["in", "notIn", "inIgnoreCase", "notInIgnoreCase"], several(words)),
    leaf("opens_90d", COMPARES, integers | st.sampled_from(["3", "2.5", 2.5, 4.0])),
    leaf("opens_90d", ["in", "notIn"], several(integers)),
    leaf("opens_90d", ["between", "notBetween"], pairs(integers)),
    leaf("open_rate_90d", COMPARES, numbers | st.integers(0, 2)),
    leaf("open_rate_90d", ["between", "notBetween"], pairs(numbers)),
    leaf("cf_vip", ["=", "!="], st.sampled_from([True, False, "true", "False"])),
    leaf("email_last_click_ts", COMPARES, times),
    leaf("email_last_click_ts", ["between", "notBetween"], pairs(moments.map(moment_text))),
    leaf(
        "email_last_click_ts", ["between", "notBetween"], pairs(moments.map(lambda m: m.date().isoformat()))
    ),
    leaf("email_last_click_ts", ["within", "notWithin"], windows),
    leaf(st.sampled_from(["channels", "open_hours", "last_channel_activities"]), ["has", "hasNot"], keys),
    leaf(st.sampled_from(["channels", "open_hours"]), ["in", "notIn"], several(keys)),
    leaf("open_hours", COMPARES, integers, keys),
    leaf("last_channel_activities", COMPARES, times, keys),
    leaf("last_channel_activities", ["within", "notWithin"], windows, keys),
    leaf(st.sampled_from(list(TYPES)), ["null", "notNull"], st.none()),
)
counts = st.one_of(
    st.tuples(st.sampled_from(COMPARES), st.integers(0, 4)),
    st.tuples(st.sampled_from(["between", "notBetween"]), pairs(st.integers(0, 4))),
)
betweens = (
    st.none()
    | pairs(moments.map(moment_text))
    | times.map(lambda t: (t, None))
    | times.map(lambda t: (None, t))
)


@st.composite
def events(draw: Any) -> Rule:
    operator, count = draw(counts)
    kind = draw(st.sampled_from(["open", "click", "bounce", "unsubscribe", "any"]))
    between = draw(betweens)
    link = None
    if kind in {"click", "any"}:
        link = draw(
            st.none() | st.builds(Link, st.sampled_from(LINK), st.sampled_from(["x", "/SALE", "'", "?q=%"]))
        )
    return Event(
        kind,
        operator,
        count,
        None if between else draw(st.sampled_from([None, 1, 7, 90])),
        between,
        draw(st.sampled_from([None, 11, 12])),
        link,
        draw(st.sampled_from([None, "messages"])),
        draw(st.booleans()),
    )


on_lists = st.builds(
    OnList,
    st.sampled_from(LIST_STATES),
    st.sampled_from([*LISTS.values(), "#1", "#3"]),  # type: ignore[arg-type]
)
in_audiences = st.builds(InAudience, st.sampled_from(["in", "notIn"]), st.sampled_from(["Gold", "Silver"]))
one_leaf: st.SearchStrategy[Rule] = st.one_of(compares, compares, events(), on_lists, in_audiences)
rules: st.SearchStrategy[Rule] = st.recursive(
    one_leaf,
    lambda inner: st.builds(
        Group, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3).map(tuple), st.booleans()
    ),
    max_leaves=6,
)

happened = st.builds(
    Happened,
    st.sampled_from(["open", "click", "bounce", "unsubscribe"]),
    moments,
    st.sampled_from([11, 12]),
    st.sampled_from([None, "", "http://x.example.com/sale?q=%", "http://example.com/SALE'"]),
    st.booleans(),
)


@st.composite
def people(draw: Any, contact_id: int = 1) -> Person:
    values = {
        "city": draw(stored_words),
        'odd "name': draw(stored_words),
        "opens_90d": draw(st.none() | integers),
        "open_rate_90d": draw(st.none() | st.just(float("nan")) | numbers),
        "cf_vip": draw(st.sampled_from([None, True, False])),
        "email_last_click_ts": draw(st.none() | moments),
        "channels": draw(st.none() | st.lists(keys, max_size=2)),
        "open_hours": draw(st.none() | st.dictionaries(keys, integers, max_size=2)),
        "last_channel_activities": draw(st.none() | st.dictionaries(keys, moments, max_size=2)),
    }
    lists = draw(
        st.dictionaries(st.sampled_from([1, 2, 3]), st.sampled_from(["normal", "pending", "unsubscribed"]))
    )
    own = draw(st.lists(happened, max_size=5))
    # The store marks moments, so two events of one moment are both a machine's or both not.
    marks = {(e.kind, e.at, e.message): e.machine for e in own}
    own = [Happened(e.kind, e.at, e.message, e.url, marks[e.kind, e.at, e.message]) for e in own]
    return Person(contact_id, values, CATALOGUE, AS_OF, LOOKUP, lists, tuple(own))


crowds = st.lists(people(), min_size=1, max_size=6)


@cache
def _duckdb() -> Connection:
    return memory()


def database(crowd: Sequence[Person]) -> Connection:
    """Return an in-memory store that holds these people as a pull and a build would have left them."""
    con = (
        _duckdb().cursor()
    )  # with temporary tables of its own; a DuckDB for each crowd takes half of a test's time
    columns = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {sql}' for name, (_, sql) in TYPES.items())
    con.execute(f"create temp table profile (contact_id bigint, {columns})")
    con.execute(
        "create temp table subscriptions (list_id bigint, contact_id bigint, status varchar, add_date timestamp)"
    )
    con.execute(
        "create temp table icontact_activity"
        " (contact_id bigint, event_type varchar, event_ts timestamp, message_id bigint, event_url varchar)"
    )
    con.execute(
        "create temp table machine_events"
        " (contact_id bigint, message_id bigint, event_type varchar, event_ts timestamp)"
    )
    for number, person in enumerate(crowd):
        marks, values = ["?"], [number]
        for name, (kind, sql) in TYPES.items():
            own = person.values[name]
            if own is not None and "→" in kind:
                marks.append(f"map(?::varchar[], ?::{sql.split(', ')[1].rstrip(')')}[])")
                values += [list(own), list(own.values())]
            else:
                marks.append("?")
                values.append(own)
        con.execute(f"insert into profile values ({', '.join(marks)})", values)
        for list_id, status in person.lists.items():
            con.execute("insert into subscriptions values (?, ?, ?, null)", [list_id, number, status])
        for event in person.events:
            con.execute(
                "insert into icontact_activity values (?, ?, ?, ?, ?)",
                [number, event.kind, event.at, event.message, event.url],
            )
            if event.machine:
                con.execute(
                    "insert into machine_events values (?, ?, ?, ?)",
                    [number, event.message, event.kind, event.at],
                )
    return con
