"""Who fires: once per crossing, per contact or per build (M-22, M-23), whatever the history and wherever a look is killed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from accounts import store_at
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.audience import Audience, People
from icx.audience import save as save_audience
from icx.errors import BadInput
from icx.fields import Catalogue, Field
from icx.rules import Compare, Event, InAudience
from icx.store import Store
from icx.triggers import Do, Trigger, everything, firings, fitting, from_data, load, remove, save
from icx.triggers import look as looking
from icx.triggers.look import fire_existing, look, look_all
from icx.triggers.trigger import FIRES, Paused, as_json

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SCORE = Compare("score", ">=", 50)
WAYS = {
    "reached": SCORE,
    "fell": Compare("score", "<", 50),
    "entered": InAudience("in", "High"),
    "left": InAudience("notIn", "High"),
}
PUSH = Do("push", list="acme/lists/Hot")
HOT = Trigger("Hot", SCORE, PUSH)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_at(tmp_path_factory.mktemp("looks"))


@pytest.fixture
def people(store: Store) -> People:
    return begun(store)


def begun(store: Store) -> People:
    """Return people with a score, without any build yet."""
    folder = store.path.parent / "audiences"
    save_audience(folder, Audience("High", SCORE, "acme"))
    fields = Catalogue(
        [Field("score", "integer", "score", "score", "attached"), Field("city", "text", "", "", "contact")]
    )
    with store.open("acme") as con:
        for table in ("builds", "trigger_last", "trigger_looks", "trigger_firings"):
            con.execute(f"delete from {table}")
        con.execute("create or replace table profile (contact_id bigint, score bigint, city varchar)")
    return People(store, "acme", fields, folder)


def built(people: People, number: int, scores: dict[int, int | None]) -> None:
    """Put a profile in place of the old one, as a build does."""
    at = (NOW + timedelta(hours=number)).replace(tzinfo=None)
    with people.store.open("acme") as con:
        con.execute("delete from profile")
        if scores:
            con.executemany(
                "insert into profile values (?, ?, 'Durham')", [list(row) for row in scores.items()]
            )
        con.execute(
            "insert into builds values (?, ?, ?, 'p-1', ?, 1, 0)", [f"b-{number:02}", at, at, len(scores)]
        )


def fired(people: People, name: str = "Hot") -> list[tuple[int, str]]:
    with people.store.open("acme") as con:
        return sorted((one.contact_id, one.build_id) for one in firings.of(con, name))


def by_hand(trigger: Trigger, history: list[dict[int, int | None]]) -> list[tuple[int, str]]:
    """Who fires, in plain Python: `history` are the scores of each build, the first only tells who is where."""
    found: list[tuple[int, str]] = []
    sides: dict[int, bool] = {}
    for number, scores in enumerate(history):
        known = {one: score for one, score in scores.items() if score is not None or not trigger.numeric}
        high = {one: score is not None and score >= 50 for one, score in known.items()}
        for one in sorted(high) if number else []:
            before = sides.get(one)
            crossed = (before is True and not high[one]) if trigger.downward else (high[one] and not before)
            again = trigger.fires == "contact" and any(one == other for other, _ in found)
            if (crossed or (trigger.fires == "each" and high[one])) and not again:
                found.append((one, f"b-{number:02}"))
        sides = high
    return sorted(found)


anything = {
    "seed": st.integers(0, 10_000),
    "way": st.sampled_from(sorted(WAYS)),
    "fires": st.sampled_from(FIRES),
}


@settings(max_examples=10)
@given(**anything)
def test_each_crossing_fires_exactly_once_wherever_a_look_is_killed_m22_m23(
    store: Store, seed: int, way: str, fires: str
) -> None:
    crossings_are_those_of_plain_python(store, seed, way, fires)


@pytest.mark.slow
@settings(max_examples=200)
@given(**anything)
def test_of_many_histories_too(store: Store, seed: int, way: str, fires: str) -> None:
    crossings_are_those_of_plain_python(store, seed, way, fires)


def crossings_are_those_of_plain_python(store: Store, seed: int, way: str, fires: str) -> None:
    draw = random.Random(seed)
    if fires == "each" and way in {"fell", "left"}:
        fires = "crossing"
    trigger = Trigger("Hot", WAYS[way], PUSH, fires)
    history: list[dict[int, int | None]] = [
        {one: draw.choice([None, 10, 49, 50, 90]) for one in range(1, 8) if draw.random() < 0.85}
        for _ in range(draw.randint(1, 6))
    ]
    people = begun(store)
    with pytest.MonkeyPatch.context() as patch:
        for number, scores in enumerate(history):
            built(people, number, scores)
            if draw.random() < 0.4:
                _killed(patch, people, trigger, draw.randint(1, 6))
            for _ in range(draw.choice([1, 1, 2])):  # who looks twice sees nothing new
                assert look(people, trigger, NOW).error is None
    assert fired(people) == by_hand(trigger, history)


def _killed(patch: pytest.MonkeyPatch, people: People, trigger: Trigger, at: int) -> None:
    """Let a look be killed at its nth question, whatever it has written by then."""
    asked, one_row = [0], looking.one_row

    def dying(executed: Any) -> Any:
        asked[0] += 1
        if asked[0] == at:
            raise KeyboardInterrupt
        return one_row(executed)

    with patch.context() as inner:
        inner.setattr(looking, "one_row", dying)
        try:
            look(people, trigger, NOW)
        except KeyboardInterrupt:
            return


def test_a_firing_cites_what_crossed_and_which_build_saw_it_m22(people: People) -> None:
    built(people, 0, {1: 45, 2: 60})
    assert (look(people, HOT, NOW).first, look(people, HOT, NOW).fired) == (True, 0)
    built(people, 1, {1: 51, 2: 60, 3: 70})
    assert str(look(people, HOT, NOW)) == "Hot fired for 2 people"
    with people.store.open("acme") as con:
        one, new = sorted(firings.of(con, "Hot"), key=lambda each: each.contact_id)
    assert (one.crossed, one.build_id, one.state) == ("reached: 45 → 51", "b-01", "waiting")
    assert (one.firing_id, new.crossed) == ("acme/Hot/b-01/1", "reached: nothing → 70")


def test_whom_it_finds_so_already_fire_on_request_only_and_a_changed_condition_begins_anew_m24(
    people: People,
) -> None:
    built(people, 0, {1: 45, 2: 60, 3: 55})
    look(people, HOT, NOW)
    assert fire_existing(people, HOT, NOW) == 2
    assert fire_existing(people, HOT, NOW) == 0  # once asked, once fired
    assert [one for one, _ in fired(people)] == [2, 3]
    built(people, 1, {1: 45, 2: 60, 3: 55})
    lower = replace(HOT, when=Compare("score", ">=", 40))
    assert look(people, lower, NOW).first  # contact 1 was above 40 before anybody asked
    built(people, 2, {1: 30, 2: 60, 3: 55})
    assert look(people, lower, NOW).fired == 0
    built(people, 3, {1: 44, 2: 60, 3: 55})
    assert look(people, lower, NOW).fired == 1


def test_a_paused_trigger_lets_crossings_go_and_one_taken_away_begins_anew(people: People) -> None:
    resting = replace(HOT, paused=Paused("maya", NOW))
    built(people, 0, {1: 45})
    look(people, resting, NOW)
    built(people, 1, {1: 55})
    assert str(look(people, resting, NOW)) == "Hot is paused: 1 crossing let go"
    built(people, 2, {1: 55})
    assert look(people, HOT, NOW).fired == 0
    assert look_all(people, [], NOW) == []  # its file is gone
    built(people, 3, {1: 10})
    built(people, 4, {1: 90})
    assert [one.first for one in look_all(people, [HOT], NOW)] == [True]


def test_what_is_wrong_with_one_trigger_keeps_no_other_from_firing(people: People) -> None:
    text = replace(HOT, name="Text", when=Compare("city", ">=", 3))
    lost = replace(HOT, name="Lost", when=InAudience("in", "Nobody"))
    built(people, 0, {1: 10})
    look_all(people, [HOT], NOW)
    built(people, 1, {1: 60})
    found = look_all(people, [lost, text, HOT], NOW)
    assert [one.error.code if one.error else one.fired for one in found] == [
        "audience-unknown",
        "trigger-value",
        1,
    ]


# --- a trigger is a file

kept = st.builds(
    Trigger,
    name=st.text(min_size=1, max_size=20),
    when=st.sampled_from(list(WAYS.values())),
    do=st.sampled_from(
        [PUSH, Do("move", list="acme/lists/a/b", to="Later"), Do("set", field="tier", value=""), Do("tag", field="vip"),
         Do("webhook", webhook="env:HOOK", addresses=True), Do("command", command=("/bin/told", "-x")),
         Do("notebook", notebook="x.ipynb", params={"city": "Durham"}, apply=True)]
    ),
    fires=st.sampled_from(["contact", "crossing"]),
    most=st.integers(1, 10_000_000),
    description=st.text(max_size=20),
    paused=st.sampled_from([None, Paused("maya", NOW, "sale is over")]),
)  # fmt: skip


@settings(max_examples=25)
@given(trigger=kept)
def test_a_trigger_is_read_as_it_was_written_m01(trigger: Trigger) -> None:
    try:
        trigger = fitting(trigger)
    except BadInput:
        return
    assert from_data(json.loads(json.dumps(as_json(trigger))), "x.json") == trigger


def test_triggers_are_files_by_name_and_one_that_cannot_be_read_stops_them_all(tmp_path: Path) -> None:
    folder = tmp_path / "triggers"
    path = save(folder, HOT)
    assert (everything(folder), load(folder, "Hot")) == ([HOT], HOT)
    by_hand_named = path.rename(path.with_name("by hand.json"))
    assert save(folder, replace(HOT, most=5)) == by_hand_named
    path.write_text(by_hand_named.read_text())
    with pytest.raises(BadInput, match="both would fire") as twice:
        everything(folder)
    assert twice.value.code == "trigger-file"
    path.write_text('{"name": "Hot"')
    with pytest.raises(BadInput, match="cannot be read as a trigger"):
        everything(folder)
    path.unlink()
    with pytest.raises(BadInput, match="Nearest: Hot") as unknown:
        load(folder, "Hto")
    assert unknown.value.code == "trigger-unknown"
    with pytest.raises(BadInput, match="differ in case alone"):
        save(folder, replace(HOT, name="hot"))
    assert (remove(folder, "Hot"), everything(folder)) == (by_hand_named, [])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"when": Event("open")}, "an audience that is entered or left"),
        ({"when": Compare("score", "=", 5)}, "a number that is reached or fallen below"),
        ({"fires": "each", "when": InAudience("notIn", "High")}, "that is no crossing"),
        ({"fires": "often"}, "once per one of"),
        ({"most": 0}, "`most` is a whole number"),
        ({"do": Do("mail", list="x")}, "mail is none"),
        ({"do": Do("push")}, "needs `list`"),
        ({"do": Do("push", list="Hot")}, "does not name a list"),
        ({"do": Do("push", list="acme/lists/Hot", addresses=True)}, "has no `addresses`"),
        ({"do": Do("webhook", webhook="https://hooks.example.com/T0AB9/x?key=1")}, "cannot be kept"),
        ({"do": Do("command", command=("told", "--token", "abc"))}, "may be a secret"),
        ({"name": " "}, "visible letters"),
    ],
)
def test_what_cannot_be_kept_is_named_m02(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        fitting(replace(HOT, **changed))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"mail": 1}, "has no `mail`"),
        ({"do": {"kind": "push", "too": "x"}}, "has no `too`"),
        ({"do": {"kind": "command", "command": "rm"}}, "list of words"),
        ({"do": {"kind": "push", "list": 3}}, "`list` is a text"),
        ({"do": 3}, "an object with a kind"),
        ({"paused": {"by": "maya"}}, "by whom and since when"),
        ({"icx": 99}, "newer icx"),
    ],
)
def test_a_file_says_nothing_that_is_left_out_unseen(data: dict[str, Any], told: str) -> None:
    with pytest.raises(Exception, match=told):
        from_data(as_json(HOT) | data, "x.json")
