"""Building: the default columns, what leaves, what is swapped, what a past moment sees."""

from __future__ import annotations

from datetime import UTC, timedelta

import duckdb
import pytest
from accounts import CLOCK, PULLED, add, contact, event, send, store_at, subscription

from icx.audience import Live, count, values
from icx.audience.people import People
from icx.errors import BadInput
from icx.profile import build, catalogue, fill_rates, last_build
from icx.rules import F
from icx.settings import Settings

DEFAULTS = {
    "ic_contact_id": "VARCHAR",
    "email": "VARCHAR",
    "email_domain": "VARCHAR",
    "prefix": "VARCHAR",
    "first_name": "VARCHAR",
    "last_name": "VARCHAR",
    "suffix": "VARCHAR",
    "street_address": "VARCHAR",
    "address_2": "VARCHAR",
    "city": "VARCHAR",
    "region": "VARCHAR",
    "postal_code": "VARCHAR",
    "phone": "VARCHAR",
    "fax": "VARCHAR",
    "ic_business": "VARCHAR",
    "ic_status": "VARCHAR",
    "ic_bounce_count": "VARCHAR",
    "ic_user_created": "TIMESTAMP",
    "email_bouncect": "BIGINT",
    "email_click_ct": "BIGINT",
    "email_open_ct": "BIGINT",
    "email_unsubscribect": "BIGINT",
    "email_last_click_ts": "TIMESTAMP",
    "email_last_open_ts": "TIMESTAMP",
    "email_lastbounce_ts": "TIMESTAMP",
    "email_lastunsubscribe_ts": "TIMESTAMP",
    "email_first_click_ts": "TIMESTAMP",
    "email_first_open_ts": "TIMESTAMP",
    "email_firstbounce_ts": "TIMESTAMP",
    "email_firstunsubscribe_ts": "TIMESTAMP",
    "last_active_ts": "TIMESTAMP",
    "last_channel_activities": "MAP(VARCHAR, TIMESTAMP)",
    "channels": "VARCHAR[]",
    "hashedurls": "MAP(VARCHAR, BIGINT)",
}


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path)


def built(store, **options):
    return build(store, "acme", **{"settings": Settings(), "fields_dir": None, "clock": CLOCK} | options)


def people(store, columns, table="profile"):
    with store.open("acme") as con:
        return con.execute(f"select {columns} from {table} order by contact_id").fetchall()


def ago(**span):
    return PULLED - timedelta(**span)


def test_the_vendors_34_columns_come_first_with_their_types(store):
    built(store)
    with store.open("acme") as con:
        columns = [(row[0], row[1]) for row in con.execute("describe profile").fetchall()]
    assert len(DEFAULTS) == 34
    assert columns[:35] == [("contact_id", "BIGINT"), *DEFAULTS.items()]


def test_somebody_without_events_has_zeros_and_no_maps(store):
    with store.open("acme") as con:
        contact(con, 1, email="jo@example.com")
    built(store)
    assert people(
        store, "email_open_ct, opens_7d_human, channels, last_channel_activities, hashedurls, open_hours"
    ) == [(0, 0, None, None, None, None)]


def test_two_events_alike_are_two_events(store):
    with store.open("acme") as con:
        contact(con, 1)
        for _ in range(2):
            event(con, 1, "click", ago(days=1), 5, "http://www.google.com")
    built(store)
    assert people(store, "email_click_ct, hashedurls, clicks_by_message") == [
        (2, {"-5816704685896663168": 2}, {"5": 2})
    ]


def test_hours_are_the_vendors(store):
    with store.open("acme") as con:
        contact(con, 1)
        event(con, 1, "open", PULLED.replace(year=2014, month=4, day=7, hour=16, minute=58, second=55))
    built(store, settings=Settings(zone="Asia/Kolkata"))
    assert people(store, "open_hours, open_hours_of_week, open_hours_local, open_hours_of_week_local") == [
        ({"16": 1}, {"40": 1}, {"22": 1}, {"46": 1})
    ]


