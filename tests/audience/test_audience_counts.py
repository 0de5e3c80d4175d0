"""Audiences counted, shown, explained, compared and remembered, on a store made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from icx.audience import (
    TEMPLATES,
    Audience,
    People,
    checked,
    count,
    entered_left,
    members,
    members_relation,
    moment_of,
    one_step_away,
    overlap,
    resend,
    sample,
    save,
    sizes,
    snapshot,
    snapshots,
    steps,
    template,
    why,
)
from icx.errors import BadInput, Damaged, NeedsYou
from icx.rules import EVERYBODY, Compare, F, Group, InAudience
from icx.store import Store

AS_OF = datetime(2026, 11, 21, 12, 2, tzinfo=UTC)
NOW = AS_OF.replace(tzinfo=None)


def test_a_count_has_the_waterfall_and_the_size_without_machines(loyal: Audience) -> None:
    found = loyal.count()
    assert found.as_dict() == {
        "audience": "Loyal in Durham",
        "connection": "acme",
        "as_of": "2026-11-21T12:02:00Z",
        "count": 3,
        "of": 10,
        "count_human": 0,
        "combinator": "and",
        "steps": [
            {"rule": "opens_90d >= 3", "english": "opened at least 3 times in the last 90 days", "left": 4},
            {"rule": 'city == "Durham"', "english": "city is Durham", "left": 4},
            {
                "rule": "~email_last_click_ts.within(days=7)",
                "english": "did not click in the last 7 days",
                "left": 3,
            },
        ],
    }
    assert [step.before for step in found.steps] == [10, 4, 4]
    assert [step.dropped for step in found.steps] == [6, 0, 1]


def test_the_text_of_a_count_reads_as_the_transcript(loyal: Audience) -> None:
    assert loyal.people is not None
    assert loyal.count().text(loyal.people.zone, "1 entered and 2 left since 16 Nov") == (
        "Loyal in Durham: 3 people of acme as of 21 Nov 07:02 EST, the start of the last complete pull\n"
        "  opened at least 3 times in the last 90 days    10 →  4\n"
        "  and city is Durham                              4 →  4\n"
        "  and did not click in the last 7 days            4 →  3\n"
        "  0 without likely machine opens · 1 entered and 2 left since 16 Nov"
    )


def test_an_any_group_shows_what_each_rule_has_and_has_alone(people: People, f: F) -> None:
    rule = (f.city == "Durham") | (f.opens_90d >= 3) | f.on_list("Durham regulars", "pending")
    found = count(people, rule)
    assert found.any_of
    assert [(step.left, step.only) for step in found.steps] == [(5, 1), (4, 0), (1, 1)]
    assert found.count == 6
    assert found.as_dict()["combinator"] == "or"


def test_a_rule_and_its_negation_count_everybody(people: People, f: F) -> None:
    for rule in (
        f.city != "Durham",
        f.city.does_not_contain("u"),
        f.opened(2, human=True),
        f.on_list("#3004"),
    ):
        assert count(people, rule).count + count(people, ~rule).count == 10


def test_a_rule_about_no_opens_or_clicks_has_no_size_without_machines(people: People, f: F) -> None:
    assert count(people, f.city == "Durham").count_human is None


def test_sizes_are_told_for_every_node(people: People, f: F) -> None:
    rule = (f.city == "Durham") & ((f.opens_90d >= 3) | f.on_list("Twin")).rules[0]
    assert sizes(people, rule) == {"": 4, "rules[0]": 5, "rules[1]": 4}
    assert steps(people, EVERYBODY) == ()


def test_members_are_ids_in_order_also_as_a_table(people: People, loyal: Audience) -> None:
    assert members(people, loyal) == [108, 109, 110]
    with people.store.open("acme") as con:
        assert members_relation(people, loyal, con, "chosen") == 3
        assert con.execute("select min(contact_id) from chosen").fetchone() == (108,)


def test_other_audiences_are_read_at_the_same_moment(people: People, loyal: Audience) -> None:
    assert people.audiences is not None
    save(people.audiences, loyal)
    assert members(people, InAudience("in", "Loyal in Durham")) == [108, 109, 110]
    assert count(people, Audience("Others", ~InAudience("in", "Loyal in Durham"))).count == 7
    assert count(people, InAudience("in", "Loyal in Durham")).count_human == 0
    assert moment_of(people) == AS_OF


def test_a_sample_masks_people_unless_they_are_to_be_shown(people: People, f: F) -> None:
    masked = sample(people, f.city == "Durham", 3)
    assert list(masked.columns) == ["contact_id", "email", "city"]
    assert len(masked) == 3
    assert all(value == "p…@e….com" for value in masked["email"])
    assert set(sample(people, f.first_name == "Jo", 3)["first_name"]) == {"J…"}
    assert sample(people, f.city == "Durham", 3, show_people=True)["email"].str.contains("@example.com").all()


def test_a_breakdown_compares_members_with_all_contacts(loyal: Audience) -> None:
    found = loyal.breakdown("city")
    first = found.parts[0]
    assert (first.value, first.count, first.of) == ("Durham", 3, 5)
    assert found.parts[-1].value == "no value"
    assert sum(part.of for part in found.parts) == found.people == 10
    assert "Loyal in Durham by city: 3 people" in repr(found)
    assert "aria-label" in found._repr_html_()


@pytest.mark.parametrize(
    "by", ["opens_90d", "open_rate_90d", "ic_user_created", "channels", "email_last_click_ts"]
)
def test_a_breakdown_of_any_type_counts_everybody_once(people: People, by: str) -> None:
    found = Audience("All", EVERYBODY).of(people).breakdown(by)
    assert sum(part.count for part in found.parts) == found.size == 10
    assert len(found.parts) <= 14


def test_a_breakdown_by_an_unknown_field_names_the_nearest(loyal: Audience) -> None:
    with pytest.raises(BadInput, match="Nearest: `city`"):
        loyal.breakdown("ctiy")


def test_an_overlap_counts_every_combination_once(people: People, f: F, loyal: Audience) -> None:
    durham = Audience("Durham", f.city == "Durham")
    found = overlap(people, [loyal, durham])
    assert found.cells == {(0, 1): 3, (1,): 2}
    assert found.both(0, 1) == 3
    assert (found.sizes, found.anybody) == ((3, 5), 5)
    assert found.as_dict()["audiences"] == [
        {"name": "Loyal in Durham", "count": 3},
        {"name": "Durham", "count": 5},
    ]
    with pytest.raises(BadInput):
        overlap(people, [loyal])


def test_people_whom_one_rule_alone_keeps_out_can_be_found(people: People, f: F, loyal: Audience) -> None:
    assert [(near.count, near.ids) for near in one_step_away(people, loyal)] == [
        (1, (102,)),
        (0, ()),
        (1, (101,)),
    ]
    assert why(people, loyal, 102).reason.deciding == ("rules[0]",)
    assert one_step_away(people, (f.city == "A") | (f.city == "B")) == ()


def test_why_answers_as_the_transcript_does(loyal: Audience) -> None:
    assert repr(loyal.why("Person101@example.com")) == (
        "Person101@example.com (101) is out; the third rule decides\n"
        "  yes  opened at least 3 times in the last 90 days    7 times, 5 of them likely by machines\n"
        "  yes  city is Durham                                 Durham\n"
        "  NO   did not click in the last 7 days               clicked 18 Nov 07:02; in from 25 Nov 07:02"
    )


def test_why_by_id_shows_no_address(people: People, f: F) -> None:
    answer = why(people, f.email.contains("example"), 101)
    assert answer.text().startswith("#101 is in; the first rule decides")
    assert "person101@" not in answer.text()
    assert "person101@" in answer.text(show_people=True)
    assert answer.as_dict()["in"] is True


def test_why_of_a_shared_address_names_both_ids(loyal: Audience) -> None:
    with pytest.raises(BadInput) as caught:
        loyal.why("person106@example.com")
    assert caught.value.code == "shared-address"
    assert caught.value.where_text() == "#106, #107"
    assert caught.value.next[0] == ["icx", "audience", "why", "Loyal in Durham", "106"]


@pytest.mark.parametrize("who", ["nobody@example.com", "999", 999, "no address at all"])
def test_why_of_somebody_unknown_says_so_without_the_address(loyal: Audience, who: str | int) -> None:
    with pytest.raises(BadInput) as caught:
        loyal.why(who)
    assert caught.value.code == "contact-unknown"
    assert "nobody@" not in str(caught.value)


def test_why_agrees_with_the_members(people: People, loyal: Audience) -> None:
    inside = set(members(people, loyal))
    for contact in range(101, 111):
        assert why(people, loyal, contact).reason.inside == (contact in inside)


def test_a_field_that_is_gone_stops_the_audience_by_name(people: People, f: F) -> None:
    with pytest.raises(Damaged) as caught:
        count(people, Audience("Gold", f.cf_gone == "A"))
    assert caught.value.code == "field-gone"
    assert "used by the audience Gold" in caught.value.where_text()


def test_an_error_names_the_file_and_the_path(people: People) -> None:
    rule = Group("and", (Compare("city", "=", "A"), Group("or", (Compare("opens_9d", ">", 1),))))
    with pytest.raises(BadInput) as caught:
        checked(people, rule, "loyal.json")
    assert caught.value.where_text() == "loyal.json, rules[1].rules[0]"


def test_a_gone_list_does_not_make_a_name_doubtful_but_twins_do(people: People, f: F) -> None:
    assert members(people, f.on_list("Durham regulars")) == [101, 103]
    with pytest.raises(BadInput) as caught:
        members(people, f.on_list("Twin"))
    assert caught.value.code == "list-twice"
    assert "#3005 with 1 members · #3006" in caught.value.where_text()


def test_an_audience_counts_the_people_of_its_own_connection_only(people: People) -> None:
    with pytest.raises(BadInput, match="chooses from other, not from acme"):
        count(people, Audience("Gold", EVERYBODY, "other"))


def test_without_a_profile_the_error_says_to_build(tmp_path: object, people: People) -> None:
    store = Store(people.store.path.parent / "empty.duckdb")
    store.create_schema("acme")
    with pytest.raises(NeedsYou) as caught:
        count(replace(people, store=store), EVERYBODY)
    assert caught.value.next == [["icx", "build", "--connection", "acme"]]


def test_snapshots_tell_who_entered_and_left(people: People, loyal: Audience) -> None:
    assert entered_left(people, loyal) is None
    first = snapshot(people, loyal, AS_OF)
    assert first.size == 3
    with people.store.open("acme") as con:
        con.execute("update profile_rows set city = 'Durham', opens_90d = 9 where contact_id = 105")
        con.execute("update profile_rows set opens_90d = 0 where contact_id in (108, 109)")
    flow = entered_left(people, loyal)
    assert flow is not None
    assert (flow.entered_ids, flow.left_ids, flow.now) == ((105,), (108, 109), 2)
    assert flow.text(people.zone) == "1 entered and 2 left since 21 Nov"
    snapshot(people, loyal, AS_OF + timedelta(days=1))
    assert [one.size for one in snapshots(people, "Loyal in Durham")] == [3, 2]
    earlier = entered_left(people, loyal, since=AS_OF + timedelta(hours=1))
    assert earlier is not None
    assert earlier.since == first


def test_an_empty_audience_has_a_snapshot_too(people: People, f: F) -> None:
    nobody = Audience("Nobody", f.city == "Atlantis")
    assert snapshot(people, nobody, AS_OF).size == 0
    flow = entered_left(people, nobody)
    assert flow is not None
    assert (flow.entered, flow.left) == (0, 0)


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_template_makes_an_audience_that_counts(people: People, key: str) -> None:
    made = template(people, key)
    assert made.count().of == 10
    assert made.description


def test_templates_mean_what_they_say(people: People) -> None:
    assert members(people, template(people, "newest")) == [101]
    assert template(people, "all").count().count == 10
    assert members(people, template(people, "engaged-30")) == [101, 108, 109, 110]
    assert members(people, template(people, "sunset", days=100)) == [104, 107]


def test_resend_chooses_who_got_the_message_and_did_not_open_it(people: People) -> None:
    assert members(people, resend(people, 5)) == [104]
    with pytest.raises(BadInput, match="no released message 6"):
        resend(people, 6)
    with pytest.raises(BadInput, match=r"no template `engaged-3`\. Nearest: engaged-30"):
        template(people, "engaged-3")
    with pytest.raises(BadInput, match="takes no message"):
        template(people, "all", message=5)


def test_a_past_profile_reads_the_lists_as_they_were(people: People, f: F) -> None:
    with people.store.open("acme") as con:
        con.execute("create view profile_at as select * from profile_rows")
        con.execute(
            "insert into changes values (?, 'subscription', 102, 3004, 'status', 'normal', 'unsubscribed'),"
            " (?, 'subscription', 105, 3004, 'status', 'pending', null),"
            " (?, 'subscription', 103, 3004, 'status', null, 'pending')",
            [NOW - timedelta(days=2)] * 3,
        )
    then = replace(people, as_of=AS_OF - timedelta(days=10), profile="profile_at")
    rule = f.on_list("Durham regulars")
    assert members(people, rule) == [101, 103]
    assert members(then, rule) == [101, 102, 105]
    assert [c for c in range(101, 111) if why(then, rule, c).reason.inside] == [101, 102, 105]


def test_an_audience_shows_itself_in_one_line_and_in_html(loyal: Audience) -> None:
    assert repr(loyal) == (
        "Loyal in Durham: 3 people of acme · people who opened at least 3 times in the last 90 days,"
        " and whose city is Durham, and who did not click in the last 7 days"
    )
    html = loyal._repr_html_()
    assert "--jp-ui-font-color1" in html
    assert "<script" not in html
    assert "@example.com" not in html
    assert ">3</div>" in html


def test_html_shows_text_from_outside_as_text(people: People, f: F) -> None:
    nasty = Audience("<b>x</b>", f.city == "<script>alert(1)</script>", description='"<i>').of(people)
    html = nasty._repr_html_()
    assert "<script" not in html
    assert "<b>x</b>" not in html


def test_an_audience_that_cannot_count_still_shows_itself(people: People, f: F) -> None:
    broken = Audience("Gold", f.cf_gone == "A").of(people)
    assert "not counted: The custom field" in repr(broken)
    assert "Not counted." in broken._repr_html_()
    assert repr(Audience("Gold", f.city == "A")) == "Gold: people whose city is A"
    with pytest.raises(BadInput, match="nobody to count"):
        Audience("Gold", f.city == "A").count()
