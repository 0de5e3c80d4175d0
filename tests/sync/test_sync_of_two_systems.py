"""Two systems in step: what travels, what does not, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from memory import Bench, Killed, person, system

from icx.connections.base import Column
from icx.errors import BadInput, NeedsYou
from icx.store.journal import Journal
from icx.store.syncs import Syncs
from icx.sync import Act, Line, Rule, Sync, When, apply
from icx.sync.health import health as find_health

BOTH = Sync("both", "crm", "mail")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, crm=system("crm"), mail=system("mail"))
    yield made
    made.close()


def hold(bench: Bench, name: str, *people) -> None:
    bench.systems[name].held = {one.key: one for one in people}


def fields(bench: Bench, name: str, key: str) -> dict[str, str]:
    return dict(bench.systems[name].held[key].fields)


# P-17, P-18, P-29, P-30, P-39: two rules, everybody read and matched before anybody is written
def test_everybody_is_matched_by_address_and_made_where_missing_and_a_second_sync_is_empty(
    bench: Bench,
) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"), person("2", "bob@example.com", name="Bob"))
    hold(
        bench, "mail", person("m1", "ADA@example.com", tier="gold"), person("m2", "cy@example.com", name="Cy")
    )
    plan = bench.plan(BOTH)
    assert plan.counts == {"a": {"create": 1, "update": 1}, "b": {"create": 1, "update": 1}}
    assert plan.first
    assert [stop.key for stop in plan.stops] == ["first-run"]
    assert not bench.systems["crm"].log, "planning sends nothing"
    done = bench.apply(BOTH, plan)
    assert (done.state, done.written) == ("finished", 4)
    assert str(done) == "Done: 4 written (2 in crm, 2 in mail)."
    assert fields(bench, "crm", "1") == {"name": "Ada", "tier": "gold"}
    assert fields(bench, "mail", "m1") == {"name": "Ada", "tier": "gold"}
    assert {one.email for one in bench.systems["mail"].held.values()} == {
        "ADA@example.com", "bob@example.com", "cy@example.com",
    }  # fmt: skip
    again = bench.plan(BOTH)
    assert again.empty
    assert again.states == {"in_sync": 3}
    assert again.rows() == [], "what icx wrote is no change"


def test_pages_show_no_address_and_no_value_and_the_journal_keeps_none(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="<b>Augusta</b>"), person("2", "ada@example.com"))
    hold(bench, "mail", person("m1", "bob@example.com", name="Robert"))
    plan = bench.plan(BOTH)
    bench.apply(BOTH, plan)
    health = find_health(BOTH, bench.work(BOTH).state(BOTH), bench.syncs, per_day=70_000)
    pages = plan._repr_html_() + health._repr_html_() + str(plan) + str(health)
    assert "b…@e….com" in pages
    assert not [one for one in ("ada@example", "bob@example", "Augusta", "Robert") if one in pages]
    assert health.people("duplicate", show=True).to_pylist()[0]["address"] == "ada@example.com"
    kept = bench.journal.read("select * from sync_writes")
    assert not [row for row in kept if "Robert" in str(tuple(row))]


# P-40, P-42, P-46
def test_the_side_that_changed_is_copied_and_the_winner_decides_what_changed_on_both(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada", tier="x"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada", tier="x"))
    bench.run(BOTH)
    hold(bench, "crm", person("1", "ada@example.com", name="Adele", tier="from crm"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada", tier="from mail"))
    plan = bench.plan(BOTH)
    assert plan.notes == {"conflict": 1}
    bench.apply(BOTH, plan)
    assert fields(bench, "mail", "m1") == fields(bench, "crm", "1") == {"name": "Adele", "tier": "from crm"}


def test_an_emptied_field_wipes_nothing_unless_its_line_says_so(bench: Bench) -> None:
    sync = Sync("wipe", "crm", "mail", (Line("tier", "tier", blank=True),))
    hold(bench, "crm", person("1", "ada@example.com", name="Ada", tier="x"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada", tier="x"))
    bench.run(sync)
    hold(bench, "crm", person("1", "ada@example.com"))
    bench.run(sync)
    assert fields(bench, "mail", "m1") == {"name": "Ada"}
    assert bench.plan(sync).empty


# P-40, P-48
def test_a_deleted_counterpart_is_shown_and_not_made_anew(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada"))
    bench.run(BOTH)
    hold(bench, "mail")
    plan = bench.plan(BOTH)
    assert plan.empty
    assert plan.reasons == {"deleted_in_b": 1}
    bench.apply(BOTH, plan)
    hold(bench, "crm", person("1", "ada@example.com", name="Adele"))
    assert bench.plan(BOTH).empty, "nor when it changes"
    hold(bench, "mail", person("m9", "ada@example.com"))
    bench.run(BOTH)
    assert fields(bench, "mail", "m9") == {"name": "Adele"}, "somebody made them anew: they are met again"


def test_rows_of_one_identity_are_listed_and_a_link_outlives_it(bench: Bench) -> None:
    ada = person("1", "ada@example.com", name="Ada")
    hold(bench, "crm", ada)
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada"))
    bench.run(BOTH)
    hold(bench, "crm", replace(ada, fields={"name": "Eve"}, trouble="2 rows have this identity"))
    plan = bench.plan(BOTH)
    assert plan.empty
    assert (plan.states, plan.reasons) == ({"duplicate": 1}, {"same_identity": 1})
    hold(bench, "crm", replace(ada, fields={"name": "Adele"}))
    bench.run(BOTH)
    assert fields(bench, "mail", "m1") == {"name": "Adele"}


def test_a_field_that_shows_who_said_no_is_written_by_nothing_else(bench: Bench) -> None:
    shown = Sync("shown", "crm", "mail", unsubscribes={"a": "field tier"})
    hold(bench, "crm", person("1", "ada@example.com", tier="x"))
    hold(bench, "mail", person("m1", "ada@example.com", tier="gold", lists={"1": "unsubscribed"}))
    bench.run(shown)
    assert fields(bench, "crm", "1") == {"tier": "yes"}
    assert fields(bench, "mail", "m1") == {"tier": "gold"}
    assert bench.plan(shown).empty
    with pytest.raises(BadInput, match="would be written twice"):
        bench.plan(replace(shown, lines=(Line("tier", "tier"),)))


def test_duplicates_are_listed_and_neither_written_nor_linked(bench: Bench) -> None:
    hold(
        bench,
        "crm",
        person("1", "ada@example.com", name="Ada"),
        person("2", "Ada@Example.com"),
        person("3", None),
    )
    hold(bench, "mail", person("m1", "ada@example.com"))
    plan = bench.plan(BOTH)
    assert plan.empty
    assert plan.reasons == {"duplicate": 2, "duplicate_there": 1, "no_address": 1}
    bench.apply(BOTH, plan)
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"))
    bench.run(BOTH)
    assert fields(bench, "mail", "m1") == {"name": "Ada"}, "one is left, so it is clear who is meant"


# P-39
def test_a_link_holds_when_the_address_changes(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada"))
    bench.run(BOTH)
    hold(bench, "crm", person("1", "lovelace@example.com", name="Ada L"))
    bench.run(BOTH)
    assert fields(bench, "mail", "m1") == {"name": "Ada L"}
    assert len(bench.systems["mail"].held) == 1


GOLD = Rule("a", (When("field", "is", "tier", "gold"),), "update", (Act("join", "Gold", undo=True),))


# P-19 to P-21, P-26, P-43 to P-47: filters, actions, and how they are undone
def test_who_matches_joins_a_list_and_leaves_it_again_but_only_if_icx_put_them_there(bench: Bench) -> None:
    sync = Sync("gold", "crm", "mail", rules=(GOLD,), unsubscribes={"a": "none", "b": "none"})
    hold(
        bench, "crm", person("1", "ada@example.com", tier="gold"), person("2", "bob@example.com", tier="gold")
    )
    hold(
        bench,
        "mail",
        person("m1", "ada@example.com"),
        person("m2", "bob@example.com", {"2": "normal"}),
    )
    bench.run(sync)
    assert bench.systems["mail"].held["m1"].lists == {"2": "normal"}
    hold(bench, "crm", person("1", "ada@example.com", tier="tin"), person("2", "bob@example.com", tier="tin"))
    plan = bench.plan(sync)
    assert plan.counts["b"] == {"undo": 1}
    assert plan.reasons == {"no_rule": 2}
    bench.apply(sync, plan)
    assert bench.systems["mail"].held["m1"].lists == {}
    assert bench.systems["mail"].held["m2"].lists == {"2": "normal"}, "was there before icx"
    assert fields(bench, "mail", "m1")["tier"] == "gold", "who is out is updated no more"


def test_nobody_who_said_no_is_put_on_a_list_or_made_anew(bench: Bench) -> None:
    sync = Sync("gold", "crm", "mail", rules=(GOLD, Rule("a")))
    hold(
        bench,
        "crm",
        person("1", "ada@example.com", tier="gold"),
        person("2", "bob@example.com", tier="gold"),
        person("3", "cy@example.com", None, "donotcontact", tier="gold"),
    )
    hold(
        bench,
        "mail",
        person("m1", "ada@example.com", {"2": "unsubscribed"}),
        person("m2", "bob@example.com", None, "bounced"),
    )
    plan = bench.plan(sync)
    assert plan.notes["refused"] == 2
    assert plan.reasons == {"said_no": 1}
    bench.apply(sync, plan)
    assert bench.systems["mail"].held["m1"].lists == {"2": "unsubscribed"}
    assert bench.systems["mail"].held["m2"].lists == {}
    assert len(bench.systems["mail"].held) == 2


# P-27, P-41
def test_an_unsubscribe_shows_on_the_other_side_as_a_flag_and_the_flag_goes_when_it_is_over(
    bench: Bench,
) -> None:
    hold(bench, "crm", person("1", "ada@example.com"))
    hold(bench, "mail", person("m1", "ada@example.com", {"1": "unsubscribed"}))
    bench.run(BOTH)
    assert fields(bench, "crm", "1") == {"unsubscribed": "yes"}
    assert bench.systems["crm"].held["1"].status == "normal", "a flag, no unsubscribe"
    hold(bench, "mail", person("m1", "ada@example.com", {"1": "normal"}))
    bench.run(BOTH)
    assert fields(bench, "crm", "1") == {}


# P-22 to P-25
def test_a_status_is_written_as_a_word(bench: Bench) -> None:
    sync = Sync("words", "crm", "mail", (Line("tier", "@status", "b>a"), Line("name", "@list:News", "b>a")))
    hold(bench, "crm", person("1", "ada@example.com"), person("2", "bob@example.com"))
    hold(
        bench,
        "mail",
        person("m1", "ada@example.com", {"1": "pending"}),
        person("m2", "bob@example.com", None, "donotcontact"),
    )
    bench.run(sync)
    assert fields(bench, "crm", "1") == {"tier": "Normal", "name": "pending"}
    assert fields(bench, "crm", "2") == {"tier": "DNC", "name": "none", "unsubscribed": "yes"}


def test_rules_that_lead_in_a_circle_are_told_by_the_plan_and_nothing_is_sent(bench: Bench) -> None:
    sync = Sync(
        "circle",
        "crm",
        "mail",
        alike=False,
        rules=(
            Rule("a", (When("field", "is not", "tier", "x"),), "act", (Act("set", "tier", "x", undo=True),)),
            Rule("b", (When("field", "is", "tier", "x"),), "act", (Act("set", "tier", "x", undo=True),)),
        ),
    )
    hold(bench, "crm", person("1", "ada@example.com"))
    hold(bench, "mail", person("m1", "ada@example.com"))
    plan = bench.plan(sync)
    assert plan.empty
    assert plan.reasons == {"loop": 1}
    assert plan.notes["loop"] == 1
    twice = Sync("twice", "crm", "mail", (Line("name", "tier"), Line("tier", "tier")))
    with pytest.raises(BadInput, match="flip back and forth"):
        bench.plan(twice)


def test_a_value_that_does_not_fit_is_told_and_the_others_travel(bench: Bench) -> None:
    bench.systems["mail"].columns = (Column("name", "Name"), Column("tier", "Tier", longest=4))
    hold(bench, "crm", person("1", "ada@example.com", name="Ada", tier="golden"))
    hold(bench, "mail", person("m1", "ada@example.com"))
    bench.run(BOTH)
    assert fields(bench, "mail", "m1") == {"name": "Ada"}
    again = bench.plan(BOTH)
    assert again.empty
    assert again.reasons == {"unfit b tier": 1}
    hold(bench, "crm", person("1", "ada@example.com", name="Ada", tier="gold"))
    bench.run(BOTH)
    assert fields(bench, "mail", "m1") == {"name": "Ada", "tier": "gold"}
    assert bench.plan(BOTH).states == {"in_sync": 1}


def test_what_the_service_refuses_fails_with_its_words_and_is_tried_again_when_it_changes(
    bench: Bench,
) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"))
    hold(bench, "mail", person("m1", "ada@example.com"))
    bench.systems["mail"].refused["m1"] = "You did not provide a state"
    done = bench.run(BOTH)
    assert done.refused == {"You did not provide a state": 1}
    quiet = bench.plan(BOTH)
    assert quiet.empty
    assert quiet.states == {"failing": 1}
    bench.systems["mail"].refused.clear()
    hold(bench, "crm", person("1", "ada@example.com", name="Adele"))
    bench.run(BOTH)
    assert fields(bench, "mail", "m1") == {"name": "Adele"}


def test_a_value_the_service_keeps_otherwise_does_not_go_back_and_forth(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="NC"))
    hold(bench, "mail", person("m1", "ada@example.com"))
    bench.systems["mail"].keeps["name"] = {"NC": "North Carolina"}
    bench.systems["crm"].keeps["name"] = {"North Carolina": "NC"}
    for _ in range(4):
        bench.run(BOTH)
    assert bench.plan(BOTH).empty
    assert len(bench.systems["mail"].log) == 1


# P-28, P-31: writes of others are noticed
def test_what_somebody_changes_between_plan_and_apply_is_not_written_over(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Ada"))
    bench.run(BOTH)
    hold(bench, "crm", person("1", "ada@example.com", name="Adele"))
    plan = bench.plan(Sync("both", "crm", "mail", winner="b"))
    hold(bench, "mail", person("m1", "ada@example.com", name="Augusta"))
    done = bench.apply(Sync("both", "crm", "mail", winner="b"), plan)
    assert done.left_out == {"changed": 1}
    bench.run(Sync("both", "crm", "mail", winner="b"))
    assert fields(bench, "crm", "1") == {"name": "Augusta"}, "both changed: the winner is the mail system"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_is_killed_at_a_write_doubles_nothing_and_forgets_nothing(
    tmp_path: Path, moment: str
) -> None:
    crm = system("crm", *(person(str(n), f"p{n}@example.com", name=f"P{n}") for n in range(5)))
    mail = system("mail", batch=2)
    bench = Bench(tmp_path, crm=crm, mail=mail)
    plan = bench.plan(BOTH)
    kills = iter([False, False, moment == "before"] if moment == "before" else [False, False, False, True])
    mail.kill = 1.0
    mail._falls = lambda chance: chance == 1.0 and next(kills, False)  # type: ignore[method-assign]
    with pytest.raises(Killed):
        bench.apply(BOTH, plan)
    bench.close()
    fresh = Bench(tmp_path, crm=crm, mail=mail)
    done = fresh.apply(BOTH, plan)
    assert done.state == "finished"
    assert done.written == 5
    assert sorted(one.email or "" for one in mail.held.values()) == [f"p{n}@example.com" for n in range(5)]
    assert fresh.plan(BOTH).empty
    fresh.close()


@pytest.mark.parametrize("arrived", [True, False])
def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_sent_twice(bench: Bench, arrived: bool) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"), person("2", "bob@example.com"))
    mail = bench.systems["mail"]
    plan = bench.plan(BOTH)
    drops = iter([False, True] if arrived else [True])
    mail.drop = 1.0
    mail._falls = lambda chance: chance == 1.0 and next(drops, False)  # type: ignore[method-assign]
    done = bench.apply(BOTH, plan)
    assert (done.state, done.done) == ("finished", {"a": 0, "b": 2})
    assert len(mail.log) == len(mail.held) == 2
    assert bench.plan(BOTH).empty


def test_a_journal_that_was_lost_loses_nothing_that_was_agreed(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com", name="Ada"))
    bench.run(BOTH)
    assert bench.plan(BOTH).plan_id == "S-2"
    bench.journal.close()
    for file in bench.folder.glob("journal.sqlite*"):
        file.unlink()
    bench.journal = Journal(bench.folder / "journal.sqlite", bench.clock)
    bench.syncs = Syncs(bench.journal)
    hold(bench, "crm", person("1", "ada@example.com", name="Adele"))
    assert bench.run(BOTH).plan_id == "S-2"
    assert bench.plan(BOTH).empty


def test_a_plan_asks_before_it_acts_and_an_older_one_is_closed(bench: Bench) -> None:
    hold(bench, "crm", person("1", "ada@example.com"))
    first = bench.plan(BOTH)
    with pytest.raises(NeedsYou) as asked:
        apply(BOTH, first.plan_id, bench.work(BOTH))
    assert asked.value.code == "needs-answer"
    bench.plan(BOTH)
    with pytest.raises(NeedsYou) as closed:
        bench.apply(BOTH, first)
    assert closed.value.code == "plan-closed"
