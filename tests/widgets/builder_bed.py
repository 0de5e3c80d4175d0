"""Ten people as a build would have published them, and a builder on them; no account, no database file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from icx.audience import Audience, Live, load, names, save
from icx.fields import Catalogue, Field
from icx.profile.publish import publish
from icx.rules import F, Rule
from icx.store import memory
from icx.store.published import About
from icx.widgets.builder import Builder

AS_OF = datetime(2026, 11, 21, 12, 2, tzinfo=UTC)
Make = Callable[..., Builder]
NOW = AS_OF.replace(tzinfo=None)
ZONE = ZoneInfo("America/New_York")
CANARY = "canary.jones@secret-domain.example"
NAMED = 'O\'Brien "Bob" <b@x.example>'
FIELDS = Catalogue(
    [
        Field("email", "text", "address", "…", "contact", pii=True),
        Field("first_name", "text", "first name", "…", "contact", pii=True),
        Field("city", "text", "city", "…", "contact"),
        Field("cf_note", "text", "custom field note", "…", "custom"),
        Field("ic_user_created", "time", "created", "…", "contact"),
        Field("opens_90d", "integer", "opens in 90 days", "…", "activity"),
        Field("opens_90d_human", "integer", "opens in 90 days by people", "…", "activity"),
        Field("open_rate_90d", "number", "open rate", "…", "derived"),
        Field("cf_vip", "boolean", "custom field vip", "…", "custom"),
        Field("email_last_click_ts", "time", "last click", "…", "activity"),
        Field("channels", "text list", "channels", "…", "activity"),
        Field("open_hours", "text→integer", "opens by hour", "…", "derived"),
        Field("engagement_tier", "text", "tier", "…", "derived"),
        Field("cf_gone", "text", "custom field gone", "…", "custom", gone=True),
    ]
)
CITIES = ["Durham", "Durham", "Raleigh", None, "", "O'Brien", "Größe", "Durham", "Durham", "Durham"]
f = F(FIELDS)
LOYAL = (f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)


def published(directory: Path, *, build_id: str = "b-1", people: int = 10) -> Path:
    """Publish people 101 to 110: 101 and 108 to 110 open a lot, 101 clicked three days ago, 110 has a canary's address."""
    con = memory()
    con.execute(
        """
        create table profile (contact_id bigint, email varchar, first_name varchar, city varchar, cf_note varchar,
          ic_user_created timestamp, opens_90d bigint, opens_90d_human bigint, open_rate_90d double, cf_vip boolean,
          email_last_click_ts timestamp, channels varchar[], open_hours map(varchar, bigint), engagement_tier varchar,
          cf_gone varchar);
        create table icontact_users (id bigint, email varchar, email_key varchar);
        create table icontact_activity (contact_id bigint, event_type varchar, event_ts timestamp, message_id bigint, event_url varchar);
        create table machine_events (contact_id bigint, message_id bigint, event_type varchar, event_ts timestamp);
        create table lists (list_id bigint, name varchar, gone_at timestamp);
        create table subscriptions (list_id bigint, contact_id bigint, status varchar, add_date timestamp);
        create table messages (message_id bigint, subject varchar, message_name varchar, html_body varchar);
        insert into lists values (3004, 'Durham regulars', null), (3005, 'Twin', null), (3006, 'Twin', null);
        insert into subscriptions values (3004, 101, 'normal', null), (3004, 102, 'unsubscribed', null), (3004, 103, 'pending', null);
        insert into messages values (5, 'Autumn sale', null, 'long');
        """
    )
    for n, city in enumerate(CITIES[:people]):
        contact = 101 + n
        email = CANARY if contact == 110 else f"person{contact}@example.com"
        opens = 7 if contact in {101, 108, 109, 110} else n % 3
        clicked = NOW - timedelta(days=3) if contact == 101 else None
        con.execute(
            "insert into profile values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [contact, email, NAMED if contact == 110 else "Jo", city, f"write to {CANARY}" if contact == 110 else "",
             NOW - timedelta(days=40 * n, hours=1), opens, max(opens - 5, 0), opens / 10, n % 2 == 0, clicked,
             ["email"] if opens else None, {"9": opens} if opens else None, "engaged_30", "old"],
        )  # fmt: skip
        con.execute("insert into icontact_users values (?, ?, ?)", [contact, email, email])
        for k in range(opens):
            at = NOW - timedelta(days=5 + k)
            con.execute("insert into icontact_activity values (?, 'open', ?, 5, null)", [contact, at])
            if k < 5:
                con.execute("insert into machine_events values (?, 5, 'open', ?)", [contact, at])
    con.execute(
        "insert into icontact_activity values (101, 'click', ?, 5, 'http://example.com/sale')",
        [NOW - timedelta(days=3)],
    )
    publish(con, directory, About(build_id, AS_OF, people, FIELDS))
    con.close()
    return directory


def builder(
    directory: Path, given: Audience | Rule | None = None, audiences: Path | None = None, **more: Any
) -> Builder:
    """Return a builder of these people that saves into a folder."""
    folder = audiences or directory.parent / "audiences"
    live = Live(directory, "acme", folder, ZONE)

    def kept(name: str) -> Rule | None:
        return load(folder, name).rule if name in names(folder) else None

    keep: Callable[[Audience], object] = lambda fresh: save(folder, fresh)  # noqa: E731
    return Builder(live, given, save=keep, kept=kept, names=lambda: names(folder), **more)


def edit(view: Builder, tree: dict[str, Any]) -> Builder:
    """Do what the browser does after an edit: both traits at once."""
    view.set_state({"tree": tree, "rev": view.rev + 1})
    return view


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The people, published once for all tests of a file."""
    return published(tmp_path_factory.mktemp("builder") / "published" / "acme")


@pytest.fixture
def make(files: Path, tmp_path: Path) -> Iterator[Make]:
    """Makes builders that have counted what they were given; all are closed with the test."""
    made: list[Builder] = []

    def one(given: Audience | Rule | None = None, **more: Any) -> Builder:
        made.append(builder(files, given, tmp_path / "audiences", **more))
        return made[-1].wait(10)

    yield one
    for view in made:
        view.close()
