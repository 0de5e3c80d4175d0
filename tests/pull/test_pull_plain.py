"""The short way of a page gives what the long way gives, whatever stands in its rows."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from icx.icontact import codec
from icx.icontact.paging import Page, Sent
from icx.icontact.resources import RESOURCES
from icx.pull import columns, plain
from icx.pull.units import Unit

BASE: dict[str, dict[str, Any]] = {
    "contacts": {"contactId": "70012", "email": "ada@example.com", "city": "", "bounceCount": "0", "status": "normal",
                 "createDate": "2026-01-03 10:00:00", "tier": "gold", "shoe": "42"},
    "subscriptions": {"subscriptionId": "3001_70012", "listId": "3001", "contactId": "70012", "status": "normal",
                      "addDate": "2026-01-03T10:00:00-05:00"},
    "opens": {"contactId": "70012", "openTime": "2026-01-03T10:00:00-05:00"},
    "clicks": {"contactId": "70012", "clickTime": "2026-01-03T10:00:00-05:00", "clickLink": "http://www.example.com/a"},
}  # fmt: skip
ODD = [
    None, "", "0", "007", "-3", " 12 ", "12.0", "9" * 18, "9" * 19, "1_0", "٣", "x", "true", "\x00", "caf\u00e9", "a\nb", "7\n",
    0, 1, -1, 12.0, 2**63, True, False, [], {}, [None], {"a": "b"},
    "2026-01-03 10:00:00", "2026-01-03T10:00:00-05:00", "2026-01-03T10:00:00+0530", "2026-01-03T10:00:00Z", "2026-01-03",
    "2025-11-02 01:30:00", "2026-03-08 02:30:00", "1883-11-18 12:00:00", "1969-12-31 23:59:59", "2037-07-01 00:00:00",
    "2036-07-01 00:00:00", "9999-12-31T23:59:59-05:00", "0000-00-00 00:00:00", "2026-02-30 00:00:00", "2026-01-03 24:00:00",
    "2026-01-03 10:00:60", "2026-01-03 10:00:00.5", "2026-01-03T10:00:00-14:59", "2026-01-03T10:00:00+15:00",
    "2026-01-03 10:00:00\n", "20260103 10:00:00",
]  # fmt: skip


@st.composite
def pages(draw: st.DrawFn) -> tuple[str, list[Any]]:
    name = draw(st.sampled_from(sorted(BASE)))
    change = st.dictionaries(st.sampled_from([*BASE[name], "more"]), st.sampled_from(ODD), max_size=2)
    gone = st.sets(st.sampled_from(sorted(BASE[name])), max_size=1)
    rows: list[Any] = [
        {key: value for key, value in (BASE[name] | draw(change)).items() if key not in draw(gone)}
        for _ in range(draw(st.integers(1, 3)))
    ]
    return name, rows if draw(st.integers(0, 9)) else [*rows, draw(st.sampled_from(ODD))]


@given(
    asked=pages(),
    skip=st.integers(0, 2),
    names=st.sampled_from([None, frozenset(), frozenset({"tier", "shoe"}), frozenset({"tier"})]),
)
@example(asked=("contacts", [BASE["contacts"] | {"more": 0}]), skip=0, names=None)
@example(
    asked=("subscriptions", [BASE["subscriptions"] | {"subscriptionId": None, "listId": "0"}]),
    skip=0,
    names=None,
)
def test_both_ways_give_the_same_rows(
    asked: tuple[str, list[Any]], skip: int, names: frozenset[str] | None
) -> None:
    name, raws = asked

    def read(raws: Any, offset: int) -> Any:
        rows, aside = codec.decode_rows(RESOURCES[name], raws, offset, names)
        return rows, tuple(aside)

    def sent(*, short: bool) -> Sent:
        return Sent(name, raws, 9, 5, (), plain=short, custom_names=names, read=read)

    unit = Unit(name, 88001 if name in ("opens", "clicks") else None)
    table, aside = columns.after(*columns.table(unit, sent(short=True), 5), 5, skip)
    long, long_aside = columns.after(*columns.table(unit, sent(short=False), 5), 5, skip)
    assert table.schema == long.schema
    assert table.to_pylist() == long.to_pylist()
    assert aside == long_aside
    whole: Page = sent(short=False).page
    places = range(5, 5 + len(raws))
    assert [columns.fingerprint(unit, sent(short=True), 5, place) for place in places] == [
        columns.fingerprint(unit, whole, 5, place) for place in places
    ]


def test_what_comes_by_the_million_goes_the_short_way() -> None:
    for name, row in BASE.items():
        keys = [column.key for column in columns.COLUMNS[name]]
        found = plain.columns(name, keys, [row] * 3, frozenset({"tier", "shoe"}))
        assert [len(found[key]) for key in keys] == [3] * len(keys)
