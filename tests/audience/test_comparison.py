"""Audiences side by side: every person is counted in one combination, and each turn's coming and going adds up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from icx.audience import Audience, People
from icx.audience.comparison import compare, turns
from icx.audience.snapshots import snapshot
from icx.look.upset import upset
from icx.rules import F

START = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_turn_is_the_last_size_plus_who_came_less_who_went(people: People, f: F) -> None:
    rules = [f.opens_90d >= 1, f.opens_90d >= 3, f.everybody(), f.city == "Durham", f.city == "nowhere"]
    for n, rule in enumerate(rules):
        snapshot(people, Audience("moving", rule, people.connection), START + timedelta(days=n))
    found = turns(people, "moving")
    assert len(found) == len(rules)
    assert (found[0].entered, found[0].left) == (None, None)  # nobody knows who was in before
    for before, now in pairwise(found):
        assert now.entered is not None
        assert now.left is not None
        assert before.snapshot.size + now.entered - now.left == now.snapshot.size
    assert found[-1].snapshot.size == 0
    assert found[-1].left == found[-2].snapshot.size
    assert turns(people, "never stored") == []


def test_a_comparison_says_what_is_shared_and_what_moved(people: People, f: F) -> None:
    keen = Audience("Keen", f.opens_90d >= 1, people.connection)
    durham = Audience("<b>Durham</b>", f.city == "Durham", people.connection)
    snapshot(people, keen, START)
    found = compare(people, [keen, durham])
    assert found.overlap.sizes == (keen.of(people).count().count, durham.of(people).count().count)
    assert len(found.history) == 1
    assert found.as_dict()["history"][0]["count"] == found.overlap.sizes[0]
    shown = found._repr_html_()
    assert "&lt;b&gt;Durham&lt;/b&gt;" in shown
    assert "<b>Durham" not in shown


def test_the_chart_says_every_combination_with_its_number() -> None:
    shown = upset(["A one", "B two"], [5, 3], {(0,): 3, (1,): 1, (0, 1): 2})
    said = re.findall(r'aria-label="([^"]+)"', shown)
    assert "3 people only in A one" in said
    assert "2 people in A one and B two" in said
    assert shown.index("3 people only") < shown.index("2 people in A one and") < shown.index("1 person only")


def test_what_does_not_fit_is_summed_up() -> None:
    names = [f"n{n}" for n in range(6)]
    cells = {tuple(p for p in range(6) if mask >> p & 1): mask for mask in range(1, 64)}
    sizes = [sum(n for inside, n in cells.items() if p in inside) for p in range(6)]
    assert f"47 smaller combinations with {sum(range(1, 48)):,} people" in upset(names, sizes, cells)