def test_a_window_holds_its_first_moment_and_not_as_of(store):
    with store.open("acme") as con:
        contact(con, 1)
        for at in (ago(days=7), ago(days=7, microseconds=1), PULLED, PULLED + timedelta(seconds=1)):
            event(con, 1, "open", at)
    done = built(store)
    assert people(store, "opens_7d, opens_30d, email_open_ct") == [(1, 2, 2)]
    assert done.late_events == 2


def test_bounces_are_no_activity(store):
    with store.open("acme") as con:
        contact(con, 1)
        event(con, 1, "bounce", ago(days=3))
    built(store)
    assert people(store, "email_bouncect, last_active_ts, channels, engagement_tier") == [
        (1, None, None, "never_engaged")
    ]


def test_many_links_at_once_are_a_machines_and_stay_counted(store):
    with store.open("acme") as con:
        contact(con, 1)
        for step in range(3):
            event(con, 1, "click", ago(days=3) + timedelta(seconds=5 * step), 7, f"http://example.com/{step}")
        event(con, 1, "click", ago(days=2), 7, "http://example.com/0")
    built(store)
    assert people(store, "email_click_ct, likely_machine_clicks, email_click_ct_human") == [(4, 3, 1)]
    with store.open("acme") as con:
        assert con.execute("select count(*) from activity_human").fetchone() == (1,)


def test_an_open_right_after_the_release_is_a_machines(store):
    with store.open("acme") as con:
        contact(con, 1)
        send(con, 1, 7, ago(days=3), [1])
        for seconds in (10, 11):
            event(con, 1, "open", ago(days=3) + timedelta(seconds=seconds), 7)
    built(store)
    assert people(store, "likely_machine_opens, email_open_ct_human") == [(1, 1)]


def test_received_counts_lists_that_held_the_contact_at_release(store):
    with store.open("acme") as con:
        for person, status in ((1, "normal"), (2, "pending"), (3, "normal")):
            contact(con, person)
            subscription(con, 1, person, status, ago(days=50))
        subscription(con, 2, 1, "normal", ago(days=50))
        subscription(con, 9, 3, "normal", ago(days=50))
        send(con, 1, 7, ago(days=60), [1])
        send(con, 2, 8, ago(days=10), [1, 2], [9])
        event(con, 1, "open", ago(days=9), 8)
    built(store)
    assert people(store, "received_90d, open_rate_90d, engagement_tier") == [
        (1, 1.0, "engaged_30"),
        (0, None, "never_mailed"),
        (0, None, "never_engaged"),
    ]


def test_custom_fields_are_typed_and_what_cannot_be_read_is_counted(store):
    with store.open("acme") as con:
        for name, kind in (
            ("country", "text"),
            ("region", "text"),
            ("2nd.choice", "checkbox"),
            ("score", "number"),
        ):
            add(con, "custom_fields", private_name=name, public_name=name, field_type=kind)
        add(con, "custom_fields", private_name="Score", field_type="decimalTwo", gone_at=PULLED)
        contact(
            con,
            1,
            state="NC",
            custom={"country": "US", "region": "South", "2nd.choice": "1", "score": "1,204"},
        )
        contact(con, 2, custom={"2nd.choice": "perhaps", "score": "many", "Score": "2.50"})
    done = built(store)
    columns = 'region, cf_country, cf_region, "cf_2nd.choice", cf_score, "cf_Score_2"'
    assert people(store, columns) == [
        ("NC", "US", "South", True, 1204.0, None),
        (None, None, None, None, None, 2.5),
    ]
    assert done.cast_failures == {"cf_2nd.choice": 1, "cf_score": 1}
    fields = catalogue(store, "acme")
    assert fields["cf_2nd.choice"].type == "boolean"
    assert fields["cf_Score_2"].gone
    assert not fields["cf_score"].gone


@pytest.mark.parametrize("text", ["2026-03-01", "03/01/2026", "2026-03-01 00:00:00"])
def test_dates_of_custom_fields_are_read_as_people_write_them(store, text):
    with store.open("acme") as con:
        add(con, "custom_fields", private_name="since", field_type="date")
        contact(con, 1, custom={"since": text})
    built(store)
    assert people(store, "cf_since") == [(PULLED.replace(day=1, hour=0),)]


