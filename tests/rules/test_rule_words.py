"""What rules say: English, Python, the answer about one person; and what errors say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rule_people import AS_OF, CATALOGUE, LOOKUP

from icx.errors import BadInput, Damaged, IcxError, NeedsYou
from icx.fields import Catalogue, Field
from icx.rules import (
    EVERYBODY,
    Compare,
    Days,
    Event,
    F,
    Group,
    Happened,
    InAudience,
    Link,
    Lookup,
    OnList,
    Person,
    Rule,
    This,
    as_event,
    english,
    fields_used,
    from_json,
    oracle,
    reason,
    sentence,
    sql,
    to_json,
    uses_events,
    without_machines,
)

f = F(CATALOGUE)
ZONE = ZoneInfo("America/New_York")
LOYAL = (f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (LOYAL, "opened at least 3 times in the last 90 days, and city is Durham, and did not click in the last 7 days"),
        (f.city == "Durham", "city is Durham"),
        (~(f.city == "Durham"), "city is not Durham or is missing"),
        (f.city != "Durham", "city is not Durham"),
        (f.city.is_in("Durham", "Chapel Hill", "a, b"), 'city is Durham, Chapel Hill or "a, b"'),
        (f.city.not_in("Durham", "Raleigh"), "city is not Durham or Raleigh"),
        (f.city.contains("ur"), 'city contains "ur"'),
        (f.city.begins_with("Du", ignore_case=True), 'city starts with "Du" in any case'),
        (f.city.is_missing(), "has no city"),
        (~f.city.is_missing(), "has a city"),
        (f.opens_90d == 0, "did not open in the last 90 days"),
        (~(f.opens_90d >= 3), "opened fewer than 3 times in the last 90 days"),
        (f.opens_90d.between(2, 5), "opened 2 to 5 times in the last 90 days"),
        (f.open_rate_90d > 0.25, "open rate 90d is more than 0.25"),
        (f.cf_vip == True, "vip is true"),  # noqa: E712
        (f.email_last_click_ts.is_missing(), "never clicked"),
        (f.email_last_click_ts.has_value(), "clicked at some time"),
        (f.email_last_click_ts.not_within(days=7), "last clicked, but not in the last 7 days"),
        (f.email_last_click_ts < date(2026, 11, 1), "last clicked before 1 Nov 2026"),
        (~(f.email_last_click_ts < date(2026, 11, 1)), "last clicked from 1 Nov 2026 or never clicked"),
        (f.email_last_click_ts >= datetime(2026, 11, 1, 12, tzinfo=UTC), "last clicked from 1 Nov 2026 07:00"),
        (f.email_last_click_ts.within(this="week"), "last clicked this week"),
        (f.channels.has("email"), "channels has email"),
        (f.open_hours["9"] >= 3, "open hours of 9 is at least 3"),
        (f.on_list("Newsletter"), "is on the list Newsletter"),
        (~f.on_list("Newsletter"), "is not on the list Newsletter"),
        (f.on_list("Newsletter", "unsubscribed"), "is unsubscribed from the list Newsletter"),
        (f.in_audience("Gold"), "is in the audience Gold"),
        (~f.in_audience("Gold"), "is not in the audience Gold"),
        (f.opened(3, days=90, distinct="messages"), "opened at least 3 different messages in the last 90 days"),
        (f.clicked(url="/members", days=180), 'clicked a link containing "/members" in the last 180 days'),
        (f.clicked(times=0, since=date(2026, 10, 1)), "did not click since 1 Oct 2026"),
        (f.opened(times=0), "never opened"),
        (f.opened(times=0, message=88104), "never opened message 88104"),
        (f.opened(at_most=2, days=30), "opened at most 2 times in the last 30 days"),
        (f.opened(3, human=True), "opened at least 3 times (likely machines not counted)"),
        (f.bounced(count=(">", 1)), "bounced more than once"),
        (f.did(days=1), "had an event in the last day"),
        ((f.city == "A") | ((f.city == "B") & (f.cf_vip == True)), "city is A, or (city is B and vip is true)"),  # noqa: E712
        (~((f.city == "A") | (f.city == "B")), "not (city is A or city is B)"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_person_would_say_it(rule: Rule, said: str) -> None:
    assert english(rule, ZONE) == said


def test_a_sentence_describes_the_people() -> None:
    assert sentence(LOYAL) == (
        "people who opened at least 3 times in the last 90 days, and whose city is Durham,"
        " and who did not click in the last 7 days"
    )
    assert sentence(EVERYBODY) == "all contacts"
    assert sentence(~EVERYBODY) == "nobody"


def test_control_characters_of_a_value_are_shown_never_sent_to_the_terminal() -> None:
    assert english(f.city == "a\x1b[31m\u202eb") == 'city is "a\\x1b[31m\\u202eb"'


def test_the_repr_of_a_rule_is_what_was_typed() -> None:
    assert repr(LOYAL) == '(f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)'


@pytest.mark.parametrize("slip", [lambda: LOYAL and LOYAL, lambda: LOYAL or LOYAL, lambda: not LOYAL])
def test_and_or_not_raise_and_name_the_operator_to_use(slip: Any) -> None:
    with pytest.raises(BadInput, match=r"& for `and`, \| for `or`, ~ for `not`"):
        slip()


def test_a_chained_comparison_raises_instead_of_losing_a_half() -> None:
    with pytest.raises(BadInput, match=r"& for `and`"):
        1 < f.opens_90d < 5  # noqa: B015


def test_forgotten_parentheses_are_named() -> None:
    with pytest.raises(BadInput):
        f.opens_90d >= 3 & (f.city == "Durham")  # type: ignore[operator]  # noqa: B015
    with pytest.raises(BadInput, match="is not one"):
        LOYAL & 3  # type: ignore[operator]


def test_a_field_alone_is_no_rule() -> None:
    with pytest.raises(BadInput, match="alone is no rule"):
        bool(f.city)


def test_tab_completion_lists_the_fields_and_the_field_explains_itself() -> None:
    assert "opens_90d" in dir(f)
    assert "opens_90d (integer)" in (f.opens_90d.__doc__ or "")
    assert not hasattr(f, "_repr_html_")


def test_an_unknown_field_names_the_nearest_ones() -> None:
    with pytest.raises(BadInput, match=r"There is no field `opens_9d`\. Nearest: `opens_90d`") as caught:
        f.opens_9d  # noqa: B018
    assert caught.value.code == "field-unknown"
    assert caught.value.next == [["icx", "fields", "opens_90d"]]


def read(data: Any) -> Any:
    return sql(from_json(data, "loyal.json"), CATALOGUE, LOOKUP, AS_OF, where="loyal.json")


def one(field: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, **more}


def test_an_unknown_field_in_a_file_is_named_with_its_path() -> None:
    nested = {"combinator": "and", "rules": [{"combinator": "or", "rules": [one("city", "=", "A"), one("opens_9d", ">", 1)]}]}  # fmt: skip
    with pytest.raises(BadInput) as caught:
        read(nested)
    assert caught.value.code == "field-unknown"
    assert caught.value.where_text() == "loyal.json, rules[0].rules[1]"


def test_a_value_that_does_not_fit_says_what_the_field_can() -> None:
    with pytest.raises(BadInput) as caught:
        read({"combinator": "and", "rules": [one("cf_vip", "=", True), one("city", ">=", 3)]})
    assert str(caught.value) == (
        '`city` is text; "at least 3" needs a number. [rule-value]\n'
        "  where  loyal.json, rules[1], value 3\n"
        "  kept   nothing was changed\n"
        "  next   text can: is, is not, contains, starts with, ends with, is one of, has a value"
    )


@pytest.mark.parametrize(
    "leaf",
    [
        one("opens_90d", ">=", "many"),
        one("opens_90d", ">=", True),
        one("opens_90d", "contains", "3"),
        one("opens_90d", ">=", None),
        one("opens_90d", "between", [5, 1]),
        one("opens_90d", "between", [5]),
        one("opens_90d", "in", []),
        one("opens_90d", ">=", float("nan")),
        one("opens_90d", "=", 2**80),
        one("city", "=", ""),
        one("city", "=", 2.5),
        one("city", "=", "\ud800"),
        one("city", "in", ""),
        one("city", "looksLike", "x"),
        one("city", "=", {"a": 1}),
        one("city", "=", "x", valueSource="field"),
        one("city", "=", "x", key="k"),
        one("cf_vip", "=", "maybe"),
        one("email_last_click_ts", "<", "yesterday"),
        one("email_last_click_ts", "<", 5),
        one("email_last_click_ts", "within", {"days": 0}),
        one("email_last_click_ts", "within", {"days": -1}),
        one("email_last_click_ts", "within", {"days": 10**9}),
        one("email_last_click_ts", "within", {"weeks": 1}),
        one("email_last_click_ts", "within", {"this": "century"}),
        one("email_last_click_ts", "<", "0001-01-01T00:00:00+14:00"),
        one("channels", "=", "email"),
        one("@list", "subscribed", "Newsletter"),
        one("@list", "on", ""),
        one("@audience", "contains", "Gold"),
        one("@event.opened", ">=", 1),
        one("@event.open", ">=", -1),
        one("@event.open", ">=", 1.5),
        one("@event.open", "contains", 1),
        one("@event.open", ">=", 1, days=0),
        one("@event.open", ">=", 1, days="soon"),
        one("@event.open", ">=", 1, days=True),
        one("@event.open", ">=", 1, day=90),
        one("@event.open", ">=", 1, days=7, between=["2026-01-01", None]),
        one("@event.open", ">=", 1, between=["2026-02-01", "2026-01-01"]),
        one("@event.open", ">=", 1, between=["soon", None]),
        one("@event.open", ">=", 1, url={"operator": "contains", "value": "x"}),
        one("@event.click", ">=", 1, url={"operator": "in", "value": "x"}),
        one("@event.click", ">=", 1, url={"operator": "contains", "value": ""}),
        one("@event.click", ">=", 1, distinct="links"),
        one("@event.click", ">=", 1, message="first"),
        one("@event.click", ">=", 1, human="yes"),
        one("@event.click", "between", [3, 1]),
        one("@thing", "=", "x"),
        {"field": "city"},
        {"operator": "="},
        {"combinator": "xor", "rules": []},
        {"combinator": "and", "rules": "city"},
        {"combinator": "and", "rules": [], "not": "yes"},
        {"combinator": "and", "rules": [None]},
        {"rules": [one("city", "=", "A"), "and"]},
        {"combinator": "and", "rules": [one("city", "=", "A", muted=True)]},
        [],
        "city = Durham",
    ],
)
def test_a_bad_rule_is_refused_in_four_parts(leaf: Any) -> None:
    with pytest.raises(BadInput) as caught:
        read(leaf)
    error = caught.value
    assert error.code == "rule-value"
    assert error.message
    assert error.where_text().startswith("loyal.json")
    assert error.kept
    assert error.next


def test_two_lists_of_one_name_are_both_named() -> None:
    lookup = Lookup({3004: "Durham regulars", 3019: "Durham regulars"}, list_sizes={3004: 176, 3019: 2}, connection="acme")  # fmt: skip
    with pytest.raises(BadInput) as caught:
        sql(OnList("on", "Durham regulars"), CATALOGUE, lookup, AS_OF)
    assert caught.value.code == "list-twice"
    assert caught.value.message == 'acme has two lists "Durham regulars".'
    assert "#3004 with 176 members · #3019 with 2 members" in caught.value.where_text()
    assert sql(OnList("on", "#3019"), CATALOGUE, lookup, AS_OF).params[0] == 3019


def test_an_unknown_list_names_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        sql(OnList("on", "newsleter"), CATALOGUE, LOOKUP, AS_OF)
    assert caught.value.code == "list-unknown"
    assert "Newsletter (1)" in caught.value.message


def test_a_custom_field_that_is_gone_stops_the_rule_that_uses_it() -> None:
    gone = Catalogue([Field("cf_tier", "text", "tier", "…", "custom", gone=True)])
    with pytest.raises(Damaged, match="The custom field `tier` is no longer in iContact") as caught:
        sql(Compare("cf_tier", "=", "A"), gone, LOOKUP, AS_OF)
    assert caught.value.code == "field-gone"


def test_audiences_that_use_each_other_are_refused_with_the_path() -> None:
    lookup = Lookup(audiences={"Gold": InAudience("in", "Silver"), "Silver": InAudience("in", "Gold")})
    with pytest.raises(NeedsYou, match="Gold uses Silver, which uses Gold") as caught:
        sql(InAudience("in", "Gold"), CATALOGUE, lookup, AS_OF)
    assert caught.value.code == "audience-cycle"
    assert caught.value.where_text() == "Gold → Silver → Gold"


def test_no_value_of_any_kind_of_leaf_stands_in_the_sql() -> None:
    named = Lookup({7_770_001: "zqlist"}, {"zqaudience": f.city == "zqinner"}, ZONE)
    rule = Group(
        "or",
        (
            f.city == "zq'1",
            f.city.is_in("zq2", "zq3", ignore_case=True),
            f.city.contains('zq"4'),
            f.opens_90d > 7_770_002,
            f.opens_90d.between(7_770_003, 7_770_004),
            f.open_rate_90d < 0.777,
            f.email_last_click_ts < "1777-07-07",
            f.channels.has("zq5"),
            f.open_hours["zq6"] >= 7_770_005,
            f.on_list("zqlist"),
            f.on_list("#7770001", "pending"),
            f.in_audience("zqaudience"),
            f.clicked(7_770_006, days=777, message=7_770_007, url="zq7", human=True, distinct="messages"),
            f.opened(since="1777-07-08", until="1777-07-09"),
        ),
    )
    for past in (False, True):
        from icx.rules import Reading, condition

        found = condition(rule, Reading(CATALOGUE, named, AS_OF, past=past))
        assert "zq" not in found.text
        assert "777" not in found.text
        assert found.text.count("?") == len(found.params)


@pytest.mark.parametrize(
    ("exported", "read_as"),
    [
        (one("opens_90d", ">=", "3", id="a", path=[0], valueSource="value", disabled=False), f.opens_90d >= "3"),
        (one("city", "in", "Durham,Raleigh"), f.city.is_in("Durham", "Raleigh")),
        (one("city", "in", ["Durham", "Raleigh"]), f.city.is_in("Durham", "Raleigh")),
        (one("opens_90d", "between", "1,5"), f.opens_90d.between("1", "5")),
        (one("opens_90d", "between", [1, 5]), f.opens_90d.between(1, 5)),
        (one("city", "null", ""), f.city.is_missing()),
        (one("email_last_click_ts", "within", "7"), f.email_last_click_ts.within(days=7)),
        (one("@list", "on", 3004), f.on_list("#3004")),
        ({"combinator": "AND", "rules": []}, EVERYBODY),
        ({"id": "r", "combinator": "OR", "not": False, "rules": [one("city", "=", "A"), one("city", "=", "B")]}, (f.city == "A") | (f.city == "B")),
        ({"rules": [one("city", "=", "A"), "or", one("city", "=", "B"), "AND", one("cf_vip", "=", True)]}, (f.city == "A") | ((f.city == "B") & (f.cf_vip == True))),  # noqa: E712
        ({"combinator": "and", "rules": [one("city", "=", "A"), one("city", "=", "B", muted=True)]}, Group("and", (f.city == "A",))),
        ({"combinator": "and", "rules": [one("city", "=", "A"), {"combinator": "or", "rules": [one("city", "=", "B", muted=True)]}]}, Group("and", (f.city == "A",))),
    ],
)  # fmt: skip
def test_what_react_querybuilder_exports_is_read(exported: Any, read_as: Rule) -> None:
    rule = from_json(exported)
    assert rule == read_as
    assert from_json(to_json(rule)) == rule
    sql(rule, CATALOGUE, Lookup({3004: "x"}), AS_OF)


def person(**values: Any) -> Person:
    happened = tuple(values.pop("events", ()))
    lists = values.pop("lists", {})
    return Person(70233, dict.fromkeys(CATALOGUE) | values, CATALOGUE, AS_OF, replace(LOOKUP, zone=ZONE), lists, happened)  # fmt: skip


def at(day: int, hour: int = 15, minute: int = 41) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC).replace(tzinfo=None)


def test_why_names_the_deciding_rule_what_the_value_was_and_when_it_comes_in() -> None:
    opens = [Happened("open", at(10, minute=n), 5, machine=n < 2) for n in range(7)]
    jo = person(
        opens_90d=7,
        city="Durham",
        email_last_click_ts=at(18),
        events=[*opens, Happened("click", at(18), 5)],
    )
    assert reason(LOYAL, jo).text("jo@example.com (70233)", show_people=True) == (
        "jo@example.com (70233) is out; the third rule decides\n"
        "  yes  opened at least 3 times in the last 90 days    7 times, 2 of them likely by machines\n"
        "  yes  city is Durham                                 Durham\n"
        "  NO   did not click in the last 7 days               clicked 18 Nov 10:41; in from 25 Nov 10:41"
    )


def test_why_of_somebody_in_says_that_all_rules_hold() -> None:
    inside = reason(LOYAL, person(opens_90d=3, city="Durham"))
    assert inside.headline() == "#70233 is in; all 3 rules hold"
    assert inside.deciding == ("rules[0]", "rules[1]", "rules[2].rules[0]")


def test_why_names_rules_that_decide_only_together() -> None:
    out = reason(LOYAL, person(opens_90d=1, city="Raleigh"))
    assert out.together
    assert out.headline("jo") == "jo is out; the first and the second rule decide together"


def test_why_names_all_rules_that_fail_however_many_they_are() -> None:
    rule = Group("and", tuple(f.city == letter for letter in "ABCDEFG"))
    out = reason(rule, person(city="X"))
    assert out.together
    assert len(out.deciding) == 7
    mixed = Group("or", (rule, Group("and", tuple(f.city == letter for letter in "HIJKLM"))))
    assert reason(mixed, person(city="X")).deciding == tuple(f"rules[1].rules[{n}]" for n in range(6))


def test_in_an_any_group_every_rule_that_fails_decides() -> None:
    rule = (f.city == "A") | (f.city == "B") | (f.opens_90d > 5)
    out = reason(rule, person(city="C", opens_90d=0))
    assert out.deciding == ("rules[0]", "rules[1]", "rules[2]")
    assert not out.together
    assert out.headline("jo") == "jo is out; the first, the second and the third rule decide, each alone"


def test_why_shows_groups_and_what_can_never_change() -> None:
    never = (f.city == "A") & ~(f.city == "A")
    assert reason(never, person(city="A")).headline("jo") == "jo is out; the rule is the same for everybody"
    nested = (f.opens_90d >= 3) & ((f.city == "A") | f.on_list("Newsletter"))
    text = reason(nested, person(opens_90d=3, city="B", lists={1: "unsubscribed"})).text("jo")
    assert text.splitlines()[1:] == [
        "  yes  opened at least 3 times in the last 90 days    3 times",
        "  NO   any of these:",
        "  NO     city is A                                    B",
        "  NO     is on the list Newsletter                    unsubscribed",
    ]


def test_why_masks_addresses_among_the_values() -> None:
    out = reason(f.city == "x@example.com", person(city="jo@example.com"))
    assert "jo@example.com" not in out.text()
    assert "j…@e….com" in str(out.as_dict())


def test_a_window_turns_when_the_event_that_matters_leaves_it() -> None:
    rule = Event("click", "<", 2, days=7)
    jo = person(events=[Happened("click", at(day), 5) for day in (15, 17, 19)])
    row = reason(rule, jo).rows[0]
    assert not row.holds
    assert row.turns == datetime(2026, 11, 24, 15, 41, tzinfo=UTC)
    later = replace(jo, as_of=datetime(2026, 11, 24, 15, 42, tzinfo=UTC))
    assert oracle(rule, later)


def test_counting_fields_stand_for_event_rules() -> None:
    assert as_event(Compare("messages_opened_90d_human", ">", "2")) == Event("open", ">", 2, 90, distinct="messages", human=True)  # fmt: skip
    assert as_event(Compare("email_click_ct", "=", 0)) == Event("click", "=", 0)
    assert as_event(Compare("city", "=", "x")) is None


def test_what_a_rule_uses_includes_the_audiences_it_names() -> None:
    rule = f.in_audience("Silver") & (f.city == "A")
    assert fields_used(rule) == {"city"}
    assert fields_used(rule, LOOKUP) == {"city", "opens_90d"}
    assert not uses_events(f.city == "A", CATALOGUE)
    assert uses_events(rule, CATALOGUE, LOOKUP)
    assert uses_events(Event("open"))


def test_the_twin_without_machines_uses_human_fields_where_there_are_any() -> None:
    twins = Catalogue(
        [Field(n, "integer", n, "", "activity") for n in ("opens_90d", "opens_90d_human", "clicks_7d")]
    )
    rule = (
        Compare("opens_90d", ">", 1)
        & Compare("clicks_7d", ">", 1)
        & ~Event("click", url=Link("contains", "x"))
    )
    assert repr(without_machines(rule, twins)) == (
        '(f.opens_90d_human > 1) & (f.clicks_7d > 1) & ~f.clicked(url="x", human=True)'
    )


def test_windows_are_half_open_and_weeks_begin_on_monday_in_the_workspaces_zone() -> None:
    monday = datetime(2026, 11, 16, 5, tzinfo=UTC).replace(tzinfo=None)
    week = Compare("email_last_click_ts", "within", This("week"))
    assert oracle(week, person(email_last_click_ts=monday))
    assert not oracle(week, person(email_last_click_ts=monday.replace(hour=4, minute=59)))
    days = Compare("email_last_click_ts", "within", Days(7))
    assert not oracle(days, person(email_last_click_ts=AS_OF.replace(tzinfo=None)))


def test_errors_of_rules_are_errors_of_icx() -> None:
    with pytest.raises(IcxError):
        read(one("@audience", "in", "Bronze"))
