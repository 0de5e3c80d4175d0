"""A store with a small, clean connection `acme`, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from icx.clock import ManualClock
from icx.store import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

PEOPLE = """
insert into icontact_users (id, email, first_name, phone, status, create_date, first_seen)
select 70000 + range, 'person' || range || '@example.com', 'Ada',
       case when range % 5 < 3 then '919 555 01' || range end, 'normal', timestamp '2024-02-03 09:15:00',
       timestamp '2026-11-20 07:00:00'
from range(200)
"""
PROFILE = """
create or replace table profile as
select u.id as contact_id, cast(u.id as varchar) as ic_contact_id, u.email, 'example.com' as email_domain,
       u.status as ic_status, u.create_date as ic_user_created, u.phone,
       coalesce(e.opens, 0) as email_open_ct, 0::bigint as email_click_ct, 0::bigint as email_bouncect,
       0::bigint as email_unsubscribect, e.first as email_first_open_ts, e.last as email_last_open_ts,
       null::timestamp as email_first_click_ts, null::timestamp as email_last_click_ts,
       e.last as last_active_ts, case when e.last is not null then ['email'] end as channels,
       case when u.id % 9 = 0 then map {'5673948842516703987': 2} end as hashedurls,
       coalesce(e.opens, 0) as opens_90d, 0.5 as open_rate_90d, 'engaged_30' as engagement_tier
from icontact_users u
left join (
  select contact_id, count(*) as opens, min(event_ts) as first, max(event_ts) as last
  from icontact_activity group by contact_id
) e on e.contact_id = u.id
where u.gone_at is null
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Store:
    """200 contacts of `acme` on one list, each third with opens; one complete pull p-1, one build b-1."""
    made = Store(tmp_path / "icx.duckdb", clock=clock)
    made.create_schema("acme")
    with made.open("acme") as con:
        con.execute(PEOPLE)
        con.execute("insert into lists (list_id, name) values (3001, 'Newsletter')")
        con.execute(
            "insert into subscriptions (list_id, contact_id, status) select 3001, id, 'normal' from icontact_users"
        )
        con.execute(
            "insert into icontact_activity select id, 'open', timestamp '2026-11-01 10:00:00', 88104, null "
            "from icontact_users where id % 3 = 0"
        )
        con.execute(PROFILE)
        con.execute(
            "insert into pulls (pull_id, started_at, began_at, ended_at, state) values "
            "('p-1', timestamp '2026-11-21 07:00:00', timestamp '2026-11-21 07:00:00', timestamp '2026-11-21 07:05:00', 'complete')"
        )
        con.execute(
            "insert into builds values ('b-1', timestamp '2026-11-21 07:00:00', timestamp '2026-11-21 07:06:00', 'p-1', 200, 20, 0.1)"
        )
    return made


def change(store: Store, *statements: str) -> None:
    with store.open("acme") as con:
        for statement in statements:
            con.execute(statement)