def test_people_gone_from_the_service_leave_the_profile(store):
    with store.open("acme") as con:
        contact(con, 1)
        contact(con, 2, gone_at=ago(days=1))
    done = built(store)
    assert (done.people, people(store, "contact_id")) == (1, [(1,)])


def test_a_build_is_a_row_and_reads_with_plain_duckdb(store, tmp_path):
    with store.open("acme") as con:
        contact(con, 1, email="Jo <JO@Example.com>")
        contact(con, 2, email="no address")
    first, second = built(store), built(store, published=tmp_path / "published")
    assert (first.build_id, second.build_id) == ("b-1", "b-2")
    assert (second.people, second.no_address, second.fields) == (2, 1, len(catalogue(store, "acme")))
    assert last_build(store, "acme") == ("b-2", PULLED.replace(tzinfo=UTC))
    with duckdb.connect(str(store.path), read_only=True) as con:
        assert con.execute("select email from acme.profile order by contact_id").fetchall() == [
            ("jo@example.com",),
            (None,),
        ]
    published = tmp_path / "published" / "acme"
    assert duckdb.sql(f"select count(*) from '{published}/profile.parquet'").fetchall() == [(2,)]
    assert not list(published.glob(".*"))


def test_what_is_published_has_every_field_also_those_made_on_reading(store, tmp_path):
    with store.open("acme") as con:
        for contact_id in (1, 2, 3):
            contact(con, contact_id, email=f"p{contact_id}@example.com", city="Durham")
        for hour in (9, 9, 17):
            event(con, 1, "open", PULLED - timedelta(days=2) + timedelta(hours=hour), 7)
        event(con, 2, "click", PULLED - timedelta(days=2), 7, "https://example.com/sale")
    built(store, published=tmp_path)
    fields = catalogue(store, "acme")
    select = f"select contact_id, {', '.join(fields)} from profile order by contact_id"
    live = Live(tmp_path / "acme", "acme", None, UTC)
    with store.open("acme") as con, live.published.open() as files:
        assert files.execute(select).fetchall() == con.execute(select).fetchall()
    f = F(fields)
    people = People(store, "acme", fields)
    hour = f"{PULLED + timedelta(hours=9):%-H}"
    for rule in (
        f.open_hours[hour] >= 2,
        f.opens_by_message.has("7") & (f.city == "Durham"),
        f.city == "Durham",
    ):
        assert live.count(rule).size == count(people, rule).count
    assert live.count(f.open_hours[hour] >= 2).size == 1
    spread = live.breakdown(f.city == "Durham", "opens_by_message")
    assert [(part.value, part.count) for part in spread.parts] == [("7", 1), ("no value", 2)]
    with live.chosen(f.city == "Durham", about="click_hours") as chosen:
        found = values(chosen.con, chosen.reading, chosen.those, "click_hours", profile=chosen.profile)
    assert found.different == 1


def test_who_passes_does_not_hang_on_the_order_in_which_rows_are_answered(store, tmp_path):
    with store.open("acme") as con:
        for contact_id in range(1, 7):
            contact(
                con,
                contact_id,
                email=f"p{contact_id}@example.com",
                city="Durham" if contact_id < 3 else "Cary",
            )
    built(store, published=tmp_path)
    live = Live(tmp_path / "acme", "acme", None, UTC)
    durham = F(catalogue(store, "acme")).city == "Durham"
    with live.published.by_row.open() as con:
        con.execute("alter view profile rename to filed")
        con.execute("create view profile as from filed order by contact_id desc")
        passes = live.published.passing(con, "city = ?", ["Durham"]).to_pylist()
        assert (
            passes
            == con.execute("select list(city = 'Durham' order by contact_id) from filed").fetchall()[0][0]
        )
    people, _ = live.sample(durham, show_people=True)
    assert sorted(people.email) == ["p1@example.com", "p2@example.com"]


def test_nothing_pulled_is_said_and_leaves_no_profile(store):
    with store.open("acme") as con:
        con.execute("update pulls set state = 'stopped'")
    with pytest.raises(BadInput, match="not-pulled"):
        built(store)
    assert last_build(store, "acme") is None
    with pytest.raises(BadInput, match="not-built"):
        fill_rates(store, "acme")


