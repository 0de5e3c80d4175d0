"""A big account made by SQL alone: contacts, events of skewed people, messages, lists, in seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

AS_OF = datetime(2026, 3, 10, 12, 0, 0)  # noqa: DTZ001 (the store's times are naive UTC)


def fill(
    con: Any, *, contacts: int, events: int, messages: int = 2_000, links: int = 24_000, lists: int = 12
) -> None:
    """Fill the tables of one connection; everything follows from row numbers, so each run is the same.

    A contact's share of the events falls with its rank to the power of -1/3. Messages went out over three years,
    to one or two lists each; opens and clicks follow their release, most within days. Of 100 events 75 are opens,
    18 clicks, 5 bounces, 2 unsubscribes.
    """
    sizes = {"contacts": contacts, "events": events, "messages": messages, "links": links, "lists": lists}

    def run(sql: str) -> None:
        con.execute(sql, {k: v for k, v in (sizes | {"as_of": AS_OF}).items() if f"${k}" in sql})

    run("insert into pulls (pull_id, started_at, began_at, state) values ('p-1', $as_of, $as_of, 'complete')")
    run("""
        insert into icontact_users (
          id, email, first_name, city, state, status, create_date, bounce_count, custom, email_key, email_domain, first_seen
        )
        select
          i + 1, 'p' || i || '@example.com', 'Jo ' || i % 900, 'City ' || i % 300, 'S' || i % 50, 'normal',
          $as_of - to_days(1100 + (i % 400)::int), '0', map {}, 'p' || i || '@example.com', 'example.com', $as_of
        from range($contacts) r(i)
    """)
    # Every third link differs from another one only in what follows its path.
    run("""
        insert into urls
        select 'http://shop.example.com/p/' || i || '?m=' || i % 7, 'shop.example.com/p/' || i // 3,
          (hash(i // 3) // 2)::bigint::varchar
        from range($links) r(i)
    """)
    run("""
        insert into sends (send_id, message_id, status, released_at, include_list_ids, exclude_list_ids)
        select
          i + 1, i + 1, 'released', $as_of - to_hours(1 + (i * 26280 // $messages)::int),
          case when i % 3 = 0 then [i % $lists + 1, (i + 5) % $lists + 1] else [i % $lists + 1] end,
          case when i % 50 = 0 then [(i + 3) % $lists + 1] else [] end
        from range($messages) r(i)
    """)
    run("""
        insert into subscriptions
        select l + 1, i + 1, case when hash(i, l) % 20 = 0 then 'unsubscribed' else 'normal' end,
          $as_of - to_days((i % 1100)::int), null
        from range($contacts) c(i), range($lists) l(l)
        where hash(i, l, 1) % 4 = 0
    """)
    run("""
        insert into icontact_activity
        with drawn as (
          select
            i * $messages // $events as message, hash(i, 2) % 100 as kind, hash(i, 3) / pow(2, 64) as place,
            -86400 * 2 * ln(1 - hash(i, 4) / pow(2, 64) * 0.9999) as delay, hash(i, 5) as link
          from range($events) r(i)
        )
        select
          least(floor(pow(place, 1.5) * $contacts)::bigint, $contacts - 1) * 7919 % $contacts + 1,
          case when kind < 75 then 'open' when kind < 93 then 'click' when kind < 98 then 'bounce' else 'unsubscribe' end,
          $as_of - to_hours(1 + (message * 26280 // $messages)::int) + to_seconds(floor(delay)::bigint),
          message + 1,
          case when kind between 75 and 92 then
            'http://shop.example.com/p/' || (message * 12 + link % 12) % $links || '?m=' || (message * 12 + link % 12) % $links % 7
          end
        from drawn
    """)
