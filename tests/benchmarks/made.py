"""A store of some size made by SQL alone, quicker than any pull: uneven people, odd links, two years of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from icx.functions import url_key, urlmain
from icx.pull import register
from icx.store import Store

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much of each."""

    contacts: int = 40_000
    events: int = 400_000
    messages: int = 200


MADE = Size()


def fill(store: Store, size: Size = MADE) -> None:
    """Write one connection `acme` into the store."""
    register(store, "acme", 41733, 8021)
    now = AS_OF.replace(tzinfo=None)
    with store.open("acme") as con:
        con.execute("select setseed(0.5)")
        con.execute(
            """
            insert into icontact_users by name
            select 70000 + i as id, 'person' || i || '@example.com' as email, 'normal' as status,
              ['Durham', 'Raleigh', 'Cary', 'Austin', null][1 + i % 5] as city,
              'First' || i % 900 as first_name, 'Last' || i % 7000 as last_name,
              case when i % 3 = 0 then '919-555-01' || lpad((i % 100)::varchar, 2, '0') end as phone,
              $now - to_days((i % 900)::integer) as create_date, '' as create_date_text,
              map {'tier': ['gold', 'silver', 'none'][1 + i % 3]} as custom,
              'person' || i || '@example.com' as email_key, 'example.com' as email_domain, $now as first_seen
            from range($contacts) t(i)
            """,
            {"now": now, "contacts": size.contacts},
        )
        con.execute(
            "insert into lists by name select 3001 + i as list_id, 'List ' || i as name from range(4) t(i)"
        )
        con.execute(
            "insert into subscriptions by name select 3001 + i % 4 as list_id, 70000 + i as contact_id,"
            " 'normal' as status, $now - interval 900 day as add_date from range($contacts) t(i)",
            {"now": now, "contacts": size.contacts},
        )
        con.execute(
            "insert into messages by name select 88000 + i as message_id, 'normal' as message_type,"
            " 'Subject ' || i as subject, $now - to_days((i * 3)::integer) as create_date from range($messages) t(i)",
            {"now": now, "messages": size.messages},
        )
        con.execute(
            "insert into sends by name select 9000 + i as send_id, 88000 + i as message_id, 'released' as status,"
            " $now - to_days((i * 3)::integer) as released_at, [3001, 3002] as include_list_ids,"
            " []::bigint[] as exclude_list_ids from range($messages) t(i)",
            {"now": now, "messages": size.messages},
        )
        con.execute(
            """
            insert into icontact_activity by name
            with drawn as (
              select (70000 + floor($contacts * pow(random(), 1.5)))::bigint as contact_id,
                (88000 + floor($messages * random()))::bigint as message_id, random() as kind, random() as late,
                floor(3000 * random())::integer as link
              from range($events))
            select contact_id, message_id,
              case when kind < 0.75 then 'open' when kind < 0.93 then 'click' when kind < 0.98 then 'bounce'
                else 'unsubscribe' end as event_type,
              date_trunc('second', $now - to_days((3 * (message_id - 88000))::integer)
                + to_seconds((late * late * 86400 * 20)::bigint)) as event_ts,
              case when kind >= 0.75 and kind < 0.93
                then 'https://www.example.com/p/' || link || '?m=' || message_id % 20 end as event_url
            from drawn
            """,
            {"now": now, "contacts": size.contacts, "events": size.events, "messages": size.messages},
        )
        urls = con.execute(
            "select distinct event_url from icontact_activity where event_url is not null"
        ).fetchall()
        rows = [(url, urlmain(url), url_key(url)) for (url,) in urls]
        import pyarrow as pa

        table = pa.table(
            {name: [row[i] for row in rows] for i, name in enumerate(("event_url", "url_main", "url_key"))}
        )
        con.register("made_urls", table)
        con.execute("insert into urls select * from made_urls")
        con.unregister("made_urls")
        con.execute(
            "insert into pulls by name select 'r-1' as pull_id, $now as started_at, $now as began_at,"
            " $now as ended_at, 'complete' as state",
            {"now": now},
        )