def test_days_are_counted_when_the_profile_is_read(store):
    with store.open("acme") as con:
        contact(con, 1)
        event(con, 1, "open", ago(days=2, hours=23))
        event(con, 1, "unsubscribe", ago(hours=23))
    built(store)
    assert people(store, "days_since_last_open, days_since_last_active") == [(2, 0)]
    with store.open("acme") as con:
        stored = [row[0] for row in con.execute("describe profile_rows").fetchall()]
    assert "days_since_last_open" not in stored


def test_the_past_is_built_beside_the_profile(store):
    with store.open("acme") as con:
        con.execute("update pulls set started_at = ?", [ago(days=100)])
        add(con, "pulls", pull_id="p-2", started_at=PULLED, began_at=PULLED, state="complete")
        early = {"create_date": ago(days=400), "first_seen": ago(days=100)}
        contact(con, 1, email="new@example.com", city="Durham", custom={"tier": "gold"}, **early)
        contact(con, 2, email="late@example.com", create_date=ago(days=10), first_seen=PULLED)
        contact(con, 3, gone_at=PULLED, **early)
        contact(con, 4, create_date=ago(days=40), first_seen=PULLED)
        for field, old, new in (
            ("email", "Old@example.org", "new@example.com"),
            ("city", None, "Durham"),
            ("cf_tier", "silver", "gold"),
            ("cf_extra", "x", None),
        ):
            add(
                con,
                "changes",
                happened_at=PULLED,
                entity="contact",
                contact_id=1,
                field=field,
                old=old,
                new=new,
            )
        add(con, "changes", happened_at=PULLED, entity="contact", contact_id=3, field="exists", old="1")
        for person in (2, 4):
            add(
                con,
                "changes",
                happened_at=PULLED,
                entity="contact",
                contact_id=person,
                field="exists",
                new="1",
            )
        for name in ("tier", "extra"):
            add(con, "custom_fields", private_name=name, field_type="text")
        event(con, 1, "open", ago(days=5))
        event(con, 1, "open", ago(days=31))
    built(store)
    then = built(store, as_of=ago(days=30).replace(tzinfo=UTC))
    assert (then.table, then.attributes, then.people) == ("profile_at", "then", 3)
    seen = people(
        store, "contact_id, email, email_domain, city, cf_tier, cf_extra, email_open_ct", "profile_at"
    )
    assert seen == [
        (1, "old@example.org", "example.org", None, "silver", "x", 1),
        (3, None, None, None, None, None, 0),
        (4, None, None, None, None, None, 0),
    ]
    assert people(store, "contact_id, city, cf_tier") == [
        (1, "Durham", "gold"),
        (2, None, None),
        (4, None, None),
    ]
    assert last_build(store, "acme")[0] == "b-1"


def test_before_the_first_pull_todays_values_are_said_to_be_todays(store):
    with store.open("acme") as con:
        contact(con, 1, city="Durham")
    assert built(store, as_of=ago(days=1).replace(tzinfo=UTC)).attributes == "today"


def test_a_moment_after_the_last_pull_is_refused(store):
    with pytest.raises(BadInput, match="as-of"):
        built(store, as_of=(PULLED + timedelta(hours=1)).replace(tzinfo=UTC))


def test_fill_rates_show_no_personal_values(store):
    with store.open("acme") as con:
        contact(con, 1, email="jo@example.com", first_name="Jo", city="Durham")
        contact(con, 2, city="Durham")
        event(con, 1, "open", ago(days=3))
    built(store)
    rates = fill_rates(store, "acme").set_index("field")
    assert rates.loc["email", "share"] == 0.5
    assert rates.loc["email", "histogram"] == rates.loc["first_name", "histogram"] == []
    assert rates.loc["city", "histogram"] == [("Durham", 2)]
    assert sum(n for _, n in rates.loc["opens_90d", "histogram"]) == 2
    assert rates.loc["email_last_open_ts", "histogram"] == [("2026-03", 1)]


def test_progress_is_told(store):
    told = []
    built(store, progress=told.append)
    assert [step.done for step in told] == [0, 1, 2, 3, 4]
