"""A small store as a pull and a build would have left it, made by hand."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from icx.audience import Audience, People
from icx.fields import Catalogue, Field
from icx.rules import F
from icx.store import Store

AS_OF = datetime(2026, 11, 21, 12, 2, tzinfo=UTC)
NOW = AS_OF.replace(tzinfo=None)
CATALOGUE = Catalogue(
    [
        Field("email", "text", "address", "…", "contact", pii=True),
        Field("first_name", "text", "first name", "…", "contact", pii=True),
        Field("city", "text", "city", "…", "contact"),
        Field("ic_user_created", "time", "created", "…", "contact"),
        Field("opens_90d", "integer", "opens in 90 days", "…", "activity"),
        Field("opens_90d_human", "integer", "opens in 90 days, likely by people", "…", "activity"),
        Field("received_90d", "integer", "received", "…", "activity", estimate=True),
        Field("open_rate_90d", "number", "rate", "…", "activity"),
        Field("email_last_click_ts", "time", "latest click", "…", "activity"),
        Field("channels", "text list", "channels", "…", "activity"),
        Field("engagement_tier", "text", "tier", "…", "derived"),
        Field("cf_gone", "text", "custom field gone", "…", "custom", gone=True),
    ]
)
CITIES = ["Durham", "Durham", "Raleigh", None, "", "O'Brien", "Größe", "Durham", "Durham", "Durham"]


@pytest.fixture
def people(tmp_path: Path, made_once: Path) -> People:
    """Ten people, 101 to 110. 101 and 108 to 110 open a lot; 101 clicked three days ago; two share an address."""
    path = tmp_path / "data" / "icx.duckdb"
    path.parent.mkdir()
    shutil.copy(made_once, path)
    return People(Store(path), "acme", CATALOGUE, path.parent / "audiences", ZoneInfo("America/New_York"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store's file; making it takes a second, copying it does not."""
    path = tmp_path_factory.mktemp("audiences") / "icx.duckdb"
    store = Store(path)
    store.create_schema("acme")
    with store.open("acme") as con:
        con.execute(
            "create table profile_rows (contact_id bigint, email varchar, first_name varchar, city varchar,"
            " ic_user_created timestamp, opens_90d bigint, opens_90d_human bigint, received_90d bigint,"
            " open_rate_90d double, email_last_click_ts timestamp, channels varchar[], engagement_tier varchar,"
            " cf_gone varchar)"
        )
        con.execute("create view profile as select * from profile_rows")
        con.execute(
            "create table machine_events (contact_id bigint, message_id bigint, event_type varchar, event_ts timestamp)"
        )
        con.execute("insert into builds values ('b-1', ?, ?, 'p-1', 10, 12, 0.1)", [NOW, NOW])
        for n, city in enumerate(CITIES):
            contact = 101 + n
            email = f"person{contact if contact != 107 else 106}@example.com"
            opens = 7 if contact in {101, 108, 109, 110} else n % 3
            clicked = NOW - timedelta(days=3) if contact == 101 else None
            con.execute(
                "insert into icontact_users (id, email, email_key, first_seen) values (?, ?, ?, ?)",
                [contact, email, email, NOW],
            )
            con.execute(
                "insert into profile_rows values (?, ?, 'Jo', ?, ?, ?, ?, 4, ?, ?, ?, 'engaged_30', null)",
                [contact, email, city, NOW - timedelta(days=40 * n, hours=1), opens, max(opens - 5, 0), opens / 10, clicked,
                 ["email"] if opens else None],
            )  # fmt: skip
            for k in range(opens):
                at = NOW - timedelta(days=5 + k)
                con.execute("insert into icontact_activity values (?, 'open', ?, 5, null)", [contact, at])
                if k < 5:
                    con.execute("insert into machine_events values (?, 5, 'open', ?)", [contact, at])
        con.execute("insert into icontact_activity values (101, 'click', ?, 5, 'http://example.com/sale')", [NOW - timedelta(days=3)])  # fmt: skip
        con.execute(
            "insert into lists (list_id, name) values (3004, 'Durham regulars'), (3005, 'Twin'), (3006, 'Twin')"
        )
        con.execute("insert into lists (list_id, name, gone_at) values (3007, 'Durham regulars', ?)", [NOW])
        con.execute(
            "insert into subscriptions values (3004, 101, 'normal', ?, null), (3004, 102, 'unsubscribed', ?, null),"
            " (3004, 103, 'pending', ?, null), (3005, 104, 'normal', ?, null)",
            [NOW - timedelta(days=90)] * 4,
        )
        con.execute("insert into messages (message_id, subject) values (5, 'Autumn sale'), (6, 'Draft')")
        con.execute(
            "insert into sends (send_id, message_id, released_at, include_list_ids, exclude_list_ids)"
            " values (1, 5, ?, [3004, 3005], [])",
            [NOW - timedelta(days=30)],
        )
    return path


@pytest.fixture
def f() -> F:
    return F(CATALOGUE)


@pytest.fixture
def loyal(people: People, f: F) -> Audience:
    rule = (f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)
    return Audience("Loyal in Durham", rule, "acme").of(people)
